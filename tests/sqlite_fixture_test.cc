// Tests of the fixture the other tests stand on.
#include "tests/support/sqlite_fixture.h"

#include <doctest/doctest.h>

TEST_CASE("sqlite_fixture: an in-memory connection works through sqlite3_api and has nothing of ours registered") {
  REQUIRE(sqlite3_api != nullptr);
  ts::Database db = ts_test::open_memory();
  ts::Statement one = db.prepare("SELECT 1 + 1");
  REQUIRE(one.step());
  CHECK(one.int64(0) == 2);
  ts::Statement ours = db.prepare("SELECT count(*) FROM pragma_module_list WHERE name = 'timeseries'");
  REQUIRE(ours.step());
  CHECK(ours.int64(0) == 0);
}
