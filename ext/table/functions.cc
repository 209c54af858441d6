// ts_insert, ts_flush, ts_import, ts_unpack, ts_add_column and its like, timeseries_version, timeseries_debug.
#include "ext/table/functions.h"

#include "ext/archive/flusher.h"
#include "ext/archive/publish.h"
#include "ext/archive/unpack.h"
#include "ext/base/clock.h"
#include "ext/table/alter.h"
#include "ext/table/import.h"
#include "ext/table/json_rows.h"
#include "ext/table/time_value.h"
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

using SessionPtr = std::shared_ptr<Session>;

std::string text_of(sqlite3_value* value) {
  const void* text = sqlite3_value_text(value);
  int bytes = sqlite3_value_bytes(value);
  return text ? std::string(static_cast<const char*>(text), static_cast<std::size_t>(bytes)) : std::string();
}

// A function's call: errors become the statement's error.
template <class Body>
void answer(sqlite3_context* context, Body&& body) noexcept {
  int code = guard(body, [context](const char* message) { sqlite3_result_error(context, message, -1); });
  if (code != SQLITE_OK && code != SQLITE_ERROR) sqlite3_result_error_code(context, code);
  if (code == SQLITE_NOMEM) sqlite3_result_error_nomem(context);
}

Session& session_of(sqlite3_context* context) { return **static_cast<SessionPtr*>(sqlite3_user_data(context)); }

Table& table_of(sqlite3_context* context, sqlite3_value* name) {
  if (sqlite3_value_type(name) != SQLITE_TEXT) {
    throw Error(Code::kBadInput, "timeseries: the first argument is the name of a timeseries table, as text");
  }
  const void* text = sqlite3_value_text(name);
  if (!text) throw std::bad_alloc();
  return session_of(context).resolve({static_cast<const char*>(text), static_cast<std::size_t>(sqlite3_value_bytes(name))});
}

// ---------------------------------------------------------------- ts_insert

bool looks_like_json(const Table&, int columns, sqlite3_value* value) {
  if (sqlite3_value_type(value) != SQLITE_TEXT) return false;
  if (columns != 1) return true;
  std::string text = text_of(value);  // a table of the time alone: an object or array is JSON, other text is a time
  auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (text[first] == '{' || text[first] == '[');
}

std::string column_names(const Schema& schema) {
  std::string names;
  for (const Column& column : schema.columns) names += (names.empty() ? "" : ", ") + column.name;
  return names;
}

std::int64_t now_in(Precision precision) { return convert_precision(Clock::system().now_ms(), Precision::kMillis, precision); }

void add_value(Table& table, RowBuffer& rows, int column, const JsonValue& value) {
  const Schema& schema = table.def()->schema;
  if (column == schema.time_column) {
    if (auto* text = std::get_if<std::string>(&value)) return rows.add_integer(time_of_text(*table.def(), *text));
    if (auto* count = std::get_if<std::int64_t>(&value)) return rows.add_integer(check_time(*table.def(), *count));
    if (auto* real = std::get_if<double>(&value)) return rows.add_integer(time_of_real(*table.def(), *real));
    throw Error(Code::kConstraint, "timeseries: column \"" + schema.columns[static_cast<std::size_t>(column)].name + "\" of " +
                                       table.def()->name + " may not be NULL");
  }
  if (auto* integer = std::get_if<std::int64_t>(&value)) return rows.add_integer(*integer);
  if (auto* real = std::get_if<double>(&value)) return rows.add_real(*real);
  if (auto* text = std::get_if<std::string>(&value)) return rows.add_text(*text);
  OwnedValue fallback;
  if (std::holds_alternative<JsonAbsent>(value)) fallback = table.default_value(column);
  table.check_not_null(column, fallback.type == SQLITE_NULL);
  rows.add_cell(fallback.cell());
}

RowBuffer json_rows(Table& table, sqlite3_value* json) {
  const Schema& schema = table.def()->schema;
  int columns = static_cast<int>(schema.columns.size());
  RowBuffer rows(columns);
  for (const JsonRow& row : parse_json_rows(text_of(json), schema, now_in(schema.precision))) {
    rows.begin_row();
    for (int c = 0; c < columns; c++) add_value(table, rows, c, row[static_cast<std::size_t>(c)]);
  }
  return rows;
}

