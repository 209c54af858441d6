// Aggregating shards of which each lies in one bucket whole: rows by the directory of series, first and last values out of few chunks.
//
// The directory lies in a file's head and says how many rows a series has, and when the first and the last of them is. So rows are counted
// without a chunk, and of first and last values a file is asked only for those series of which no other file has an earlier or
// a later row: for the last row of each series in many files, the newest one and what is in it no more. Two batches of GETs,
// heads and then exact ranges, for kWave files at a time, those first which decide most. The answer does not depend on who was faster.
#pragma once
#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "ext/archive/far_shard.h"
#include "ext/archive/series_directory.h"
#include "ext/archive/shard_aggregate.h"

namespace ts {

// Used by the statement's thread, as ShardAggregation, and under the same laws.
class DirectoryAggregation {
 public:
  // Whether a shard's directory says what the scan asks, but for first and last values.
  static bool suffices(const RollupScan& scan, std::int64_t start, std::int64_t end);
  // What is read of such a shard in any case: its directory.
  static std::shared_ptr<const ScanPlan> plan_of(const RollupScan& scan);

  DirectoryAggregation(ShardFiles& files, std::shared_ptr<Store> store, const RollupScan& scan, std::vector<ShardPlace> shards,
                       const Cancel& cancel, QueryStats& stats);
  ~DirectoryAggregation() { jobs_.end(); }

  void start();  // begins in the background
  void finish(PartialAggregates& into, InterruptProbe& probe);

 private:
  static constexpr std::size_t kWave = 32;  // shards that are open side by side

  struct Part {  // a shard
    FarShard* far = nullptr;
    std::shared_ptr<const ShardJobs::Job> job;
    std::unique_ptr<ShardFile> file;            // while chunks of it may be wanted
    std::optional<SeriesDirectory> directory;   // of a packed shard
    std::vector<std::uint32_t> groups;          // of the answer, by entry of the directory
    std::unique_ptr<PartialAggregates> answer;  // the wanted values; of a file without a directory everything
  };

  std::size_t wave_end() const { return std::min(shards_.size(), done_ + kWave); }
  void schedule();
  void read(Part& part);
  void read_edges(Part& part, const std::vector<WantedEdges>& wanted);
  void work(Part& part, const std::function<void(ShardFile&)>& body);
  void count(Part& part, PartialAggregates& into);
  std::vector<WantedEdges> wanted_of(const Part& part) const;
  void wait(const Part& part, InterruptProbe& probe);

  const RollupScan scan_;
  const std::shared_ptr<const ScanPlan> plan_;  // of the directory
  unsigned edges_ = 0;                          // kFirst, kLast: asked of any measure
  ShardJobs jobs_;                              // before shards_, which use its Cancel
  FarShards shards_;
  std::deque<Part> wave_;  // from the one after done_ on
  QueryStats& stats_;
  std::size_t done_ = 0;
  std::vector<std::int64_t> earliest_, latest_;  // by group of the answer, of what was counted
};

}  // namespace ts
