// Runs of one chunk within one bucket, handed to the aggregates as arrays.
#include "ext/archive/run_adder.h"

#include <algorithm>

namespace ts {

ChunkTimes::ChunkTimes(const ChunkCursor& cursor, int time_column, std::vector<std::int64_t>& decoded)
    : rows_(cursor.rows()), first_(cursor.t0()), times_(decoded) {
  const PackedColumn& column = cursor.packed(time_column);
  // Slopes and times of this size cannot leave 64 bits.
  constexpr std::int64_t kSafe = std::int64_t{1} << 62;
  bool regular = column.bits == 0 && column.mini_bits == 0 && !column.all_null && !column.nullable && column.slope > 0 &&
                 column.kind == PackedKind::kInteger && column.base == first_ && first_ > -kSafe && cursor.t1() < kSafe &&
                 (cursor.t1() - first_) / column.slope == static_cast<std::int64_t>(rows_ - 1) &&
                 (cursor.t1() - first_) % column.slope == 0;
  if (regular) {
    slope_ = column.slope;
  } else {
    cursor.times(times_);
  }
}

std::size_t ChunkTimes::after(std::size_t row, std::int64_t time) const {
  if (!slope_) {
    auto begin = times_.begin() + static_cast<std::ptrdiff_t>(row);
    return static_cast<std::size_t>(std::upper_bound(begin, times_.end(), time) - times_.begin());
  }
  if (time < at(row)) return row;
  if (time >= at(rows_ - 1)) return rows_;
  return static_cast<std::size_t>((time - first_) / slope_) + 1;
}

Run ChunkTimes::run(std::size_t begin, std::size_t end) const {
  if (!slope_) return Run::of(times_.data() + begin, end - begin);
  Run run;
  run.rows = end - begin;
  run.first_time = at(begin);
  run.last_time = at(end - 1);
  return run;
}

void RunAdder::add(ChunkCursor& cursor, std::uint32_t group, std::size_t measure, const Run& run, std::size_t begin, std::size_t end) {
  const Measure& asked = spec_.measures[measure];
  const PackedColumn& column = cursor.packed(asked.column);
  if (column.all_null) {
    integers_.assign(run.rows, 0);
    nulls_.assign(run.rows, 1);
    return into_.add_run(group, measure, run, integers_.data(), nulls_.data());
  }
  if (column.kind == PackedKind::kIeee || column.kind == PackedKind::kValue) return add_decoded(cursor, group, measure, run, begin, end);
  integers_.resize(std::max(integers_.size(), run.rows));
  nulls_.resize(std::max(nulls_.size(), run.rows));
  const std::uint8_t* nulls = column.nullable ? nulls_.data() : nullptr;
  constexpr unsigned kEdges = kFirst | kLast;
  bool count_only = (asked.statistics & ~(kEdges | kCount)) == 0 && !column.nullable;  // without NULLs rows are counted, not values
  if ((asked.statistics & ~kEdges) == 0 || count_only) {
    if (asked.statistics & kFirst) unpack(column, begin, begin + run.first_rows, integers_.data(), nulls_.data());
    std::size_t last = run.rows - run.last_rows;
    if (asked.statistics & kLast) unpack(column, begin + last, end, integers_.data() + last, nulls_.data() + last);
  } else {
    unpack(column, begin, end, integers_.data(), nulls_.data());
  }
  if (column.kind == PackedKind::kInteger) return into_.add_run(group, measure, run, integers_.data(), nulls);
  into_.add_run(group, measure, run, Decimals{integers_.data(), column.scale}, nulls);
}

void RunAdder::add_decoded(ChunkCursor& cursor, std::uint32_t group, std::size_t measure, const Run& run, std::size_t begin,
                           std::size_t end) {
  cursor.decode(spec_.measures[measure].column, begin, end, decoded_);
  if (decoded_.form == DecodedColumn::Form::kReal) {
    return into_.add_run(group, measure, run, decoded_.reals.data(), decoded_.nulls.empty() ? nullptr : decoded_.nulls.data());
  }
  const ChunkTimes all = times(cursor);
  for (std::size_t i = 0; i < run.rows; i++) into_.add(group, measure, all.at(begin + i), decoded_.cell(i));
}

}  // namespace ts
