// The read-only table over a RowBuffer.
#include "ext/archive/buffer_table.h"

namespace ts {
namespace {

struct Registration {
  int columns;
  const BufferView* view;
};

struct BufferVtab : sqlite3_vtab {
  const BufferView* view;
};

struct BufferCursor : sqlite3_vtab_cursor {
  BufferView view;
  std::size_t position = 0;
  const char* at = nullptr;  // the cell of column `column`
  int column = 0;
};

int xConnect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char**) {
  auto* registration = static_cast<Registration*>(aux);
  std::string sql = "CREATE TABLE x(";
  for (int i = 0; i < registration->columns; i++) sql += (i ? ",c" : "c") + std::to_string(i);
  int rc = sqlite3_declare_vtab(db, (sql + ")").c_str());
  if (rc != SQLITE_OK) return rc;
  auto* table = new (std::nothrow) BufferVtab();
  if (!table) return SQLITE_NOMEM;
  table->view = registration->view;
  *out = table;
  return SQLITE_OK;
}

int xDisconnect(sqlite3_vtab* table) {
  delete static_cast<BufferVtab*>(table);
  return SQLITE_OK;
}

int xBestIndex(sqlite3_vtab*, sqlite3_index_info* info) {
  info->estimatedCost = 1;
  return SQLITE_OK;
}

int xOpen(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new (std::nothrow) BufferCursor();
  return *out ? SQLITE_OK : SQLITE_NOMEM;
}

int xClose(sqlite3_vtab_cursor* cursor) {
  delete static_cast<BufferCursor*>(cursor);
  return SQLITE_OK;
}

void settle(BufferCursor* cursor) {
  const BufferView& view = cursor->view;
  if (cursor->position >= view.last) return;
  cursor->at = view.rows->row(view.order ? view.order[cursor->position] : cursor->position);
  cursor->column = 0;
}

int xFilter(sqlite3_vtab_cursor* base, int, const char*, int, sqlite3_value**) {
  auto* cursor = static_cast<BufferCursor*>(base);
  cursor->view = *static_cast<BufferVtab*>(base->pVtab)->view;
  cursor->position = cursor->view.first;
  settle(cursor);
  return SQLITE_OK;
}

int xNext(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<BufferCursor*>(base);
  cursor->position++;
  settle(cursor);
  return SQLITE_OK;
}

int xEof(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<BufferCursor*>(base);
  return cursor->position >= cursor->view.last;
}

// Columns are asked in order by INSERT ... SELECT, so the walk along the row is one pass. The buffer outlives the
// statement, so nothing is copied.
int xColumn(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  auto* cursor = static_cast<BufferCursor*>(base);
  if (column < cursor->column) settle(cursor);
  for (; cursor->column < column; cursor->column++) RowBuffer::skip(cursor->at);
  cursor->column++;
  const char* at = cursor->at;
  switch (*at++) {
    case SQLITE_INTEGER: {
      std::int64_t integer;
      std::memcpy(&integer, at, 8);
      cursor->at = at + 8;
      sqlite3_result_int64(context, integer);
      break;
    }
    case SQLITE_FLOAT: {
      double real;
      std::memcpy(&real, at, 8);
      cursor->at = at + 8;
      sqlite3_result_double(context, real);
      break;
    }
    case SQLITE_NULL: cursor->at = at; break;  // what a column is that nobody sets
    default: {
      Cell cell = RowBuffer::read(cursor->at);
      if (cell.type == SQLITE_TEXT) {
        sqlite3_result_text64(context, cell.bytes.data(), cell.bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
      } else {
        sqlite3_result_blob64(context, cell.bytes.data(), cell.bytes.size(), SQLITE_STATIC);
      }
    }
  }
  return SQLITE_OK;
}

int xRowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  *out = static_cast<sqlite3_int64>(static_cast<BufferCursor*>(base)->position);
  return SQLITE_OK;
}

const sqlite3_module kModule = [] {
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
}();

}  // namespace

void register_buffer_table(sqlite3* db, const std::string& name, int columns, const BufferView* view) {
  auto registration = std::make_unique<Registration>(Registration{columns, view});
  int rc =
      sqlite3_create_module_v2(db, name.c_str(), &kModule, registration.release(), [](void* p) { delete static_cast<Registration*>(p); });
  if (rc != SQLITE_OK) throw_sqlite(db, rc, "cannot register table " + name);
}

}  // namespace ts
