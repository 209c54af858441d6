// The seam to SQLite: the only file that includes sqlite3ext.h; handles, statements, and guard().
//
// guard() is the one place where a C++ exception becomes an SQLite result code. Handles are closed by
// destructors that never throw. Inner connections (open shards, spool.db, sealed files) are opened here.
#pragma once
#include <sqlite3ext.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "ext/base/error.h"

extern "C" {
extern const sqlite3_api_routines* sqlite3_api;
}

namespace ts {

// The SQLite result code a host sees for an Error.
int sqlite_code(Code code) noexcept;

// The Error for a failed call on an inner connection, with SQLite's own words.
[[noreturn]] void throw_sqlite(sqlite3* db, int rc, const std::string& what);

// "name" as an SQL identifier: quoted, quotes doubled.
std::string quote_identifier(std::string_view name);
// 'text' as an SQL string literal.
std::string quote_literal(std::string_view text);

// Runs body(); an exception becomes a result code and, through report(message), a text for the user.
template <class Body, class Report>
int guard(Body&& body, Report&& report) noexcept {
  try {
    body();
    return SQLITE_OK;
  } catch (const Error& e) {
    report(e.what());
    return sqlite_code(e.code());
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (const std::exception& e) {
    report(e.what());
    return SQLITE_ERROR;
  } catch (...) {
    report("timeseries: unknown failure");
    return SQLITE_ERROR;
  }
}

// Replaces an sqlite3-owned error text (zErrMsg of a vtab, pzErr of xConnect). Never throws.
void set_message(char** slot, const char* message) noexcept;

// A prepared statement of an inner connection. Column reads follow sqlite3_column_*.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, std::string_view sql);
  Statement(Statement&& other) noexcept : stmt_(other.stmt_) { other.stmt_ = nullptr; }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  explicit operator bool() const noexcept { return stmt_ != nullptr; }
  sqlite3_stmt* get() const noexcept { return stmt_; }

  // Binds parameter `index` (from 1).
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_null(int index);
  Statement& bind(int index, sqlite3_value* value);

  bool step();   // true: a row; false: done; throws otherwise
  void run();    // steps to the end, then resets
  void reset() noexcept;

  std::int64_t int64(int column) const noexcept { return sqlite3_column_int64(stmt_, column); }
  std::string text(int column) const;
  bool is_null(int column) const noexcept { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* stmt_ = nullptr;
};

// An inner connection. Not shared between threads at the same time (opened NOMUTEX).
class Database {
 public:
  Database() = default;
  // flags as for sqlite3_open_v2; SQLITE_OPEN_NOMUTEX is added. vfs nullptr: the default.
  Database(const std::string& path_or_uri, int flags, const char* vfs = nullptr);
  Database(Database&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  Database& operator=(Database&& other) noexcept;
  ~Database();

  explicit operator bool() const noexcept { return db_ != nullptr; }
  sqlite3* get() const noexcept { return db_; }
  void exec(const std::string& sql);
  Statement prepare(std::string_view sql) { return Statement(db_, sql); }
  void close() noexcept;
  // Forgets the handle without closing it: for a forked child, which must not touch its parent's files.
  void abandon() noexcept { db_ = nullptr; }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace ts
