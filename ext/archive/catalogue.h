// Catalogue: the stored shards of one table as a statement sees them, listed as far as it asked. Steps 4 and 5 of snapshot.h.
//
// Each range of keys is listed once. A listing made for this statement holds everything that was stored before the statement's
// snapshot; a younger one of another statement lacks what this spool stored since, which spool.db knows. From both are left out
// the files whose rows the local snapshot has.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/listing.h"
#include "ext/archive/snapshot.h"

namespace ts {

class Catalogue {
 public:
  // `max_age_ms`: of listings that may be used again; 0: none.
  Catalogue(std::shared_ptr<Store> store, TablePtr table, LocalSnapshot& local, std::int64_t max_age_ms)
      : store_(std::move(store)), table_(std::move(table)), local_(local), max_age_ms_(max_age_ms) {}

  // True when nothing has to be listed for [from, to].
  bool covers(std::int64_t from, std::int64_t to) const { return missing(from, to).empty(); }
  // Takes what young listings know of [from, to]. Makes no request.
  void reuse(std::int64_t from, std::int64_t to, QueryStats& stats);
  // Lists what is needed for [from, to]. `whole`: begin at the first shard, for statements with several ranges.
  void cover(std::int64_t from, std::int64_t to, bool whole, const Cancel* cancel, QueryStats& stats);
  bool large() const { return large_; }  // the first page from the beginning was not all

  // Calls each(list, index, ordinal) for the shards that may hold rows of [from, to]; returns how many others there are. An ordinal
  // never changes while the statement runs.
  template <class Each>
  std::int64_t find(std::int64_t from, std::int64_t to, Each&& each) const {
    std::int64_t others = 0;
    for (const Block& block : blocks_) {
      auto hidden = block.hidden.begin();
      for (std::size_t i = block.begin; i < block.end; i++) {
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
    std::shared_ptr<const ShardList> list;
    std::size_t begin = 0, end = 0;
    std::vector<std::size_t> hidden;  // in between, ascending
    std::int64_t ordinal = 0;         // of the first
  };
  KeyRange missing(std::int64_t from, std::int64_t to) const;
  std::vector<KeyRange> gaps(const KeyRange& range) const;
  void list(const KeyRange& range, std::size_t pages, const Cancel* cancel, QueryStats& stats);
  void take(const ListingPtr& listing, const KeyRange& range, const std::vector<std::string>& hidden, QueryStats& stats);
  void take(std::shared_ptr<const ShardList> list, const KeyRange& range, const std::vector<std::string>& hidden, QueryStats& stats);
  std::shared_ptr<ShardList> stored_since(const Listing& listing);
  std::vector<std::string> hidden_keys();

  std::shared_ptr<Store> store_;
  TablePtr table_;
  LocalSnapshot& local_;
  const std::int64_t max_age_ms_;
  std::vector<Block> blocks_;
  std::vector<KeyRange> covered_;  // ascending, none overlaps another
  std::int64_t next_ordinal_ = 0;
  bool large_ = false;
};

}  // namespace ts
