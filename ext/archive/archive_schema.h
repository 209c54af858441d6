// The archive's schema objects: <table>/schema-000001.json, the highest number counts. Published once, never changed.
#pragma once
#include <optional>

#include "ext/archive/table_def.h"
#include "ext/base/cancel.h"
#include "vfs/store.h"

namespace ts {

constexpr std::uint64_t kMaxSchemaBytes = 1u << 20;  // 1,000 columns fit many times

// Key of the table's highest schema object, or "".
std::string highest_schema_key(Store& store, const std::string& table_directory, const Cancel* cancel);

// The schema in the archive; nullopt: there is none yet.
std::optional<Schema> read_archive_schema(Store& store, const std::string& table_directory, const Cancel* cancel);

// Publishes the table's schema if it is the first, else compares: throws kBadInput naming the contradicting column.
// A credential that may only create is enough: where reading is forbidden an existing schema is taken as agreeing,
// and readers find a contradiction in the shards.
void settle_archive_schema(Store& store, const TableDef& table, const Cancel* cancel);

// Throws kBadInput when the archive's schema contradicts the table's.
void check_archive_schema(Store& store, const TableDef& table, const Schema& archive);

}  // namespace ts
