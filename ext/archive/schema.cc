// Schemas as JSON and as SQL. What the JSON claims becomes SQL text, so each part is checked to be what it says it is.
#include "ext/archive/schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "ext/base/error.h"
#include "ext/base/sql_tokens.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

// Sorted, not ordered, for reading: the ordered form searches an object's keys one by one, and the object may be hostile.
using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr int kFormatChanged = 2;  // with a history
// 1,000 columns with the longest names and generous defaults take less.
constexpr std::size_t kMaxJsonBytes = std::size_t{4} << 20;

// Type names and collations as they read in a message.
std::string type_words(const Column& column) { return column.type.empty() ? "without a type" : excerpt(column.type); }
std::string collation(const Column& column) { return column.collate.empty() ? "BINARY" : column.collate; }

[[noreturn]] void corrupt(const std::string& what, const std::string& happened) {
  throw Error(Code::kCorrupt, "schema: " + happened + ": " + what);
}

// Takes a value apart from its leaves up when the scope ends. The library's own destructor needs memory for what is nested, and where
// there is none it ends the process.
template <class Value>
class Dissolved {
 public:
  explicit Dissolved(Value& json) : json_(json) {}
  ~Dissolved() { dissolve(json_, 0); }
  Dissolved(const Dissolved&) = delete;
  Dissolved& operator=(const Dissolved&) = delete;

 private:
  static void dissolve(Value& json, int depth) noexcept {
    constexpr int kDeepest = 64;  // a schema has three levels; a stranger's may have any number
    if (!json.is_structured() || depth > kDeepest) return;
    for (Value& part : json) dissolve(part, depth + 1);
    json.clear();
  }
  Value& json_;
};

std::vector<std::string> names_of(const Column& column) {
  std::vector<std::string> names = column.also;
  names.push_back(column.name);
  return names;
}

// Reads one schema object, naming the object `what_` in every error. Unknown keys are ignored: what changes the meaning of a
// known one gets a new format number.
class Reader {
 public:
  explicit Reader(const std::string& what) : what_(what) {}

  Schema read(const Json& json) {
    if (!json.is_object()) fail("is no JSON object");
    const auto format = json.find("format");
    if (format == json.end() || !format->is_number_integer()) fail("has no \"format\" number");
    const auto number = format->get<std::int64_t>();
    if (number != kFormat && number != kFormatChanged) {
      throw Error(Code::kTooNew, "schema: archive written by a newer version, its format is " + format->dump() +
                                     " and this version reads 1 and 2: " + what_);
    }
    changed_ = number == kFormatChanged;
    Schema schema;
    schema.precision = value_of(parse_precision(text(json, "precision")), "precision");
    schema.partition = value_of(parse_partition(text(json, "partition")), "partition");
    const auto columns = json.find("columns");
    if (columns == json.end() || !columns->is_array() || columns->empty()) fail("has no \"columns\"");
    if (columns->size() > kMaxColumns) fail("has more than " + std::to_string(kMaxColumns) + " columns");
    for (const Json& column : *columns) schema.columns.push_back(read_column(column));
    if (changed_) read_history(schema, json);
    find_time(schema, text(json, "time"));
    return schema;
  }

 private:
  [[noreturn]] void fail(const std::string& happened) const { corrupt(what_, happened); }

  template <class Value>
  Value value_of(std::optional<Value> value, const char* key) const {
    if (!value) fail("has an unknown \"" + std::string(key) + "\"");
    return *value;
  }

