// Transaction: a connection's open transaction over all its spools, driven by SQLite's virtual-table callbacks.
//
// Facts it is built on (seen in SQLite 3.40.1): an error from xCommit is ignored; xSync may come twice and xRollback may
// follow it; several virtual tables announce the same savepoint; xRollbackTo may name a savepoint that was never
// announced: then the state at the oldest announced one at or above it is meant.
#pragma once
#include <map>
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
  void savepoint(int number);
  void release(int number);
  void rollback_to(int number);

 private:
  using Positions = std::map<Writer*, Writer::Position>;
  struct Savepoint {
    int number;
    Positions positions;
  };
  void end() noexcept;
  std::vector<Savepoint>::iterator at_or_above(int number);

  bool active_ = false;
  std::map<Writer*, std::uint64_t> writers_;  // and their spool_limit
  std::vector<Savepoint> savepoints_;         // by number
};

}  // namespace ts
