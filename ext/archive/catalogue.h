// Catalogue: the stored shards of one table as a statement sees them, listed as far as it asked. Steps 4 and 5 of snapshot.h.
//
// A partition's merge record takes precedence over its names: dead ones are left out, its live files are added. It is read when the
// partition is wanted, after its names were listed; until then nothing of the partition is given out.
//
// Each range of keys is listed once. A listing made for this statement holds everything that was stored before the statement's
// snapshot; a younger one of another statement lacks what this spool stored since, which spool.db knows. From both are left out
// the files whose rows the local snapshot has.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/listing.h"
#include "ext/archive/record_reader.h"
#include "ext/archive/scan.h"
#include "ext/archive/snapshot.h"

namespace ts {

// How far a scan in the order of time has come in the catalogue: it lists on as it goes.
struct CatalogueWalk {
  KeyRange left;  // what it has not been given yet
  bool down = false;
  bool large = false;    // the archive is known to be more than a page
  std::size_t step = 1;     // pages upwards, partitions downwards: doubled each time
  std::size_t records = 1;  // read at once: doubled each time
  bool done() const { return left.empty(); }
};

class Catalogue {
 public:
  // `max_age_ms`: of listings that may be used again; 0: none. `alone`: what is listed is all that is seen, and the local snapshot is
  // not: nothing is left out for it.
  Catalogue(std::shared_ptr<Store> store, TablePtr table, LocalSnapshot& local, std::int64_t max_age_ms, bool alone = false)
      : store_(std::move(store)), table_(std::move(table)), local_(local), max_age_ms_(alone ? 0 : max_age_ms), alone_(alone) {}

  // True when nothing has to be listed or read for [from, to].
  bool covers(std::int64_t from, std::int64_t to) const {
    return missing(from, to).empty() && unread(keys_of(*table_, from, to)).empty();
  }
  // Takes what young listings know of [from, to]. Makes no request.
  void reuse(std::int64_t from, std::int64_t to, QueryStats& stats);
  // Lists the first page of everything, if nothing is known yet: in a small archive that is all, for statements with several ranges.
  void begin_whole(const Cancel* cancel, QueryStats& stats);
  // Lists what is needed for [from, to], a long range in parts side by side, and reads the records. Throws kChanged where rows that the
  // local snapshot reads in another form were merged meanwhile: it has to be taken anew.
  void cover(std::int64_t from, std::int64_t to, const Cancel* cancel, QueryStats& stats);
  bool large() const { return large_; }  // the first page from the beginning was not all

  std::size_t memory_bytes() const;      // of what was listed

  // Whether a file that the snapshot found in the spool does not count, because somebody has merged it or it expired. Known where its
  // partition is covered.
  bool is_dead(const std::string& key) const;

  // A walk gives out [from, to] in parts, listing no further than it has come.
  CatalogueWalk walk(std::int64_t from, std::int64_t to, bool down, bool large) const {
    return {keys_of(*table_, from, to), down, large};
  }
  // No shard that the walk has still to give ends later (down), or begins earlier (up).
  std::int64_t bound(const CatalogueWalk& walk) const;
  bool knows_next(const CatalogueWalk& walk) const;
  void reuse_next(const CatalogueWalk& walk, QueryStats& stats);                 // takes what a young listing knows; no request
  void list_next(CatalogueWalk& walk, const Cancel* cancel, QueryStats& stats);  // then it knows
  KeyRange take_next(CatalogueWalk& walk) const;                                 // as far as it knows: not empty when it does

