// The SQL window function interpolate(value, ts): the value, or where it is NULL, what the line between its neighbours says.
//
//   interpolate(v, ts) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)       rows in any order
//
// The frame tells which row is the current one: the oldest that is still in it. Other frames are errors as far as SQLite's calls tell
// them apart, which they do not for OVER (), where one answer is every row's. Keeps 40 bytes a row of the partition.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_interpolate(sqlite3* db);

}  // namespace ts
