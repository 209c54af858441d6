// What a plan asks of a packed shard, chunk by chunk. The time is answered exactly, other conditions as chunk_filter.h does.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "ext/archive/chunk_ahead.h"
#include "ext/archive/chunk_cursor.h"

namespace ts {

// Rows of one chunk that a plan asks for.
struct DecodedChunk {
  std::int64_t first = 0;              // ordinal of times[0]
  std::vector<std::int64_t> times;     // ascending
  std::vector<DecodedColumn> columns;  // of the plan's columns
  std::vector<std::uint32_t> rows;     // those that passed the filters: indexes in `times`
};

// Turns rows of a cursor's chunk into those that a plan asks for.
class ChunkDecoder {
 public:
  ChunkDecoder(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan);
  // What a cursor must bring along.
  const std::vector<int>& columns() const { return columns_; }
  // False: by its directory, no row of the chunk passes.
  bool may_pass(const ChunkCursor& cursor) const;
  // Rows begin..end of the chunk, without those outside of the plan's time. `tags`: of its series. False: none is left.
  bool decode(ChunkCursor& cursor, const std::vector<OwnedValue>* tags, std::size_t begin, std::size_t end, DecodedChunk& out);

 private:
  const PackedShard& shard_;
  std::shared_ptr<const ScanPlan> plan_;
  std::vector<int> columns_;
};

// What a plan asks of a shard, chunk by chunk in the file's order.
class ChunkScan {
 public:
  ChunkScan(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan);
  bool next(DecodedChunk& out);  // false: no more. `out.rows` is never empty

 private:
  bool to_next_chunk();

  const PackedShard& shard_;
  std::shared_ptr<const ScanPlan> plan_;
  ChunkDecoder decoder_;
  ChunkCursor cursor_;
  std::vector<PackedShard::Series> series_;
  ChunkAhead ahead_;
  std::size_t at_ = 0;  // in series_
  bool by_series_ = false, seeked_ = false;
};

// All rows of a shard with all columns of its schema, chunk by chunk: for whoever compares or copies it.
class PackedRows {
 public:
  explicit PackedRows(const PackedShard& shard);
  bool next(RowBuffer& rows);  // replaces what is in `rows`; false: no more

 private:
  std::vector<int> slots_;  // by column of the schema: index in the plan; -1: the time
  std::shared_ptr<ScanPlan> plan_;
  ChunkScan scan_;
  DecodedChunk chunk_;
};

}  // namespace ts
