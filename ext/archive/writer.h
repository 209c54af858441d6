// Writer: one connection's rows for one spool, from the statement that adds them to the commit that shows them.
//
// Rows of a transaction wait in memory and are drained into the connection's open shard by prepare(). Beyond
// kSpillBytes they go to a shard of their own, inside one write transaction of that shard, so that memory is bounded
// and nobody who rotates the committed rows has to wait. A connection never goes back to an older shard: readers pin the
// youngest first, so that they see a gap-free prefix of its commits. Not thread-safe: it belongs to one connection.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ext/archive/open_shard.h"
#include "ext/archive/spool.h"

namespace ts {

class Writer {
 public:
  explicit Writer(std::shared_ptr<Spool> spool) : spool_(std::move(spool)) {}
  ~Writer();

  Spool& spool() { return *spool_; }

  // Where rows of a table are added: begin_row() and the cells, then added(), which throws without leaving any of them.
  RowBuffer& buffer(const TablePtr& table) {
    if (prepared_) take_back();
    return pending(table).rows;
  }
  void added(std::size_t rows = 1);

  // How many rows each table has in this transaction, by open_name; rollback_to takes back what came after.
  using Position = std::map<std::string, std::int64_t>;
  Position position() const;
  void rollback_to(const Position& position);
  TablePtr table(const std::string& open_name) const;  // one of those; null: it has had no rows
  bool empty() const;

  // Of this transaction: bytes of open shards and sealed files beyond which it is refused. 0: none; the smallest counts.
  void limit(std::uint64_t spool_limit);

  // The commit in two steps. Throws kFull at the limit. SQLite may call prepare() and then go on with the transaction
  // (COMMIT answered SQLITE_BUSY): whatever changes it afterwards takes the prepared rows back first.
  void prepare();
  void publish() noexcept;
  void abort() noexcept;
  void abandon() noexcept;  // in a forked child

  // The transaction's own rows as SQLite stored them, for a statement that reads what it has not committed yet.
  struct OwnRows {
    Database* spilled = nullptr;  // rows 1..spilled_rows, in the table's open_name; may be null
    std::int64_t spilled_rows = 0;
    Database* scratch = nullptr;  // the others: rows 1..scratch_rows of scratch_table (quoted)
    std::string scratch_table;
    std::int64_t scratch_rows = 0;
  };
  OwnRows own_rows(const TablePtr& table);
  std::uint64_t epoch() const { return epoch_; }      // changes whenever rows are taken back
  std::uint64_t commits() const { return commits_; }  // changes whenever rows are published

 private:
  static constexpr std::size_t kSpillBytes = 32u << 20;  // a few hundred thousand rows: draining costs the same in pieces
  struct Pending {
    TablePtr table;
    RowBuffer rows;
    std::int64_t spilled = 0;     // rows of this transaction in spill_
    std::int64_t in_scratch = 0;  // of `rows`, how many are in scratch_
    std::string scratch_table;    // quoted; empty: none yet
  };
  Pending& pending(const TablePtr& table);
  void spill();
  void take_back();
  void copy_spilled(OpenShard& to);
  void check_limit();
  void forget_rows();
  OpenShard& shard_to_write();

  std::shared_ptr<Spool> spool_;
  std::map<std::string, Pending> pending_;  // by open_name
  Pending* last_ = nullptr;
  std::unique_ptr<OpenShard> shard_;     // of this connection
  std::unique_ptr<OpenShard> spill_;     // of this transaction, with its write transaction open
  bool prepared_ = false;
  bool broken_ = false;                  // SQLite undid the spilled rows after an error: only a rollback is left
  std::uint64_t limit_ = 0;
  std::int64_t newest_ = 0;              // shard of the last commit; later ones go to the same or a younger shard
  std::uint64_t written_ = 0;            // bytes since the flusher was last woken
  std::uint64_t epoch_ = 0, commits_ = 0;
  BufferView scratch_view_;
  Database scratch_;
  std::set<int> scratch_buffers_;  // by number of columns
  int scratch_tables_ = 0;
};

}  // namespace ts