  std::string text(const Json& json, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string()) fail("has no text \"" + std::string(key) + "\"");
    return found->get<std::string>();
  }

  std::string optional_text(const Json& json, const char* key) const { return json.contains(key) ? text(json, key) : std::string(); }

  bool optional_flag(const Json& json, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end()) return false;
    if (!found->is_boolean()) fail("has a \"" + std::string(key) + "\" that is neither true nor false");
    return found->get<bool>();
  }

  Column read_column(const Json& json) const {
    if (!json.is_object()) fail("has a column that is no JSON object");
    Column column;
    column.name = text(json, "name");
    const std::string named = "column " + in_quotes(excerpt(column.name));
    if (const auto fault = column_name_fault(column.name)) fail(named + ": its name " + *fault);
    column.type = text(json, "type");
    if (!is_type_text(column.type)) fail(named + " has no valid type");
    column.tag = optional_flag(json, "tag");
    column.not_null = optional_flag(json, "not_null");
    column.default_sql = optional_text(json, "default");
    if (!column.default_sql.empty() && !is_default_text(column.default_sql)) fail(named + " has no valid default");
    column.collate = optional_text(json, "collate");
    if (!column.collate.empty() && !is_stock_collation(column.collate)) fail(named + " has an unknown collation");
    if (changed_) read_column_history(column, json, named);
    return column;
  }

  void read_column_history(Column& column, const Json& json, const std::string& named) const {
    if (const auto added = json.find("added"); added != json.end()) {
      if (!added->is_number_integer() || added->get<std::int64_t>() < 2) fail(named + " has no number in \"added\"");
      column.added = added->get<std::int64_t>();
    }
    const auto also = json.find("also");
    if (also == json.end()) return;
    if (!also->is_array()) fail(named + " has no list in \"also\"");
    for (const Json& name : *also) {
      if (!name.is_string()) fail(named + " has another name that is no text");
      column.also.push_back(name.get<std::string>());
      if (const auto fault = column_name_fault(column.also.back())) fail(named + ": another name of it " + *fault);
    }
  }

  void read_history(Schema& schema, const Json& json) const {
    schema.change = optional_text(json, "change");
    const auto dropped = json.find("dropped");
    if (dropped == json.end()) return;
    if (!dropped->is_array()) fail("has no list in \"dropped\"");
    for (const Json& column : *dropped) schema.dropped.push_back(read_column(column));
  }

  void find_time(Schema& schema, const std::string& time) const {
    std::set<std::string> seen;
    auto once = [&](const Column& column) {
      for (const std::string& name : names_of(column)) {
        if (!seen.insert(folded_name(name)).second) fail("has the column " + in_quotes(name) + " twice");
      }
    };
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      const Column& column = schema.columns[i];
      once(column);
      if (same_word(column.name, time)) schema.time_column = static_cast<int>(i);
    }
    for (const Column& column : schema.dropped) once(column);
    if (schema.time_column < 0) fail("has no column " + in_quotes(excerpt(time)) + ", its \"time\"");
    const Column& column = schema.columns[static_cast<std::size_t>(schema.time_column)];
    if (column.tag || !same_word(column.type, "INTEGER"))
      fail("has the time column " + in_quotes(column.name) + " that is no plain INTEGER");
  }

  const std::string& what_;
  bool changed_ = false;  // it has a history
};

bool is_called(const Column& column, std::string_view name) {
  return same_word(column.name, name) ||
         std::any_of(column.also.begin(), column.also.end(), [&](const std::string& other) { return same_word(other, name); });
}

const Column* find_in(const std::vector<Column>& columns, std::string_view name) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& column) { return is_called(column, name); });
  return found == columns.end() ? nullptr : &*found;
}

// "column "host" is a TAG here and not in the archive", or the other way round.
std::optional<std::string> flag_contradiction(const Column& column, const char* flag, bool here, bool archive) {
  if (here == archive) return std::nullopt;
  const std::string named = "column " + in_quotes(column.name) + " is " + flag;
  return here ? named + " here and not in the archive" : named + " in the archive and not here";
}

std::optional<std::string> option_contradiction(const char* option, std::string_view here, std::string_view archive) {
  if (here == archive) return std::nullopt;
  return std::string(option) + " is '" + std::string(here) + "' here and '" + std::string(archive) + "' in the archive";
}

