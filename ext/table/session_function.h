// What table-valued functions that work for a connection's session share: an eponymous, direct-only module whose cursor makes row by row.
//
// A function writes a Cursor, derived from sqlite3_vtab_cursor, with
//   static constexpr char kFunction[], kDeclaration[];                           its name; 'CREATE TABLE x(...)'
//   static int plan(sqlite3_vtab*, sqlite3_index_info*);                         xBestIndex: throws nothing
//   void begin(Session&, int number, sqlite3_value** argv);  void next();        what they throw becomes the statement's error
//   bool at_end() const;  void result(sqlite3_context*, int column) const;  std::int64_t row() const;
// and hands it to register_session_function.
#pragma once
#include <memory>
#include <new>

#include "ext/base/sqlite.h"
#include "ext/table/session.h"

namespace ts {

template <class Cursor>
struct SessionFunction {
  struct Function : sqlite3_vtab {
    explicit Function(std::shared_ptr<Session> of) : sqlite3_vtab(), session(std::move(of)) {}
    std::shared_ptr<Session> session;
  };
  static Cursor& cursor_of(sqlite3_vtab_cursor* base) { return *static_cast<Cursor*>(base); }

  static int xConnect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char** error) noexcept {
    return guard(
        [&] {
          auto function = std::make_unique<Function>(*static_cast<std::shared_ptr<Session>*>(aux));
          const int rc = sqlite3_declare_vtab(db, Cursor::kDeclaration);
          if (rc != SQLITE_OK) throw_sqlite(db, rc, Cursor::kFunction);
          sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
          *out = function.release();
        },
        [error](const char* message) { set_message(error, message); });
  }
  static int xDisconnect(sqlite3_vtab* base) noexcept {
    delete static_cast<Function*>(base);
    return SQLITE_OK;
  }
  static int xBestIndex(sqlite3_vtab* base, sqlite3_index_info* info) noexcept { return Cursor::plan(base, info); }
  static int xOpen(sqlite3_vtab*, sqlite3_vtab_cursor** out) noexcept {
    *out = new (std::nothrow) Cursor();
    return *out ? SQLITE_OK : SQLITE_NOMEM;
  }
  static int xClose(sqlite3_vtab_cursor* base) noexcept {
    delete &cursor_of(base);
    return SQLITE_OK;
  }
  static int xFilter(sqlite3_vtab_cursor* base, int number, const char*, int, sqlite3_value** argv) noexcept {
    Session& session = *static_cast<Function*>(base->pVtab)->session;
    return guard([&] { cursor_of(base).begin(session, number, argv); },
                 [base](const char* message) { set_message(&base->pVtab->zErrMsg, message); });
  }
  static int xNext(sqlite3_vtab_cursor* base) noexcept {
    return guard([&] { cursor_of(base).next(); }, [base](const char* message) { set_message(&base->pVtab->zErrMsg, message); });
  }
  static int xEof(sqlite3_vtab_cursor* base) noexcept { return cursor_of(base).at_end(); }
  static int xColumn(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) noexcept {
    cursor_of(base).result(context, column);
    return SQLITE_OK;
  }
  static int xRowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) noexcept {
    *out = cursor_of(base).row();
    return SQLITE_OK;
  }

  static sqlite3_module module() {
    sqlite3_module module = {};
    module.xConnect = xConnect;
    module.xBestIndex = xBestIndex;
    module.xDisconnect = xDisconnect;
    module.xOpen = xOpen;
    module.xClose = xClose;
    module.xFilter = xFilter;
    module.xNext = xNext;
    module.xEof = xEof;
    module.xColumn = xColumn;
    module.xRowid = xRowid;
    return module;
  }
};

template <class Cursor>
int register_session_function(sqlite3* db, const std::shared_ptr<Session>& session) {
  static const sqlite3_module kModule = SessionFunction<Cursor>::module();
  return sqlite3_create_module_v2(db, Cursor::kFunction, &kModule, new std::shared_ptr<Session>(session),
                                  [](void* p) { delete static_cast<std::shared_ptr<Session>*>(p); });
}

}  // namespace ts
