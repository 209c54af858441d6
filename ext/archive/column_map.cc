// Matching columns by all the names they have had.
#include "ext/archive/column_map.h"

#include <algorithm>
#include <unordered_map>

#include "ext/base/sql_tokens.h"
#include "ext/base/sqlite.h"

namespace ts {
namespace {

[[noreturn]] void refuse(const std::string& object, const std::string& difference) {
  throw Error(Code::kCorrupt, "shard: its schema contradicts the table's: " + difference + ": " + object);
}

std::size_t index(int column) { return static_cast<std::size_t>(column); }

// One name for all that a column has had.
class Names {
 public:
  explicit Names(const Schema* archive) {
    if (!archive) return;
    for (const std::vector<Column>* columns : {&archive->columns, &archive->dropped}) {
      for (const Column& column : *columns) {
        const Known known{&column, columns == &archive->dropped};
        names_[folded_name(column.name)] = known;
        for (const std::string& other : column.also) names_[folded_name(other)] = known;
      }
    }
  }
  std::string of(const std::string& name) const {
    std::string folded = folded_name(name);
    const auto found = names_.find(folded);
    return found == names_.end() ? folded : folded_name(found->second.column->name);
  }
  bool knows(const std::string& name) const { return names_.count(folded_name(name)) != 0; }
  // A file may be without it: it was written before the column came, or after it went.
  bool may_be_missing(const std::string& name) const {
    const auto found = names_.find(folded_name(name));
    return found != names_.end() && (found->second.dropped || found->second.column->added > 0);
  }

 private:
  struct Known {
    const Column* column;
    bool dropped;
  };
  std::unordered_map<std::string, Known> names_;
};

// False: what is known of the archive does not explain the file.
bool match(const Schema& table, const Schema& file, const Schema* archive, std::vector<int>& at) {
  const Names names(archive);
  std::unordered_map<std::string, int> in_file;
  for (std::size_t f = 0; f < file.columns.size(); f++) {
    if (!in_file.emplace(names.of(file.columns[f].name), static_cast<int>(f)).second) return false;
  }
  at.clear();
  std::vector<bool> used(file.columns.size());
  for (const Column& column : table.columns) {
    const auto found = in_file.find(names.of(column.name));
    at.push_back(found == in_file.end() ? -1 : found->second);
    if (found == in_file.end() && !names.may_be_missing(column.name)) return false;
    if (found == in_file.end()) continue;
    if (used[index(found->second)]) return false;
    used[index(found->second)] = true;
  }
  for (std::size_t f = 0; f < file.columns.size(); f++) {
    if (!used[f] && !names.knows(file.columns[f].name)) return false;
  }
  return true;
}

bool same_names(const Schema& table, const Schema& file) {
  return std::equal(table.columns.begin(), table.columns.end(), file.columns.begin(), file.columns.end(),
                    [](const Column& a, const Column& b) { return same_word(a.name, b.name); });
}

// Each column that both have is what it is in the table. In which order a writer declared them does not matter.
void check(const Schema& table, const ColumnMap& map, const std::string& object) {
  const Schema& file = map.file->schema;
  for (std::size_t c = 0; c < map.at.size(); c++) {
    const int f = map.at[c];
    if (f < 0) continue;
    const bool time = table.time_column == static_cast<int>(c), file_time = file.time_column == f;
    if (auto difference = column_contradiction(table.columns[c], file.columns[index(f)], time, file_time)) refuse(object, *difference);
  }
  if (!map.holds(table.time_column)) refuse(object, "it has another time column");
}

}  // namespace

std::string ColumnMap::sql(int column) const {
  const int f = at[index(column)];
  return f < 0 ? "NULL" : quote_identifier(file->schema.columns[index(f)].name);
}

std::string ColumnMap::time_sql() const { return quote_identifier(file->schema.columns[index(file->schema.time_column)].name); }

bool ColumnMap::leaves_out() const {
  const auto found = static_cast<std::size_t>(std::count_if(at.begin(), at.end(), [](int column) { return column >= 0; }));
  return found < file->schema.columns.size();
}

bool ColumnMap::sorted_by(const std::vector<int>& tags, bool then_time) const {
  const std::vector<int> order = file->schema.tags();
  std::size_t next = 0;
  for (int tag : tags) {
    if (!holds(tag)) continue;  // the same in all rows
    if (next == order.size() || order[next] != at[index(tag)]) return false;
    next++;
  }
  return !then_time || next == order.size();
}

TablePtr whole_table(const TableDef& table, const Schema& archive) {
  Schema schema = archive.plain();
  for (Column column : archive.dropped) {
    column.also.clear();
    column.added = 0;
    schema.columns.push_back(std::move(column));
  }
  return make_table_def(table.name, schema, table.declared, table.archive);
}

ColumnMapPtr same_columns(const TablePtr& table) {
  auto map = std::make_shared<ColumnMap>();
  map->file = table;
  for (std::size_t c = 0; c < table->schema.columns.size(); c++) map->at.push_back(static_cast<int>(c));
  return map;
}

ColumnMapPtr map_columns(const TableDef& table, const Schema& file, const std::string& object, const LookForSchema& look) {
  const Schema& schema = table.schema;
  TablePtr declared = make_table_def(table.name, file.plain());
  if (same_names(schema, file) || schema.precision != file.precision || schema.partition != file.partition) {
    if (auto difference = contradiction(schema, file.plain())) refuse(object, *difference);
    return same_columns(declared);
  }
  auto map = std::make_shared<ColumnMap>();
  map->file = declared;
  ArchiveSchemaPtr archive = table.archive ? table.archive->newest() : nullptr;
  bool explained = match(schema, file, archive ? &archive->schema : nullptr, map->at);
  if (!explained && look) {
    archive = look(archive);
    explained = match(schema, file, archive ? &archive->schema : nullptr, map->at);
  }
  if (!explained) {
    refuse(object, contradiction(schema, file.plain()).value_or("its columns are not those of the archive's schema"));
  }
  check(schema, *map, object);
  return map;
}

}  // namespace ts
