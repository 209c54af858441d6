// Tables of facts: ts_files(table), ts_status(table), ts_last_query(), ts_explain(table, from, to), and what ts_expire(table, before) did.
// Each scan makes its rows at once and walks them.
//
//   ts_files(table):  name, start, end, rows, bytes, state, etag        one row per shard; start and end in the table's unit
//   ts_status(table): buffered_rows, buffered_bytes, oldest_buffered, uploads, upload_errors, last_error, last_upload, spool_bytes
//   ts_last_query():  files_listed, files_pruned, files_read, requests, bytes_read, cache_hits, rows_read, rows_returned, elapsed_ms
#include <algorithm>

#include "ext/archive/flusher.h"
#include "ext/archive/shard_name.h"
#include "ext/table/expire.h"
#include "ext/table/explain.h"
#include "ext/table/functions.h"
#include "ext/table/sources.h"
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

using SessionPtr = std::shared_ptr<Session>;
// What an open shard holds of a table.
struct OpenFacts {
  std::int64_t rows = 0, start = 0, end = 0;
};

OpenFacts open_facts(Table& table, SpoolView& view, OpenShardReader& reader) {
  OpenFacts facts;
  for (const ScanSource& rows : open_rows(table, view, reader)) {
    const std::string time = rows.columns->time_sql();
    Statement count = reader.db().prepare("SELECT count(*), min(" + time + "), max(" + time + ") FROM " + rows.from + rows.where);
    if (!count.step() || count.int64(0) == 0) continue;
    facts.start = facts.rows ? std::min(facts.start, count.int64(1)) : count.int64(1);
    facts.end = facts.rows ? std::max(facts.end, count.int64(2)) : count.int64(2);
    facts.rows += count.int64(0);
  }
  return facts;
}

FactRows list_files(Session& session, Table& table, StatementSnapshot& statement) {
  const TablePtr& def = table.def();
  FactRows rows;
  LocalSnapshot local(session.view(table.spool()), nullptr);
  for (const auto& reader : local.open()) {
    OpenFacts facts = open_facts(table, local.view(), *reader);
    if (facts.rows == 0 || table.is_snapshot()) continue;
    std::string path = table.spool()->open_directory() + "/" + reader->file();
    rows.push_back({fact("open/" + reader->file()), fact(facts.start), fact(facts.end), fact(facts.rows),
                    fact(static_cast<std::int64_t>(file_size(path) + file_size(path + "-wal"))), fact(std::string("open")), no_fact()});
  }
  auto shard = [&](const std::string& key, std::int64_t bytes, const char* state, OwnedValue etag) {
    auto parsed = parse_shard_name(key.substr(key.rfind('/') + 1), def->schema.precision);
    if (!parsed) return;
    rows.push_back(
        {fact(key), fact(parsed->start), fact(parsed->end), fact(parsed->rows), fact(bytes), fact(std::string(state)), std::move(etag)});
  };
  Catalogue catalogue(table.store(), def, local, 0, table.is_snapshot());
  table.check_archive(statement, {[&] { catalogue.cover(INT64_MIN, INT64_MAX, &statement.cancel, statement.stats); }});
  for (const SealedRow& row : local.state().sealed) {
    if (row.table == def->name && !table.is_snapshot() && !catalogue.is_dead(row.key)) shard(row.key, row.bytes, "sealed", no_fact());
  }
  catalogue.find(INT64_MIN, INT64_MAX, [&](const ShardList& list, std::size_t i, std::int64_t) {
    const Declaration& declaration = table.declaration();
    if (declaration.slices > 0 && list.part(i, declaration.slices) != declaration.slice) return;
    const ShardRef ref = list.ref(i);
    shard(ref.key, static_cast<std::int64_t>(ref.size), "stored", fact(ref.etag));
  });
  return rows;
}

FactRows files(Session& session, const FactArguments& arguments) {
  Table& table = session.resolve(arguments.table);
  FactRows rows;
  StatementSnapshot statement;
  statement.begin_scan([&] { rows = list_files(session, table, statement); });
  return rows;
}

