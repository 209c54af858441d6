// ImportSource: a file that ts_import reads row by row, with its values matched to the columns of a table.
//
//   CSV, TSV (csv_source.cc)        RFC 4180, the first row names the columns; an empty field without quotes is NULL, all else is text
//   line protocol (line_source.cc)  InfluxDB's; measurement = table, tags and fields = columns by name, times in nanoseconds
//   SQLite (sqlite_source.cc)       a table or view of another database, columns by name
//
// Names are matched without case, as SQLite does. Nothing is guessed: an unknown name is an error that says what the table has.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/scan.h"
#include "ext/archive/table_def.h"

namespace ts {

// By column of the table; nullopt: the row says nothing of it, and its DEFAULT holds.
using ImportRow = std::vector<std::optional<OwnedValue>>;

class ImportSource {
 public:
  virtual ~ImportSource() = default;
  // The next row, of which every column is set anew. False: there is none. Throws Error without the file's name.
  virtual bool next(ImportRow& row) = 0;
  // What of the file it reads, where that is a choice: the measurement or table.
  virtual std::string part() const { return {}; }
  // Where the last row stands: "row 12", "line 12".
  virtual std::string position() const = 0;
};

// `bytes` outlive the source.
std::unique_ptr<ImportSource> csv_source(std::string_view bytes, char delimiter, const TablePtr& table);
// Lines of `measurement`; empty: of the table's name, and then a line of another one is an error.
std::unique_ptr<ImportSource> line_source(std::string_view bytes, const TablePtr& table, const std::string& measurement);
// Rows of the table or view `from`; empty: the one of the table's name, or the only table there is.
std::unique_ptr<ImportSource> sqlite_source(const std::string& path, const TablePtr& table, const std::string& from);

// For each name of the source the column of the table. Throws kBadInput for a name that is none, one given twice, and a missing time.
std::vector<std::size_t> match_columns(const std::vector<std::string>& names, const Schema& schema);
// The column of that name. Throws kBadInput.
std::size_t match_column(std::string_view name, const Schema& schema);

}  // namespace ts
