// The `timeseries` virtual table: declaration, rows in, transactions, and the module of thin callbacks.
#include "ext/table/timeseries_table.h"

#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "ext/archive/archive_schema.h"
#include "ext/archive/flusher.h"
#include "ext/archive/shard_name.h"
#include "ext/base/clock.h"
#include "ext/table/best_index.h"
#include "ext/table/cursor.h"
#include "ext/table/time_value.h"

extern char** environ;

namespace ts {
namespace {

std::map<std::string, std::string> option_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry && *entry; entry++) {
    std::string_view text = *entry;
    auto equals = text.find('=');
    if (text.substr(0, 11) == "TIMESERIES_" && equals != std::string_view::npos) {
      variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
  }
  return variables;
}

OnClose on_close_of(FlushOnClose option) {
  switch (option) {
    case FlushOnClose::kAlways: return OnClose::kAlways;
    case FlushOnClose::kNever: return OnClose::kNever;
    default: return OnClose::kDue;
  }
}

// Names that a shard needs for itself.
void refuse_reserved_name(const std::string& name) {
  if (::strncasecmp(name.c_str(), "sqlite_", 7) != 0 && ::strcasecmp(name.c_str(), "timeseries_meta") != 0) return;
  throw Error(Code::kBadInput, "timeseries: a table may not be called " + name + " in the archive; choose another name with table='...'");
}

}  // namespace

Table::Table(std::shared_ptr<Session> session, std::string schema_name, std::string sql_name, Declaration declaration)
    : sqlite3_vtab{},
      session_(std::move(session)),
      schema_name_(std::move(schema_name)),
      sql_name_(std::move(sql_name)),
      archive_name_(declaration.table.empty() ? sql_name_ : declaration.table),
      declaration_(std::move(declaration)) {
  refuse_reserved_name(archive_name_);
  table_directory(archive_name_);  // refuses names that are none
  if (!declaration_.schema.empty()) def_ = make_table_def(archive_name_, declaration_.schema);
}

Table::~Table() { session_->remove_table(this); }

const TablePtr& Table::def() {
  if (!def_) agree_on_schema();
  return def_;
}

const std::shared_ptr<Spool>& Table::spool() {
  if (spool_ && !spool_->stale()) return spool_;
  if (spool_) {
    new std::shared_ptr<Spool>(std::move(spool_));  // the parent's: never touched
    new std::shared_ptr<Store>(std::move(store_));
    store_ = nullptr;
  }
  SpoolConfig config;
  config.location = normalise_location(declaration_.store);
  config.directory = declaration_.spool.empty() ? default_spool_directory(config.location) : declaration_.spool;
  if (config.directory[0] != '/') {
    throw Error(Code::kBadInput, "timeseries: spool='" + config.directory + "' is no absolute path; write spool='/path'");
  }
  config.store = store_options();
  config.store.snapshot.clear();  // who reads a snapshot stores what waits here as others do
  config.flush_size = declaration_.flush_size;
  // Rows leave before the limit refuses new ones.
  if (declaration_.spool_limit) config.flush_size = std::min(config.flush_size, std::max<std::uint64_t>(1, declaration_.spool_limit / 4));
  config.flush_interval_ms = declaration_.flush_interval_ms;
  config.flush_timeout_ms = declaration_.flush_timeout_ms;
  config.full_durability = declaration_.durability == Durability::kFull;
  config.on_close = on_close_of(declaration_.flush_on_close);
  spool_ = Spool::open(config);
  agree_on_schema();
  if (declaration_.retention_ms > 0) {
    spool_->retain(archive_name_, {declaration_.retention_ms, declaration_.compact_grace_ms});
    spool_->flusher().start();
  }
  if (declaration_.compact_auto && def_ && !read_only_) {
    CompactOptions options;
    options.target = declaration_.compact_target;
    options.grace_ms = declaration_.compact_grace_ms;
    compactor_ = AutoCompactor::of(spool_, store_without_cache(), def_, options, declaration_.compact_interval_ms);
  }
  return spool_;
}

const std::shared_ptr<Store>& Table::store() {
  spool();
  if (!store_) store_ = open_store(store_options());
  return store_;
}

