// The `timeseries_rollup` virtual table: its base table, its plan, and the module of thin callbacks.
#include "ext/table/rollup_table.h"

#include <algorithm>

#include "ext/base/sql_tokens.h"
#include "ext/table/best_index.h"
#include "ext/table/rollup_cursor.h"

namespace ts {
namespace {

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, "timeseries_rollup: " + message); }

}  // namespace

RollupTable::RollupTable(std::shared_ptr<Session> session, std::string schema_name, std::string sql_name, RollupDeclaration declaration)
    : sqlite3_vtab{},
      session_(std::move(session)),
      schema_name_(std::move(schema_name)),
      sql_name_(std::move(sql_name)),
      declaration_(std::move(declaration)) {}

std::string RollupTable::base_name() const {
  return declaration_.schema.empty() ? declaration_.table : declaration_.schema + "." + declaration_.table;
}

std::vector<std::string> RollupTable::plan_names() const {
  std::vector<std::string> names;
  for (const Column& column : shape_.schema.columns) names.push_back(column.name);
  return names;
}

// nullptr: none, and `fault` says why not.
Table* RollupTable::find_base(std::string& fault) {
  const bool temporary = same_word(schema_name_, "temp");
  bool exists = false;
  auto find = [&](const std::string& schema, const std::string& name) -> Table* {
    if (same_word(name, sql_name_) && same_word(schema, schema_name_)) {  // asked for, it would ask for itself
      exists = true;
      return nullptr;
    }
    return session_->find_table(schema, name, exists);
  };
  struct Name {
    std::string schema, table;
  };
  std::vector<Name> meanings = {{declaration_.schema, declaration_.table}};
  auto dot = declaration_.table.find('.');
  if (declaration_.schema.empty() && dot != std::string::npos) {
    meanings.push_back({declaration_.table.substr(0, dot), declaration_.table.substr(dot + 1)});
  }
  for (const Name& name : meanings) {
    Table* table = nullptr;
    if (!name.schema.empty() || !temporary) {
      table = find(name.schema.empty() ? schema_name_ : name.schema, name.table);
    } else {
      for (const char* schema : {"temp", "main", ""}) {
        if (!table && !exists) table = find(schema, name.table);
      }
    }
    if (!exists && !temporary && name.schema.empty()) table = find("temp", name.table);
    if (table && !temporary && !same_word(table->schema_name(), schema_name_)) {
      fault = schema_name_ + "." + sql_name_ + " cannot be computed from " + table->schema_name() + "." + table->sql_name() +
              ", which is not there whenever " + schema_name_ + " is; write CREATE VIRTUAL TABLE temp." + quote_identifier(sql_name_) +
              " USING timeseries_rollup(...)";
      return nullptr;
    }
    if (table) return table;
    if (exists) {
      fault = base_name() + " is no timeseries table; name one that was created USING timeseries(...)";
      return nullptr;
    }
  }
  fault = "there is no table " + base_name() + " to compute " + sql_name_ + " from; create it with CREATE VIRTUAL TABLE " +
          quote_identifier(meanings.back().table) + " USING timeseries(...)";
  return nullptr;
}

void RollupTable::connect(bool creating) {
  std::string fault;
  Table* base = find_base(fault);
  if (!base && creating) bad(fault);
  auto settle = [&](const RollupShape& shape) {
    shape_ = shape;
    def_.name = sql_name_;
    def_.schema = shape_.schema;
  };
  try {
    if (base) {
      settle(shape_rollup(declaration_, base->def()->schema, base_name(), sql_name_));
      known_base_ = base->def();
      return;
    }
  } catch (const Error& e) {
    if (creating || e.code() != Code::kBadInput) throw;
  }
  RollupDeclaration plain;
  plain.width = "1 s";
  settle(shape_rollup(plain, Schema(), base_name(), sql_name_));
}

void RollupTable::declare() {
  int limit = sqlite3_limit(session_->db(), SQLITE_LIMIT_COLUMN, -1);
  std::size_t columns = shape_.schema.columns.size();
  if (columns > static_cast<std::size_t>(limit)) {
    bad(base_name() + " has so many numeric columns that " + sql_name_ + " would have " + std::to_string(columns) +
        ", and SQLite takes no more than " + std::to_string(limit) + "; write a GROUP BY over " + base_name());
  }
  int rc = sqlite3_declare_vtab(session_->db(), ("CREATE TABLE x(" + shard_columns_sql(shape_.schema) + ")").c_str());
  if (rc != SQLITE_OK) throw_sqlite(session_->db(), rc, "timeseries_rollup: cannot declare " + sql_name_);
}

Table& RollupTable::base() {
  std::string fault;
  Table* base = find_base(fault);
  if (!base) bad(fault);
  if (base->def() == known_base_) return *base;
  bool same = false;
  try {
    RollupShape shape = shape_rollup(declaration_, base->def()->schema, base_name(), sql_name_);
    same = shape.same_columns(shape_);
    if (same) shape_ = std::move(shape);  // their places in the base table may be others
  } catch (const Error& e) {
    if (e.code() != Code::kBadInput) throw;
  }
  if (!same) {
    bad(base_name() + " has other columns than when " + sql_name_ + " was opened; open the database again, or drop " + sql_name_ +
        " and create it again");
  }
  known_base_ = base->def();
  return *base;
}

