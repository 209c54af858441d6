// Verifying an archive: every object of a table in the order of names, each shard's name against its content, every page, every value.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ext/archive/listed_key.h"
#include "ext/base/cancel.h"
#include "vfs/store.h"

namespace ts {

// What was found of one object.
struct Verdict {
  ObjectInfo object;
  ListedKey listed;
  const char* state = "ok";  // ok, damaged, gone (removed or replaced since it was listed), newer (a newer version's), foreign
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
  void place(Verdict& found);

  Store& store_;
  const TableDef& table_;
  std::string after_;
  std::vector<ObjectInfo> page_;
  std::size_t at_ = 0;
  bool more_ = true;
  bool first_ = true;
  std::int64_t latest_ = 0;         // last row of the shards so far
  std::vector<std::int64_t> ends_;  // of those that may reach to the next one
};

// Reads and decodes all of a shard and fills in what was found. Throws what is no trouble of the object itself (the store is away,
// access is refused, an interrupt): the walk can go on there later.
void verify_shard(const std::shared_ptr<Store>& store, const TablePtr& table, Verdict& verdict, const Cancel* cancel);

}  // namespace ts
