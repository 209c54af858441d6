// Aggregating a scan's rows where they lie: one file or inner connection at a time, files by worker threads in parallel.
//
// A file's format decides how its rows are read (aggregate_shard). The answer does not depend on which worker was faster: what
// files give is merged in their order. Memory is bounded by the groups: of the answer, and of kAhead files.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/aggregate.h"
#include "ext/archive/far_shard.h"
#include "ext/archive/shard_jobs.h"

namespace ts {

// Of a scan: `plan` holds its bounds and filters, and as columns the spec's tags and then its measures, in order.
struct RollupScan {
  TablePtr table;
  std::shared_ptr<const ScanPlan> plan;
  std::shared_ptr<const RollupSpec> spec;
};

// Adds the rows of an inner connection, on the calling thread. `tick` is called every some thousand rows and may throw.
// Times outside [first, last] are an error that names `object`. Returns the number of rows.
struct RowLimits {
  std::int64_t first = INT64_MIN, last = INT64_MAX;
  std::string object;
};
std::int64_t aggregate_rows(Database& db, const ScanSource& where, const RollupScan& scan, PartialAggregates& into,
                            const std::function<void()>& tick, const RowLimits& limits = {});

// The same for an open file of any format that open_sealed() takes. `object` names it.
std::int64_t aggregate_shard(ShardFile& file, const ShardRef& ref, const std::string& object, const RollupScan& scan,
                             PartialAggregates& into, const std::function<void()>& tick);

// Aggregates several files on the WorkerPool. `files`, `stats` and `cancel` outlive it. Used by the statement's thread.
class ShardAggregation {
 public:
  ShardAggregation(ShardFiles& files, std::shared_ptr<Store> store, RollupScan scan, std::vector<ShardPlace> shards, const Cancel& cancel,
                   QueryStats& stats);
  ~ShardAggregation() { jobs_.end(); }

  void start();  // begins in the background
  // Merges all of them into `into`. Throws what the first of them threw, or what the probe throws.
  void finish(PartialAggregates& into, InterruptProbe& probe);

 private:
  static constexpr std::size_t kAhead = 16;  // files under way or waiting to be merged: as many as there are workers

  struct Answer {  // of a shard
    std::shared_ptr<const ShardJobs::Job> job;
    std::unique_ptr<PartialAggregates> groups;
  };

  void schedule();
  std::unique_ptr<PartialAggregates> aggregate(FarShard& shard);

  const RollupScan scan_;
  ShardJobs jobs_;  // before shards_, which use its Cancel
  FarShards shards_;
  std::vector<Answer> answers_;
  QueryStats& stats_;
  std::size_t begun_ = 0, merged_ = 0;
};

}  // namespace ts
