// What a scan wants and the streams of rows it gets: shared by snapshots, shards and the virtual table's cursor.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/column_map.h"
#include "ext/archive/row_buffer.h"
#include "ext/archive/table_def.h"
#include "ext/archive/spending.h"

namespace ts {

// A value that outlives the statement it came from.
struct OwnedValue {
  int type = SQLITE_NULL;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes;

  static OwnedValue of(sqlite3_value* value);
  Cell cell() const { return {type, integer, real, bytes}; }  // valid as long as this
  void bind(sqlite3_stmt* stmt, int index) const;
};

// "column op value", answered by the shard's own SQLite; `op` is SQL text ("=", "<", "IN", "IS NULL", ...).
struct Filter {
  int column = 0;
  std::string op;
  std::vector<OwnedValue> values;  // one, or the members of an IN
  std::string collation;           // empty: the column's
};

enum class Order { kNone, kTimeAscending, kTimeDescending, kTags };

struct ScanPlan {
  bool empty = false;             // nothing can match
  std::int64_t from = INT64_MIN;  // first and last time, both included
  std::int64_t to = INT64_MAX;
  std::vector<Filter> filters;
  std::vector<int> columns;  // what the statement looks at, by index; the time column is always read
  Order order = Order::kNone;
  std::vector<int> order_tags;  // kTags: the first of the table's tags, which rows are sorted by
  bool then_time = false;       // kTags, with all tags: and by time among those
  bool few_chunks = false;  // most series of a packed shard are answered by its directory
  std::int64_t limit = -1;  // after so many rows of a source more are fetched only when asked for; -1: no hint
};

// Counters of one statement, as ts_last_query() shows them. Updated by several threads.
struct QueryStats {
  std::atomic<std::int64_t> files_listed{0}, files_pruned{0}, files_read{0}, requests{0}, bytes_read{0}, cache_hits{0}, rows_read{0},
      rows_returned{0};
  std::atomic<std::int64_t> files_chosen{0}, files_done{0};  // for the progress shown: neither pruned, and read to their end
  std::int64_t started_ms = 0, elapsed_ms = 0;
};

// On whose behalf the statement's requests go out: stops them, and counts them.
class StatementCancel : public Cancel {
 public:
  explicit StatementCancel(QueryStats* stats) : stats_(stats) {}
  bool cancelled() const override { return stopped.load(std::memory_order_relaxed); }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override {
    stats_->requests += static_cast<std::int64_t>(requests);
    stats_->bytes_read += static_cast<std::int64_t>(bytes);
    if (requests > 1) spending.sent_again(requests - 1);
  }
  void cache_hit() const override { stats_->cache_hits++; }
  void admit(std::uint64_t bytes) const override { spending.admit(bytes); }
  void spare(std::uint64_t bytes) const override { spending.spare(bytes); }
  std::atomic<bool> stopped{false};
  mutable Spending spending;

 private:
  QueryStats* stats_;
};

// A part of a statement's work, which may be called off before the statement is.
class PartCancel : public Cancel {
 public:
  explicit PartCancel(const Cancel& statement) : statement_(statement) {}
  bool cancelled() const override { return stopped.load(std::memory_order_relaxed) || statement_.cancelled(); }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override { statement_.charge(requests, bytes); }
  void cache_hit() const override { statement_.cache_hit(); }
  void admit(std::uint64_t bytes) const override { statement_.admit(bytes); }
  void spare(std::uint64_t bytes) const override { statement_.spare(bytes); }
  std::atomic<bool> stopped{false};

 private:
  const Cancel& statement_;
};

// Polled by the statement's own thread while it waits; throws kInterrupted when a person pressed Ctrl-C.
class InterruptProbe {
 public:
  virtual ~InterruptProbe() = default;
  virtual void check() = 0;
};

// Rows of one source in the plan's order. Used by the statement's thread.
class RowStream {
 public:
  virtual ~RowStream() = default;
  virtual bool next() = 0;  // false: no more
  virtual std::int64_t time() const = 0;
  virtual std::int64_t ordinal() const = 0;                     // of the row in its source: the same in every scan
  virtual void result(sqlite3_context* context, int slot) = 0;  // slot: index in plan.columns
  virtual Cell cell(int slot) = 0;                              // the same, until next()
  virtual bool same_tags() const { return false; }              // true: the tags are those of the row before, as is known at no cost
  virtual void prefetch() {}                                    // begin to work in the background
  virtual bool announce() { return true; }                      // begin to fetch for it; false: there is no room yet
};

// Where a source's rows lie in an inner connection: `from` is a table, `where` its own condition ("" or " WHERE ..."), `columns` where
// it holds those of the table that is scanned.
struct ScanSource {
  std::string from, where;
  ColumnMapPtr columns;
};
// SELECT rowid, time, columns... in the plan's order; kFirst: up to plan.limit, kRest: what comes after them.
enum class Part { kFirst, kRest };
std::string scan_sql(const ScanSource& source, const ScanPlan& plan, Part part = Part::kFirst);
void bind_scan(Statement& statement, const ScanPlan& plan);
// A column's value as it stands; text and blobs until the next step.
Cell column_cell(sqlite3_stmt* stmt, int column);
// " AND column op ?..." for one filter; its values are bound in their order.
std::string filter_sql(const ColumnMap& columns, const Filter& filter);

// Steps a statement on the statement's own thread: open shards and uncommitted rows. `keep` is held until the end.
std::unique_ptr<RowStream> stream_statement(Database& db, ScanSource source, std::shared_ptr<const ScanPlan> plan,
                                            std::int64_t first_ordinal, std::shared_ptr<void> keep);

}  // namespace ts
