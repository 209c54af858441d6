// ts_add_column, ts_rename_column, ts_drop_column: what they do to a table's archive, its spool and this connection.
#pragma once
#include <cstdint>
#include <string>

#include "ext/archive/schema_change.h"
#include "ext/table/timeseries_table.h"

namespace ts {

// Makes the change and returns the number of the archive's schema that has it. A table that is connected without columns has it from the
// connection's next statement on; `table` is gone then.
std::int64_t change_schema(Table& table, const std::string& what, const SchemaStep& step);

}  // namespace ts
