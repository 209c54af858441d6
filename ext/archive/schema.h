// What a table is: columns, tags, precision, partition; its JSON form (schema-NNNNNN.json) and contradictions. Pure.
//
// A table and a file declare columns. The schema of an archive has a history too: columns that were added, the other names that
// files have for one, and those that were dropped. No name ever comes to mean another column, so a name tells a column in every file.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ext/base/timestamp.h"

namespace ts {

// SQLite's own default limit is 2,000 columns, and a packed shard has up to two view columns for each.
constexpr std::size_t kMaxColumns = 1'000;
constexpr std::size_t kMaxColumnName = 255;  // bytes

struct Column {
  std::string name;
  std::string type;         // as declared, without TAG; "INTEGER" for the time column; may be empty
  bool tag = false;
  bool not_null = false;
  std::string default_sql;  // text after DEFAULT, or empty
  std::string collate;      // BINARY, NOCASE or RTRIM in the user's spelling, or empty
  // Of an archive's schema alone:
  std::int64_t added = 0;              // by the schema object of this number; 0: it was in the first
  std::vector<std::string> also = {};  // other names that files have for it
};

struct Schema {
  std::vector<Column> columns;  // in declared order
  int time_column = -1;         // index in columns
  Precision precision = Precision::kMillis;
  Partition partition = Partition::kDay;
  // Of an archive's schema alone:
  std::vector<Column> dropped;  // what files may hold and the table does not have any more
  std::string change;           // id of the change that made it, which nobody else can know; empty: it is the first

  bool empty() const { return columns.empty(); }
  std::vector<int> tags() const;  // indexes of TAG columns, in order
  Schema plain() const;           // without its history: as a table or a file declares it
};

// What is wrong with a column's name ("is empty"), or nullopt. rowid, oid, _rowid_ and _file have other meanings.
std::optional<std::string> column_name_fault(std::string_view name);
// True for the three collations that every stock SQLite has: a shard must be readable without our code.
bool is_stock_collation(std::string_view name);

// {"format":1,"precision":"ms","partition":"day","time":"ts","columns":[{"name":..,"type":..,"tag":true,...}]}; with a history format 2.
std::string schema_to_json(const Schema& schema);
// `what` names the object in errors. kTooNew for an unknown format, kCorrupt for anything that does not parse or is no schema.
Schema schema_from_json(std::string_view json, const std::string& what);

// A sentence that names the first difference that matters ("column \"usage\" is REAL here and TEXT in the archive"); nullopt: agree.
// Names are compared without case, types without case; tag, NOT NULL, COLLATE, order, precision and partition matter; DEFAULT does not.
// Columns that were added to the archive may be missing here; one that was renamed or dropped may be declared as it was.
// A schema without columns contradicts nothing.
std::optional<std::string> contradiction(const Schema& here, const Schema& archive);
// The same of one column, declared on both sides.
std::optional<std::string> column_contradiction(const Column& here, const Column& archive, bool time_here, bool time_archive);

// The column that the schema, its dropped columns included, knows by this name or by another one. nullptr: none.
const Column* known_column(const Schema& schema, std::string_view name);
// The first column that the archive does not know. nullptr: it knows all.
const Column* unknown_column(const Schema& here, const Schema& archive);
// As it stands in a declaration: "note" TEXT TAG NOT NULL DEFAULT 'none' COLLATE NOCASE
std::string column_text(const Column& column);
// A name in one case, for maps.
std::string folded_name(std::string_view name);

// "ts" INTEGER, "host" TEXT COLLATE NOCASE, ...: the column list of a shard's CREATE TABLE.
std::string shard_columns_sql(const Schema& schema);
// The column list for sqlite3_declare_vtab: with DEFAULT, and `"_file" TEXT HIDDEN` at the end. NOT NULL is the table's own to hold:
// of files that lack a column each row has NULL there, and SQLite would not look for it.
std::string declared_columns_sql(const Schema& schema);

}  // namespace ts
