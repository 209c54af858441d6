// The three steps, and the commit.
#include "ext/archive/schema_change.h"

#include <algorithm>

#include "ext/archive/partition_commit.h"
#include "ext/archive/shard_name.h"
#include "ext/base/error.h"
#include "ext/base/failpoint.h"
#include "ext/base/sql_tokens.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

constexpr std::int64_t kMaxNumber = 999'999;             // six digits
constexpr const char* kTaken = ", and files hold its values by that name; choose another name";

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, message); }

Column* present_column(Schema& schema, std::string_view name) {
  auto found = std::find_if(schema.columns.begin(), schema.columns.end(), [&](const Column& c) { return same_word(c.name, name); });
  return found == schema.columns.end() ? nullptr : &*found;
}

bool is_time(const Schema& schema, const Column* column) { return column == &schema.columns[static_cast<std::size_t>(schema.time_column)]; }

bool was_dropped(const Schema& schema, const Column* column) {
  return std::any_of(schema.dropped.begin(), schema.dropped.end(), [&](const Column& c) { return &c == column; });
}

// A name that means something in files already can be given to no other column.
void refuse_taken(const Schema& schema, std::string_view name) {
  const Column* known = known_column(schema, name);
  if (!known) return;
  if (was_dropped(schema, known)) bad("column " + in_quotes(name) + " was dropped" + kTaken);
  if (same_word(known->name, name)) bad("there is a column " + in_quotes(name) + " already; choose another name");
  bad(in_quotes(name) + " is a former name of column " + in_quotes(known->name) + kTaken);
}

[[noreturn]] void refuse_missing(const Schema& schema, std::string_view name) {
  const Column* known = known_column(schema, name);
  if (!known) bad("there is no column " + in_quotes(name) + " in the archive's schema");
  if (was_dropped(schema, known)) bad("column " + in_quotes(name) + " was dropped");
  bad("column " + in_quotes(name) + " is called " + in_quotes(known->name) + " now");
}

void refuse_contradiction(const Column& column, const Column& there, bool time) {
  auto difference = column_contradiction(column, there, false, time);
  if (!difference && column.default_sql != there.default_sql) difference = "their DEFAULTs differ";
  if (!difference) return;
  bad("the archive has a column " + column_text(there) + " already: " + *difference + "; a column's declaration never changes");
}

}  // namespace

SchemaStep add_column_step(const Column& column) {
  return [column](const Schema& archive, std::int64_t number) -> std::optional<Schema> {
    Schema next = archive;
    if (const Column* there = present_column(next, column.name)) {
      refuse_contradiction(column, *there, is_time(next, there));
      return std::nullopt;
    }
    refuse_taken(next, column.name);
    if (column.not_null && column.default_sql.empty()) {
      bad("column " + in_quotes(column.name) + " is NOT NULL and has no DEFAULT: writers that do not know it yet could insert nothing; add "
          "a DEFAULT, or leave NOT NULL out");
    }
    if (next.columns.size() >= kMaxColumns) bad("there are " + std::to_string(kMaxColumns) + " columns already, and more are not possible");
    next.columns.push_back(column);
    next.columns.back().added = number;
    return next;
  };
}

SchemaStep rename_column_step(const std::string& name, const std::string& new_name) {
  return [name, new_name](const Schema& archive, std::int64_t) -> std::optional<Schema> {
    Schema next = archive;
    if (auto fault = column_name_fault(new_name)) bad("the name " + in_quotes(excerpt(new_name)) + " " + *fault + "; choose another name");
    Column* column = present_column(next, name);
    if (!column) {
      const Column* known = known_column(next, name);
      if (known && !was_dropped(next, known) && same_word(known->name, new_name)) return std::nullopt;
      refuse_missing(next, name);
    }
    if (column->name == new_name) return std::nullopt;
    if (is_time(next, column)) bad("column " + in_quotes(name) + " is the time, whose name is the same in every file");
    if (known_column(next, new_name) != column) refuse_taken(next, new_name);
    std::erase_if(column->also, [&](const std::string& other) { return same_word(other, new_name); });
    if (!same_word(column->name, new_name)) column->also.push_back(column->name);
    column->name = new_name;
    return next;
  };
}

SchemaStep drop_column_step(const std::string& name) {
  return [name](const Schema& archive, std::int64_t) -> std::optional<Schema> {
    Schema next = archive;
    Column* column = present_column(next, name);
    if (!column) {
      if (was_dropped(next, known_column(next, name))) return std::nullopt;
      refuse_missing(next, name);
    }
    if (is_time(next, column)) bad("column " + in_quotes(name) + " is the time, without which there is no timeseries");
    if (column->tag) {
      bad("column " + in_quotes(name) +
          " is a TAG: without it rows of different series would look like rows of one; leave it out of queries, or rename it");
    }
    const auto at = static_cast<int>(column - next.columns.data());
    next.dropped.push_back(*column);
    next.columns.erase(next.columns.begin() + at);
    if (at < next.time_column) next.time_column--;
    return next;
  };
}

namespace {

bool lies_there(Store& store, const std::string& key, const std::string& bytes, const Cancel* cancel) {
  return store.get_range(key, "", 0, kMaxSchemaBytes, cancel).bytes == bytes;
}

}  // namespace

ArchiveSchemaPtr change_archive_schema(Store& store, const TableDef& table, const std::string& what, const SchemaStep& step,
                                       const Cancel* cancel) {
  for (bool proved = false;; proved = true) {
    ArchiveSchemaPtr now = read_archive_schema(store, table.directory, cancel);
    if (!now) now = settle_archive_schema(store, table, cancel);
    if (!now) throw Error(Code::kForbidden, what + ": the schema of " + object_name(store, table.directory) + " may not be read");
    auto next = std::make_shared<ArchiveSchema>();
    next->number = now->number + 1;
    std::optional<Schema> schema;
    try {
      schema = step(now->schema, next->number);
    } catch (const Error& e) {
      throw Error(e.code(), what + ": " + table.name + ": " + e.what());
    }
    if (!schema) return now;
    if (next->number > kMaxNumber) throw Error(Code::kUnsupported, what + ": " + table.name + ": no number is left for another schema");
    schema->change = new_ulid();
    next->schema = std::move(*schema);
    const std::string key = schema_key(table.directory, next->number), json = schema_to_json(next->schema);
    if (json.size() > kMaxSchemaBytes) bad(what + ": " + table.name + ": the schema would be larger than 1 MiB");
    if (!proved) prove_conditional_put(store, table.directory, what, cancel);
    TS_FAILPOINT("schema.before_put");
    const PutResult put = store.put_if_absent(key, json, cancel);
    TS_FAILPOINT("schema.put");
    if (put.stored || lies_there(store, key, json, cancel)) return next;
  }
}

}  // namespace ts