FactRows status(Session& session, const FactArguments& arguments) {
  Table& table = session.resolve(arguments.table);
  const TablePtr& def = table.def();
  SpoolView& view = session.view(table.spool());
  LocalSnapshot local(view, nullptr);
  std::int64_t rows = 0, bytes = 0, oldest = INT64_MAX;
  for (const auto& reader : local.open()) {
    std::int64_t here = open_facts(table, local.view(), *reader).rows;
    if (here == 0) continue;
    rows += here;
    bytes += static_cast<std::int64_t>(file_size(table.spool()->open_directory() + "/" + reader->file() + "-wal"));
    oldest = std::min(oldest, reader->mark().first_commit_ms().load());
  }
  for (const SealedRow& row : local.state().sealed) {
    if (row.table != def->name) continue;
    rows += row.rows;
    bytes += row.bytes;
    oldest = std::min(oldest, ulid_time_ms(row.file));
  }
  TableStatus s = view.db().status(def->name);
  std::string error = s.last_error.empty() ? table.spool()->flusher().last_error() : s.last_error;
  if (error.empty()) error = table.news_of_archive();
  return {{fact(rows), fact(bytes), oldest == INT64_MAX ? no_fact() : fact(oldest), fact(s.uploads), fact(s.upload_errors),
           error.empty() ? no_fact() : fact(error), s.last_upload_ms ? fact(s.last_upload_ms) : no_fact(),
           fact(static_cast<std::int64_t>(table.spool()->bytes()))}};
}

FactRows last_query(Session& session, const FactArguments&) {
  const QueryStats* s = session.last_query();
  if (!s) return {};
  FactRow row;
  for (const std::atomic<std::int64_t>* count : {&s->files_listed, &s->files_pruned, &s->files_read, &s->requests, &s->bytes_read,
                                                 &s->cache_hits, &s->rows_read, &s->rows_returned}) {
    row.push_back(fact(count->load()));
  }
  row.push_back(fact(s->elapsed_ms));
  return {row};
}

struct Facts {
  const char* name;
  const char* columns;
  int count;  // of columns; the hidden arguments follow
  int arguments;  // of the hidden columns table_name and two others: the first must be given, others may be
  FactRows (*make)(Session&, const FactArguments&);
  const char* second = "from_ts";
  const char* third = "to_ts";
};

const Facts kFacts[] = {
    {"ts_files", "name TEXT, start INTEGER, \"end\" INTEGER, rows INTEGER, bytes INTEGER, state TEXT, etag TEXT", 7, 1, files},
    {"ts_status",
     "buffered_rows INTEGER, buffered_bytes INTEGER, oldest_buffered INTEGER, uploads INTEGER, upload_errors INTEGER, last_error TEXT, "
     "last_upload INTEGER, spool_bytes INTEGER",
     8, 1, status},
    {"ts_last_query",
     "files_listed INTEGER, files_pruned INTEGER, files_read INTEGER, requests INTEGER, bytes_read INTEGER, cache_hits INTEGER, "
     "rows_read INTEGER, rows_returned INTEGER, elapsed_ms INTEGER",
     9, 0, last_query},
    {"ts_explain",
     "files INTEGER, rows INTEGER, lists INTEGER, gets INTEGER, requests INTEGER, bytes INTEGER, seconds REAL, dollars REAL, "
     "round_trip_ms INTEGER, bytes_per_s INTEGER, measured TEXT",
     11, 3, explain},
    {"ts_expire", "partition TEXT, files INTEGER, rows INTEGER, bytes INTEGER, removed INTEGER", 5, 3, expire, "before", "dry_run"},
};

struct Registration {
  SessionPtr session;
  const Facts* facts;
};

struct FactsTable : sqlite3_vtab {
  Registration registration;
};

struct FactsCursor : sqlite3_vtab_cursor {
  FactRows rows;
  std::size_t at = 0;
  std::string argument;
};

