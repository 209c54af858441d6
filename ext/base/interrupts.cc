// How an interrupt is seen, and the connections that a thread may be running a statement of.
#include "ext/base/interrupts.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "ext/base/sqlite.h"

namespace ts {

#if SQLITE_VERSION_NUMBER >= 3041000
using Routines341 = sqlite3_api_routines;
#elif SQLITE_VERSION_NUMBER >= 3040000
// What 3.41 appends to the table of functions, which only ever grows at its end; the headers of 3.40 do not name it.
struct Routines341 : sqlite3_api_routines {
  int (*is_interrupted)(sqlite3*);
};
#endif

std::optional<bool> is_interrupted(sqlite3* db) noexcept {
#if SQLITE_VERSION_NUMBER >= 3040000
  if (sqlite3_libversion_number() >= 3041000) return static_cast<const Routines341*>(sqlite3_api)->is_interrupted(db) != 0;
#endif
  (void)db;
  return std::nullopt;
}

namespace {

struct Registry {
  std::mutex mutex;
  std::vector<Interrupts*> all;  // guarded by mutex
};

Registry& registry() {
  static auto* made = new Registry;  // never freed: connections may be closed after exit handlers ran
  return *made;
}

bool runs_something(sqlite3* db) {
  for (sqlite3_stmt* s = sqlite3_next_stmt(db, nullptr); s; s = sqlite3_next_stmt(db, s)) {
    if (sqlite3_stmt_busy(s) && sqlite3_data_count(s) == 0) return true;  // one that holds a row is not in a call
  }
  return false;
}

}  // namespace

Interrupts::Interrupts(sqlite3* db) : db_(db) {
  std::lock_guard lock(registry().mutex);
  registry().all.push_back(this);
}

Interrupts::~Interrupts() {
  {
    std::lock_guard lock(registry().mutex);
    std::erase(registry().all, this);
  }
  finalize();
}

void Interrupts::finalize() noexcept { sqlite3_finalize(std::exchange(probe_, nullptr)); }

// Not prepared with sqlite3_prepare_v2: what has expired shall say so rather than be compiled again in the middle of a read.
int Interrupts::step_probe() noexcept {
  if (!probe_) return SQLITE_SCHEMA;
  sqlite3_step(probe_);
  return sqlite3_reset(probe_);
}

bool Interrupts::seen() {
  if (const auto told = is_interrupted(db_)) return *told;
  int rc = step_probe();
  if (rc == SQLITE_SCHEMA) {
    finalize();
    rc = sqlite3_prepare(db_, "SELECT 1", -1, &probe_, nullptr);  // this notices an interrupt too
    if (rc == SQLITE_OK) rc = step_probe();
  }
  return rc == SQLITE_INTERRUPT;
}

bool Interrupts::seen_by_this_thread(bool may_compile) noexcept {
  std::lock_guard lock(registry().mutex);
  for (Interrupts* each : registry().all) {
    sqlite3_mutex* mutex = sqlite3_db_mutex(each->db_);
    if (!mutex || sqlite3_mutex_try(mutex) != SQLITE_OK) continue;  // it is recursive: in a call of ours it is ours
    bool seen = false;
    if (runs_something(each->db_)) {
      const auto told = is_interrupted(each->db_);
      seen = told ? *told : may_compile ? each->seen() : each->step_probe() == SQLITE_INTERRUPT;
    }
    sqlite3_mutex_leave(mutex);
    if (seen) return true;
  }
  return false;
}

Interrupts::Running::Running(sqlite3* db) {
  if (is_interrupted(db)) return;
  if (sqlite3_prepare_v2(db, "VALUES(1),(2)", -1, &stmt_, nullptr) == SQLITE_OK) sqlite3_step(stmt_);
}

Interrupts::Running::~Running() { sqlite3_finalize(stmt_); }

}  // namespace ts
