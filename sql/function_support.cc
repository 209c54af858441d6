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

std::set<std::string> function_names(sqlite3* db) {
  std::set<std::string> names;
  Statement list(db, "SELECT DISTINCT lower(name) FROM pragma_function_list");
  while (list.step()) names.insert(list.text(0));
  return names;
}

}  // namespace ts
