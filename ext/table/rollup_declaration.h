// What CREATE VIRTUAL TABLE ... USING timeseries_rollup(cpu, '1 hour', by='host') says, and the columns that follow. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/schema.h"
#include "ext/base/time_bucket.h"

namespace ts {

struct RollupDeclaration {
  std::string schema, table;  // the base table as written; schema may be empty. 'a.b' in quotes is one name that may be two
  std::string width;
  std::optional<std::vector<std::string>> by;  // nullopt: all tags
};

// `args` are the texts SQLite hands to xCreate from argv[3] on. Throws kBadInput with a sentence that names the remedy.
RollupDeclaration parse_rollup(const std::vector<std::string_view>& args);

enum class RollupKind { kBucket, kTag, kRows, kCount, kSum, kMin, kMax, kAvg, kFirst, kLast };

struct RollupColumn {
  RollupKind kind = RollupKind::kBucket;
  int source = -1;  // column of the base table; -1 for the bucket and the number of rows
};

// The rollup of a table of this schema: bucket, tags, number of rows, then seven statistics for each numeric column.
struct RollupShape {
  Schema schema;                      // as SQL sees it; the bucket's start is its time column, number 0
  std::vector<RollupColumn> columns;  // for each of them
  TimeBucket bucket;
  int tags = 0;

  bool same_columns(const RollupShape& other) const;
};

// `base` and `rollup` name the tables in errors. Throws kBadInput.
RollupShape shape_rollup(const RollupDeclaration& declaration, const Schema& schema, const std::string& base, const std::string& rollup);

}  // namespace ts