  // Calls each(list, index, ordinal) for the shards that may hold rows of [from, to]; returns how many others there are. An ordinal
  // never changes while the statement runs.
  template <class Each>
  std::int64_t find(std::int64_t from, std::int64_t to, Each&& each) const {
    return find(keys_of(*table_, INT64_MIN, INT64_MAX), from, to, each);
  }
  // The same, of those within a range of keys.
  template <class Each>
  std::int64_t find(const KeyRange& keys, std::int64_t from, std::int64_t to, Each&& each) const {
    std::int64_t others = 0;
    for (const Block& block : blocks_) {
      if (block.range.last <= keys.after || keys.last <= block.range.after) continue;
      const bool part = block.range.after < keys.after || keys.last < block.range.last;
      const std::size_t begin = part ? std::max(block.begin, block.list->after(keys.after)) : block.begin;
      const std::size_t end = part ? std::min(block.end, block.list->after(keys.last)) : block.end;
      auto hidden = std::lower_bound(block.hidden.begin(), block.hidden.end(), begin);
      for (std::size_t i = begin; i < end; i++) {
        if (hidden != block.hidden.end() && *hidden == i) {
          ++hidden;
        } else if (block.list->end(i) < from || block.list->start(i) > to) {
          others++;
        } else {
          each(*block.list, i, block.ordinal + static_cast<std::int64_t>(i - block.begin));
        }
      }
    }
    return others;
  }

 private:
  struct Block {
    KeyRange range;
    std::shared_ptr<const ShardList> list;
    std::size_t begin = 0, end = 0;
    std::vector<std::size_t> hidden;  // in between, ascending
    std::int64_t ordinal = 0;         // of the first
  };
  struct Recorded {  // a partition that has a record
    ObjectInfo object;
    std::vector<ObjectInfo> merged;  // as listed
    MergeRecordPtr record;           // null: not read yet
  };
  using Folders = std::map<std::string, Recorded>;  // by "<table>/<partition>/"
  KeyRange missing(std::int64_t from, std::int64_t to) const;
  std::vector<Folders::const_iterator> unread(const KeyRange& range) const;
  void read_records(std::vector<Folders::const_iterator> folders, const Cancel* cancel, QueryStats& stats);
  void refuse_merged_meanwhile(const std::string& folder, const MergeRecord& record, const std::vector<std::string>& since);
  void hide_dead(const std::string& folder, const MergeRecord& record, QueryStats& stats);
  void add_live(const std::string& folder, const Recorded& recorded, QueryStats& stats);
  KeyRange known_next(const CatalogueWalk& walk) const;
  void remember_records(const Listing& listing, const KeyRange& range);
  std::vector<KeyRange> gaps(const KeyRange& range) const;
  ListingPtr list(const KeyRange& range, std::size_t pages, bool some, const Cancel* cancel, QueryStats& stats);
  ListingPtr begun(const KeyRange& range) const;
  void list_for(std::int64_t from, std::int64_t to, const Cancel* cancel, QueryStats& stats);
  void list_all(const KeyRange& range, const Cancel* cancel, QueryStats& stats);
  void list_down(CatalogueWalk& walk, const Cancel* cancel, QueryStats& stats);
  void add(const std::vector<ListingPtr>& listings, std::uint64_t drops, QueryStats& stats);
  bool reuse(const KeyRange& range, const std::string& key, bool down, QueryStats& stats);
  void take(const ListingPtr& listing, const KeyRange& range, const std::vector<std::string>& hidden, QueryStats& stats);
  void take(std::shared_ptr<const ShardList> list, const KeyRange& range, const std::vector<std::string>& hidden, QueryStats& stats);
  std::shared_ptr<ShardList> stored_since(const Listing& listing);
  std::vector<std::string> keys_since();
  std::vector<std::string> hidden_keys();

  std::shared_ptr<Store> store_;
  TablePtr table_;
  LocalSnapshot& local_;
  const std::int64_t max_age_ms_;
  const bool alone_;
  std::vector<Block> blocks_;
  std::vector<KeyRange> covered_;  // ascending, apart from one another; each ends where a partition does
  Folders records_;                // of what is covered
  std::map<std::string, ListingPtr> begun_;  // by where their ranges end: partitions that were listed in part
  std::size_t times_earlier_ = 0;
  std::int64_t next_ordinal_ = 0;
  bool large_ = false;
};

}  // namespace ts
