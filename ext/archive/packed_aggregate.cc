// Runs of one chunk within one bucket, handed to the aggregates as arrays.
#include "ext/archive/packed_aggregate.h"

#include <algorithm>
#include <optional>

#include "ext/archive/chunk_ahead.h"

namespace ts {
namespace {

// The times of a chunk. Where they are regular, which costs no bits in the file, nothing is decoded.
class ChunkTimes {
 public:
  ChunkTimes(const ChunkCursor& cursor, int time_column, std::vector<std::int64_t>& decoded)
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
  std::int64_t at(std::size_t row) const { return slope_ ? first_ + slope_ * static_cast<std::int64_t>(row) : times_[row]; }
  // The first row from `row` on whose time is later than `time`.
  std::size_t after(std::size_t row, std::int64_t time) const {
    if (!slope_) {
      auto begin = times_.begin() + static_cast<std::ptrdiff_t>(row);
      return static_cast<std::size_t>(std::upper_bound(begin, times_.end(), time) - times_.begin());
    }
    if (time < at(row)) return row;
    if (time >= at(rows_ - 1)) return rows_;
    return static_cast<std::size_t>((time - first_) / slope_) + 1;
  }
  Run run(std::size_t begin, std::size_t end) const {
    if (!slope_) return Run::of(times_.data() + begin, end - begin);
    Run run;
    run.rows = end - begin;
    run.first_time = at(begin);
    run.last_time = at(end - 1);
    return run;
  }

 private:
  std::size_t rows_;
  std::int64_t first_, slope_ = 0;
  std::vector<std::int64_t>& times_;
};

class Aggregation {
 public:
  Aggregation(const PackedShard& shard, const ScanPlan& plan, std::int64_t first, std::int64_t last, PartialAggregates& into)
      : shard_(shard),
        plan_(plan),
        first_(first),
        last_(last),
        into_(into),
        spec_(into.spec()),
        cursor_(shard, plan.columns),
        tag_bytes_(static_cast<int>(spec_.tags.size())) {}

  std::int64_t run(const std::function<void()>& tick) {
    const Schema& schema = shard_.table().schema;
    auto is_tag = [&](const Filter& filter) { return schema.columns[static_cast<std::size_t>(filter.column)].tag; };
    if (spec_.tags.empty() && std::none_of(plan_.filters.begin(), plan_.filters.end(), is_tag)) {
      series_ = into_.series(tags_of(nullptr));
      fetch({{INT64_MIN, INT64_MAX}});
      chunks(INT64_MIN, INT64_MAX, tick);
      return rows_;
    }
    std::vector<PackedShard::Series> all = shard_.series(plan_);
    if (std::any_of(plan_.filters.begin(), plan_.filters.end(), is_tag)) {
      fetch(chunk_ids(all));
      for (const PackedShard::Series& series : all) {
        series_ = into_.series(tags_of(&series.tags));
        chunks(series.first_chunk, series.last_chunk, tick);
      }
      return rows_;
    }
    // Through the whole file, with the series beside it: no search for each of them.
    std::size_t at = 0;
    bool begun = false;
    fetch({{INT64_MIN, INT64_MAX}});
    cursor_.seek(INT64_MIN, INT64_MAX, plan_.from, plan_.to);
    while (cursor_.next()) {
      tick();
      for (; at < all.size() && all[at].last_chunk < cursor_.id(); at++) begun = false;
      if (at == all.size() || all[at].first_chunk > cursor_.id()) shard_.refuse("a chunk belongs to no series");
      if (!begun) series_ = into_.series(tags_of(&all[at].tags));
      begun = true;
      chunk();
    }
    return rows_;
  }

 private:
  void fetch(const std::vector<RowidRange>& chunks) {
    ahead_ = ChunkAhead(shard_, chunks);
    ahead_.reached(INT64_MIN);
  }

  std::string_view tags_of(const std::vector<OwnedValue>* values) {
    tag_bytes_.clear();
    tag_bytes_.begin_row();
    for (std::size_t t = 0; values && t < spec_.tags.size(); t++) {
      const OwnedValue& value = (*values)[t];
      tag_bytes_.add_cell(value.cell());
    }
    return tag_bytes_.row_bytes(0);
  }

  void chunks(std::int64_t first, std::int64_t last, const std::function<void()>& tick) {
    cursor_.seek(first, last, plan_.from, plan_.to);
    while (cursor_.next()) {
      tick();
      chunk();
    }
  }

  void chunk() {
    ahead_.reached(cursor_.id());
    if (cursor_.t0() < first_ || cursor_.t1() > last_) shard_.refuse("a row's time lies outside the range its name says");
    ChunkTimes times(cursor_, shard_.table().schema.time_column, times_);
    std::size_t row = plan_.from == INT64_MIN ? 0 : times.after(0, plan_.from - 1);
    while (row < cursor_.rows() && times.at(row) <= plan_.to) {
      std::int64_t time = times.at(row);
      std::size_t end = times.after(row, std::min(plan_.to, spec_.bucket.last(time)));
      rows_ += static_cast<std::int64_t>(end - row);
      std::uint32_t group = into_.group(series_, time);
      if (group != PartialAggregates::kUnwanted) {
        into_.add_rows(group, static_cast<std::int64_t>(end - row));
        if (!spec_.measures.empty()) {
          Run run = times.run(row, end);
          for (std::size_t m = 0; m < spec_.measures.size(); m++) add(group, m, run, row, end);
        }
      }
      row = end;
    }
  }

  void add(std::uint32_t group, std::size_t measure, const Run& run, std::size_t begin, std::size_t end) {
    const Measure& asked = spec_.measures[measure];
    const PackedColumn& column = cursor_.packed(asked.column);
    if (column.all_null) {
      integers_.assign(run.rows, 0);
      nulls_.assign(run.rows, 1);
      return into_.add_run(group, measure, run, integers_.data(), nulls_.data());
    }
    if (column.kind == PackedKind::kIeee || column.kind == PackedKind::kValue) return add_decoded(group, measure, run, begin, end);
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

  void add_decoded(std::uint32_t group, std::size_t measure, const Run& run, std::size_t begin, std::size_t end) {
    cursor_.decode(spec_.measures[measure].column, begin, end, decoded_);
    if (decoded_.form == DecodedColumn::Form::kReal) {
      return into_.add_run(group, measure, run, decoded_.reals.data(), decoded_.nulls.empty() ? nullptr : decoded_.nulls.data());
    }
    ChunkTimes times(cursor_, shard_.table().schema.time_column, times_);
    for (std::size_t i = 0; i < run.rows; i++) into_.add(group, measure, times.at(begin + i), decoded_.cell(i));
  }

  const PackedShard& shard_;
  const ScanPlan& plan_;
  std::int64_t first_, last_;  // of the file's name
  PartialAggregates& into_;
  const RollupSpec& spec_;
  ChunkCursor cursor_;
  ChunkAhead ahead_;
  RowBuffer tag_bytes_;
  std::uint32_t series_ = 0;
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> times_, integers_;
  std::vector<std::uint8_t> nulls_;
  DecodedColumn decoded_;
};

}  // namespace

std::int64_t aggregate_packed(const PackedShard& shard, const ScanPlan& plan, std::int64_t first, std::int64_t last,
                              PartialAggregates& into, const std::function<void()>& tick) {
  return Aggregation(shard, plan, first, last, into).run(tick);
}

}  // namespace ts
