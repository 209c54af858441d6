// ColumnMap: where a file holds a table's columns. The one place that knows what it means that columns were added, renamed or
// dropped since a file was written: readers, verifiers and whoever copies rows of several files into one ask it.
//
// Law: a name means one column for ever (schema.h), so columns are the same that have a name in common, as the archive's newest
// schema tells. A column that a file lacks is NULL in each of its rows; one that the table lacks is left out. What neither the
// table nor the archive explains is no such file.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/archive_schema.h"
#include "ext/archive/table_def.h"

namespace ts {

struct ColumnMap {
  TablePtr file;        // the table as the file declares it
  std::vector<int> at;  // by column of the table: the file's column, or -1: it has none

  bool holds(int column) const { return at[static_cast<std::size_t>(column)] >= 0; }
  // In SQL over the file's table of rows: the quoted name, or NULL.
  std::string sql(int column) const;
  std::string time_sql() const;
  // The file has columns that the table does not have. Whoever copies its rows would lose them.
  bool leaves_out() const;
  // Rows in the file's own order, by its tags and then by time, are sorted by these tags (of the table), and then by time.
  bool sorted_by(const std::vector<int>& tags, bool then_time) const;
};
using ColumnMapPtr = std::shared_ptr<const ColumnMap>;

// The table with all columns that files of its archive may hold, also dropped ones: for whoever makes one file of several.
TablePtr whole_table(const TableDef& table, const Schema& archive);

// Of a file that declares what the table does.
ColumnMapPtr same_columns(const TablePtr& table);

// Brings a newer schema of the archive than the one that was seen (null: none), or the same again.
using LookForSchema = std::function<ArchiveSchemaPtr(const ArchiveSchemaPtr& seen)>;
// `file`: what the file says of itself. Where what the process knows of the archive does not explain it, `look` is asked, if given.
// Throws kCorrupt naming `object` when the file contradicts the table.
ColumnMapPtr map_columns(const TableDef& table, const Schema& file, const std::string& object, const LookForSchema& look = {});

}  // namespace ts
