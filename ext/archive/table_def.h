// TableDef: a table of the archive as its shards hold it: name, schema, and the SQL both sides agree on.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/schema.h"

namespace ts {

struct TableDef {
  std::string name;       // in the archive; case matters
  std::string directory;  // its percent-encoded form
  Schema schema;
  std::string open_name;   // of its table in open shards: capitals escaped, since SQLite ignores case and archives do not
  std::vector<int> not_null;  // columns that may not be NULL, without the time column
  std::int64_t min_time = 0, max_time = 0;  // what its precision can hold
  std::string txn_column;  // of open shards: the number of the transaction, a name no column of the table has
};

using TablePtr = std::shared_ptr<const TableDef>;
TablePtr make_table_def(const std::string& name, const Schema& schema);

}  // namespace ts
