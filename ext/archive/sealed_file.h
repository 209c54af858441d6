// Sealed shards: standard SQLite files of format version 2 (packed column chunks and a view), or 1 (plain rows sorted by tags
// and time) where packing does not pay or is not exact. Written, verified, fsynced.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ext/archive/open_shard.h"
#include "ext/archive/row_buffer.h"
#include "ext/archive/shard_name.h"
#include "ext/archive/spool_db.h"
#include "ext/archive/table_def.h"

namespace ts {

constexpr int kApplicationId = 0x54536531;
constexpr int kFormatRows = 1;
constexpr int kFormatPacked = 2;

// Rows in memory at once while sealing: a transaction that is larger gives several files per partition.
constexpr std::size_t kSealBytes = 384u << 20;

// A rotated shard to be sealed and which of its rows count.
struct SealInput {
  std::string file;
  Visibility visibility;
};

// Reads the table's rows out of the rotated shards in `open_directory`, sorts them by tags and time and writes one file
// per partition to `sealed_directory`. The files are complete, compared with the rows bit for bit (a packed one that
// differs is reported to SQLite's log and written as plain rows instead), and fsynced with
// their directory when this returns (when it throws, none is left); none of them counts before spool.db says so.
std::vector<SealedRow> seal_table(const TablePtr& table, const std::vector<SealInput>& inputs, const std::string& open_directory,
                                  const std::string& sealed_directory, const std::string& writer, std::size_t piece_bytes = kSealBytes);

// Opens a sealed shard and checks that it is one and is what its name says: application id, format version, timeseries_meta
// equal to table, partition and name, and for format 1 an ordinary table (PackedShard checks those of format 2). Throws
// kCorrupt or kTooNew naming `object`.
// `uri` is handed to sqlite3_open_v2 (read-only, immutable).
struct SealedFile {
  Database db;
  int format = 0;
};
SealedFile open_sealed(const std::string& uri, const TableDef& table, const std::string& key, const std::string& object);

}  // namespace ts
