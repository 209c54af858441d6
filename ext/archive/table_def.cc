// Builds a TableDef.
#include "ext/archive/table_def.h"

#include <strings.h>

#include "ext/archive/shard_name.h"

namespace ts {

TablePtr make_table_def(const std::string& name, const Schema& schema) {
  auto def = std::make_shared<TableDef>();
  def->name = name;
  def->directory = table_directory(name);
  def->schema = schema;
  for (std::size_t c = 0; c < schema.columns.size(); c++) {
    int column = static_cast<int>(c);
    if (schema.columns[c].not_null && column != schema.time_column) def->not_null.push_back(column);
  }
  def->min_time = min_timestamp(schema.precision);
  def->max_time = max_timestamp(schema.precision);
  for (char c : name) {
    if ((c >= 'A' && c <= 'Z') || c == '^') def->open_name += '^';
    def->open_name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  def->txn_column = "_txn";
  for (bool taken = true; taken;) {
    taken = false;
    for (const Column& column : schema.columns) taken |= ::strcasecmp(column.name.c_str(), def->txn_column.c_str()) == 0;
    if (taken) def->txn_column += '_';
  }
  return def;
}

}  // namespace ts