std::shared_ptr<Store> Table::store_without_cache() const { return open_store(declaration_.store); }

StoreOptions Table::store_options() const {
  StoreOptions options = declaration_.store;
  options.cache_dir = declaration_.cache_dir;
  options.cache_size = declaration_.cache_size;
  return options;
}

namespace {

// Ends a question that need not be answered: what is known already will do.
class Deadline : public Cancel {
 public:
  Deadline(const Cancel& statement, bool bounded) : statement_(statement), end_ms_(bounded ? now_ms() + kAskMs : INT64_MAX) {}
  bool cancelled() const override { return statement_.cancelled() || passed(); }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override { statement_.charge(requests, bytes); }
  bool passed() const { return now_ms() > end_ms_; }

 private:
  static constexpr std::int64_t kAskMs = 3000;
  static std::int64_t now_ms() { return Clock::system().steady_ms(); }
  const Cancel& statement_;
  const std::int64_t end_ms_;
};

}  // namespace

// `bounded`: there is something to go on with, so that a store that is away is no error.
void Table::ask_archive(KnownArchive& archive, bool bounded) {
  QueryStats stats;
  StatementCancel cancel(&stats);
  const Deadline deadline(cancel, bounded);
  auto store = this->store();
  try {
    session_->wait_for(cancel, {[&] { archive.look(archive.newest(), *store, table_directory(archive_name_), &deadline); }});
  } catch (const Error& e) {
    const bool away = e.code() == Code::kUnavailable || e.code() == Code::kForbidden || e.code() == Code::kNotFound ||
                      (e.code() == Code::kInterrupted && !cancel.cancelled());
    if (!bounded || !away) throw;
  }
}

void Table::remember_archive(SpoolDb& db) {
  const ArchiveSchemaPtr newest = def_->archive->newest();
  if (!newest || newest->number <= remembered_) return;
  const auto row = db.archive_schema(archive_name_);
  if (!row || row->number < newest->number) {
    try {
      db.remember_archive(archive_name_, newest->number, schema_to_json(newest->schema));
    } catch (const Error& e) {
      if (e.code() != Code::kBusy) throw;
      return;  // a process stands still in a transaction of spool.db: the next statement writes it down
    }
  }
  remembered_ = newest->number;
  if (auto news = behind_archive(*def_, *newest)) sqlite3_log(SQLITE_NOTICE, "timeseries: %s", news->c_str());
}

void Table::agree_on_schema() {
  if (!spool_) {
    spool();
    return;
  }
  SpoolDb& db = session_->view(spool_).db();
  std::shared_ptr<KnownArchive> archive = spool_->known_archive(archive_name_);
  if (auto row = db.archive_schema(archive_name_)) {
    Schema schema = schema_from_json(row->schema_json, "spool.db of " + spool_->directory());
    archive->offer(std::make_shared<ArchiveSchema>(ArchiveSchema{row->number, std::move(schema)}));
  }
  const Schema schema = def_ ? def_->schema : newest_schema(db, *archive);
  const std::string declared = agree_on_declaration(db, schema, *archive);
  if (def_ && def_->declared == declared && def_->archive == archive) return;
  def_ = make_table_def(archive_name_, schema, declared, archive);
  remember_archive(db);
}

// Of a table that is connected without columns: the archive's newest, or what the spool remembers where the store is away.
Schema Table::newest_schema(SpoolDb& db, KnownArchive& archive) {
  const std::string remembered = db.schema_json(archive_name_);
  ask_archive(archive, archive.newest() || !remembered.empty());
  if (const ArchiveSchemaPtr newest = archive.newest()) {
    const bool first = remembered.empty();
    Schema schema = newest->schema.plain();
    if (first) db.remember_schema(archive_name_, schema_to_json(schema));
    if (first) db.set_archive_checked(archive_name_);
    return schema;
  }
  if (!remembered.empty()) return schema_from_json(remembered, "spool.db of " + spool_->directory());
  throw Error(Code::kBadInput, "timeseries: there is no table " + archive_name_ + " at " + store()->describe() +
                                   " yet; declare its columns, one of them TIMESTAMP, for example (ts TIMESTAMP, host TEXT TAG, "
                                   "value REAL)");
}

