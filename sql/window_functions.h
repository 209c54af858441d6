// The SQL functions for windows of rows: locf, ema and session_id. Meant for OVER (ORDER BY ...).
//
//   locf(value)                     the newest value of the frame that is not NULL
//   ema(value, alpha)               exponential moving average over rows
//   ema(value, ts, half_life)       over time; _s, _us, _ns
//   session_id(ts, gap)             1, 2, ...: a session ends where no row follows within `gap`; _s, _us, _ns
//
// Rows that come in order cost O(1) each. A row that leaves the frame, or comes late, makes the frame be folded again.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_window_functions(sqlite3* db);

}  // namespace ts
