// All chunks that a plan asks for, cut at the bounds of buckets.
#include "ext/archive/packed_aggregate.h"

#include <algorithm>

#include "ext/archive/chunk_ahead.h"
#include "ext/archive/run_adder.h"

namespace ts {
namespace {

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
        adder_(shard, into),
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
    const ChunkTimes times = adder_.times(cursor_);
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
          for (std::size_t m = 0; m < spec_.measures.size(); m++) adder_.add(cursor_, group, m, run, row, end);
        }
      }
      row = end;
    }
  }

  const PackedShard& shard_;
  const ScanPlan& plan_;
  std::int64_t first_, last_;  // of the file's name
  PartialAggregates& into_;
  const RollupSpec& spec_;
  ChunkCursor cursor_;
  RunAdder adder_;
  ChunkAhead ahead_;
  RowBuffer tag_bytes_;
  std::uint32_t series_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

std::int64_t aggregate_packed(const PackedShard& shard, const ScanPlan& plan, std::int64_t first, std::int64_t last,
                              PartialAggregates& into, const std::function<void()>& tick) {
  return Aggregation(shard, plan, first, last, into).run(tick);
}

}  // namespace ts
