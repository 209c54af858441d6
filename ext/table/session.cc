// Session: writers, views, statements and their snapshots.
#include "ext/table/session.h"

#include <strings.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <set>
#include <utility>

#include "ext/archive/worker_pool.h"
#include "ext/base/clock.h"
#include "ext/table/timeseries_table.h"

namespace ts {

Session::~Session() {
  finalize_probe();
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

sqlite3_stmt* Session::find_statement(int plan_number) {
  compiling_ = nullptr;  // something runs, so whatever was compiled is compiled
  std::vector<sqlite3_stmt*> busy;
  for (sqlite3_stmt* s = sqlite3_next_stmt(db_, nullptr); s; s = sqlite3_next_stmt(db_, s)) {
    if (s != probe_ && sqlite3_stmt_busy(s)) busy.push_back(s);
  }
  if (busy.empty()) return nullptr;
  auto known = plans_.find(plan_number);
  if (known != plans_.end() && std::find(busy.begin(), busy.end(), known->second.stmt) != busy.end()) return known->second.stmt;
  // Compiled inside a trigger, or compiled again after a schema change: the address is another one.
  sqlite3_stmt* chosen = busy.front();
  for (sqlite3_stmt* s : busy) {
    if (!here().running.count(s)) chosen = s;
  }
  if (known != plans_.end()) known->second.stmt = chosen;
  return chosen;
}

std::shared_ptr<StatementSnapshot> Session::statement(int plan_number) {
  State& state = here();
  sqlite3_stmt* stmt = find_statement(plan_number);
  int run = stmt ? sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_RUN, 0) : 0;

  // Snapshots of statements that have ended let go of their read transactions here.
  std::set<sqlite3_stmt*> alive;
  for (sqlite3_stmt* s = sqlite3_next_stmt(db_, nullptr); s; s = sqlite3_next_stmt(db_, s)) {
    if (sqlite3_stmt_busy(s)) alive.insert(s);
  }
  for (auto it = state.running.begin(); it != state.running.end();) {
    bool ended = !alive.count(it->first) || sqlite3_stmt_status(it->first, SQLITE_STMTSTATUS_RUN, 0) != it->second->run;
    it = ended ? state.running.erase(it) : std::next(it);
  }

  auto& snapshot = state.running[stmt];
  if (!snapshot || plan_number > snapshot->newest_plan) {
    snapshot = std::make_shared<StatementSnapshot>();
    snapshot->stmt = stmt;
    snapshot->run = run;
    snapshot->newest_plan = number_;
    snapshot->stats.started_ms = Clock::system().steady_ms();
    auto known = plans_.find(plan_number);
    snapshot->several_ranges = known != plans_.end() && known->second.several;
    // Of the statement before, only the counters are kept.
    if (state.last && state.last.use_count() == 1) {
      state.last->catalogues.clear();
      state.last->local.clear();
    }
    state.last = snapshot;
  }
  return snapshot;
}

LocalSnapshot& Session::local(StatementSnapshot& statement, const std::shared_ptr<Spool>& spool) {
  auto& local = statement.local[spool.get()];
  if (!local) {
    auto found = here().writers.find(spool->directory());
    local = std::make_unique<LocalSnapshot>(view(spool), found == here().writers.end() ? nullptr : found->second.get());
  }
  return *local;
}

// ---------------------------------------------------------------- tables by name

void Session::remove_table(Table* table) {
  tables_.erase(std::remove(tables_.begin(), tables_.end(), table), tables_.end());
  if (planned_ == table) planned_ = nullptr;
  if (tables_.empty()) finalize_probe();
}

Table& Session::resolve(const std::string& name) {
  auto try_name = [&](const std::string& quoted) -> Table* {
    planned_ = nullptr;
    sqlite3_stmt* stmt = nullptr;
    sqlite3_prepare_v2(db_, ("SELECT 1 FROM " + quoted).c_str(), -1, &stmt, nullptr);
    bool found = stmt != nullptr;
    sqlite3_finalize(stmt);
    return found ? std::exchange(planned_, nullptr) : nullptr;
  };
  Table* table = try_name(quote_identifier(name));
  std::string plain = name;
  auto dot = name.find('.');
  if (!table && dot != std::string::npos) {
    plain = name.substr(dot + 1);
    table = try_name(quote_identifier(name.substr(0, dot)) + "." + quote_identifier(plain));
  }
  if (!table || ::strcasecmp(table->sql_name().c_str(), plain.c_str()) != 0) {
    throw Error(Code::kBadInput, "timeseries: '" + name + "' is not a timeseries table of this connection; create it with CREATE VIRTUAL TABLE " +
                                     quote_identifier(plain) + " USING timeseries(...)");
  }
  return *table;
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

void Session::check() {
#if SQLITE_VERSION_NUMBER >= 3041000
  if (sqlite3_libversion_number() >= 3041000) {
    if (sqlite3_is_interrupted(db_)) throw Error(Code::kInterrupted, "interrupted");
    return;
  }
#endif
  if (!probe_) sqlite3_prepare_v2(db_, "SELECT 1", -1, &probe_, nullptr);
  int rc = probe_ ? sqlite3_step(probe_) : SQLITE_NOMEM;
  sqlite3_reset(probe_);
  if (rc == SQLITE_INTERRUPT) throw Error(Code::kInterrupted, "interrupted");
}

void Session::finalize_probe() noexcept {
  sqlite3_finalize(probe_);
  probe_ = nullptr;
}

void Session::wait_for(StatementCancel& cancel, const std::function<void()>& task) {
  struct Wait {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::exception_ptr error;
  };
  auto wait = std::make_shared<Wait>();
  WorkerPool::shared().submit([wait, &task] {
    std::exception_ptr error;
    try {
      task();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard lock(wait->mutex);
    wait->error = error;
    wait->done = true;
    wait->changed.notify_all();
  });
  std::exception_ptr interrupted;
  std::unique_lock lock(wait->mutex);
  while (!wait->changed.wait_for(lock, std::chrono::milliseconds(40), [&] { return wait->done; })) {
    lock.unlock();
    try {
      if (!interrupted) check();
    } catch (...) {
      interrupted = std::current_exception();
      cancel.stopped = true;  // ends the request within one poll; the task still uses what lives here
    }
    lock.lock();
  }
  if (interrupted) std::rethrow_exception(interrupted);
  if (wait->error) std::rethrow_exception(wait->error);
}

}  // namespace ts
