// What table-valued functions share: an eponymous module whose cursor counts its rows when it begins.
//
// A family writes a Cursor, derived from CountedCursor, with
//   using Definition = ...;                                                      what the module is registered with; has a `name`
//   static const char* columns(const Definition&);                               'CREATE TABLE x(...)'
//   static bool plan(const Definition&, sqlite3_index_info*);                    false: not before other tables are read
//   void filter(const Definition&, int number, std::string_view letters, sqlite3_value** argv);     sets `count`
//   void column(const Definition&, sqlite3_context*, int) const;                 of row `at`
// and hands it to add_table_function. What these throw becomes the statement's error.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "sql/function_support.h"

namespace ts {

struct FreeValue {
  void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
};
using OwnedValue = std::unique_ptr<sqlite3_value, FreeValue>;

struct CountedCursor : sqlite3_vtab_cursor {
  CountedCursor() : sqlite3_vtab_cursor() {}
  std::int64_t at = 0, count = 0;
};

template <class Cursor>
struct TableFunction {
  using Definition = typename Cursor::Definition;
  struct Table : sqlite3_vtab {
    explicit Table(const Definition* of) : sqlite3_vtab(), definition(of) {}
    const Definition* definition;
  };
  static const Definition& definition(sqlite3_vtab* table) { return *static_cast<Table*>(table)->definition; }
  static Cursor& cursor(sqlite3_vtab_cursor* cursor) { return *static_cast<Cursor*>(cursor); }

  static int xConnect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char** error) noexcept {
    return guard(
        [&] {
          auto table = std::make_unique<Table>(static_cast<const Definition*>(aux));
          const int rc = sqlite3_declare_vtab(db, Cursor::columns(*table->definition));
          if (rc != SQLITE_OK) throw_sqlite(db, rc, table->definition->name);
          sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
          *out = table.release();
        },
        [error](const char* message) { set_message(error, message); });
  }
  static int xDisconnect(sqlite3_vtab* table) noexcept {
    delete static_cast<Table*>(table);
    return SQLITE_OK;
  }
  static int xBestIndex(sqlite3_vtab* table, sqlite3_index_info* info) noexcept {
    bool usable = true;
    const int rc = guard([&] { usable = Cursor::plan(definition(table), info); },
                         [table](const char* message) { set_message(&table->zErrMsg, message); });
    return rc == SQLITE_OK && !usable ? SQLITE_CONSTRAINT : rc;
  }
  static int xOpen(sqlite3_vtab*, sqlite3_vtab_cursor** out) noexcept {
    *out = new (std::nothrow) Cursor();
    return *out ? SQLITE_OK : SQLITE_NOMEM;
  }
  static int xClose(sqlite3_vtab_cursor* base) noexcept {
    delete &cursor(base);
    return SQLITE_OK;
  }
  static int xFilter(sqlite3_vtab_cursor* base, int number, const char* letters, int, sqlite3_value** argv) noexcept {
    cursor(base).at = cursor(base).count = 0;
    return guard([&] { cursor(base).filter(definition(base->pVtab), number, letters ? letters : "", argv); },
                 [base](const char* message) { set_message(&base->pVtab->zErrMsg, message); });
  }
  static int xNext(sqlite3_vtab_cursor* base) noexcept {
    ++cursor(base).at;
    return SQLITE_OK;
  }
  static int xEof(sqlite3_vtab_cursor* base) noexcept { return cursor(base).at >= cursor(base).count; }
  static int xColumn(sqlite3_vtab_cursor* base, sqlite3_context* context, int i) noexcept {
    cursor(base).column(definition(base->pVtab), context, i);
    return SQLITE_OK;
  }
  static int xRowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) noexcept {
    *out = cursor(base).at + 1;
    return SQLITE_OK;
  }
  static void xDestroy(void* definition) noexcept { delete static_cast<Definition*>(definition); }

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

// Registers what the connection does not have under the same name. SQLite destroys the definition in every case, also when it fails.
template <class Cursor>
void add_table_function(sqlite3* db, const typename Cursor::Definition& definition) {
  static const sqlite3_module kModule = TableFunction<Cursor>::module();
  Statement find(db, "SELECT 1 FROM pragma_module_list WHERE name = ?1");
  if (find.bind(1, std::string_view(definition.name)).step()) return;
  const int rc = sqlite3_create_module_v2(db, definition.name.c_str(), &kModule, new typename Cursor::Definition(definition),
                                          TableFunction<Cursor>::xDestroy);
  if (rc != SQLITE_OK) throw_sqlite(db, rc, "timeseries: cannot register " + definition.name);
}

// The letter '0', '1', ... of a usable constraint `hidden column = value`, counted from `first`; 0: it is none.
inline char argument_letter(int column, unsigned char op, int first) {
  return column >= first && op == SQLITE_INDEX_CONSTRAINT_EQ ? static_cast<char>('0' + column - first) : 0;
}

// Ends a plan: the letters are xFilter's string.
inline void set_letters(sqlite3_index_info* info, const std::string& letters) {
  info->idxStr = sqlite3_mprintf("%s", letters.c_str());
  if (!info->idxStr) throw std::bad_alloc();
  info->needToFreeIdxStr = 1;
  info->estimatedCost = 1'000;
  info->estimatedRows = 1'000;
}

}  // namespace ts
