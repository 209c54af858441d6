// Connections, statements and table shapes of the benchmarks. Includes plain sqlite3.h: the raw side pays no detour.
#include "bench/database.h"

#include <stdexcept>

#include "ext/extension.h"

struct sqlite3_api_routines;
extern "C" const sqlite3_api_routines* sqlite3_api;

namespace ts_bench {
namespace {

[[noreturn]] void fail(sqlite3* db, const std::string& what) {
  throw std::runtime_error(what + ": " + (db ? sqlite3_errmsg(db) : "out of memory"));
}

}  // namespace

extern "C" {
static int take_api(sqlite3*, char**, const sqlite3_api_routines* api) {
  sqlite3_api = api;
  return SQLITE_OK;
}
}

void capture_sqlite_api() {
  auto entry = reinterpret_cast<void (*)(void)>(&take_api);
  sqlite3_auto_extension(entry);
  Database any(":memory:");
  sqlite3_cancel_auto_extension(entry);
  if (!sqlite3_api) throw std::runtime_error("SQLite ran no automatic extension");
}

Database::Database(const std::string& path) {
  int rc = sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (rc != SQLITE_OK) fail(db_, "cannot open " + path);
}

void Database::register_extension() {
  char* error = nullptr;
  if (ts::register_all(db_, &error) != SQLITE_OK) throw std::runtime_error(error ? error : "cannot register the extension");
}

void Database::exec(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(db_, sql);
}

std::string Database::text(const std::string& sql) {
  std::string all;
  auto add = [](void* to, int columns, char** values, char**) {
    auto& text = *static_cast<std::string*>(to);
    for (int c = 0; c < columns; c++) text += std::string(c ? "|" : "") + (values[c] ? values[c] : "NULL");
    text += '\n';
    return 0;
  };
  if (sqlite3_exec(db_, sql.c_str(), add, &all, nullptr) != SQLITE_OK) fail(db_, sql);
  return all;
}

std::int64_t Database::integer(const std::string& sql) { return std::stoll(text(sql)); }

void Database::use_wal(const char* synchronous) {
  exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=" + std::string(synchronous));
}

RowStatement::RowStatement(Database& db, const std::string& sql) {
  if (sqlite3_prepare_v3(db.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr) != SQLITE_OK) fail(db.get(), sql);
  wide_ = sqlite3_bind_parameter_count(stmt_) > 3;
}

void RowStatement::run(const Fleet& fleet, const Row& row) {
  auto text = [](const std::string& s, sqlite3_stmt* stmt, int index) {
    sqlite3_bind_text(stmt, index, s.data(), static_cast<int>(s.size()), SQLITE_STATIC);
  };
  auto host = static_cast<std::size_t>(row.host);
  int index = 0;
  sqlite3_bind_int64(stmt_, ++index, row.ts);
  text(fleet.hosts[host], stmt_, ++index);
  if (wide_) {
    text(fleet.regions[host], stmt_, ++index);
    for (double metric : row.metrics) sqlite3_bind_double(stmt_, ++index, metric);
  } else {
    sqlite3_bind_double(stmt_, ++index, row.metrics[0]);
  }
  int rc = sqlite3_step(stmt_);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) fail(sqlite3_db_handle(stmt_), "insert");
  if (sqlite3_reset(stmt_) != SQLITE_OK) fail(sqlite3_db_handle(stmt_), "insert");
}

std::string Shape::declaration(bool timeseries) const {
  std::string time = timeseries ? "ts TIMESTAMP, " : "ts INTEGER, ";
  std::string tag = timeseries ? " TEXT TAG" : " TEXT";
  if (!wide) return time + "host" + tag + ", value REAL";
  std::string all = time + "host" + tag + ", region" + tag;
  for (const char* metric : kMetricNames) all += std::string(", ") + metric + " REAL";
  return all;
}

std::string Shape::column_list() const {
  if (!wide) return "ts,host,value";
  std::string all = "ts,host,region";
  for (const char* metric : kMetricNames) all += std::string(",") + metric;
  return all;
}

std::string Shape::parameters() const {
  std::string all = "?";
  for (int i = 1; i < columns(); i++) all += ",?";
  return all;
}

}  // namespace ts_bench
