// Takes sqlite3_api from an automatic extension, as a loaded module would be given it.
//
// This file includes plain sqlite3.h: with sqlite3ext.h its calls would go through the very pointer that it fetches.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>

struct sqlite3_api_routines;
extern "C" const sqlite3_api_routines* sqlite3_api;

namespace ts_test {

void capture_sqlite_api();

extern "C" {
static int take_api(sqlite3*, char**, const sqlite3_api_routines* api) {
  sqlite3_api = api;
  return SQLITE_OK;
}
}

void capture_sqlite_api() {
  auto entry = reinterpret_cast<void (*)(void)>(&take_api);
  sqlite3_auto_extension(entry);
  sqlite3* db = nullptr;
  int rc = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  sqlite3_close(db);
  sqlite3_cancel_auto_extension(entry);
  if (rc == SQLITE_OK && sqlite3_api) return;
  std::fprintf(stderr, "unit_tests: SQLite ran no automatic extension: %s\n", sqlite3_errstr(rc));
  std::exit(2);
}

}  // namespace ts_test
