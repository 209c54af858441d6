// What a table is: columns, tags, precision, partition; its JSON form (schema-000001.json) and contradictions. Pure.
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
};

struct Schema {
  std::vector<Column> columns;  // in declared order
  int time_column = -1;         // index in columns
  Precision precision = Precision::kMillis;
  Partition partition = Partition::kDay;

  bool empty() const { return columns.empty(); }
  std::vector<int> tags() const;  // indexes of TAG columns, in order
};

// What is wrong with a column's name ("is empty"), or nullopt. rowid, oid, _rowid_ and _file have other meanings.
std::optional<std::string> column_name_fault(std::string_view name);
// True for the three collations that every stock SQLite has: a shard must be readable without our code.
bool is_stock_collation(std::string_view name);

// {"format":1,"precision":"ms","partition":"day","time":"ts","columns":[{"name":..,"type":..,"tag":true,...}]}
std::string schema_to_json(const Schema& schema);
// `what` names the object in errors. kTooNew for an unknown format, kCorrupt for anything that does not parse or is no schema.
Schema schema_from_json(std::string_view json, const std::string& what);

// A sentence that names the first difference that matters ("column \"usage\" is REAL here and TEXT in the archive"); nullopt: agree.
// Names are compared without case, types without case; tag, NOT NULL, COLLATE, order, precision and partition matter; DEFAULT does not.
// A schema without columns contradicts nothing.
std::optional<std::string> contradiction(const Schema& here, const Schema& archive);

// "ts" INTEGER, "host" TEXT COLLATE NOCASE, ...: the column list of a shard's CREATE TABLE.
std::string shard_columns_sql(const Schema& schema);
// The column list for sqlite3_declare_vtab: with NOT NULL and DEFAULT, and `"_file" TEXT HIDDEN` at the end.
std::string declared_columns_sql(const Schema& schema);

}  // namespace ts
