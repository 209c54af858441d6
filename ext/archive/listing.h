// Listing: what the store said lies in a range of a table's keys, and those of them that are young enough to be used again.
//
// Its range is whole partitions, so that a partition's record (merge_record.h), which is listed after its shards, is never older than
// the names that it is applied to.
//
// What it does not say of this spool's own files, spool.db does: which were not stored when it began, and which came later.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ext/archive/shard_list.h"
#include "ext/archive/spool_db.h"
#include "vfs/store.h"

namespace ts {

struct KeyRange {
  std::string after, last;  // keys in (after, last]
  bool empty() const { return after >= last; }
};

// The keys of the partitions that hold rows of [from, to]. Everything where it is not bounded: also what is no shard.
KeyRange keys_of(const TableDef& table, std::int64_t from, std::int64_t to);

// Where keys of the partition that holds `key` begin; a key outside of partitions is its own border. All before it is complete.
std::string partition_border(const TableDef& table, const std::string& key);

struct Listing {
  KeyRange range;    // complete; shards of a partition that is listed in part lie behind its end
  ShardList shards;
  // As it was before the first request:
  std::int64_t steady_ms = 0, wall_ms = 0;
  std::int64_t last_seq = 0;            // of the spool
  std::vector<std::int64_t> waiting{};  // its sealed files of this table that were not known to be stored
  // Listed too:
  std::vector<ObjectInfo> records{};    // the highest of each partition that has one
  std::vector<ObjectInfo> merged{};     // files in merged/
  std::string at{};                     // up to here
};
using ListingPtr = std::shared_ptr<const Listing>;

// Asks a store for a table's keys. `state`: of the spool, read before. Used by one thread.
class Lister {
 public:
  Lister(Store& store, TablePtr table, const SpoolState& state, const Cancel* cancel)
      : store_(store), table_(std::move(table)), state_(state), cancel_(cancel) {}
  // Page after page, at most so many, until the range is listed. The answer's range ends where it is complete to; that may be where it
  // begins, unless `some` asks to go on to the end of a partition. `begun` has listed part of the range's first partition.
  ListingPtr list(const KeyRange& range, std::size_t pages, bool some = false, const ListingPtr& begun = nullptr);

  // Its steps, for who lists in another way.
  Listing nothing_yet(const KeyRange& range, const ListingPtr& begun) const;  // a listing that begins now, or goes on
  ListPage fetch(const std::string& at) const;                                // the page after a key, its order checked
  void add(const ObjectInfo& object, Listing& listing) const;                 // if it is of interest

 private:
  Store& store_;
  TablePtr table_;
  const SpoolState& state_;
  const Cancel* cancel_;
};

// Of one spool, shared by the process's connections. Thread-safe.
class YoungListings {
 public:
  static constexpr std::int64_t kOldestMs = 3600'000;  // far less than spool.db remembers what was stored
  static constexpr std::size_t kMostListings = 64;
  static constexpr std::size_t kMostShards = 1u << 20;  // 72 bytes each

  // One no older than `age_ms` that knows what comes right after `key`, or down to it. Null: none does.
  ListingPtr find(const std::string& table, const std::string& key, bool down, std::int64_t age_ms);
  // `drops`: drops() before it was listed; what began before the last drop() is not kept.
  void keep(const std::string& table, ListingPtr listing, std::uint64_t drops);
  // Something that was listed is not there any more.
  void drop();
  std::uint64_t drops();

 private:
  struct Kept {
    std::string table;
    ListingPtr listing;
  };
  std::mutex mutex_;
  std::vector<Kept> kept_;  // oldest first
  std::uint64_t drops_ = 0;
};

}  // namespace ts
