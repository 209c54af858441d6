// The sealer: rows of rotated open shards become sealed files, sorted, packed where that pays, proved and fsynced.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ext/archive/open_shard.h"
#include "ext/archive/sealed_file.h"
#include "ext/archive/spool_db.h"

namespace ts {

// Rows in memory at once while sealing: a transaction that is larger gives several files per partition.
constexpr std::size_t kSealBytes = 384u << 20;

// A rotated shard to be sealed and which of its rows count.
struct SealInput {
  std::string file;
  Visibility visibility;
};

// Reads the table's rows out of the rotated shards in `open_directory`, sorts them by tags and time and writes one file
// per partition to `sealed_directory`. The files are complete, compared with the rows bit for bit (a packed one that
// differs is reported to SQLite's log and written as plain rows instead), and fsynced with their directory when this
// returns (when it throws, none is left); none of them counts before spool.db says so. `id` gives each file the id of its name.
std::vector<SealedRow> seal_table(const TablePtr& table, const std::vector<SealInput>& inputs, const std::string& open_directory,
                                  const std::string& sealed_directory, const std::string& writer, std::size_t piece_bytes = kSealBytes,
                                  const std::function<std::string()>& id = new_ulid);

}  // namespace ts
