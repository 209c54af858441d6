// The table-valued functions generate_series and gapfill (with its forms by unit): numbers and bucket starts in order.
//
//   generate_series(start [, stop [, step]])        value                as SQLite's own; where the host has none
//   gapfill(width [, from, to [, timezone]])        ts                   bounds also by WHERE ts >= ... AND ts < ...
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_series_tables(sqlite3* db);

}  // namespace ts
