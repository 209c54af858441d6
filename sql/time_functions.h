// The SQL functions ts, ts_s, ts_us, ts_ns (text to a count of units since 1970-01-01 UTC) and ts_text, their inverse.
//
//   ts(time, modifier, ...)            milliseconds; ts_s seconds, ts_us microseconds, ts_ns nanoseconds
//   ts_text(count [, 's'|'ms'|'us'|'ns'])   '2026-11-23T07:16:00.000Z'
//
// `time` is a date or date-time as the insert path takes it (base/timestamp.h), also with the blanks and the 'z' that SQLite's
// date syntax allows; or 'now'; or a number if the first modifier is 'unixepoch', 'julianday' or 'auto'. The modifiers are
// SQLite's own. A fraction is kept, cut to the unit, and dropped by 'start of ...'. What is no time is an error, never NULL;
// NULL in any argument gives NULL. Results carry their unit as a subtype (sql/time_subtype.h).
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_time_functions(sqlite3* db);

}  // namespace ts