// The spool remembers how the table was first declared and what it knows of the archive: a contradiction is refused at once, also while
// the store is away. A declaration that differs in what may differ is one of its own. The archive is asked where only a schema that is
// newer than what is known here could help.
std::string Table::agree_on_declaration(SpoolDb& db, const Schema& schema, KnownArchive& archive) {
  const std::string json = schema_to_json(schema), where = "spool.db of " + spool_->directory();
  std::string known = db.schema_json(archive_name_);
  if (known.empty()) {
    db.remember_schema(archive_name_, json);
    known = db.schema_json(archive_name_);  // another process may have been faster
  }
  const Schema first = schema_from_json(known, where);
  const std::string id = declaration_id(schema);
  if (id == declaration_id(first)) return "";
  if (!db.schema_json(archive_name_, id).empty()) return id;
  auto reference = [&] {
    const ArchiveSchemaPtr newest = archive.newest();
    return newest ? newest->schema : first;
  };
  if (contradiction(schema, reference())) ask_archive(archive, true);
  if (auto difference = contradiction(schema, reference())) {
    throw Error(Code::kBadInput, "timeseries: the declaration of " + archive_name_ + " contradicts what the spool " + spool_->directory() +
                                     " remembers of it: " + *difference +
                                     contradiction_remedy(*make_table_def(archive_name_, schema), reference(),
                                                          "; declare it as before, or choose another table= or spool="));
  }
  db.remember_schema(archive_name_, json, id);
  return id;
}

void Table::connect(bool creating) {
  normalise_location(declaration_.store);
  read_only_ = is_read_only(declaration_.store);
  if (creating || !def_) spool();
  if (declaration_.precision_given && def_->schema.precision != declaration_.schema.precision) {
    throw Error(Code::kBadInput, "timeseries: precision='" + std::string(precision_text(declaration_.schema.precision)) +
                                     "' contradicts the archive's '" + std::string(precision_text(def_->schema.precision)) + "' of " +
                                     archive_name_ + "; leave the option out");
  }
  if (declaration_.partition_given && def_->schema.partition != declaration_.schema.partition) {
    throw Error(Code::kBadInput, "timeseries: partition='" + std::string(partition_text(declaration_.schema.partition)) +
                                     "' contradicts the archive's '" + std::string(partition_text(def_->schema.partition)) + "' of " +
                                     archive_name_ + "; leave the option out");
  }
}

void Table::declare() {
  std::string sql = "CREATE TABLE x(" + declared_columns_sql(def_->schema) + ")";
  int rc = sqlite3_declare_vtab(session_->db(), sql.c_str());
  if (rc != SQLITE_OK) throw_sqlite(session_->db(), rc, "timeseries: cannot declare " + sql_name_);
}

void Table::check_archive(StatementSnapshot& statement, std::vector<std::function<void()>> meanwhile) {
  SpoolDb& db = session_->view(spool()).db();
  auto table = def();
  remember_archive(db);
  if (db.archive_checked(archive_name_, table->declared)) return session_->wait_for(statement.cancel, meanwhile);
  auto store = this->store();
  ArchiveSchemaPtr archive;
  auto compare = [&] {
    archive = table->archive->look(table->archive->newest(), *store, table->directory, &statement.cancel);
    if (archive) check_archive_schema(*store, *table, archive->schema);
  };
  meanwhile.insert(meanwhile.begin(), compare);
  session_->wait_for(statement.cancel, meanwhile);
  if (!archive) return;
  db.set_archive_checked(archive_name_, table->declared);
  remember_archive(db);
}

std::string Table::news_of_archive() {
  agree_on_schema();  // reads what other processes have told the spool
  const ArchiveSchemaPtr newest = def()->archive->newest();
  return newest ? behind_archive(*def(), *newest).value_or("") : "";
}

