// Checking the tables of a packed shard, and reading its series.
#include "ext/archive/packed_shard.h"

#include <strings.h>

#include <algorithm>

#include "ext/base/sql_tokens.h"

namespace ts {
namespace {

bool same_text(const std::string& a, const std::string& b) { return ::strcasecmp(a.c_str(), b.c_str()) == 0; }

}  // namespace

PackedShard::PackedShard(Database& db, TablePtr table, ColumnMapPtr columns, std::string object, RemoteBytes remote)
    : db_(db),
      table_(std::move(table)),
      columns_(std::move(columns)),
      object_(std::move(object)),
      names_(*columns_->file),
      value_columns_(ts::value_columns(table_->schema)),
      remote_(remote) {
  // Ordinary tables only, and the view, which is for others: it is never run here.
  Statement entries =
      db_.prepare("SELECT type, name, rootpage, coalesce(sql,'') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  bool series = false, chunk = false, meta = false;
  while (entries.step()) {
    std::string type = entries.text(0), name = entries.text(1);
    bool stored = entries.int64(2) > 0;
    auto is_table = [&](const std::string& wanted) { return type == "table" && stored && same_text(name, wanted); };
    series |= is_table(names_.series);
    chunk |= is_table(names_.chunk);
    if (is_table(names_.chunk)) chunk_root_ = static_cast<std::uint64_t>(entries.int64(2));
    meta |= is_table("timeseries_meta");
    has_values_ |= is_table(names_.value);
    bool known = is_table(names_.series) || is_table(names_.chunk) || is_table("timeseries_meta") || is_table(names_.value) ||
                 is_table(names_.number) || is_table(names_.power) || (type == "view" && same_text(name, table_->name)) ||
                 (type == "index" && stored && same_text(name, names_.series_index));
    if (!known) refuse(std::string("holds ") + (type == "index" ? "an " : "a ") + type + " that no packed shard has, " + in_quotes(name));
  }
  if (!series || !chunk || !meta) refuse("does not hold the tables of a packed shard");
  check_series_columns();
  read_chunk_columns();
}

void PackedShard::refuse(const std::string& why) const { throw Error(Code::kCorrupt, "shard: " + why + ": " + object_); }

void PackedShard::check_series_columns() {
  std::vector<std::string> wanted;
  const Schema& schema = columns_->file->schema;
  for (int tag : schema.tags()) wanted.push_back(schema.columns[static_cast<std::size_t>(tag)].name);
  wanted.insert(wanted.end(), names_.series_fields.begin(), names_.series_fields.end());
  Statement info = db_.prepare("PRAGMA main.table_xinfo(" + quote_identifier(names_.series) + ")");
  std::size_t at = 0;
  for (; info.step(); at++) {
    if (at >= wanted.size() || !same_text(info.text(1), wanted[at]) || info.int64(6) != 0)
      refuse("its series table is not what its schema says");
  }
  if (at != wanted.size()) refuse("its series table is not what its schema says");
}

void PackedShard::read_chunk_columns() {
  static const char* const kFixed[] = {"id", "n", "t0", "t1"};
  const Schema& schema = columns_->file->schema;
  const std::vector<int> file_values = ts::value_columns(schema);
  std::vector<int> value_of(schema.columns.size(), -1);  // by column of the file: index in value_columns_
  for (std::size_t v = 0; v < value_columns_.size(); v++) {
    int column = columns_->at[static_cast<std::size_t>(value_columns_[v])];
    if (column >= 0) value_of[static_cast<std::size_t>(column)] = static_cast<int>(v);
  }
  Statement info = db_.prepare("PRAGMA main.table_xinfo(" + quote_identifier(names_.chunk) + ")");
  std::size_t at = 0, value = 0;
  int part = 0;
  for (; info.step(); at++) {
    std::string name = info.text(1);
    bool good = info.int64(6) == 0;
    if (at < 4) {
      good &= same_text(name, kFixed[at]) && (info.int64(5) == 1) == (at == 0);
    } else {
      // In the order of the file's columns and of their parts; those that were not needed are left out.
      bool found = false;
      while (!found && value < file_values.size()) {
        const auto column = static_cast<std::size_t>(file_values[value]);
        found = same_text(name, schema.columns[column].name + part_suffix(static_cast<PackedPart>(part)));
        if (found && value_of[column] >= 0) parts_.push_back({name, value_of[column], static_cast<PackedPart>(part)});
        if (++part == kPackedParts) part = 0, value++;
      }
      good &= found;
    }
    if (!good) refuse("its chunk table has a column that its schema does not explain, " + in_quotes(name));
  }
  if (at < 4) refuse("its chunk table is not that of a packed shard");
}

std::vector<PackedShard::Series> PackedShard::series(const ScanPlan& plan) const {
  const Schema& schema = table_->schema;
  auto is_tag = [&](int column) { return schema.columns[static_cast<std::size_t>(column)].tag; };
  std::string sql = "SELECT ";
  for (const std::string& field : names_.series_fields) sql += field + ",";
  for (int column : plan.columns)
    sql += (is_tag(column) ? columns_->sql(column) : "NULL") + ",";
  sql.back() = ' ';
  sql += "FROM main." + quote_identifier(names_.series) + " WHERE ";
  // Where all times are asked for, none is looked at: it may be damaged, and a series shall not be missing for that.
  const bool all = plan.from == INT64_MIN && plan.to == INT64_MAX;
  sql += all ? "?1<=?2" : names_.series_fields[3] + ">=?1 AND " + names_.series_fields[2] + "<=?2";
  for (const Filter& filter : plan.filters) {
    if (is_tag(filter.column)) sql += filter_sql(*columns_, filter);
  }
  Statement select = db_.prepare(sql);
  select.bind(1, plan.from).bind(2, plan.to);
  int index = 2;
  for (const Filter& filter : plan.filters) {
    if (!is_tag(filter.column)) continue;
    for (const OwnedValue& value : filter.values) value.bind(select.get(), ++index);
  }
  std::vector<Series> found;
  while (select.step()) {
    Series one{select.int64(0), select.int64(1), select.int64(2), select.int64(3), {}};
    one.tags.reserve(plan.columns.size());
    for (std::size_t i = 0; i < plan.columns.size(); i++) {
      one.tags.push_back(OwnedValue::of(sqlite3_column_value(select.get(), static_cast<int>(i) + 4)));
    }
    found.push_back(std::move(one));
  }
  std::sort(found.begin(), found.end(), [](const Series& a, const Series& b) { return a.first_chunk < b.first_chunk; });
  for (std::size_t i = 0; i < found.size(); i++) {
    if (found[i].first_chunk > found[i].last_chunk || (i && found[i].first_chunk <= found[i - 1].last_chunk)) {
      refuse("its series overlap");
    }
  }
  return found;
}

std::vector<std::int64_t> PackedShard::first_chunks() const {
  Statement select = db_.prepare("SELECT " + names_.series_fields[0] + " FROM main." + quote_identifier(names_.series));
  std::vector<std::int64_t> found;
  while (select.step()) found.push_back(select.int64(0));
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace ts
