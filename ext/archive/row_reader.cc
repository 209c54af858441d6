// The function that takes rows, and the SELECT that calls it.
#include "ext/archive/row_reader.h"

namespace ts {
namespace {

void take(sqlite3_context* context, int argc, sqlite3_value** argv) {
  int rc = guard([&] { (*static_cast<RowBuffer**>(sqlite3_user_data(context)))->add_values(argv, argc); }, [](const char*) {});
  if (rc != SQLITE_OK) sqlite3_result_error_code(context, rc);
}

}  // namespace

RowReader::RowReader(Database& db, const std::vector<std::string>& columns, const std::string& from) : into_(new RowBuffer*(nullptr)) {
  auto drop = [](void* p) { delete static_cast<RowBuffer**>(p); };
  int rc = sqlite3_create_function_v2(db.get(), "take_row", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, into_, take, nullptr, nullptr, drop);
  if (rc != SQLITE_OK) throw_sqlite(db.get(), rc, "cannot register take_row");
  constexpr std::size_t kArguments = 100;  // SQLite allows 127; the calls of a row run from left to right
  std::string sql = "SELECT ";
  for (std::size_t c = 0; c < columns.size(); c++) {
    sql += c % kArguments ? "," : c ? "),take_row(" : "take_row(";
    sql += columns[c];
  }
  select_ = db.prepare(sql + ") " + from);
}

bool RowReader::next(RowBuffer& into) {
  if (!select_) return false;
  *into_ = &into;
  into.begin_row();
  try {
    if (select_.step()) return true;
  } catch (...) {
    into.drop_row();
    throw;
  }
  into.drop_row();
  return false;
}

}  // namespace ts
