// Batches of decoded rows out of one sealed shard, of either format, in the plan's order. The order of the file is that of
// the tags, then time. What a worker thread makes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "ext/archive/chunk_scan.h"
#include "ext/archive/scan.h"

namespace ts {

// Rows, walked once. Begins before the first.
class RowBatch {
 public:
  virtual ~RowBatch() = default;
  virtual std::int64_t size() const = 0;
  virtual bool next() = 0;
  virtual std::int64_t time() const = 0;
  virtual std::int64_t ordinal() const = 0;
  virtual void result(sqlite3_context* context, int slot) = 0;  // slot: index in plan.columns
  virtual Cell cell(int slot) = 0;                              // the same, until next()
  virtual bool same_tags() const { return false; }              // as RowStream's
};

class BatchSource {
 public:
  enum class State {
    kMore,
    kEnough,  // plan.limit rows were given; said once, then it goes on
    kEnd,
  };
  struct Next {
    std::unique_ptr<RowBatch> batch;  // may be null, or hold no row
    State state = State::kMore;
  };
  virtual ~BatchSource() = default;
  virtual Next next() = 0;
};

// Format 1: a SELECT over the table of rows.
std::unique_ptr<BatchSource> row_batches(Database& db, ColumnMapPtr columns, std::shared_ptr<const ScanPlan> plan);
// Format 2. `shard` outlives the source.
std::unique_ptr<BatchSource> packed_batches(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan);

}  // namespace ts
