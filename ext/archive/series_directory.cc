// Reading the directory of series, and the chunks at the ends of series.
#include "ext/archive/series_directory.h"

#include <algorithm>

#include "ext/archive/chunk_ahead.h"
#include "ext/archive/run_adder.h"

namespace ts {

SeriesDirectory read_directory(const PackedShard& shard, const ScanPlan& plan, const ShardRef& ref) {
  fetch_directory(shard);
  const std::vector<PackedShard::Series> series = shard.series(plan);
  // A chunk's id is the number of its first row, so a series ends where the next one begins.
  std::vector<std::int64_t> begins;
  if (!plan.filters.empty()) {
    begins = shard.first_chunks();
  } else {
    for (const PackedShard::Series& one : series) begins.push_back(one.first_chunk);
  }
  if (begins.empty() || begins.front() != 1 || begins.back() > ref.rows) shard.refuse("its series do not number its rows");
  begins.push_back(ref.rows + 1);

  SeriesDirectory directory{RowBuffer(static_cast<int>(plan.columns.size())), {}};
  directory.entries.reserve(series.size());
  auto next = begins.begin();
  for (const PackedShard::Series& one : series) {
    if (one.t0 < ref.start || one.t1 > ref.end || one.t0 > one.t1) shard.refuse("a row's time lies outside the range its name says");
    next = std::upper_bound(next, begins.end(), one.last_chunk);
    if (next == begins.end()) shard.refuse("its series do not number its rows");
    directory.entries.push_back({one.first_chunk, one.last_chunk, one.t0, one.t1, *next - one.first_chunk});
    directory.tags.begin_row();
    for (const OwnedValue& value : one.tags) directory.tags.add_cell(value.cell());
  }
  return directory;
}

namespace {

// Into the chunks at the ends of series, one end after the other.
class EdgeReader {
 public:
  EdgeReader(const PackedShard& shard, const SeriesDirectory& directory, PartialAggregates& into)
      : shard_(shard), directory_(directory), into_(into), adder_(shard, into) {
    for (const Measure& measure : into.spec().measures) {
      columns_.push_back(measure.column);
      asked_ |= measure.statistics;
    }
  }

  void read(const std::vector<WantedEdges>& wanted, const std::function<void()>& tick) {
    ChunkAhead ahead(shard_, chunks_of(wanted));
    ahead.reached(INT64_MIN);
    std::unique_ptr<ChunkCursor> up, down;
    if (asked_ & kFirst) up = std::make_unique<ChunkCursor>(shard_, columns_, ChunkCursor::Direction::kUp);
    if (asked_ & kLast) down = std::make_unique<ChunkCursor>(shard_, columns_, ChunkCursor::Direction::kDown);
    for (const WantedEdges& one : wanted) {
      tick();
      const SeriesDirectory::Entry& entry = directory_.entries[one.entry];
      ahead.reached(entry.first_chunk);
      series_ = into_.series(directory_.tags.row_bytes(one.entry));
      if (one.first && up) first(*up, entry);
      if (one.last && down) last(*down, entry);
    }
  }

 private:
  std::vector<RowidRange> chunks_of(const std::vector<WantedEdges>& wanted) const {
    std::vector<RowidRange> ids;
    for (const WantedEdges& one : wanted) {
      const SeriesDirectory::Entry& entry = directory_.entries[one.entry];
      if (one.first) ids.push_back({entry.first_chunk, entry.first_chunk});
      if (one.last && (!one.first || entry.last_chunk != entry.first_chunk)) ids.push_back({entry.last_chunk, entry.last_chunk});
    }
    return ids;
  }

  // All rows that have the time, of a chunk or of several.
  void first(ChunkCursor& cursor, const SeriesDirectory::Entry& entry) {
    cursor.seek(entry.first_chunk, entry.last_chunk, entry.t0, entry.t0);
    bool found = false;
    while (cursor.next()) {
      if (cursor.t0() != entry.t0 || (!found && cursor.id() != entry.first_chunk)) refuse();
      found = true;
      const ChunkTimes times = adder_.times(cursor);
      add(cursor, kFirst, entry.t0, 0, times.after(0, entry.t0));
      if (cursor.t1() > entry.t0) break;
    }
    if (!found) refuse();
  }

  void last(ChunkCursor& cursor, const SeriesDirectory::Entry& entry) {
    cursor.seek(entry.first_chunk, entry.last_chunk, entry.t1, entry.t1);
    bool found = false;
    while (cursor.next()) {
      if (cursor.t1() != entry.t1 || (!found && cursor.id() != entry.last_chunk)) refuse();
      if (!found && cursor.id() + static_cast<std::int64_t>(cursor.rows()) != entry.first_chunk + entry.rows) refuse();
      found = true;
      const ChunkTimes times = adder_.times(cursor);
      add(cursor, kLast, entry.t1, entry.t1 == INT64_MIN ? 0 : times.after(0, entry.t1 - 1), cursor.rows());
      if (cursor.t0() < entry.t1) break;
    }
    if (!found) refuse();
  }

  void add(ChunkCursor& cursor, Statistic edge, std::int64_t time, std::size_t begin, std::size_t end) {
    const std::uint32_t group = into_.group(series_, time);
    if (group == PartialAggregates::kUnwanted) return;
    Run run;
    run.rows = run.first_rows = run.last_rows = end - begin;
    run.first_time = run.last_time = time;
    for (std::size_t m = 0; m < into_.spec().measures.size(); m++) {
      if (into_.spec().measures[m].statistics & edge) adder_.add(cursor, group, m, run, begin, end);
    }
  }

  [[noreturn]] void refuse() const { shard_.refuse("a series' chunks are not what its directory says"); }

  const PackedShard& shard_;
  const SeriesDirectory& directory_;
  PartialAggregates& into_;
  RunAdder adder_;
  std::vector<int> columns_;
  unsigned asked_ = 0;
  std::uint32_t series_ = 0;
};

}  // namespace

void aggregate_edges(const PackedShard& shard, const SeriesDirectory& directory, const std::vector<WantedEdges>& wanted,
                     PartialAggregates& into, const std::function<void()>& tick) {
  EdgeReader(shard, directory, into).read(wanted, tick);
}

}  // namespace ts