// Columns stand in the archive's order, and each is what it is there.
std::optional<std::string> place_contradiction(const Schema& here, const Schema& archive, const std::vector<const Column*>& theirs) {
  std::size_t next = 0;  // in the archive: what the next column here may be
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const Column &mine = here.columns[i], *known = theirs[i];
    const bool present = find_in(archive.columns, mine.name) == known;
    const std::ptrdiff_t at = present ? known - archive.columns.data() : -1;
    if (present) {
      // What lies between is declared further down, or was added and is not declared.
      for (; next < static_cast<std::size_t>(at); ++next) {
        if (std::find(theirs.begin(), theirs.end(), &archive.columns[next]) != theirs.end()) break;
      }
      if (next != static_cast<std::size_t>(at)) {
        return "column " + std::to_string(i + 1) + " is " + in_quotes(mine.name) + " here and " + in_quotes(archive.columns[next].name) +
               " in the archive";
      }
      ++next;
    }
    const bool time = present && archive.time_column == static_cast<int>(at);
    if (auto found = column_contradiction(mine, *known, here.time_column == static_cast<int>(i), time)) return found;
  }
  return std::nullopt;
}

void append_column(std::string& sql, const Column& column) {
  if (!sql.empty()) sql += ", ";
  sql += in_quotes(column.name);
  if (!column.type.empty()) sql += " " + column.type;
  if (!column.collate.empty()) sql += " COLLATE " + column.collate;
}

}  // namespace

std::vector<int> Schema::tags() const {
  std::vector<int> indexes;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].tag) indexes.push_back(static_cast<int>(i));
  }
  return indexes;
}

Schema Schema::plain() const {
  Schema schema = *this;
  schema.dropped.clear();
  schema.change.clear();
  for (Column& column : schema.columns) {
    column.added = 0;
    column.also.clear();
  }
  return schema;
}

std::string folded_name(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

const Column* known_column(const Schema& schema, std::string_view name) {
  const Column* present = find_in(schema.columns, name);
  return present ? present : find_in(schema.dropped, name);
}

const Column* unknown_column(const Schema& here, const Schema& archive) {
  for (const Column& column : here.columns) {
    if (!known_column(archive, column.name)) return &column;
  }
  return nullptr;
}

std::string column_text(const Column& column) {
  std::string text = in_quotes(column.name);
  if (!column.type.empty()) text += " " + column.type;
  if (column.tag) text += " TAG";
  if (column.not_null) text += " NOT NULL";
  if (!column.default_sql.empty()) text += " DEFAULT " + column.default_sql;
  if (!column.collate.empty()) text += " COLLATE " + column.collate;
  return text;
}

std::optional<std::string> column_name_fault(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kMaxColumnName) return "is longer than " + std::to_string(kMaxColumnName) + " bytes";
  if (!is_utf8(name) || name.find('\0') != std::string_view::npos) return "is no UTF-8 text";
  if (same_word(name, "_file")) return "is taken: the hidden column _file names the shard a row came from";
  if (same_word(name, "rowid") || same_word(name, "oid") || same_word(name, "_rowid_"))
    return "is taken: it is SQLite's name for a row's number";
  return std::nullopt;
}

bool is_stock_collation(std::string_view name) {
  return same_word(name, "BINARY") || same_word(name, "NOCASE") || same_word(name, "RTRIM");
}

namespace {

void add_columns(nlohmann::ordered_json& array, const std::vector<Column>& columns) {
  for (const Column& column : columns) {
    nlohmann::ordered_json json;
    const Dissolved taken_apart(json);
    json["name"] = column.name;
    json["type"] = column.type;
    if (column.tag) json["tag"] = true;
    if (column.not_null) json["not_null"] = true;
    if (!column.default_sql.empty()) json["default"] = column.default_sql;
    if (!column.collate.empty()) json["collate"] = column.collate;
    if (column.added) json["added"] = column.added;
    if (!column.also.empty()) json["also"] = column.also;
    array.push_back(std::move(json));
  }
}

bool has_history(const Schema& schema) {
  return !schema.change.empty() || !schema.dropped.empty() ||
         std::any_of(schema.columns.begin(), schema.columns.end(), [](const Column& c) { return c.added || !c.also.empty(); });
}

}  // namespace

