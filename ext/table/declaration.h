// Parses the arguments of CREATE VIRTUAL TABLE ... USING timeseries(...): columns and options. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/schema.h"
#include "ext/table/prices.h"
#include "vfs/store.h"

namespace ts {

enum class Durability { kNormal, kFull };
enum class FlushOnClose { kDue, kAlways, kNever };

struct Declaration {
  Schema schema;             // empty(): read it from the archive
  StoreOptions store;
  std::string table;         // name in the archive; empty: the SQL name
  std::string spool;         // directory; empty: the default
  std::uint64_t flush_size = 64ull << 20;   // bytes
  std::int64_t flush_interval_ms = 300'000;
  std::int64_t flush_timeout_ms = 15'000;
  std::uint64_t spool_limit = 0;            // bytes; 0: none
  Durability durability = Durability::kNormal;
  std::string cache_dir;                    // empty: no disk cache
  std::uint64_t cache_size = 1ull << 30;    // bytes
  std::int64_t max_staleness_ms = 0;        // of a listing that is used again; 0: every statement lists
  std::int64_t compact_grace_ms = 3600'000;  // that long replaced and expired files stay, for those who read them
  std::int64_t retention_ms = 0;             // of rows; 0: for ever
  FlushOnClose flush_on_close = FlushOnClose::kDue;
  std::int64_t slice = 0, slices = 0;       // the files of a snapshot that it reads: part 1 to `slices`; 0: all
  bool compact_auto = false;
  std::int64_t compact_interval_ms = 600'000;   // between two looks of compact='auto'
  std::uint64_t compact_target = 256ull << 20;  // bytes of a merged file
  std::uint64_t max_bytes = 0;              // of objects, that one statement may ask the store for; 0: no limit
  std::int64_t max_requests = 0;            // of one statement; 0: no limit
  std::optional<Prices> prices;             // for ts_explain; none: what is known of the store
  std::optional<Link> link;                 // the same
  bool precision_given = false, partition_given = false;
};

// `args` are the texts SQLite hands to xCreate/xConnect from argv[3] on; `environment` gives TIMESERIES_<OPTION> twins.
// Throws kBadInput with a sentence that names the column or option and the remedy.
Declaration parse_declaration(const std::vector<std::string_view>& args, const std::map<std::string, std::string>& environment);

// One column as ts_add_column gets it: 'note TEXT', 'rack TEXT TAG'. Throws kBadInput; a TIMESTAMP is none that can be added.
Column parse_column_declaration(std::string_view text);

// '64MB', '1GiB', '512', '10 kB': bytes (kB/MB/GB and KiB/MiB/GiB are both powers of 1024). Throws kBadInput naming `option`.
std::uint64_t parse_size(std::string_view text, std::string_view option);
// '5m', '90 s', '250ms', '1h', '2 days': milliseconds. Throws kBadInput naming `option`.
std::int64_t parse_duration(std::string_view text, std::string_view option);

}  // namespace ts
