// Publishing: what an archive holds of a table, written down beside it as an index (docs/FORMAT.md).
//
// Laws: everything that was stored before the call is in the index. Of two published indexes the one with the higher number lacks
// nothing that the other has seen stored: its listing began when the other was there. Nothing is ever overwritten.
#pragma once
#include <cstdint>
#include <string>

#include "ext/archive/table_def.h"
#include "vfs/store.h"

namespace ts {

// Makes the next index the newest one; its number.
std::int64_t publish_index(Store& store, const TableDef& table, const Cancel* cancel);

// The same as a snapshot; its token.
std::string publish_snapshot(Store& store, const TableDef& table, const Cancel* cancel);

}  // namespace ts