// ---------------------------------------------------------------- callbacks

namespace {

using SessionPtr = std::shared_ptr<Session>;

RollupTable& table_of(sqlite3_vtab* base) { return *static_cast<RollupTable*>(base); }
RollupCursor& cursor_of(sqlite3_vtab_cursor* base) { return *static_cast<RollupCursor*>(base); }

auto report_to(sqlite3_vtab* table) {
  return [table](const char* message) { set_message(&table->zErrMsg, message); };
}

// ts, or ts and then tags in their order: so groups come anyhow. Only the collation BINARY is theirs.
int order_of(const RollupShape& shape, const sqlite3_index_info* info) {
  if (info->nOrderBy == 0 || info->aOrderBy[0].iColumn != 0) return 0;
  for (int i = 1; i < info->nOrderBy && i <= shape.tags; i++) {
    const Column& tag = shape.schema.columns[static_cast<std::size_t>(i)];
    bool binary = tag.collate.empty() || same_word(tag.collate, "BINARY");
    if (info->aOrderBy[i].iColumn != i || info->aOrderBy[i].desc || !binary) return 0;
  }
  return info->aOrderBy[0].desc ? -1 : 1;
}

void plan_rollup(RollupTable& table, sqlite3_index_info* info) {
  table.base();
  const RollupShape& shape = table.shape();
  int columns = static_cast<int>(shape.schema.columns.size());
  Plan plan;
  take_conditions(shape.schema, 1 + shape.tags, true, info, plan);
  plan.order = order_of(shape, info);
  info->orderByConsumed = plan.order != 0;
  for (int c = 1; c < columns; c++) {
    if (info->colUsed & (1ull << std::min(c, 63))) plan.columns.push_back(c);
  }
  // The rows of the base table are read all the same, but only groups come out.
  estimate_cost(plan, shape.schema, info);
  constexpr sqlite3_int64 kRowsOfGroup = 1000;
  info->estimatedCost /= 4;
  info->estimatedRows = info->estimatedRows / kRowsOfGroup + 1;
  hand_over(table.session(), plan, table.plan_names(), info);
}

int connect(sqlite3*, void* aux, int argc, const char* const* argv, sqlite3_vtab** out, char** error, bool creating) {
  return guard(
      [&] {
        std::vector<std::string_view> arguments(argv + 3, argv + argc);
        auto table = std::make_unique<RollupTable>(*static_cast<SessionPtr*>(aux), argv[1], argv[2], parse_rollup(arguments));
        table->connect(creating);
        table->declare();
        *out = table.release();
      },
      [&](const char* message) { set_message(error, message); });
}

int xCreate(sqlite3* db, void* aux, int argc, const char* const* argv, sqlite3_vtab** out, char** error) {
  return connect(db, aux, argc, argv, out, error, true);
}

int xConnect(sqlite3* db, void* aux, int argc, const char* const* argv, sqlite3_vtab** out, char** error) {
  return connect(db, aux, argc, argv, out, error, false);
}

int xDisconnect(sqlite3_vtab* base) {
  delete static_cast<RollupTable*>(base);
  return SQLITE_OK;
}

int xBestIndex(sqlite3_vtab* base, sqlite3_index_info* info) {
  return guard([&] { plan_rollup(table_of(base), info); }, report_to(base));
}

int xOpen(sqlite3_vtab* base, sqlite3_vtab_cursor** out) {
  return guard([&] { *out = new RollupCursor(table_of(base)); }, report_to(base));
}

int xClose(sqlite3_vtab_cursor* base) {
  delete static_cast<RollupCursor*>(base);
  return SQLITE_OK;
}

int xFilter(sqlite3_vtab_cursor* base, int number, const char* plan, int, sqlite3_value** arguments) {
  return guard([&] { cursor_of(base).filter(number, plan, arguments); }, report_to(base->pVtab));
}

int xNext(sqlite3_vtab_cursor* base) {
  cursor_of(base).next();
  return SQLITE_OK;
}

int xEof(sqlite3_vtab_cursor* base) { return cursor_of(base).eof(); }

int xColumn(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  return guard([&] { cursor_of(base).column(context, column); }, report_to(base->pVtab));
}

int xRowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  return guard([&] { *out = cursor_of(base).rowid(); }, report_to(base->pVtab));
}

int xUpdate(sqlite3_vtab* base, int, sqlite3_value**, sqlite3_int64*) {
  return guard(
      [&] {
        RollupTable& table = table_of(base);
        throw Error(Code::kReadOnly, "timeseries_rollup: " + table.sql_name() + " is computed from " + table.base_name() +
                                         " and cannot be written; insert into " + table.base_name());
      },
      report_to(base));
}

const sqlite3_module kRollup = [] {
  sqlite3_module module = {};
  module.xCreate = xCreate;
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
  return module;
}();

}  // namespace

int register_rollup_table(sqlite3* db, const SessionPtr& session) {
  return sqlite3_create_module_v2(db, "timeseries_rollup", &kRollup, new SessionPtr(session),
                                  [](void* p) { delete static_cast<SessionPtr*>(p); });
}

}  // namespace ts
