// Connections for unit tests.
#include "tests/support/sqlite_fixture.h"

namespace ts_test {

ts::Database open_memory() { return ts::Database(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE); }

}  // namespace ts_test