int xConnect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** out, char** error) {
  return guard(
      [&] {
        auto table = std::make_unique<FactsTable>();
        static_cast<sqlite3_vtab&>(*table) = {};
        table->registration = *static_cast<Registration*>(aux);
        const Facts& facts = *table->registration.facts;
        const std::string arguments[] = {"table_name TEXT", facts.second, facts.third};
        std::string sql = std::string("CREATE TABLE x(") + facts.columns;
        for (int i = 0; i < facts.arguments; i++) sql += ", " + arguments[i] + " HIDDEN";
        sql += ")";
        int rc = sqlite3_declare_vtab(db, sql.c_str());
        if (rc != SQLITE_OK) throw_sqlite(db, rc, facts.name);
        sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
        table->registration.session->facts_connected();
        *out = table.release();
      },
      [error](const char* message) { set_message(error, message); });
}

int xDisconnect(sqlite3_vtab* base) {
  const std::unique_ptr<FactsTable> table(static_cast<FactsTable*>(base));
  table->registration.session->facts_disconnected();
  return SQLITE_OK;
}

// The table must be named: ts_files('cpu'). idxNum has a bit for each argument that is given, in their order.
int xBestIndex(sqlite3_vtab* base, sqlite3_index_info* info) {
  const Facts& facts = *static_cast<FactsTable*>(base)->registration.facts;
  info->estimatedCost = 10;
  info->estimatedRows = 10;
  int given = 0;
  for (int argument = 0; argument < facts.arguments; argument++) {
    for (int i = 0; i < info->nConstraint; i++) {
      const auto& c = info->aConstraint[i];
      if (c.iColumn != facts.count + argument || c.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      if (!c.usable) return SQLITE_CONSTRAINT;
      info->aConstraintUsage[i].argvIndex = ++given;
      info->aConstraintUsage[i].omit = 1;
      info->idxNum |= 1 << argument;
      break;
    }
  }
  if (facts.arguments == 0 || info->idxNum & 1) return SQLITE_OK;
  set_message(&base->zErrMsg, (std::string(facts.name) + ": name the table: " + facts.name + "('cpu')").c_str());
  return SQLITE_ERROR;
}

int xOpen(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  auto* cursor = new (std::nothrow) FactsCursor();
  *out = cursor;
  return cursor ? SQLITE_OK : SQLITE_NOMEM;
}

int xClose(sqlite3_vtab_cursor* cursor) {
  delete static_cast<FactsCursor*>(cursor);
  return SQLITE_OK;
}

int xFilter(sqlite3_vtab_cursor* base, int given, const char*, int, sqlite3_value** argv) {
  auto* cursor = static_cast<FactsCursor*>(base);
  const Registration& registration = static_cast<FactsTable*>(base->pVtab)->registration;
  return guard(
      [&] {
        cursor->at = 0;
        FactArguments arguments;
        const void* name = given & 1 ? sqlite3_value_text(*argv++) : nullptr;
        arguments.table = cursor->argument = name ? static_cast<const char*>(name) : "";
        if (given & 2) arguments.from = *argv++;
        if (given & 4) arguments.to = *argv++;
        cursor->rows = registration.facts->make(*registration.session, arguments);
      },
      [base](const char* message) { set_message(&base->pVtab->zErrMsg, message); });
}

int xNext(sqlite3_vtab_cursor* base) {
  static_cast<FactsCursor*>(base)->at++;
  return SQLITE_OK;
}

int xEof(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<FactsCursor*>(base);
  return cursor->at >= cursor->rows.size();
}

int xColumn(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  auto* cursor = static_cast<FactsCursor*>(base);
  const FactRow& row = cursor->rows[cursor->at];
  if (column > static_cast<int>(row.size())) return SQLITE_OK;  // a bound that was given
  if (column == static_cast<int>(row.size())) {
    sqlite3_result_text(context, cursor->argument.c_str(), static_cast<int>(cursor->argument.size()), SQLITE_TRANSIENT);
    return SQLITE_OK;
  }
  const OwnedValue& value = row[static_cast<std::size_t>(column)];
  RowBuffer::result(context, value.cell());
  return SQLITE_OK;
}

int xRowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  *out = static_cast<sqlite3_int64>(static_cast<FactsCursor*>(base)->at);
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

int register_facts(sqlite3* db, const SessionPtr& session) {
  for (const Facts& facts : kFacts) {
    int rc = sqlite3_create_module_v2(db, facts.name, &kModule, new Registration{session, &facts},
                                      [](void* p) { delete static_cast<Registration*>(p); });
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

}  // namespace ts
