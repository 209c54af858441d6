// Handles and error texts of the seam to SQLite.
#include "ext/base/sqlite.h"

#include <utility>

extern "C" {
const sqlite3_api_routines* sqlite3_api = nullptr;
}

namespace ts {

int sqlite_code(Code code) noexcept {
  switch (code) {
    case Code::kBadInput: return SQLITE_ERROR;
    case Code::kConstraint: return SQLITE_CONSTRAINT;
    case Code::kMismatch: return SQLITE_MISMATCH;
    case Code::kNotFound: return SQLITE_ERROR;
    case Code::kChanged: return SQLITE_ERROR;
    case Code::kForbidden: return SQLITE_AUTH;
    case Code::kUnavailable: return SQLITE_IOERR;
    case Code::kUnsupported: return SQLITE_ERROR;
    case Code::kCorrupt: return SQLITE_CORRUPT;
    case Code::kTooNew: return SQLITE_ERROR;
    case Code::kFull: return SQLITE_FULL;
    case Code::kBusy: return SQLITE_BUSY;
    case Code::kReadOnly: return SQLITE_READONLY;
    case Code::kInterrupted: return SQLITE_INTERRUPT;
    case Code::kIo: return SQLITE_IOERR;
    case Code::kNoMemory: return SQLITE_NOMEM;
    case Code::kOverLimit: return SQLITE_ERROR;
  }
  return SQLITE_ERROR;
}

void throw_sqlite(sqlite3* db, int rc, const std::string& what) {
  Code code = Code::kIo;
  switch (rc & 0xff) {
    case SQLITE_FULL: code = Code::kFull; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: code = Code::kBusy; break;
    case SQLITE_READONLY: code = Code::kReadOnly; break;
    case SQLITE_INTERRUPT: code = Code::kInterrupted; break;
    case SQLITE_NOMEM: throw std::bad_alloc();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: code = Code::kCorrupt; break;
    case SQLITE_CONSTRAINT: code = Code::kConstraint; break;
    case SQLITE_ERROR:
    case SQLITE_SCHEMA: code = Code::kBadInput; break;
    default: break;
  }
  const char* text = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  throw Error(code, what + ": " + (text ? text : "unknown error"));
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

std::string quote_literal(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out += '\'';
}

void set_message(char** slot, const char* message) noexcept {
  if (!slot) return;
  sqlite3_free(*slot);
  *slot = sqlite3_mprintf("%s", message);
}

Statement::Statement(sqlite3* db, std::string_view sql) {
  int rc = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr);
  if (rc != SQLITE_OK) throw_sqlite(db, rc, "cannot prepare [" + std::string(sql.substr(0, 200)) + "]");
}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(stmt_, other.stmt_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(stmt_); }

static void check_bind(sqlite3_stmt* stmt, int rc) {
  if (rc != SQLITE_OK) throw_sqlite(sqlite3_db_handle(stmt), rc, "cannot bind a parameter");
}

Statement& Statement::bind(int index, std::int64_t value) {
  check_bind(stmt_, sqlite3_bind_int64(stmt_, index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  check_bind(stmt_, sqlite3_bind_text64(stmt_, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_null(int index) {
  check_bind(stmt_, sqlite3_bind_null(stmt_, index));
  return *this;
}

Statement& Statement::bind(int index, sqlite3_value* value) {
  check_bind(stmt_, sqlite3_bind_value(stmt_, index, value));
  return *this;
}

bool Statement::step() {
  int rc = sqlite3_step(stmt_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  sqlite3* db = sqlite3_db_handle(stmt_);
  std::string sql = sqlite3_sql(stmt_) ? sqlite3_sql(stmt_) : "";
  try {
    throw_sqlite(db, rc, "cannot run [" + sql.substr(0, 200) + "]");
  } catch (...) {
    sqlite3_reset(stmt_);
    throw;
  }
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() noexcept {
  sqlite3_reset(stmt_);
  sqlite3_clear_bindings(stmt_);
}

std::string Statement::text(int column) const {
  const void* p = sqlite3_column_text(stmt_, column);
  int n = sqlite3_column_bytes(stmt_, column);
  return p ? std::string(static_cast<const char*>(p), static_cast<std::size_t>(n)) : std::string();
}

Database::Database(const std::string& path_or_uri, int flags, const char* vfs) {
  int rc = sqlite3_open_v2(path_or_uri.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, vfs);
  if (rc == SQLITE_OK) {
    sqlite3_extended_result_codes(db_, 1);
    return;
  }
  sqlite3* failed = std::exchange(db_, nullptr);
  try {
    throw_sqlite(failed, rc, "cannot open " + path_or_uri);
  } catch (...) {
    sqlite3_close_v2(failed);
    throw;
  }
}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  return *this;
}

Database::~Database() { close(); }

void Database::exec(const std::string& sql) {
  int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) throw_sqlite(db_, rc, "cannot run [" + sql.substr(0, 200) + "]");
}

void Database::close() noexcept {
  if (db_) sqlite3_close_v2(std::exchange(db_, nullptr));
}

}  // namespace ts
