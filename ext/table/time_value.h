// A value a user gave for the time column: as a row's time, or as a bound in a comparison.
#pragma once
#include <string>

#include "ext/archive/table_def.h"
#include "ext/base/sqlite.h"

namespace ts {

// The count in the table's precision. Throws kMismatch or kConstraint naming table, column and remedy; never rounds.
std::int64_t time_of_row(const TableDef& table, sqlite3_value* value);
std::int64_t check_time(const TableDef& table, std::int64_t count);  // within the storable years
std::int64_t time_of_real(const TableDef& table, double real);          // only a whole number
std::int64_t time_of_text(const TableDef& table, const std::string& text);

// Throws when `value` may not be compared with the time column: text, or marked with another unit.
void check_compared(const TableDef& table, sqlite3_value* value);

// 'ts', 'ts_s', 'ts_us' or 'ts_ns': the function that makes counts of this precision.
std::string time_function(Precision precision);

}  // namespace ts
