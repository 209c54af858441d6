// Listing: pages joined and checked, and what is kept of them.
#include "ext/archive/listing.h"

#include <algorithm>
#include <iterator>

#include "ext/archive/listed_key.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"

namespace ts {

KeyRange keys_of(const TableDef& table, std::int64_t from, std::int64_t to) {
  auto partition = [&](std::int64_t time) {
    return table.directory + "/" +
           partition_name(std::clamp(time, table.min_time, table.max_time), table.schema.precision, table.schema.partition);
  };
  // Everything in a partition sorts after "<partition>/" and before "<partition>0", as '0' follows '/'.
  return {from <= table.min_time ? table.directory + "/" : partition(from),
          to >= table.max_time ? table.directory + "0" : partition(to) + "0"};
}

std::string partition_border(const TableDef& table, const std::string& key) {
  const std::size_t begin = table.directory.size() + 1;
  const std::size_t slash = key.size() > begin ? key.find('/', begin) : std::string::npos;
  const bool inside = slash != std::string::npos && is_partition_name(key.substr(begin, slash - begin), table.schema.partition);
  return inside ? key.substr(0, slash) : key;
}

// ---------------------------------------------------------------- the store

Listing Lister::nothing_yet(const KeyRange& range, const ListingPtr& begun) const {
  Listing listing{range, ShardList(table_), Clock::system().steady_ms(), Clock::system().now_ms(), state_.last_seq};
  listing.at = range.after;
  if (begun) {
    listing.steady_ms = begun->steady_ms;
    listing.wall_ms = begun->wall_ms;
    listing.at = begun->at;
    listing.shards.append(begun->shards, begun->shards.after(range.after));
    auto later = [&](const ObjectInfo& object) { return object.key > range.after; };
    std::copy_if(begun->records.begin(), begun->records.end(), std::back_inserter(listing.records), later);
    std::copy_if(begun->merged.begin(), begun->merged.end(), std::back_inserter(listing.merged), later);
  }
  for (const SealedRow& row : state_.sealed) {
    if (row.table == table_->name) listing.waiting.push_back(row.seq);
  }
  return listing;
}

ListingPtr Lister::list(const KeyRange& range, std::size_t pages, bool some, const ListingPtr& begun) {
  auto listing = std::make_shared<Listing>(nothing_yet(range, begun));
  std::string& at = listing->at;
  auto complete = [&] { return std::max(range.after, partition_border(*table_, at)); };
  bool more = true;
  for (std::size_t n = 0; more && at < range.last && (n < pages || (some && complete() == range.after)); n++) {
    ListPage page = fetch(at);
    for (const ObjectInfo& object : page.objects) add(object, *listing);
    if (!page.objects.empty()) at = page.objects.back().key;
    more = page.more;
  }
  TS_FAILPOINT("snapshot.listed");
  if (!more) at = table_->directory + "0";
  listing->range.last = complete();
  listing->shards.finish();
  return listing;
}

ListPage Lister::fetch(const std::string& at) const {
  const std::string prefix = table_->directory + "/";
  ListPage page = store_.list(prefix, at, cancel_);
  TS_FAILPOINT("snapshot.page");
  check_listing(store_, page, prefix, at);
  return page;
}

void Lister::add(const ObjectInfo& object, Listing& listing) const {
  const ListedKey listed = classify_key(object.key, *table_);
  switch (listed.kind) {
    case ListedKey::Kind::kSchema:   // numbered ones are known, others were refused when the schema was read
    case ListedKey::Kind::kForeign:  // somebody else's file
      return;
    case ListedKey::Kind::kRecord:
      // The highest counts, and they ascend.
      if (!listing.records.empty() && partition_border(*table_, listing.records.back().key) == partition_border(*table_, object.key)) {
        listing.records.pop_back();
      }
      return listing.records.push_back(object);
    case ListedKey::Kind::kMerged: return listing.merged.push_back(object);
    case ListedKey::Kind::kReserved:
      throw Error(Code::kTooNew,
                  "archive: written by a newer version (unknown object " + object_name(store_, object.key) + "); upgrade timeseries");
    case ListedKey::Kind::kContradiction:
      throw Error(Code::kCorrupt, "archive: a shard's name contradicts itself or its partition: " + object_name(store_, object.key));
    case ListedKey::Kind::kShard: break;
  }
  listing.shards.add(listed.name, object.etag, object.size);
}

// ---------------------------------------------------------------- young ones

ListingPtr YoungListings::find(const std::string& table, const std::string& key, bool down, std::int64_t age_ms) {
  const std::int64_t steady = Clock::system().steady_ms(), wall = Clock::system().now_ms();
  std::lock_guard lock(mutex_);
  for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) {
    const Listing& listing = *kept->listing;
    // The steady clock stands still while the machine sleeps, the other one may be set: the older age counts.
    if (std::max(steady - listing.steady_ms, wall - listing.wall_ms) >= age_ms || wall < listing.wall_ms) continue;
    const KeyRange& range = listing.range;
    const bool knows = down ? range.after < key && key <= range.last : range.after <= key && key < range.last;
    if (kept->table == table && knows) return kept->listing;
  }
  return nullptr;
}

void YoungListings::keep(const std::string& table, ListingPtr listing, std::uint64_t drops) {
  std::lock_guard lock(mutex_);
  if (drops != drops_ || listing->range.empty() || listing->shards.size() > kMostShards) return;
  const KeyRange& range = listing->range;
  std::size_t shards = listing->shards.size(), listings = 1;
  for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) {
    const Listing& old = *kept->listing;
    bool replaced = kept->table == table && range.after <= old.range.after && old.range.last <= range.last;
    bool expired = listing->steady_ms - old.steady_ms > kOldestMs;
    if (replaced || expired || shards + old.shards.size() > kMostShards || listings == kMostListings) {
      kept->listing = nullptr;
      continue;
    }
    shards += old.shards.size();
    listings++;
  }
  kept_.erase(std::remove_if(kept_.begin(), kept_.end(), [](const Kept& kept) { return !kept.listing; }), kept_.end());
  kept_.push_back({table, std::move(listing)});
}

void YoungListings::drop() {
  std::lock_guard lock(mutex_);
  drops_++;
  kept_.clear();
}

std::uint64_t YoungListings::drops() {
  std::lock_guard lock(mutex_);
  return drops_;
}

}  // namespace ts
