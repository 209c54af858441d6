// Aggregating shards: rows stepped out of SQLite into groups, and the workers that do it.
#include "ext/archive/shard_aggregate.h"

#include <algorithm>
#include <chrono>

#include "ext/archive/packed_aggregate.h"
#include "ext/base/worker_pool.h"

namespace ts {
namespace {

constexpr std::int64_t kRowsBetweenTicks = 4096;  // a few milliseconds
constexpr auto kPoll = std::chrono::milliseconds(20);

}  // namespace

std::int64_t aggregate_rows(Database& db, const ScanSource& where, const RollupScan& scan, PartialAggregates& into,
                            const std::function<void()>& tick, const RowLimits& limits) {
  Statement select = db.prepare(scan_sql(*scan.table, where, *scan.plan));
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
    ScanSource where{"main." + quote_identifier(scan.table->name), ""};
    rows = aggregate_rows(file.db(), where, scan, into, tick, {ref.start, ref.end, object});
  }
  check_complete(ref, *scan.plan, rows, object);
  return rows;
}

ShardAggregation::ShardAggregation(ShardFiles& files, std::shared_ptr<Store> store, RollupScan scan, std::vector<ShardPlace> shards,
                                   const Cancel& cancel, QueryStats& stats)
    : files_(files),
      store_(std::move(store)),
      scan_(std::move(scan)),
      stop_(cancel),
      shards_(std::move(shards)),
      far_(shards_.size()),
      stats_(stats),
      answers_(shards_.size()) {}

FarShard& ShardAggregation::far(std::size_t index) {
  std::unique_ptr<FarShard>& made = far_[index];
  if (!made) made = std::make_unique<FarShard>(files_, store_, scan_.table, shards_[index].ref(), *scan_.plan, &stop_);
  return *made;
}

ShardAggregation::~ShardAggregation() {
  std::unique_lock lock(mutex_);
  stop_.stopped = true;
  changed_.wait(lock, [this] { return working_ == 0; });
}

void ShardAggregation::start() {
  std::lock_guard lock(mutex_);
  schedule();
}

void ShardAggregation::schedule() {
  announced_ = std::max(announced_, merged_);
  for (std::size_t most = std::min(shards_.size(), merged_ + FarShard::kAhead); announced_ < most; announced_++) {
    if (!far(announced_).start()) break;
  }
  for (; begun_ < shards_.size() && begun_ < merged_ + kAhead; begun_++) {
    FarShard* shard = &far(begun_);
    working_++;
    try {
      WorkerPool::shared().submit([this, index = begun_, shard] { work(index, shard); });
    } catch (...) {
      working_--;
      throw;
    }
  }
}

void ShardAggregation::work(std::size_t index, FarShard* shard) noexcept {
  Answer answer;
  try {
    if (stop_.cancelled()) throw Error(Code::kInterrupted, "interrupted");
    answer.groups = aggregate(*shard);
  } catch (...) {
    answer.error = std::current_exception();
  }
  answer.done = true;
  std::lock_guard lock(mutex_);
  answers_[index] = std::move(answer);
  working_--;
  changed_.notify_all();
}

std::unique_ptr<PartialAggregates> ShardAggregation::aggregate(FarShard& shard) {
  std::unique_ptr<ShardFile> file = shard.open(stats_);
  auto groups = std::make_unique<PartialAggregates>(scan_.spec);
  try {
    stats_.rows_read += aggregate_shard(*file, shard.ref(), shard.object(), scan_, *groups, [this] {
      if (stop_.cancelled()) throw Error(Code::kInterrupted, "interrupted");
    });
  } catch (const Error& e) {
    if (e.code() == Code::kInterrupted) throw;
    file->explain(e);
  }
  shard.give_back(std::move(file));
  stats_.files_done++;
  return groups;
}

void ShardAggregation::finish(PartialAggregates& into, InterruptProbe& probe) {
  std::unique_lock lock(mutex_);
  while (merged_ < shards_.size()) {
    schedule();
    if (!answers_[merged_].done) {
      far(merged_).await();
      changed_.wait_for(lock, kPoll);
      lock.unlock();
      probe.check();
      lock.lock();
      continue;
    }
    Answer answer = std::move(answers_[merged_]);
    lock.unlock();
    if (answer.error) std::rethrow_exception(answer.error);
    into.merge(*answer.groups);
    lock.lock();
    far_[merged_] = nullptr;
    merged_++;
  }
}

}  // namespace ts
