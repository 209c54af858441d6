// SQLite for unit tests: the function table that a host hands to an extension, and connections with nothing registered.
#pragma once
#include "ext/base/sqlite.h"

namespace ts_test {

// Sets sqlite3_api to the table of the SQLite this binary is linked with. Called by main, once; ends the process if it cannot.
void capture_sqlite_api();

// A new in-memory connection.
ts::Database open_memory();

}  // namespace ts_test
