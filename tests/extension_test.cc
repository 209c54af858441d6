// The entry point: which hosts it refuses, and that loading again does no harm.
#include <doctest/doctest.h>

#include <string>

#include "ext/base/sqlite.h"
#include "ext/extension.h"
#include "tests/support/sqlite_fixture.h"

namespace {

// A host that differs from the real one in what a test says, for as long as the object lives.
struct Host {
  Host() : real(sqlite3_api), fake(*sqlite3_api) {}
  ~Host() { sqlite3_api = real; }
  const sqlite3_api_routines* real;
  sqlite3_api_routines fake;
};

std::string refusal(ts::Database& db, const sqlite3_api_routines* api) {
  const sqlite3_api_routines* before = sqlite3_api;
  sqlite3_api = api;
  char* error = nullptr;
  int rc = ts::register_all(db.get(), &error);
  std::string text = error ? error : "";
  sqlite3_free(error);
  sqlite3_api = before;
  return rc == SQLITE_OK ? "" : text;
}

}  // namespace

TEST_CASE("extension: an SQLite older than 3.37 is refused with its version") {
  ts::Database db = ts_test::open_memory();
  Host host;
  host.fake.libversion_number = [] { return 3036000; };
  host.fake.libversion = [] { return "3.36.0"; };
  CHECK(refusal(db, &host.fake) == "timeseries needs SQLite 3.37 or newer; this is 3.36.0");
}

TEST_CASE("extension: an SQLite that is not thread-safe is refused with a sentence") {
  ts::Database db = ts_test::open_memory();
  Host host;
  host.fake.xthreadsafe = [] { return 0; };
  CHECK(refusal(db, &host.fake) == "timeseries needs a thread-safe SQLite; this one was built with SQLITE_THREADSAFE=0; use another build");
}

TEST_CASE("extension: a connection may be registered twice and works on") {
  ts::Database db = ts_test::open_memory();
  for (int i = 0; i < 2; i++) REQUIRE(ts::register_all(db.get(), nullptr) == SQLITE_OK);
  ts::Statement version = db.prepare("SELECT timeseries_version(), ts('1970-01-02')");
  REQUIRE(version.step());
  CHECK(version.text(0) == "0.1.0");
  CHECK(version.int64(1) == 86400000);
}