// Outside a transaction an insert is one of its own, durable when it returns; inside it joins. Neither takes a lock of
// the host's database.
template <class Body>
void in_transaction(Session& session, Body&& add) {
  Transaction& transaction = session.transaction();
  bool own = !transaction.active() && sqlite3_get_autocommit(session.db());
  if (!own) {
    session.join_transaction();
    return add();
  }
  transaction.begin();
  try {
    add();
    transaction.sync();
    transaction.commit();
  } catch (...) {
    transaction.rollback();
    throw;
  }
}

void ts_insert(sqlite3_context* context, int argc, sqlite3_value** argv) {
  answer(context, [&] {
    if (argc < 2) throw Error(Code::kBadInput, "ts_insert: give a table and its values, or a table and JSON: ts_insert('cpu', ...)");
    Table& table = table_of(context, argv[0]);
    const Schema& schema = table.def()->schema;
    int columns = static_cast<int>(schema.columns.size());
    if (argc == 2 && looks_like_json(table, columns, argv[1])) {
      RowBuffer rows = json_rows(table, argv[1]);
      if (rows.rows()) in_transaction(table.session(), [&] { table.add_rows(rows); });
      return sqlite3_result_int64(context, static_cast<sqlite3_int64>(rows.rows()));
    }
    if (argc - 1 != columns) {
      throw Error(Code::kBadInput, "ts_insert: " + table.def()->name + " has " + std::to_string(columns) + " columns (" +
                                       column_names(schema) + "), but " + std::to_string(argc - 1) + " values were given");
    }
    in_transaction(table.session(), [&] { table.add_row(argv + 1); });
    sqlite3_result_int64(context, 1);
  });
}

// ---------------------------------------------------------------- ts_flush

void ts_flush(sqlite3_context* context, int, sqlite3_value** argv) {
  answer(context, [&] {
    Table& table = table_of(context, argv[0]);
    Session& session = table.session();
    table.require_writable("ts_flush");
    session.refuse_transaction("ts_flush");
    SpoolDb& db = session.view(table.spool()).db();
    struct Shown {
      ProgressLine& line;
      const std::int64_t begin_ms = Clock::system().steady_ms();
      ~Shown() { line.erase(); }
    } shown{session.progress()};
    auto watch = [&](std::int64_t files, std::int64_t stored, std::uint64_t bytes) {
      shown.line.show({shown.begin_ms, "sealing rows", files, stored, bytes});
    };
    std::int64_t files = table.spool()->flusher().flush(db, table.def()->name, table.declaration().flush_timeout_ms, CallerCancel(session),
                                                        watch);
    sqlite3_result_int64(context, files);
  });
}

// ---------------------------------------------------------------- ts_import

void ts_import(sqlite3_context* context, int argc, sqlite3_value** argv) {
  answer(context, [&] {
    if (argc < 2 || argc > 4) {
      throw Error(Code::kBadInput, "ts_import: give a table and a file: ts_import('cpu', 'cpu.csv' [, format [, from]])");
    }
    for (int i = 1; i < argc; i++) {
      if (sqlite3_value_type(argv[i]) == SQLITE_TEXT) continue;
      throw Error(Code::kBadInput, "ts_import: file, format and source are text: ts_import('cpu', 'cpu.db', 'sqlite', 'cpu_2026')");
    }
    Table& table = table_of(context, argv[0]);
    table.require_writable("ts_import");
    table.session().refuse_transaction("ts_import");
    auto text = [&](int i) { return i < argc ? text_of(argv[i]) : std::string(); };
    sqlite3_result_int64(context, import_file(table, text(1), text(2), text(3)));
  });
}

// ---------------------------------------------------------------- ts_publish and ts_snapshot

// Runs body(store, table, cancel) on a worker, after the archive's schema was compared.
template <class Body>
void on_archive(Table& table, const char* function, Body&& body) {
  table.require_writable(function);
  table.session().refuse_transaction(function);
  StatementSnapshot statement;
  const std::shared_ptr<Store> store = table.store();
  const TablePtr def = table.def();
  table.check_archive(statement, {});
  table.session().wait_for(statement.cancel, {[&] { body(*store, *def, &statement.cancel); }});
}

void ts_publish(sqlite3_context* context, int, sqlite3_value** argv) {
  answer(context, [&] {
    std::int64_t number = 0;
    on_archive(table_of(context, argv[0]), "ts_publish",
               [&](Store& store, const TableDef& def, const Cancel* cancel) { number = publish_index(store, def, cancel); });
    sqlite3_result_int64(context, number);
  });
}

