// Sources: where the rows of a table lie in a statement's snapshot: own uncommitted rows, open shards, sealed and stored files.
//
// Every scan of the snapshot finds them here: the cursor reads each as a stream of rows, others in their own way.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ext/table/timeseries_table.h"

namespace ts {

struct Source {
  std::int64_t ordinal = 0;  // the same in every scan of a statement
  std::string file;          // for _file; empty: not committed yet
  std::int64_t start = INT64_MIN, end = INT64_MAX;
  std::int64_t rows = 0;  // 0: unknown
  bool own = false;       // uncommitted rows of this connection

  // Either rows in an inner connection, which the statement's own thread reads,
  Database* db = nullptr;
  ScanSource where;
  std::int64_t first_row = 0;  // comes on top of the ordinals of its rows
  std::shared_ptr<void> keep;
  // or, without one, a file.
  ShardRef shard;
};

// Those that may hold rows of [from, to]; lists the store as far as that needs.
std::vector<Source> find_sources(Table& table, StatementSnapshot& statement, LocalSnapshot& local, std::int64_t from, std::int64_t to);

std::unique_ptr<RowStream> stream_source(Table& table, StatementSnapshot& statement, const Source& source,
                                         const std::shared_ptr<const ScanPlan>& plan);

// Throws when the rows of an own source were rolled back meanwhile: asked before each of them.
inline void check_source(const Source& source, const LocalSnapshot& local) {
  if (!source.own || !local.rolled_back()) return;
  throw Error(Code::kChanged, "timeseries: the transaction whose rows this statement reads was rolled back; run the statement again");
}

}  // namespace ts
