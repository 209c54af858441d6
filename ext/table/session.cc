// Session: writers, views, statements and their snapshots.
#include "ext/table/session.h"

#include <strings.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>

#include "ext/base/worker_pool.h"
#include "ext/base/clock.h"
#include "ext/base/sql_tokens.h"
#include "ext/table/timeseries_table.h"

namespace ts {

Session::~Session() {
  finalize_probes();
  if (state_ && state_->generation != fork_generation()) {
    abandon(*state_);
    state_.release();
  }
}

// What a parent opened is leaked in the child: closing it would take the parent's locks or write its files.
void Session::abandon(State& state) noexcept {
  for (auto& [directory, writer] : state.writers) writer->abandon();
  for (auto& [directory, view] : state.views) view->abandon();
}

Session::State& Session::here() {
  if (state_ && state_->generation != fork_generation()) {
    abandon(*state_);
    state_.release();
  }
  if (!state_) state_ = std::make_unique<State>();
  return *state_;
}

Writer& Session::writer(const std::shared_ptr<Spool>& spool) {
  auto& writer = here().writers[spool->directory()];
  if (!writer) writer = std::make_unique<Writer>(spool);
  return *writer;
}

SpoolView& Session::view(const std::shared_ptr<Spool>& spool) {
  auto& view = here().views[spool->directory()];
  if (!view) view = std::make_unique<SpoolView>(spool);
  return *view;
}

// ---------------------------------------------------------------- statements

namespace {

// Whether a statement may read the table for many ranges, by its text: a subquery or join, or a view or trigger behind it.
// A wrong guess costs a request, never an answer.
bool may_scan_again(sqlite3_stmt* stmt, const std::string& table) {
  const char* sql = stmt ? sqlite3_sql(stmt) : nullptr;
  int selects = 0, tables = 0;
  for (; sql && *sql; sql++) {
    selects += ::strncasecmp(sql, "select", 6) == 0 || ::strncasecmp(sql, "join", 4) == 0;
    tables += ::strncasecmp(sql, table.c_str(), table.size()) == 0;
  }
  return selects > 1 || tables == 0;
}

}  // namespace

// While a statement is compiled it is the newest of the connection's statements, so its address tells the calls of
// xBestIndex for one sqlite3_prepare from those for another. Any execution in between ends the compilation.
int Session::plan_number(const std::string& plan) {
  constexpr std::size_t kRemembered = 4096;
  sqlite3_stmt* newest = sqlite3_next_stmt(db_, nullptr);
  if (newest != compiling_ || number_ == 0) {
    for (auto& [number, plans] : plans_) {
      if (plans.stmt == newest) plans.stmt = nullptr;  // that statement is gone, only its address is back
    }
    compiling_ = newest;
    plans_[++number_] = Plans{newest, plan, false};
    if (plans_.size() > kRemembered) plans_.erase(plans_.begin());
  }
  Plans& plans = plans_[number_];
  if (plans.first_plan != plan) plans.several = true;
  return number_;
}

// Those that are being stepped. A half-stepped one is busy too, but holds a row that the host may read.
std::vector<sqlite3_stmt*> Session::running_statements() {
  std::vector<sqlite3_stmt*> running;
  for (sqlite3_stmt* s = sqlite3_next_stmt(db_, nullptr); s; s = sqlite3_next_stmt(db_, s)) {
    if (sqlite3_stmt_busy(s) && sqlite3_data_count(s) == 0) running.push_back(s);
  }
  return running;
}

// Several run where a function of one statement runs another: then the plan tells, or else the younger is the inner one.
sqlite3_stmt* Session::running_statement(int plan_number) {
  compiling_ = nullptr;  // something runs, so whatever was compiled is compiled
  std::vector<sqlite3_stmt*> running = running_statements();
  auto known = plans_.find(plan_number);
  if (known != plans_.end() && std::find(running.begin(), running.end(), known->second.stmt) != running.end()) return known->second.stmt;
  return running.empty() ? nullptr : running.front();
}

// A statement whose cursor is open goes on. Between two programs of a trigger no cursor is, but sqlite3_step has not
// returned. (SQLITE_STMTSTATUS_RUN is of no use: it counts each run of a trigger's program too.)
bool Session::goes_on(const StatementSnapshot& statement) const {
  if (statement.cursors > 0) return true;
  for (sqlite3_stmt* s = sqlite3_next_stmt(db_, nullptr); s; s = sqlite3_next_stmt(db_, s)) {
    if (s == statement.stmt) return sqlite3_stmt_busy(s) && sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 0) == statement.steps;
  }
  return false;
}

