// Session: everything the extension keeps for one connection: its writers, its views of spools, its open transaction,
// and the snapshot of each running statement. Used under the connection's own serialisation, by one thread at a time.
//
// After a fork the child's Session forgets, without touching them, the handles that its parent opened.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ext/archive/catalogue.h"
#include "ext/archive/scan.h"
#include "ext/archive/shard_files.h"
#include "ext/archive/snapshot.h"
#include "ext/base/interrupts.h"
#include "ext/base/progress_line.h"
#include "ext/table/declaration.h"
#include "ext/table/transaction.h"

namespace ts {

class Table;

// One running statement: what it sees and what it costs.
struct StatementSnapshot {
  sqlite3_stmt* stmt = nullptr;
  int steps = 0;        // SQLite's count of VM steps, which grows when sqlite3_step returns
  int newest_plan = 0;  // what was compiled after it began belongs to another statement, also at the same address
  bool several_ranges = false;
  bool ends_with_cursors = false;  // not so when a trigger's program reads: its cursors are closed after each row
  QueryStats stats;
  StatementCancel cancel{&stats};
  std::map<Spool*, std::unique_ptr<LocalSnapshot>> local;
  std::map<std::string, std::shared_ptr<Catalogue>> catalogues;  // by location, table, spool and staleness
  // By rollup and group: what rowid the group has in every scan of the statement, once it was asked for.
  std::map<const void*, std::unordered_map<std::string, std::int64_t>> group_rowids;
  int cursors = 0;
  int scans = 0;        // begun so far
  bool afresh = false;  // listings of other statements are not used: one was outdated

  // What a scan threw. True: an object that was listed is not there any more, and no listing of before is used again.
  bool failed(const Error& error) noexcept {
    if (error.code() != Code::kChanged && error.code() != Code::kNotFound) return false;
    afresh = true;
    for (auto& [spool, snapshot] : local) spool->listings().drop();
    return true;
  }

  // Runs begin(), the start of a scan. An object that was listed and is not there any more, or is another one, ends the statement;
  // but before the first row of its first scan everything is listed once more, for whoever took the object away may be done.
  template <class Begin>
  void begin_scan(Begin&& begin) {
    bool first = ++scans == 1;
    try {
      begin();
    } catch (const Error& e) {
      if (!failed(e) || !first || scans > 1) throw;
      catalogues.clear();
      local.clear();
      begin();
    }
  }
};

class Session : public InterruptProbe {
 public:
  explicit Session(sqlite3* db) : db_(db) {}
  ~Session() override;

  sqlite3* db() const { return db_; }
  Transaction& transaction() { return here().transaction; }
  Writer& writer(const std::shared_ptr<Spool>& spool);
  SpoolView& view(const std::shared_ptr<Spool>& spool);
  ShardFiles& shard_files() { return *here().files; }

  // Plans of one sqlite3_prepare get one number, by which a cursor finds its running statement again.
  int plan_number(const std::string& plan);
  // `table`: its SQL name.
  std::shared_ptr<StatementSnapshot> statement(int plan_number, const std::string& table);
  // The snapshot that the running statement has already, for a cursor that is opened: SQLite opens the next cursor of a
  // subquery before it closes the last one, so the statement never seems to have ended in between. Null: none yet.
  std::shared_ptr<StatementSnapshot> statement_so_far();
  void cursor_closed(StatementSnapshot& statement) noexcept;
  // Archives of which a first page is not all: there a statement lists its ranges one by one.
  std::set<std::string>& large_archives() { return here().large_archives; }
  LocalSnapshot& local(StatementSnapshot& statement, const std::shared_ptr<Spool>& spool);
  // The best pace at which a statement of this connection read, or nothing: none read enough to tell.
  std::optional<std::uint64_t> best_bytes_per_s();
  const QueryStats* last_query() const { return state_ && state_->last ? &state_->last->stats : nullptr; }

