// The SQL functions time_bucket, duration and auto_bucket, each with its forms by unit.
//
//   time_bucket(width, ts [, timezone] [, origin])     the first ts of the bucket that holds ts
//   duration(text)   auto_bucket(from, to, bins)       widths, as counts of units
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_bucket_functions(sqlite3* db);

}  // namespace ts