void Table::refuse_write(const char* what) const {
  const std::string why = is_snapshot() ? "it is a snapshot of " : "it is read through the web server ";
  throw Error(Code::kReadOnly, "timeseries: " + sql_name_ + " is read-only, " + what + " is not possible: " + why +
                                   declaration_.store.location +
                                   "; use a table with location='s3://...' or 'file:///...' and no snapshot=");
}

// ---------------------------------------------------------------- rows in

Writer& Table::writer() {
  if (!writer_ || writer_generation_ != fork_generation()) {
    writer_ = &session_->writer(spool());
    writer_generation_ = fork_generation();
  }
  return *writer_;
}

void Table::check_not_null(int column, bool is_null) const {
  const Column& c = def_->schema.columns[static_cast<std::size_t>(column)];
  if (is_null && c.not_null) throw Error(Code::kConstraint, "NOT NULL constraint failed: " + sql_name_ + "." + c.name);
}

void Table::add_row(sqlite3_value** values) {
  require_writable("INSERT");
  Writer& writer = this->writer();  // first: only now the spool has agreed to the declaration
  const TableDef& table = *def();
  RowBuffer& rows = writer.buffer(def_);
  int columns = static_cast<int>(table.schema.columns.size()), time = table.schema.time_column;
  for (int c : table.not_null) check_not_null(c, sqlite3_value_type(values[c]) == SQLITE_NULL);
  rows.begin_row();
  try {
    rows.add_values(values, time);
    rows.add_integer(time_of_row(table, values[time]));
    rows.add_values(values + time + 1, columns - time - 1);
  } catch (...) {
    rows.drop_row();
    throw;
  }
  session_->transaction().join(writer, declaration_.spool_limit);
  writer.added();
}

void Table::add_rows(const RowBuffer& rows) {
  require_writable("INSERT");
  Writer& writer = this->writer();
  writer.buffer(def()).append(rows);
  session_->transaction().join(writer, declaration_.spool_limit);
  writer.added(rows.rows());
}

