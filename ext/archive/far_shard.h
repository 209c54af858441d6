// FarShard: one shard of a statement from the plan to the reader: how its bytes are fetched, begun before anybody opens it.
//
// Laws: memory is bounded by AheadBytes, but the shard that a reader waits for is fetched whatever the bound says, so nothing waits for
// ever; no Cancel is used after the destructor; what was begun and is not wanted any more is called off, and nobody waits for it.
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "ext/archive/shard_files.h"

namespace ts {

// How the bytes of a shard come that lies far away.
enum class Fetch {
  kWhole,      // all of them at once, large files in parallel parts
  kHeadFirst,  // the first 256 KiB, and then exactly the pages that its navigation leads to
};
// Whole if the file is small, or the plan asks for most of it: the rows of a series lie together, so only conditions on tags, limits and
// what the directory of series answers ask for less. (A range of times is somewhere in each series, and a page holds chunks of many.)
Fetch how_to_fetch(std::uint64_t size, std::int64_t rows, const ScanPlan& plan, const Schema& schema);
inline Fetch how_to_fetch(const ShardRef& ref, const ScanPlan& plan, const Schema& schema) {
  return how_to_fetch(ref.size, ref.rows, plan, schema);
}

// Thread-safe. `files` and `cancel` outlive it.
class FarShard {
 public:
  static constexpr std::size_t kAhead = 32;  // how many shards may be begun before they are read

  FarShard(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, ShardRef ref, const ScanPlan& plan, const Cancel* cancel);
  ~FarShard();
  FarShard(const FarShard&) = delete;
  FarShard& operator=(const FarShard&) = delete;

  const ShardRef& ref() const { return ref_; }
  std::string object() const { return object_name(*store_, ref_.key); }

  // Begins to fetch in the background; false, and nothing happens: there is no room now.
  bool start();
  // Most of it is wanted after all.
  void fetch_whole();
  // A reader waits for it, or is about to.
  void await();
  // For a worker: the shard, opened. Once.
  std::unique_ptr<ShardFile> open(QueryStats& stats);
  // What open() returned, when it was read without an error.
  void give_back(std::unique_ptr<ShardFile> file);

 private:
  void start_with(std::uint64_t room);  // with the mutex held, as the next
  void find();
  std::uint64_t window() const;

  ShardFiles& files_;
  const std::shared_ptr<Store> store_;
  const TablePtr table_;
  const ShardRef ref_;
  const Fetch how_;
  const bool in_turns_;  // series are read side by side, so that the reader goes through the whole file again and again
  const Cancel* const cancel_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::unique_ptr<ShardFile> file_;    // open since an earlier scan, and not handed out yet
  std::shared_ptr<RangedFile> bytes_;  // null: nothing was begun, or it is not far away
  bool found_ = false, begun_ = false;
};

// The shards of one scan, each made when it is come to. Used by the statement's thread; what they refer to outlives them.
class FarShards {
 public:
  FarShards(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, std::shared_ptr<const ScanPlan> plan, const Cancel& cancel,
            std::vector<ShardPlace> places)
      : files_(files),
        store_(std::move(store)),
        table_(std::move(table)),
        plan_(std::move(plan)),
        cancel_(cancel),
        places_(std::move(places)),
        made_(places_.size()) {}

  std::size_t size() const { return places_.size(); }
  FarShard& at(std::size_t index);
  // All before `done` are dropped; of the others as many begin to be fetched as there is room for.
  void announce(std::size_t done);

 private:
  ShardFiles& files_;
  const std::shared_ptr<Store> store_;
  const TablePtr table_;
  const std::shared_ptr<const ScanPlan> plan_;
  const Cancel& cancel_;
  const std::vector<ShardPlace> places_;
  std::vector<std::unique_ptr<FarShard>> made_;
  std::size_t dropped_ = 0, announced_ = 0;
};

}  // namespace ts
