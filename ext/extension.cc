// The loadable extension's entry point: the only file that knows all layers.
//
//   .load ./timeseries     or   sqlite3_load_extension(db, "timeseries", NULL, NULL)
#include "ext/extension.h"

#include <mutex>

#include "ext/base/interrupts.h"
#include "ext/base/sqlite.h"
#include "ext/table/functions.h"
#include "ext/table/rollup_table.h"
#include "ext/table/timeseries_table.h"
#include "sql/bucket_functions.h"
#include "sql/distribution.h"
#include "sql/forecast_table.h"
#include "sql/interpolate.h"
#include "sql/lttb.h"
#include "sql/math_functions.h"
#include "sql/ordered_aggregates.h"
#include "sql/regexp_functions.h"
#include "sql/series_tables.h"
#include "sql/sketches.h"
#include "sql/text_functions.h"
#include "sql/time_functions.h"
#include "sql/window_functions.h"
#include "vfs/remote_vfs.h"

namespace ts {

constexpr int kOldestSqlite = 3037000;

// A second registration would bring a second Session, which knows none of the connection's tables.
static bool is_loaded(sqlite3* db) {
  sqlite3_stmt* find = nullptr;
  sqlite3_prepare_v2(db, "SELECT 1 FROM pragma_function_list WHERE name='timeseries_version'", -1, &find, nullptr);
  bool found = find && sqlite3_step(find) == SQLITE_ROW;
  sqlite3_finalize(find);
  return found;
}

// An SQLite that does not tell of an interrupt needs a statement for it, and a table of facts is what ends that statement in time.
static void watch_interrupts(sqlite3* db, Session& session) {
  if (is_interrupted(db)) return;
  sqlite3_exec(db, "SELECT 1 FROM ts_last_query() WHERE 0", nullptr, nullptr, nullptr);
  session.interrupted();
}

int register_all(sqlite3* db, char** error) {
  return guard(
      [&] {
        if (sqlite3_libversion_number() < kOldestSqlite) {
          throw Error(Code::kUnsupported, std::string("timeseries needs SQLite 3.37 or newer; this is ") + sqlite3_libversion());
        }
        if (sqlite3_threadsafe() == 0) {
          throw Error(Code::kUnsupported,
                      "timeseries needs a thread-safe SQLite; this one was built with SQLITE_THREADSAFE=0; use another build");
        }
        if (is_loaded(db)) return;
        auto session = std::make_shared<Session>(db);
        auto check = [&](int rc, const char* what) {
          if (rc != SQLITE_OK)
            throw Error(Code::kUnsupported, std::string("timeseries: cannot register ") + what + ": " + sqlite3_errstr(rc));
        };
        check(register_remote_vfs(), "the VFSs s3 and http");
        check(register_time_functions(db), "the ts functions");
        check(register_bucket_functions(db), "the bucket functions");
        check(register_ordered_aggregates(db), "the ordered aggregates");
        check(register_distribution(db), "the distribution functions");
        check(register_regexp_functions(db), "the functions by regular expression");
        check(register_math_functions(db), "the math functions");
        check(register_text_functions(db), "the text functions");
        check(register_sketches(db), "the sketches");
        check(register_window_functions(db), "the window functions");
        check(register_interpolate(db), "interpolate");
        check(register_forecast_table(db), "forecast");
        check(register_lttb(db), "lttb");
        check(register_series_tables(db), "generate_series and gapfill");
        check(register_timeseries_table(db, session), "the module timeseries");
        check(register_rollup_table(db, session), "the module timeseries_rollup");
        check(register_functions(db, session, [] { return "last VFS error: " + last_vfs_error(); }), "the functions");
        check(register_facts(db, session), "the tables of facts");
        check(register_verify(db, session), "ts_verify");
        check(register_compact(db, session), "ts_compact");
        watch_interrupts(db, *session);
      },
      [&](const char* message) { set_message(error, message); });
}

}  // namespace ts

extern "C" __attribute__((visibility("default"))) int sqlite3_timeseries_init(sqlite3* db, char** error, const sqlite3_api_routines* api) {
  // Set once: other threads read it all the time. One module calls one SQLite.
  static std::once_flag once;
  std::call_once(once, [api] { sqlite3_api = api; });
  if (sqlite3_api != api) {
    if (error) *error = api->mprintf("timeseries: another SQLite library of this process has loaded this module already");
    return SQLITE_ERROR;
  }
  int rc = ts::register_all(db, error);
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
