// Arguments of SQL functions, checked in one way for all families.
#include "sql/function_support.h"

#include <cmath>

#include "ext/base/utf8.h"
#include "sql/time_subtype.h"

namespace ts {

std::string_view text_value(sqlite3_value* value) {
  const void* text = sqlite3_value_text(value);
  if (!text) throw std::bad_alloc();
  return {static_cast<const char*>(text), static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::string_view blob_value(sqlite3_value* value) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));  // nullptr for an empty one
  return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string_view();
}

std::optional<std::int64_t> whole_number(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_INTEGER) return sqlite3_value_int64(value);
  const double real = sqlite3_value_double(value);
  if (real != std::floor(real) || std::fabs(real) >= 0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(real);
}

std::string shown_value(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL: return "NULL";
    case SQLITE_BLOB: return "a blob";
    case SQLITE_TEXT: return "\"" + excerpt(text_value(value)) + "\"";
    default: return std::string(text_value(value));
  }
}

std::int64_t time_argument(sqlite3_value* value, Precision precision, const std::string& function) {
  const auto marked = precision_of_subtype(sqlite3_value_subtype(value));
  if (marked && *marked != precision) {
    throw Error(Code::kBadInput, function + ": the time counts '" + std::string(precision_text(*marked)) + "' and the function '" +
                                     std::string(precision_text(precision)) + "'; use the form of the time's unit");
  }
  if (sqlite3_value_type(value) == SQLITE_INTEGER) return sqlite3_value_int64(value);
  if (sqlite3_value_type(value) == SQLITE_FLOAT) {
    const double number = sqlite3_value_double(value);
    if (std::fabs(number) < 9e18 && number == std::floor(number)) return static_cast<std::int64_t>(number);
  }
  throw Error(Code::kBadInput, function + ": the time " + shown_value(value) + " is no whole number; ts('...') makes one from text");
}

double number_argument(sqlite3_value* value, const std::string& function) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) return sqlite3_value_double(value);
  throw Error(Code::kBadInput, function + ": " + shown_value(value) + " is no number; CAST it to REAL");
}

int marking_flags() { return kPureFlags | (sqlite3_libversion_number() >= kResultSubtypeSince ? SQLITE_RESULT_SUBTYPE : 0); }

void result_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void result_json(sqlite3_context* context, std::string_view json) {
  result_text(context, json);
  sqlite3_result_subtype(context, 'J');
}

void append_json_text(std::string& json, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  json += '"';
  for (const char c : mended_utf8(text)) {
    if (c == '"' || c == '\\') {
      json.append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json.append({'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]});
    } else {
      json += c;
    }
  }
  json += '"';
}

void register_pure(sqlite3* db, std::span<const PureFunction> functions) {
  const std::set<std::string> taken = function_names(db);
  for (const PureFunction& function : functions) {
    if (taken.count(function.name)) continue;
    const int rc = sqlite3_create_function_v2(db, function.name, function.arguments, function.marks ? marking_flags() : kPureFlags, nullptr,
                                              function.call, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) throw_sqlite(db, rc, std::string("timeseries: cannot register ") + function.name);
  }
}

std::set<std::string> function_names(sqlite3* db) {
  std::set<std::string> names;
  Statement list(db, "SELECT DISTINCT lower(name) FROM pragma_function_list");
  while (list.step()) names.insert(list.text(0));
  return names;
}

}  // namespace ts