OwnedValue Table::default_value(int column) {
  const Column& c = def()->schema.columns[static_cast<std::size_t>(column)];
  if (c.default_sql.empty()) return {};
  // Evaluated by SQLite itself, on a connection that knows no table.
  Database scratch(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  Statement select = scratch.prepare("SELECT " + c.default_sql);
  select.step();
  return OwnedValue::of(sqlite3_column_value(select.get(), 0));
}

// ---------------------------------------------------------------- callbacks

namespace {

using SessionPtr = std::shared_ptr<Session>;

Table& table_of(sqlite3_vtab* base) { return *static_cast<Table*>(base); }
Cursor& cursor_of(sqlite3_vtab_cursor* base) { return *static_cast<Cursor*>(base); }

auto report_to(sqlite3_vtab* table) {
  return [table](const char* message) { set_message(&table->zErrMsg, message); };
}

int connect(sqlite3* db, void* aux, int argc, const char* const* argv, sqlite3_vtab** out, char** error, bool creating) {
  return guard(
      [&] {
        std::vector<std::string_view> arguments(argv + 3, argv + argc);
        auto table =
            std::make_unique<Table>(*static_cast<SessionPtr*>(aux), argv[1], argv[2], parse_declaration(arguments, option_environment()));
        table->connect(creating);
        table->declare();
        sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
        table->session().add_table(table.get());
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
  delete static_cast<Table*>(base);
  return SQLITE_OK;
}

int xDestroy(sqlite3_vtab* base) {
  Table& table = table_of(base);
  sqlite3_log(SQLITE_NOTICE, "timeseries: %s dropped; its rows stay in the archive, and what waits in the spool is still stored",
              table.sql_name().c_str());
  return xDisconnect(base);
}

int xBestIndex(sqlite3_vtab* base, sqlite3_index_info* info) {
  return guard(
      [&] {
        table_of(base).session().planned(&table_of(base));
        best_index(table_of(base), info);
      },
      report_to(base));
}

int xOpen(sqlite3_vtab* base, sqlite3_vtab_cursor** out) {
  return guard([&] { *out = new Cursor(table_of(base)); }, report_to(base));
}

int xClose(sqlite3_vtab_cursor* base) {
  delete static_cast<Cursor*>(base);
  return SQLITE_OK;
}

int xFilter(sqlite3_vtab_cursor* base, int number, const char* plan, int, sqlite3_value** arguments) {
  return guard([&] { cursor_of(base).filter(number, plan, arguments); }, report_to(base->pVtab));
}

int xNext(sqlite3_vtab_cursor* base) {
  return guard(
      [&] {
        try {
          cursor_of(base).next();
        } catch (const Error& e) {
          cursor_of(base).failed(e);
          throw;
        }
      },
      report_to(base->pVtab));
}

int xEof(sqlite3_vtab_cursor* base) { return cursor_of(base).eof(); }

int xColumn(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  return guard([&] { cursor_of(base).column(context, column); }, report_to(base->pVtab));
}

int xRowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  return guard([&] { *out = cursor_of(base).rowid(); }, report_to(base->pVtab));
}

int xUpdate(sqlite3_vtab* base, int argc, sqlite3_value** argv, sqlite3_int64* rowid) {
  return guard(
      [&] {
        Table& table = table_of(base);
        if (argc == 1) {
          throw Error(Code::kReadOnly, "timeseries: " + table.sql_name() +
                                           " is append-only; DELETE is not possible; ts_expire removes what is older than a time, by whole "
                                           "partitions");
        }
        if (sqlite3_value_type(argv[0]) != SQLITE_NULL) {
          throw Error(Code::kReadOnly, "timeseries: " + table.sql_name() + " is append-only; UPDATE is not possible");
        }
        if (sqlite3_value_type(argv[argc - 1]) != SQLITE_NULL) {
          throw Error(Code::kBadInput, "timeseries: _file of " + table.sql_name() + " tells where a row lies and cannot be inserted");
        }
        table.add_row(argv + 2);
        *rowid = 0;
      },
      report_to(base));
}

int xBegin(sqlite3_vtab* base) {
  return guard([&] { table_of(base).session().transaction().begin(); }, report_to(base));
}

int xSync(sqlite3_vtab* base) {
  return guard([&] { table_of(base).session().transaction().sync(); }, report_to(base));
}

int xCommit(sqlite3_vtab* base) {
  table_of(base).session().transaction().commit();
  return SQLITE_OK;
}

int xRollback(sqlite3_vtab* base) {
  table_of(base).session().transaction().rollback();
  return SQLITE_OK;
}

int xRename(sqlite3_vtab* base, const char*) {
  return guard(
      [&] {
        Table& table = table_of(base);
        if (!table.declaration().table.empty()) return;
        throw Error(Code::kBadInput, "timeseries: " + table.sql_name() +
                                         " is called so in the archive too, and renaming never moves data; drop it and create it under the "
                                         "new name with table='" +
                                         table.sql_name() + "'");
      },
      report_to(base));
}

int xSavepoint(sqlite3_vtab* base, int number) {
  return guard([&] { table_of(base).session().savepoint(number); }, report_to(base));
}

int xRelease(sqlite3_vtab* base, int number) {
  return guard([&] { table_of(base).session().transaction().release(number); }, report_to(base));
}

int xRollbackTo(sqlite3_vtab* base, int number) {
  return guard([&] { table_of(base).session().transaction().rollback_to(number); }, report_to(base));
}

const sqlite3_module kTimeseries = [] {
  sqlite3_module module = {};
  module.iVersion = 2;
  module.xCreate = xCreate;
  module.xConnect = xConnect;
  module.xBestIndex = xBestIndex;
  module.xDisconnect = xDisconnect;
  module.xDestroy = xDestroy;
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
  module.xRename = xRename;
  module.xSavepoint = xSavepoint;
  module.xRelease = xRelease;
  module.xRollbackTo = xRollbackTo;
  return module;
}();

}  // namespace

int register_timeseries_table(sqlite3* db, const SessionPtr& session) {
  auto drop = [](void* p) { delete static_cast<SessionPtr*>(p); };
  int rc = sqlite3_create_module_v2(db, "timeseries", &kTimeseries, new SessionPtr(session), drop);
  return rc == SQLITE_OK ? register_transaction_table(db, session) : rc;
}

}  // namespace ts
