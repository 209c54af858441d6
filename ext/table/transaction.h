// Transaction: a connection's open transaction over all its spools, driven by SQLite's virtual-table callbacks.
//
// Facts it is built on (seen in SQLite 3.40.1): an error from xCommit is ignored; xSync may come twice, with more rows in
// between (COMMIT answered SQLITE_BUSY), and xRollback may follow it; several virtual tables announce the same savepoint;
// the SAVEPOINT that began the transaction has the number -1; xRollbackTo may name a savepoint that was never announced:
// then the state at the oldest announced one at or above it is meant.
#pragma once
#include <map>
#include <set>
#include <vector>

#include "ext/archive/writer.h"

namespace ts {

class Transaction {
 public:
  bool active() const { return active_; }
  void begin() { active_ = true; }
  // The writer takes part from now on; spool_limit 0: none.
  void join(Writer& writer, std::uint64_t spool_limit);
  void sync();              // may be called again; throws and leaves everything to rollback()
  void commit() noexcept;   // only after sync()
  void rollback() noexcept;
  // `statement`: whose it is, where SQLite itself makes one around a statement that writes; null: the user's.
  void savepoint(int number, sqlite3_stmt* statement);
  void release(int number);
  void rollback_to(int number);
  // The writer's rows when the statement began, as far as it can be known: all there are now, or those before its savepoint.
  Writer::Position seen_by(sqlite3_stmt* statement, Writer& writer) const;

 private:
  using Positions = std::map<Writer*, Writer::Position>;
  struct Savepoint {
    int number;
    Positions positions;
    sqlite3_stmt* statement = nullptr;
  };
  void end() noexcept;
  std::vector<Savepoint>::iterator at_or_above(int number);

  bool active_ = false;
  std::set<Writer*> writers_;
  std::vector<Savepoint> savepoints_;  // by number
};

}  // namespace ts
