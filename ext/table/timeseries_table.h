// The `timeseries` virtual table: one object per connection and CREATE VIRTUAL TABLE.
//
//   CREATE VIRTUAL TABLE cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, usage REAL, location='s3://bucket/prefix');
//
// xUpdate adds rows to the connection's Transaction; xFilter opens a cursor on the statement's snapshot (cursor.h);
// xBestIndex decides what the shards answer (plan.h, best_index.h).
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "ext/archive/auto_compactor.h"
#include "ext/table/session.h"

namespace ts {

class Table : public sqlite3_vtab {
 public:
  Table(std::shared_ptr<Session> session, std::string schema_name, std::string sql_name, Declaration declaration);
  ~Table();

  // Opens the spool and agrees with it about the schema. `creating`: CREATE, not a later connect.
  void connect(bool creating);
  void declare();  // sqlite3_declare_vtab

  Session& session() { return *session_; }
  const std::string& schema_name() const { return schema_name_; }
  const std::string& sql_name() const { return sql_name_; }
  const Declaration& declaration() const { return declaration_; }
  // Location and table: what a statement's listing and a session's knowledge of archives are kept under.
  std::string archive_key() const { return normalise_location(declaration_.store) + declaration_.store.snapshot + "\n" + archive_name_; }
  bool is_snapshot() const { return !declaration_.store.snapshot.empty(); }
  // Throws where the table is read-only: a snapshot, or read through a web server. `what` cannot be done.
  void require_writable(const char* what) const {
    if (read_only_) refuse_write(what);
  }
  const TablePtr& def();
  const std::shared_ptr<Spool>& spool();  // opened at first use, anew in a forked child
  const std::shared_ptr<Store>& store();
  std::shared_ptr<Store> store_without_cache() const;
  Writer& writer();  // the connection's, of this process

  // The schema of the archive agrees with ours, or there is none yet. Asked of the store once per spool and declaration, while
  // `meanwhile` runs on another worker; of two errors the schema's is thrown.
  void check_archive(StatementSnapshot& statement, std::vector<std::function<void()>> meanwhile);

  // What a newer schema of the archive has, as far as the spool has heard of it, as a sentence; "": nothing.
  std::string news_of_archive();

  // Adds a row to the open transaction: one value per column. Throws and leaves nothing of it.
  void add_row(sqlite3_value** values);
  // The same for rows that are encoded already, their times and NOT NULLs checked.
  void add_rows(const RowBuffer& rows);
  // Throws for a NULL where the declaration forbids one.
  void check_not_null(int column, bool is_null) const;
  // The value of a column that an insert leaves out, as the declaration's DEFAULT says.
  OwnedValue default_value(int column);

 private:
  [[noreturn]] void refuse_write(const char* what) const;
  StoreOptions store_options() const;
  void agree_on_schema();
  Schema newest_schema(SpoolDb& db, KnownArchive& archive);
  std::string agree_on_declaration(SpoolDb& db, const Schema& schema, KnownArchive& archive);
  void ask_archive(KnownArchive& archive, bool bounded);
  void remember_archive(SpoolDb& db);

  std::shared_ptr<Session> session_;
  std::string schema_name_, sql_name_, archive_name_;
  Declaration declaration_;
  bool read_only_ = false;
  TablePtr def_;
  std::shared_ptr<Spool> spool_;
  std::shared_ptr<Store> store_;
  std::shared_ptr<AutoCompactor> compactor_;  // where compact='auto'
  Writer* writer_ = nullptr;  // the session's, looked up once in each process
  std::uint64_t writer_generation_ = 0;
  std::int64_t remembered_ = 0;  // number of the archive's schema that the spool has
};

// Registers the modules `timeseries` and `timeseries_transaction`. The session lives as long as a registration does.
int register_timeseries_table(sqlite3* db, const std::shared_ptr<Session>& session);
// Its second module, which ts_insert uses (transaction_table.cc).
int register_transaction_table(sqlite3* db, const std::shared_ptr<Session>& session);

}  // namespace ts
