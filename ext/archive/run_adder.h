// RunAdder: rows of a packed chunk, as runs of one bucket, decoded as far as the asked statistics need and added to groups.
#pragma once
#include <cstdint>
#include <vector>

#include "ext/archive/aggregate.h"
#include "ext/archive/chunk_cursor.h"

namespace ts {

// The times of a cursor's chunk. Where they are regular, which costs no bits in the file, nothing is decoded.
class ChunkTimes {
 public:
  // `decoded`: room for them, as long as this lives.
  ChunkTimes(const ChunkCursor& cursor, int time_column, std::vector<std::int64_t>& decoded);
  std::int64_t at(std::size_t row) const { return slope_ ? first_ + slope_ * static_cast<std::int64_t>(row) : times_[row]; }
  // The first row from `row` on whose time is later than `time`.
  std::size_t after(std::size_t row, std::int64_t time) const;
  Run run(std::size_t begin, std::size_t end) const;

 private:
  std::size_t rows_;
  std::int64_t first_, slope_ = 0;
  std::vector<std::int64_t>& times_;
};

class RunAdder {
 public:
  RunAdder(const PackedShard& shard, PartialAggregates& into) : shard_(shard), into_(into), spec_(into.spec()) {}

  // Of the cursor's chunk; valid until they are asked for again.
  ChunkTimes times(const ChunkCursor& cursor) { return {cursor, shard_.table().schema.time_column, times_}; }
  // Rows begin..end of the cursor's chunk, which are `run`, as values of spec.measures[measure].
  void add(ChunkCursor& cursor, std::uint32_t group, std::size_t measure, const Run& run, std::size_t begin, std::size_t end);

 private:
  void add_decoded(ChunkCursor& cursor, std::uint32_t group, std::size_t measure, const Run& run, std::size_t begin, std::size_t end);

  const PackedShard& shard_;
  PartialAggregates& into_;
  const RollupSpec& spec_;
  std::vector<std::int64_t> times_, integers_;
  std::vector<std::uint8_t> nulls_;
  DecodedColumn decoded_;
};

}  // namespace ts
