// Verifying an archive: every object of a table in the order of names, each shard's name against its content, every page, every value.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ext/archive/listed_key.h"
#include "ext/archive/merge_record.h"
#include "ext/base/cancel.h"
#include "vfs/store.h"

namespace ts {

// What was found of one object.
struct Verdict {
  ObjectInfo object;
  ListedKey listed;
  // ok, damaged, missing (a live merged file that is not there), gone (removed or replaced since it was listed), dead (merged or
  // expired: it does not count), unnamed (in merged/, and no record speaks of it), newer (a newer version's), foreign
  const char* state = "ok";
  std::string problem;       // a sentence; empty where it is ok
  std::int64_t pages = 0;
  bool checksums = false;    // each page carries one, and it is right
  // Facts about ranges, in the table's unit, among the shards of the walk so far:
  std::optional<std::int64_t> gap;  // from the last row of all of them to the first of this one, 0 where they meet; none: the first one
  std::int64_t overlaps = 0;        // shards whose ranges meet this one's
};

// The table's objects whose keys sort after `start_after`, page by page of the store's listing.
class ArchiveWalk {
 public:
  ArchiveWalk(Store& store, const TableDef& table, std::string start_after);
  // At most `most` further objects, as far as they are listed; none: the end. Throws when the listing is out of order.
  std::vector<Verdict> next(std::size_t most, const Cancel* cancel);

 private:
  void place(Verdict& found, const Cancel* cancel);
  void look_up(const std::string& partition, const Cancel* cancel);
  void name_missing(const std::string& upto, std::vector<Verdict>& found, const Cancel* cancel);
  void follow(Verdict& found);

  Store& store_;
  const TableDef& table_;
  const std::string start_;
  std::string after_;
  std::vector<ObjectInfo> page_;
  std::size_t at_ = 0;
  bool more_ = true;
  bool first_ = true;
  std::optional<MergeRecord> record_;  // of the partition that the walk is in
  std::size_t live_ = 0;               // the next of its live files that is to come
  std::int64_t latest_ = 0;         // last row of the shards so far
  std::vector<std::int64_t> ends_;  // of those that may reach to the next one
};

// Reads and decodes all of a shard and fills in what was found. Throws what is no trouble of the object itself (the store is away,
// access is refused, an interrupt): the walk can go on there later.
void verify_shard(const std::shared_ptr<Store>& store, const TablePtr& table, Verdict& verdict, const Cancel* cancel);

}  // namespace ts