std::string schema_to_json(const Schema& schema) {
  nlohmann::ordered_json columns = nlohmann::ordered_json::array(), dropped = nlohmann::ordered_json::array(), json;
  const Dissolved columns_apart(columns);
  const Dissolved dropped_apart(dropped);
  const Dissolved json_apart(json);
  add_columns(columns, schema.columns);
  add_columns(dropped, schema.dropped);
  json["format"] = has_history(schema) ? kFormatChanged : kFormat;
  if (!schema.change.empty()) json["change"] = schema.change;
  json["precision"] = precision_text(schema.precision);
  json["partition"] = partition_text(schema.partition);
  json["time"] = schema.time_column < 0 ? std::string() : schema.columns.at(static_cast<std::size_t>(schema.time_column)).name;
  json["columns"] = std::move(columns);
  if (!schema.dropped.empty()) json["dropped"] = std::move(dropped);
  return json.dump();
}

Schema schema_from_json(std::string_view json, const std::string& what) {
  if (json.size() > kMaxJsonBytes) corrupt(what, "is larger than 4 MB");
  // The parser keeps its own stack. Read into a value of this scope, so that what is half made when memory ends is taken apart here too.
  Json parsed;
  const Dissolved apart(parsed);
  std::istringstream text{std::string(json)};
  try {
    text >> parsed;
  } catch (const Json::exception&) {
    corrupt(what, "does not parse as JSON");
  }
  if (text >> std::ws; text.peek() != std::istringstream::traits_type::eof()) corrupt(what, "does not parse as JSON");
  return Reader(what).read(parsed);
}

std::optional<std::string> contradiction(const Schema& here, const Schema& archive) {
  if (here.empty() || archive.empty()) return std::nullopt;
  if (auto found = option_contradiction("precision", precision_text(here.precision), precision_text(archive.precision))) return found;
  if (auto found = option_contradiction("partition", partition_text(here.partition), partition_text(archive.partition))) return found;
  if (const Column* unknown = unknown_column(here, archive)) {
    return "column " + in_quotes(unknown->name) + " is declared here and missing in the archive";
  }
  std::vector<const Column*> theirs;  // by column here
  for (const Column& column : here.columns) {
    const Column* known = known_column(archive, column.name);
    const auto before = std::find(theirs.begin(), theirs.end(), known);
    if (before != theirs.end()) {
      return "columns " + in_quotes(here.columns[static_cast<std::size_t>(before - theirs.begin())].name) + " and " +
             in_quotes(column.name) + " are one column in the archive, which was renamed";
    }
    theirs.push_back(known);
  }
  for (const Column& column : archive.columns) {
    if (column.added == 0 && std::find(theirs.begin(), theirs.end(), &column) == theirs.end()) {
      return "column " + in_quotes(column.name) + " is in the archive and not declared here";
    }
  }
  return place_contradiction(here, archive, theirs);
}

std::optional<std::string> column_contradiction(const Column& here, const Column& archive, bool time_here, bool time_archive) {
  if (const auto found = flag_contradiction(here, "the TIMESTAMP", time_here, time_archive)) return found;
  if (!same_word(here.type, archive.type)) {
    return "column " + in_quotes(here.name) + " is " + type_words(here) + " here and " + type_words(archive) + " in the archive";
  }
  if (const auto found = flag_contradiction(here, "a TAG", here.tag, archive.tag)) return found;
  if (const auto found = flag_contradiction(here, "NOT NULL", here.not_null, archive.not_null)) return found;
  if (!same_word(collation(here), collation(archive))) {
    return "column " + in_quotes(here.name) + " has COLLATE " + collation(here) + " here and COLLATE " + collation(archive) +
           " in the archive";
  }
  return std::nullopt;
}

std::string shard_columns_sql(const Schema& schema) {
  std::string sql;
  for (const Column& column : schema.columns) append_column(sql, column);
  return sql;
}

std::string declared_columns_sql(const Schema& schema) {
  std::string sql;
  for (const Column& column : schema.columns) {
    append_column(sql, column);
    if (column.not_null && &column - schema.columns.data() == schema.time_column) sql += " NOT NULL";
    if (!column.default_sql.empty()) sql += " DEFAULT " + column.default_sql;
  }
  return sql + (sql.empty() ? "" : ", ") + "\"_file\" TEXT HIDDEN";
}

}  // namespace ts
