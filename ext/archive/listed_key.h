// Listings of a table: whether a page of one can be right, and what each key in it is.
#pragma once
#include <string>

#include "ext/archive/shard_name.h"
#include "ext/archive/table_def.h"
#include "vfs/store.h"

namespace ts {

struct ListedKey {
  enum class Kind {
    kShard,
    kContradiction,  // a shard's name that contradicts itself or its partition
    kSchema,         // a schema object
    kRecord,         // a merge record of a partition
    kMerged,         // a file in a partition's merged/: counts where its record says so
    kReserved,       // of a newer version
    kForeign         // somebody else's: ignored
  };
  Kind kind = Kind::kForeign;
  ShardName name;              // of a kShard, kMerged or kContradiction
  std::int64_t sequence = 0;   // of a kRecord
};

// `key` begins with the table's directory and '/'.
ListedKey classify_key(const std::string& key, const TableDef& table);

// Throws kCorrupt where a page's keys do not ascend from `after` on, or it says that there is more and holds nothing.
void check_listing(const Store& store, const ListPage& page, const std::string& prefix, const std::string& after);

}  // namespace ts