std::shared_ptr<StatementSnapshot> Session::statement(int plan_number, const std::string& table) {
  State& state = here();
  sqlite3_stmt* stmt = running_statement(plan_number);
  for (auto it = state.running.begin(); it != state.running.end();) {
    if (goes_on(*it->second)) {
      ++it;
    } else {
      let_go(*it->second);
      it = state.running.erase(it);
    }
  }
  auto& snapshot = state.running[stmt];
  if (!snapshot || plan_number > snapshot->newest_plan) {
    snapshot = std::make_shared<StatementSnapshot>();
    snapshot->stmt = stmt;
    snapshot->steps = stmt ? sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0) : 0;
    snapshot->newest_plan = number_;
    snapshot->stats.started_ms = Clock::system().steady_ms();
    auto known = plans_.find(plan_number);
    // A program that was compiled under another address belongs to a trigger, or its statement was compiled again.
    snapshot->ends_with_cursors = known != plans_.end() && known->second.stmt == stmt;
    snapshot->several_ranges = (known != plans_.end() && known->second.several) || may_scan_again(stmt, table);
    state.remember_pace();
    state.last = snapshot;
  }
  return snapshot;
}

void Session::State::remember_pace() {
  constexpr std::int64_t kEnoughBytes = 1 << 20;  // of less the round trips tell more than the pace
  if (!last || last->stats.bytes_read < kEnoughBytes || last->stats.elapsed_ms < 1) return;
  best_bytes_per_s = std::max(best_bytes_per_s, static_cast<std::uint64_t>(last->stats.bytes_read * 1'000 / last->stats.elapsed_ms));
}

std::optional<std::uint64_t> Session::best_bytes_per_s() {
  here().remember_pace();
  return here().best_bytes_per_s > 0 ? std::optional(here().best_bytes_per_s) : std::nullopt;
}

std::shared_ptr<StatementSnapshot> Session::statement_so_far() {
  std::vector<sqlite3_stmt*> running = running_statements();
  if (running.size() != 1) return nullptr;
  auto found = here().running.find(running[0]);
  return found != here().running.end() && goes_on(*found->second) ? found->second : nullptr;
}

void Session::cursor_closed(StatementSnapshot& statement) noexcept {
  statement.cursors--;
  if (statement.cursors == 0) progress_.erase();
  if (statement.cursors > 0 || !statement.ends_with_cursors) return;
  if (!state_ || state_->generation != fork_generation()) return;  // a child's parent goes on with it
  let_go(statement);
  auto found = state_->running.find(statement.stmt);
  if (found != state_->running.end() && found->second.get() == &statement) state_->running.erase(found);
}

void StatementHold::join(std::shared_ptr<StatementSnapshot> statement) noexcept {
  if (statement == statement_) return;
  if (statement) statement->cursors++;
  statement.swap(statement_);
  if (statement) session_.cursor_closed(*statement);
}

// Of a statement that has ended only the counters are kept, for ts_last_query(): no read transaction, no listing.
void Session::let_go(StatementSnapshot& statement) noexcept {
  statement.catalogues.clear();
  statement.group_rowids.clear();
  statement.local.clear();
}

// Outside a transaction what is not committed yet was inserted by the statement itself, which never sees that.
LocalSnapshot& Session::local(StatementSnapshot& statement, const std::shared_ptr<Spool>& spool) {
  auto& local = statement.local[spool.get()];
  if (!local) {
    auto found = here().writers.find(spool->directory());
    Writer* writer = found == here().writers.end() || sqlite3_get_autocommit(db_) ? nullptr : found->second.get();
    local =
        std::make_unique<LocalSnapshot>(view(spool), writer, writer ? transaction().seen_by(statement.stmt, *writer) : Writer::Position());
  }
  return *local;
}

// ---------------------------------------------------------------- tables by name

void Session::add_table(Table* table) {
  tables_.push_back(table);
  resolved_ = nullptr;
}

void Session::remove_table(Table* table) {
  tables_.erase(std::remove(tables_.begin(), tables_.end(), table), tables_.end());
  if (planned_ == table) planned_ = nullptr;
  resolved_ = nullptr;
  if (tables_.empty()) finalize_probes();
}

void Session::facts_disconnected() noexcept {
  if (--facts_ == 0 && tables_.empty()) finalize_probes();
}

// A table of main or temp by its plain name goes on meaning the same until a timeseries table comes or goes or the TEMP
// schema changes: nothing else can stand before it. Other names are looked up each time.
Table& Session::resolve(std::string_view name) {
  if (resolved_ && resolved_name_ == name && !sqlite3_expired(resolved_until_)) return *resolved_;
  resolved_ = nullptr;
  resolved_name_ = name;
  Table& table = look_up(resolved_name_);
  bool plain = name.find('.') == std::string_view::npos && (table.schema_name() == "main" || table.schema_name() == "temp");
  if (!plain || !sqlite3_api->expired) return table;  // left out by hosts built without deprecated functions
  sqlite3_finalize(std::exchange(resolved_until_, nullptr));
  if (sqlite3_prepare_v2(db_, "SELECT 1", -1, &resolved_until_, nullptr) == SQLITE_OK) resolved_ = &table;
  return table;
}

// Compiles a statement over the table, whose xBestIndex then says which it is. What is compiled around it goes on as before.
Table* Session::planned_by(const std::string& quoted_name, bool& exists) {
  Table* planned = std::exchange(planned_, nullptr);
  sqlite3_stmt* compiling = compiling_;
  int number = number_;
  sqlite3_stmt* stmt = nullptr;
  sqlite3_prepare_v2(db_, ("SELECT 1 FROM " + quoted_name).c_str(), -1, &stmt, nullptr);
  exists = stmt != nullptr;
  sqlite3_finalize(stmt);
  compiling_ = compiling;
  number_ = number;
  std::swap(planned, planned_);
  return exists ? planned : nullptr;
}

Table* Session::find_table(const std::string& schema, const std::string& name, bool& exists) {
  exists = true;
  for (auto table = tables_.rbegin(); !schema.empty() && table != tables_.rend(); ++table) {
    if (same_word((*table)->schema_name(), schema) && same_word((*table)->sql_name(), name)) return *table;
  }
  const char* where = schema.empty() ? nullptr : schema.c_str();
  exists = sqlite3_table_column_metadata(db_, where, name.c_str(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr) == SQLITE_OK;
  if (!exists) return nullptr;
  bool compiled = false;
  Table* table = planned_by((schema.empty() ? "" : quote_identifier(schema) + ".") + quote_identifier(name), compiled);
  if (!compiled) throw Error(Code::kBadInput, sqlite3_errmsg(db_));  // what hinders it says itself why
  return table && same_word(table->sql_name(), name) ? table : nullptr;
}

Table& Session::look_up(const std::string& name) {
  auto try_name = [&](const std::string& quoted) {
    bool exists = false;
    return planned_by(quoted, exists);
  };
  Table* table = try_name(quote_identifier(name));
  std::string plain = name;
  auto dot = name.find('.');
  if (!table && dot != std::string::npos) {
    plain = name.substr(dot + 1);
    table = try_name(quote_identifier(name.substr(0, dot)) + "." + quote_identifier(plain));
  }
  if (!table || ::strcasecmp(table->sql_name().c_str(), plain.c_str()) != 0) {
    throw Error(Code::kBadInput, "timeseries: '" + name +
                                     "' is not a timeseries table of this connection; create it with CREATE VIRTUAL TABLE " +
                                     quote_identifier(plain) + " USING timeseries(...)");
  }
  return *table;
}

// What it does besides, switching writable_schema off, is undone.
void Session::connect_anew() {
  int writable = 0;
  sqlite3_db_config(db_, SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1, &writable);
  int rc = sqlite3_exec(db_, "PRAGMA writable_schema=RESET", nullptr, nullptr, nullptr);
  if (writable) sqlite3_db_config(db_, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, nullptr);
  if (rc != SQLITE_OK) throw_sqlite(db_, rc, "timeseries: cannot connect the tables again");
}

// SQLite makes a savepoint of its own around a statement that writes more than once. SAVEPOINT itself counts as reading.
void Session::savepoint(int number) {
  sqlite3_stmt* statement = running_statement(0);
  transaction().savepoint(number, statement && !sqlite3_stmt_readonly(statement) ? statement : nullptr);
}

void Session::join_transaction() {
  if (transaction().active()) return;
  const char* insert = "INSERT INTO temp.timeseries_transaction VALUES(1)";
  if (sqlite3_exec(db_, insert, nullptr, nullptr, nullptr) == SQLITE_OK) return;
  const char* create = "CREATE VIRTUAL TABLE temp.timeseries_transaction USING timeseries_transaction";
  int rc = sqlite3_exec(db_, create, nullptr, nullptr, nullptr);
  if (rc == SQLITE_OK) rc = sqlite3_exec(db_, insert, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) throw_sqlite(db_, rc, "ts_insert: cannot take part in the transaction");
}

// ---------------------------------------------------------------- waiting

namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);

}  // namespace

void Session::show_progress() {
  const auto& newest = here().last;
  if (!progress_.on() || !newest || newest->cursors == 0) return;
  const QueryStats& s = newest->stats;
  progress_.show({s.started_ms, "listing files", s.files_chosen, s.files_done, static_cast<std::uint64_t>(s.bytes_read)});
}

void Session::check() {
  show_progress();
  if (!interrupts_.seen()) return;
  // All that runs on this connection ends. Whoever closes a cursor waits for its requests: they end too.
  for (auto& [stmt, statement] : here().running) statement->cancel.stopped = true;
  throw Error(Code::kInterrupted, "interrupted");
}

void Session::refuse_transaction(const std::string& function) {
  if (sqlite3_get_autocommit(db_) && !transaction().active()) return;
  throw Error(Code::kBadInput, function + ": a transaction is open; commit first");
}

void Session::finalize_probes() noexcept {
  if (facts_ == 0) interrupts_.finalize();
  sqlite3_finalize(std::exchange(resolved_until_, nullptr));
  resolved_ = nullptr;
}

void Session::wait_for(StatementCancel& cancel, const std::vector<std::function<void()>>& tasks) {
  struct Wait {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t running = 0;
    std::vector<std::exception_ptr> errors;
  };
  auto wait = std::make_shared<Wait>();
  wait->running = tasks.size();
  wait->errors.resize(tasks.size());
  auto ended = [wait](std::size_t i, std::exception_ptr error) {
    std::lock_guard lock(wait->mutex);
    wait->errors[i] = std::move(error);
    wait->running--;
    wait->changed.notify_all();
  };
  for (std::size_t i = 0; i < tasks.size(); i++) {
    try {
      WorkerPool::shared().submit([ended, i, &task = tasks[i]] {
        std::exception_ptr error;
        try {
          task();
        } catch (...) {
          error = std::current_exception();
        }
        ended(i, std::move(error));
      });
    } catch (...) {
      ended(i, std::current_exception());  // no thread: those that run already are waited for
    }
  }
  std::exception_ptr interrupted;
  const Interrupts::Running running(db_);
  std::unique_lock lock(wait->mutex);
  while (!wait->changed.wait_for(lock, kPoll, [&] { return wait->running == 0; })) {
    lock.unlock();
    try {
      if (!interrupted) check();
    } catch (...) {
      interrupted = std::current_exception();
      cancel.stopped = true;  // ends the requests within one poll; the tasks still use what lives here
    }
    lock.lock();
  }
  std::vector<std::exception_ptr> errors = std::move(wait->errors);  // this thread alone lets go of them
  lock.unlock();
  if (interrupted) std::rethrow_exception(interrupted);
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace ts
