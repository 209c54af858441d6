// TableDef: a table of the archive as its shards hold it: name, schema, and the SQL both sides agree on.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ext/archive/schema.h"

namespace ts {

class KnownArchive;

struct TableDef {
  std::string name;       // in the archive; case matters
  std::string directory;  // its percent-encoded form
  Schema schema;
  std::string shape;     // declaration_id(schema)
  std::string declared;  // which of the declarations that a spool has seen of the table (SpoolDb::declarations); "" is the first
  // Of its table in open shards: capitals escaped, since SQLite ignores case and archives do not. Each declaration has its own.
  std::string open_name;
  std::vector<int> not_null;  // columns that may not be NULL, without the time column
  std::int64_t min_time = 0, max_time = 0;  // what its precision can hold
  std::string txn_column;  // of open shards: the number of the transaction, a name no column of the table has
  std::shared_ptr<KnownArchive> archive;  // what the process knows of its archive's schema; may be null
};

using TablePtr = std::shared_ptr<const TableDef>;
TablePtr make_table_def(const std::string& name, const Schema& schema, const std::string& declared = "",
                        std::shared_ptr<KnownArchive> archive = nullptr);

// Which declaration a schema is, by all that a shard keeps of it: 16 hexadecimal digits.
std::string declaration_id(const Schema& schema);
// If `open_name` is that of a table of this name: of which declaration. nullopt: it is another table's.
std::optional<std::string> declaration_of(const std::string& open_name, const std::string& table_name);

}  // namespace ts