void ts_snapshot(sqlite3_context* context, int, sqlite3_value** argv) {
  answer(context, [&] {
    std::string token;
    on_archive(table_of(context, argv[0]), "ts_snapshot",
               [&](Store& store, const TableDef& def, const Cancel* cancel) { token = publish_snapshot(store, def, cancel); });
    sqlite3_result_text(context, token.c_str(), static_cast<int>(token.size()), SQLITE_TRANSIENT);
  });
}

// ---------------------------------------------------------------- ts_add_column, ts_rename_column, ts_drop_column

// `step` makes the change out of the arguments after the table.
template <class Step>
void change_columns(sqlite3_context* context, const std::string& what, const char* example, int argc, sqlite3_value** argv, Step&& step) {
  answer(context, [&] {
    for (int i = 1; i < argc; i++) {
      if (sqlite3_value_type(argv[i]) != SQLITE_TEXT) throw Error(Code::kBadInput, what + ": give text, as in " + example);
    }
    Table& table = table_of(context, argv[0]);
    table.require_writable(what.c_str());
    table.session().refuse_transaction(what);
    sqlite3_result_int64(context, change_schema(table, what, step()));
  });
}

void ts_add_column(sqlite3_context* context, int argc, sqlite3_value** argv) {
  change_columns(context, "ts_add_column", "ts_add_column('cpu', 'note TEXT')", argc, argv,
                 [&] { return add_column_step(parse_column_declaration(text_of(argv[1]))); });
}

void ts_rename_column(sqlite3_context* context, int argc, sqlite3_value** argv) {
  change_columns(context, "ts_rename_column", "ts_rename_column('cpu', 'usage', 'load')", argc, argv,
                 [&] { return rename_column_step(text_of(argv[1]), text_of(argv[2])); });
}

void ts_drop_column(sqlite3_context* context, int argc, sqlite3_value** argv) {
  change_columns(context, "ts_drop_column", "ts_drop_column('cpu', 'note')", argc, argv,
                 [&] { return drop_column_step(text_of(argv[1])); });
}

// ---------------------------------------------------------------- ts_unpack

void ts_unpack(sqlite3_context* context, int, sqlite3_value** argv) {
  answer(context, [&] {
    for (int i = 0; i < 2; i++) {
      if (sqlite3_value_type(argv[i]) == SQLITE_TEXT) continue;
      throw Error(Code::kBadInput, "ts_unpack: give two paths: ts_unpack('shard.sqlite', 'rows.sqlite')");
    }
    Session& session = session_of(context);
    sqlite3_result_int64(context, unpack_shard(text_of(argv[0]), text_of(argv[1]), [&] { session.check(); }));
  });
}

// ---------------------------------------------------------------- version and debug

void timeseries_version(sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_text(context, kVersion, -1, SQLITE_STATIC); }

void timeseries_debug(sqlite3_context* context, int, sqlite3_value**) {
  answer(context, [&] {
    std::string text = std::string("timeseries ") + kVersion + "\nSQLite " + sqlite3_libversion() + " " + sqlite3_sourceid() +
                       "\nthread-safe " + std::to_string(sqlite3_threadsafe()) + "\n" +
                       reinterpret_cast<DebugText>(sqlite3_user_data(context))();
    sqlite3_result_text(context, text.c_str(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  });
}

}  // namespace

int register_functions(sqlite3* db, const SessionPtr& session, DebugText debug) {
  constexpr int kEffect = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  constexpr int kPure = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC;
  struct Function {
    const char* name;
    int arguments, flags;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  const Function functions[] = {
      {"ts_insert", -1, kEffect | SQLITE_SUBTYPE, ts_insert},
      {"ts_flush", 1, kEffect, ts_flush},
      {"ts_import", -1, kEffect, ts_import},
      {"ts_publish", 1, kEffect, ts_publish},
      {"ts_snapshot", 1, kEffect, ts_snapshot},
      {"ts_unpack", 2, kEffect, ts_unpack},
      {"ts_add_column", 2, kEffect, ts_add_column},
      {"ts_rename_column", 3, kEffect, ts_rename_column},
      {"ts_drop_column", 2, kEffect, ts_drop_column},
      {"timeseries_version", 0, kPure, timeseries_version},
  };
  for (const Function& f : functions) {
    int rc = sqlite3_create_function_v2(db, f.name, f.arguments, f.flags, new SessionPtr(session), f.call, nullptr, nullptr,
                                        [](void* p) { delete static_cast<SessionPtr*>(p); });
    if (rc != SQLITE_OK) return rc;
  }
  return sqlite3_create_function_v2(db, "timeseries_debug", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, reinterpret_cast<void*>(debug),
                                    timeseries_debug, nullptr, nullptr, nullptr);
}

}  // namespace ts
