// Times in rows and in comparisons: what is accepted, and the sentences for what is not.
#include "ext/table/time_value.h"

#include <array>
#include <cmath>

#include "sql/time_subtype.h"

namespace ts {
namespace {

std::string column_of(const TableDef& table) {
  return quote_identifier(table.schema.columns[static_cast<std::size_t>(table.schema.time_column)].name) + " of " + table.name;
}

std::string shown(sqlite3_value* value) {
  constexpr std::size_t kShown = 60;
  const void* text = sqlite3_value_text(value);
  std::string all = text ? static_cast<const char*>(text) : "";
  return all.size() > kShown ? all.substr(0, kShown) + "..." : all;
}

std::string shown_real(double real) {
  std::array<char, 40> text;
  return sqlite3_snprintf(static_cast<int>(text.size()), text.data(), "%!.15g", real);
}

// A value that a ts function marked with another unit would be wrong by a factor of 1,000.
void check_unit(const TableDef& table, sqlite3_value* value) {
  auto marked = precision_of_subtype(sqlite3_value_subtype(value));
  if (!marked || *marked == table.schema.precision) return;
  throw Error(Code::kMismatch, "timeseries: column " + column_of(table) + " counts " + std::string(precision_text(table.schema.precision)) +
                                   ", but the value is in " + std::string(precision_text(*marked)) + "; write " +
                                   time_function(table.schema.precision) + "(...)");
}

[[noreturn]] void no_time(const TableDef& table, const std::string& what) {
  throw Error(Code::kMismatch, "timeseries: column " + column_of(table) + ": " + what +
                                   "; give an integer (" + std::string(precision_text(table.schema.precision)) +
                                   " since 1970-01-01 UTC) or ISO-8601 text such as '2026-11-23T07:16:00Z'");
}

}  // namespace

std::string time_function(Precision precision) {
  return precision == Precision::kMillis ? "ts" : "ts_" + std::string(precision_text(precision));
}

std::int64_t check_time(const TableDef& table, std::int64_t count) {
  if (count < table.min_time || count > table.max_time) {
    Precision precision = table.schema.precision;
    no_time(table, std::to_string(count) + " " + std::string(precision_text(precision)) + " lies outside " +
                       format_timestamp(table.min_time, precision) + " to " + format_timestamp(table.max_time, precision));
  }
  return count;
}

std::int64_t time_of_real(const TableDef& table, double real) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double is no exact count
  if (real != std::floor(real) || std::fabs(real) > kExact) no_time(table, shown_real(real) + " is no whole number");
  return check_time(table, static_cast<std::int64_t>(real));
}

std::int64_t time_of_text(const TableDef& table, const std::string& text) {
  auto count = parse_timestamp(text, table.schema.precision);
  if (!count) no_time(table, "'" + text.substr(0, 60) + "' is no time");
  return *count;
}

std::int64_t time_of_row(const TableDef& table, sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      check_unit(table, value);
      return check_time(table, sqlite3_value_int64(value));
    case SQLITE_FLOAT: return time_of_real(table, sqlite3_value_double(value));
    case SQLITE_TEXT: {
      const void* text = sqlite3_value_text(value);
      int bytes = sqlite3_value_bytes(value);
      return time_of_text(table, text ? std::string(static_cast<const char*>(text), static_cast<std::size_t>(bytes)) : "");
    }
    case SQLITE_NULL: throw Error(Code::kConstraint, "timeseries: column " + column_of(table) + " may not be NULL");
    default: no_time(table, "a blob is no time");
  }
}

void check_compared(const TableDef& table, sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_TEXT) {
    std::string text = shown(value);
    throw Error(Code::kMismatch, "timeseries: column " + column_of(table) + " is a time and cannot be compared with the text '" + text +
                                     "'; write " + time_function(table.schema.precision) + "('" + text + "')");
  }
  check_unit(table, value);
}

}  // namespace ts
