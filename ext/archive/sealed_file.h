// Sealed shards: standard SQLite files, format version 1 (plain rows sorted by tags and time). Written, verified, fsynced.
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

// Rows in memory at once while sealing: a transaction that is larger gives several files per partition.
constexpr std::size_t kSealBytes = 384u << 20;

// A rotated shard to be sealed and which of its rows count.
struct SealInput {
  std::string file;
  Visibility visibility;
};

// Reads the table's rows out of the rotated shards in `open_directory`, sorts them by tags and time and writes one file
// per partition to `sealed_directory`. The files are complete, compared with the rows bit for bit, and fsynced with
// their directory when this returns (when it throws, none is left); none of them counts before spool.db says so.
std::vector<SealedRow> seal_table(const TablePtr& table, const std::vector<SealInput>& inputs, const std::string& open_directory,
                                  const std::string& sealed_directory, const std::string& writer,
                                  std::size_t piece_bytes = kSealBytes);

// Opens a sealed shard and checks that it is one and is what its name says: application id, format version, an ordinary
// table, and timeseries_meta equal to table, partition and name. Throws kCorrupt or kTooNew naming `object`.
// `uri` is handed to sqlite3_open_v2 (read-only, immutable).
Database open_sealed(const std::string& uri, const TableDef& table, const std::string& key, const std::string& object);

}  // namespace ts
