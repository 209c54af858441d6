// The SQL aggregates over (value, ts): first, last, arg_min, arg_max, rate and its like, and their forms for grids.
//
//   rate(value, ts [, from, to])                              also OVER a window
//   rate_to_grid(value, ts, start, stop, step, range)         '[[ts, rate], ...]': one window (t - range, t] for each t
//
// Rows may come in any order. A row whose value or ts is NULL is left out. first, last, arg_min and arg_max keep what may be an answer;
// the others need all rows, because one that comes late may belong between any two that came before it: up to 4 MiB of them are held, and
// of more those that came in order are folded and put aside in a temporary file, from which a late row brings them back into memory.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_ordered_aggregates(sqlite3* db);

}  // namespace ts