  // Tables of this connection, for functions that name one.
  void add_table(Table* table);
  void remove_table(Table* table);
  // Tables of facts: SQLite disconnects the last of all tables before it looks for statements that hinder a close.
  void facts_connected() { facts_++; }
  void facts_disconnected() noexcept;
  void planned(Table* table) { planned_ = table; }
  // Resolves 'name' or 'schema.name' as SQLite does. Throws kBadInput. Quick when the name is the same again.
  Table& resolve(std::string_view name);
  // The table `name` of a schema, connected if it was not yet; may be called while SQLite compiles another statement.
  // nullptr: it is no timeseries table; `exists` says whether there is any table of that name. Empty schema: as SQLite resolves.
  Table* find_table(const std::string& schema, const std::string& name, bool& exists);

  // Lets SQLite forget the schema: each virtual table is connected again by the next statement that names it. Tables may go at once.
  void connect_anew();

  void savepoint(int number);
  // Makes sure that ts_insert inside BEGIN takes part in SQLite's transaction.
  void join_transaction();

  // Ctrl-C: throws kInterrupted, and calls off the requests of every statement of this connection.
  void check() override;
  bool interrupted() { return interrupts_.seen(); }
  // Throws when a transaction is open: what `function` does cannot be rolled back.
  void refuse_transaction(const std::string& function);
  // What a terminal shows of a long wait: the statement that began last is told of by check().
  ProgressLine& progress() { return progress_; }
  // Runs tasks on workers, side by side, and waits for all, interruptibly. Of several errors the first task's is thrown.
  void wait_for(StatementCancel& cancel, const std::vector<std::function<void()>>& tasks);
  void finalize_probes() noexcept;

 private:
  struct Plans {                   // of one sqlite3_prepare
    sqlite3_stmt* stmt = nullptr;  // being compiled; null when its address was seen again
    std::string first_plan;
    bool several = false;
  };
  struct State {
    std::uint64_t generation = fork_generation();
    std::map<std::string, std::unique_ptr<Writer>> writers;  // by spool directory
    std::map<std::string, std::unique_ptr<SpoolView>> views;
    Transaction transaction;
    std::unique_ptr<ShardFiles> files = std::make_unique<ShardFiles>();
    std::map<sqlite3_stmt*, std::shared_ptr<StatementSnapshot>> running;
    std::shared_ptr<StatementSnapshot> last;
    std::set<std::string> large_archives;
    std::uint64_t best_bytes_per_s = 0;
    void remember_pace();  // of the last statement
  };
  State& here();
  void abandon(State& state) noexcept;
  std::vector<sqlite3_stmt*> running_statements();
  sqlite3_stmt* running_statement(int plan_number);
  bool goes_on(const StatementSnapshot& statement) const;
  static void let_go(StatementSnapshot& statement) noexcept;
  Table& look_up(const std::string& name);
  void show_progress();
  Table* planned_by(const std::string& quoted_name, bool& exists);

  sqlite3* db_;
  std::unique_ptr<State> state_;
  std::map<int, Plans> plans_;
  sqlite3_stmt* compiling_ = nullptr;
  int number_ = 0;
  std::vector<Table*> tables_;
  Table* planned_ = nullptr;
  std::string resolved_name_;
  Table* resolved_ = nullptr;               // what resolved_name_ means while resolved_until_ is not expired
  sqlite3_stmt* resolved_until_ = nullptr;  // never stepped; SQLite expires it with every change of the TEMP schema
  Interrupts interrupts_{db_};
  ProgressLine progress_ = ProgressLine::on_stderr();
  int facts_ = 0;
};

// A cursor's part in a statement's snapshot, from the moment it is opened: the last one that is let go may end it.
class StatementHold {
 public:
  explicit StatementHold(Session& session) : session_(session) { join(session.statement_so_far()); }
  ~StatementHold() { join(nullptr); }
  StatementHold(const StatementHold&) = delete;
  StatementHold& operator=(const StatementHold&) = delete;

  void join(std::shared_ptr<StatementSnapshot> statement) noexcept;
  explicit operator bool() const noexcept { return statement_ != nullptr; }
  StatementSnapshot& operator*() const noexcept { return *statement_; }
  StatementSnapshot* operator->() const noexcept { return statement_.get(); }

 private:
  Session& session_;
  std::shared_ptr<StatementSnapshot> statement_;
};

// Ctrl-C while something waits on the statement's own thread.
class CallerCancel : public Cancel {
 public:
  explicit CallerCancel(Session& session) : session_(session) {}
  bool cancelled() const override { return session_.interrupted(); }

 private:
  Session& session_;
};

}  // namespace ts
