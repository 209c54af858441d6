// Interrupts: Ctrl-C (sqlite3_interrupt) as a wait sees it: of one connection, or, where no connection is told, of this thread's.
//
// From SQLite 3.41 on a function tells. An older one shows it to a statement that is stepped while another one runs; that statement is
// prepared here, and finalized by finalize(), without which the connection could not be closed.
#pragma once
#include <optional>

struct sqlite3;
struct sqlite3_stmt;

namespace ts {

// Whether what runs on `db` was interrupted; nothing where this SQLite cannot tell (before 3.41).
std::optional<bool> is_interrupted(sqlite3* db) noexcept;

class Interrupts {
 public:
  // `db` has the extension loaded, and outlives this.
  explicit Interrupts(sqlite3* db);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Whether what runs on the connection was interrupted. Called by the thread that runs it.
  bool seen();
  void finalize() noexcept;

  // Whether a connection with the extension of which this thread runs a statement was interrupted: for an sqlite3_vfs, which is told
  // neither connection nor statement. A connection that another thread uses is left alone, and one without a mutex is not looked at.
  // `may_compile`: SQLite is not in the middle of reading a page, so that a probe that has expired (as DETACH makes it) is renewed.
  static bool seen_by_this_thread(bool may_compile) noexcept;

  // Something runs on `db` as long as this lives: an older SQLite forgets an interrupt when nothing does, as while a statement is
  // compiled that connects a table.
  class Running {
   public:
    explicit Running(sqlite3* db);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    sqlite3_stmt* stmt_ = nullptr;
  };

 private:
  int step_probe() noexcept;

  sqlite3* const db_;
  sqlite3_stmt* probe_ = nullptr;
};

}  // namespace ts
