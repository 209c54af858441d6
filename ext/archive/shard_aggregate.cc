// Aggregating shards: rows stepped out of SQLite into groups, and the workers that do it.
#include "ext/archive/shard_aggregate.h"

#include <algorithm>

#include "ext/archive/packed_aggregate.h"

namespace ts {
namespace {

constexpr std::int64_t kRowsBetweenTicks = 4096;  // a few milliseconds

}  // namespace

std::int64_t aggregate_rows(Database& db, const ScanSource& where, const RollupScan& scan, PartialAggregates& into,
                            const std::function<void()>& tick, const RowLimits& limits) {
  Statement select = db.prepare(scan_sql(where, *scan.plan));
  bind_scan(select, *scan.plan);
  sqlite3_stmt* stmt = select.get();
  const int tags = static_cast<int>(scan.spec->tags.size()), columns = static_cast<int>(scan.plan->columns.size());
  RowBuffer series(tags);
  std::int64_t rows = 0;
  while (select.step()) {
    if (++rows % kRowsBetweenTicks == 0) tick();
    std::int64_t time = select.int64(1);
    if (time < limits.first || time > limits.last || sqlite3_column_type(stmt, 1) != SQLITE_INTEGER) {
      throw Error(Code::kCorrupt, "shard: a row's time lies outside the range its name says: " + limits.object);
    }
    series.clear();
    series.begin_row();
    for (int t = 0; t < tags; t++) series.add_column(stmt, 2 + t);
    std::uint32_t group = into.group(into.series(series.row_bytes(0)), time);
    if (group == PartialAggregates::kUnwanted) continue;
    into.add_rows(group, 1);
    for (int c = tags; c < columns; c++) into.add(group, static_cast<std::size_t>(c - tags), time, column_cell(stmt, 2 + c));
  }
  return rows;
}

std::int64_t aggregate_shard(ShardFile& file, const ShardRef& ref, const std::string& object, const RollupScan& scan,
                             PartialAggregates& into, const std::function<void()>& tick) {
  std::int64_t rows = 0;
  if (const PackedShard* packed = file.packed()) {
    rows = aggregate_packed(*packed, *scan.plan, ref.start, ref.end, into, tick);
  } else {
    ScanSource where{"main." + quote_identifier(scan.table->name), "", file.columns()};
    rows = aggregate_rows(file.db(), where, scan, into, tick, {ref.start, ref.end, object});
  }
  check_complete(ref, *scan.plan, rows, object);
  return rows;
}

ShardAggregation::ShardAggregation(ShardFiles& files, std::shared_ptr<Store> store, RollupScan scan, std::vector<ShardPlace> shards,
                                   const Cancel& cancel, QueryStats& stats)
    : scan_(std::move(scan)),
      jobs_(cancel),
      shards_(files, std::move(store), scan_.table, scan_.plan, jobs_.cancel(), std::move(shards)),
      answers_(shards_.size()),
      stats_(stats) {}

void ShardAggregation::start() { schedule(); }

void ShardAggregation::schedule() {
  shards_.announce(merged_);
  for (; begun_ < shards_.size() && begun_ < merged_ + kAhead; begun_++) {
    Answer& answer = answers_[begun_];
    answer.job = jobs_.begin([this, &answer, shard = &shards_.at(begun_)] { answer.groups = aggregate(*shard); });
  }
}

std::unique_ptr<PartialAggregates> ShardAggregation::aggregate(FarShard& shard) {
  std::unique_ptr<ShardFile> file = shard.open(stats_);
  auto groups = std::make_unique<PartialAggregates>(scan_.spec);
  try {
    stats_.rows_read += aggregate_shard(*file, shard.ref(), shard.object(), scan_, *groups, [this] { jobs_.check(); });
  } catch (const Error& e) {
    if (e.code() == Code::kInterrupted) throw;
    file->explain(e);
  }
  shard.give_back(std::move(file));
  stats_.files_done++;
  return groups;
}

void ShardAggregation::finish(PartialAggregates& into, InterruptProbe& probe) {
  for (; merged_ < shards_.size(); merged_++) {
    schedule();
    Answer& next = answers_[merged_];
    jobs_.wait(*next.job, probe, [&] {
      schedule();
      shards_.at(merged_).await();
    });
    into.merge(*next.groups);
    next = Answer();
  }
}

}  // namespace ts
