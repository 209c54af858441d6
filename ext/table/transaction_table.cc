// `timeseries_transaction`: the internal table in the TEMP schema by which ts_insert inside BEGIN takes part in SQLite's
// transaction without a lock on main. It holds nothing; an INSERT into it only makes SQLite call xBegin and what follows.
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

using SessionPtr = std::shared_ptr<Session>;

struct TransactionTable : sqlite3_vtab {
  explicit TransactionTable(SessionPtr s) : sqlite3_vtab{}, session(std::move(s)) {}
  SessionPtr session;
};

struct NoRows : sqlite3_vtab_cursor {};

Transaction& transaction_of(sqlite3_vtab* base) { return static_cast<TransactionTable*>(base)->session->transaction(); }

template <class Body>
int guarded(sqlite3_vtab* base, Body&& body) {
  return guard(body, [base](const char* message) { set_message(&base->zErrMsg, message); });
}

int xConnect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char** error) {
  return guard(
      [&] {
        auto table = std::make_unique<TransactionTable>(*static_cast<SessionPtr*>(aux));
        int rc = sqlite3_declare_vtab(db, "CREATE TABLE x(takes_part)");
        if (rc != SQLITE_OK) throw_sqlite(db, rc, "timeseries_transaction");
        sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
        *out = table.release();
      },
      [error](const char* message) { set_message(error, message); });
}

int xDisconnect(sqlite3_vtab* base) {
  delete static_cast<TransactionTable*>(base);
  return SQLITE_OK;
}

int xBestIndex(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }

int xOpen(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new (std::nothrow) NoRows();
  return *out ? SQLITE_OK : SQLITE_NOMEM;
}

int xClose(sqlite3_vtab_cursor* cursor) {
  delete static_cast<NoRows*>(cursor);
  return SQLITE_OK;
}

int xFilter(sqlite3_vtab_cursor*, int, const char*, int, sqlite3_value**) { return SQLITE_OK; }
int xNext(sqlite3_vtab_cursor*) { return SQLITE_OK; }
int xEof(sqlite3_vtab_cursor*) { return 1; }
int xColumn(sqlite3_vtab_cursor*, sqlite3_context*, int) { return SQLITE_OK; }
int xRowid(sqlite3_vtab_cursor*, sqlite3_int64*) { return SQLITE_OK; }
int xUpdate(sqlite3_vtab*, int, sqlite3_value**, sqlite3_int64*) { return SQLITE_OK; }

int xBegin(sqlite3_vtab* base) {
  return guarded(base, [&] { transaction_of(base).begin(); });
}
int xSync(sqlite3_vtab* base) {
  return guarded(base, [&] { transaction_of(base).sync(); });
}
int xCommit(sqlite3_vtab* base) {
  transaction_of(base).commit();
  return SQLITE_OK;
}
int xRollback(sqlite3_vtab* base) {
  transaction_of(base).rollback();
  return SQLITE_OK;
}
int xSavepoint(sqlite3_vtab* base, int number) {
  return guarded(base, [&] { static_cast<TransactionTable*>(base)->session->savepoint(number); });
}
int xRelease(sqlite3_vtab* base, int number) {
  return guarded(base, [&] { transaction_of(base).release(number); });
}
int xRollbackTo(sqlite3_vtab* base, int number) {
  return guarded(base, [&] { transaction_of(base).rollback_to(number); });
}

const sqlite3_module kTransaction = [] {
  sqlite3_module module = {};
  module.iVersion = 2;
  module.xCreate = xConnect;
  module.xConnect = xConnect;
  module.xBestIndex = xBestIndex;
  module.xDisconnect = xDisconnect;
  module.xDestroy = xDisconnect;
  module.xOpen = xOpen;
  module.xClose = xClose;
  module.xFilter = xFilter;
  module.xNext = xNext;
  module.xEof = xEof;
  module.xColumn = xColumn;
  module.xRowid = xRowid;
  module.xUpdate = xUpdate;
  module.xBegin = xBegin;
  module.xSync = xSync;
  module.xCommit = xCommit;
  module.xRollback = xRollback;
  module.xSavepoint = xSavepoint;
  module.xRelease = xRelease;
  module.xRollbackTo = xRollbackTo;
  return module;
}();

}  // namespace

int register_transaction_table(sqlite3* db, const SessionPtr& session) {
  return sqlite3_create_module_v2(db, "timeseries_transaction", &kTransaction, new SessionPtr(session),
                                  [](void* p) { delete static_cast<SessionPtr*>(p); });
}

}  // namespace ts
