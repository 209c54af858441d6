// Sealed shards as files: standard SQLite databases of format version 2 (packed columns and a view) or 1 (plain rows). What both
// have in common, and opening one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ext/archive/column_map.h"
#include "ext/archive/shard_name.h"
#include "ext/archive/table_def.h"
#include "ext/base/page_checksum.h"
#include "ext/base/sqlite.h"

namespace ts {

constexpr int kFormatRows = 1;
constexpr int kFormatPacked = 2;

// A fresh file at `path`, without a journal and with room for a checksum in each page: it counts only when it is complete.
Database create_sealed(const std::string& path, int page_size, int format);
// What the file of create_sealed lacks when it is written and closed: the checksum of each page.
void stamp_sealed(const std::string& path);
// Throws kCorrupt naming `object` and the page if a page's checksum is wrong.
void check_pages(std::string_view file, const std::string& object);
// 4 KiB for small files of plain rows, more where navigation would otherwise spread (DESIGN section 3).
int plain_page_size(std::size_t bytes);
// Fills timeseries_meta.
void put_meta(Database& db, const TableDef& table, const std::string& partition, const ShardName& name, int format);

struct SealedFile {
  Database db;
  int format = 0;
  ColumnMapPtr columns;  // where it holds the table's columns
};
// Opens a sealed shard and checks that it is one and is what its name says: application id, format version, timeseries_meta
// equal to table, partition and name, columns that are the table's or that the archive's schema explains (`look`, column_map.h), and
// for format 1 an ordinary table (PackedShard checks those of format 2). Throws kCorrupt or kTooNew naming `object`. `uri` is handed
// to sqlite3_open_v2 (read-only, immutable).
SealedFile open_sealed(const std::string& uri, const TableDef& table, const std::string& key, const std::string& object,
                       const LookForSchema& look = {});

}  // namespace ts
