// ts_import(table, file [, format [, from]]): a file's rows into the archive, whole and once.
#pragma once
#include <cstdint>
#include <string>

#include "ext/table/timeseries_table.h"

namespace ts {

// Returns how many rows are new: 0 where this spool took the same file before. `format`: 'csv', 'tsv', 'lines', 'sqlite', or empty: by
// the file. `from`: the measurement or source table. Throws "ts_import: file, position: what" with nothing imported.
std::int64_t import_file(Table& table, const std::string& path, const std::string& format, const std::string& from);

}  // namespace ts
