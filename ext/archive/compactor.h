// Compactor: small files of partitions become few large ones, while others write, read and compact.
//
// For each partition: its names are listed and its record is read; files that are worth it (compaction_plan.h) are merged
// (shard_merger.h); the merged file is stored under <partition>/merged/, and the next record says that it counts and that the others are
// dead (partition_commit.h). Until that one PUT nothing has changed for anybody, so the work may end at any instruction: what it left
// in merged/ is named by no record, and its directory in the spool is removed by the next one. Whoever loses a number of the record looks
// whether what it merged still counts, and if so takes the next one. At last what is dead long enough is removed (partition_sweep.h).
//
// On the disk there are, at most, about three times compact_target.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ext/archive/partition_commit.h"
#include "ext/archive/shard_merger.h"
#include "ext/base/work_directory.h"

namespace ts {

struct CompactOptions {
  std::string directory;             // in which temporary files may lie: the spool
  std::uint64_t target = 256u << 20;  // bytes of a merged file, about
  std::int64_t grace_ms = 3600'000;  // replaced files are removed that much later
  bool background = false;           // fork() may come at any moment: base/fork.h
  bool dry_run = false;              // tells what would be merged, and changes nothing
  std::size_t fan_in = kMergeFanIn;
};

// What became of a partition. After a dry run: what would.
struct Compacted {
  std::string partition;
  std::int64_t files_before = 0, files_after = 0;
  std::uint64_t bytes_before = 0;
  std::optional<std::uint64_t> bytes_after;  // none: a dry run cannot know
  std::int64_t rows = 0;                     // in the files that were merged
};

class Compactor {
 public:
  // How many files are to be merged, how many have been fetched, and their bytes.
  using Watch = std::function<void(std::int64_t files, std::int64_t done, std::uint64_t bytes)>;
  // `store`: without a cache. `cancel` is polled on the caller's thread, and outlives this.
  Compactor(std::shared_ptr<Store> store, TablePtr table, CompactOptions options, const Cancel& cancel, Watch watch);

  // The first partition that holds objects and is `name` or comes after it; none: there is none.
  std::optional<std::string> partition_from(const std::string& name);
  std::optional<std::string> partition_after(const std::string& name) { return partition_from(name + "0"); }  // '0' comes after '/'
  // Merges of fewer files than `fewest` wait.
  Compacted compact(const std::string& partition, std::size_t fewest = 2);

 private:
  struct State {
    MergeRecord record;
    std::vector<MergeInput> files;  // that count, in the order of their first rows
  };
  State read(const std::string& partition);
  std::vector<std::vector<std::size_t>> plan(const State& state, std::size_t fewest) const;
  bool merge(State& state, const std::vector<std::size_t>& group, Compacted& report);
  std::string put(const MergedShard& merged);
  bool commit(State& state, const std::vector<MergeInput>& inputs, const MergeInput& merged);
  void check() const;

  const std::shared_ptr<Store> store_;
  const TablePtr table_;
  const CompactOptions options_;
  const Cancel& cancel_;
  const Watch watch_;
  PartitionCommits commits_;
  std::unique_ptr<WorkDirectory> directory_;
  std::int64_t to_fetch_ = 0, fetched_ = 0;
  std::uint64_t fetched_bytes_ = 0;
};

}  // namespace ts
