// SQLite for the benchmarks: connections, re-bound statements, and the two shapes of table that all workloads use.
//
// Failure throws std::runtime_error with SQLite's words and ends the workload: a benchmark has nobody to recover for.
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "bench/generator.h"

namespace ts_bench {

// Gives the extension the API of the SQLite that is linked here. Called once, before anything else.
void capture_sqlite_api();

class Database {
 public:
  explicit Database(const std::string& path);
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  sqlite3* get() const { return db_; }
  void register_extension();
  void exec(const std::string& sql);
  std::int64_t integer(const std::string& sql);  // of the first row
  std::string text(const std::string& sql);      // all rows, cells joined by '|': to compare answers
  // Write-ahead log that nobody checkpoints, as an open shard's.
  void use_wal(const char* synchronous);

 private:
  sqlite3* db_ = nullptr;
};

// One INSERT or SELECT ts_insert() that is bound again for each row.
class RowStatement {
 public:
  RowStatement(Database& db, const std::string& sql);
  ~RowStatement() { sqlite3_finalize(stmt_); }
  RowStatement(const RowStatement&) = delete;
  RowStatement& operator=(const RowStatement&) = delete;
  // Binds from parameter 1: narrow ts, host, value; wide ts, host, region and ten metrics. Runs and resets.
  void run(const Fleet& fleet, const Row& row);

 private:
  sqlite3_stmt* stmt_ = nullptr;
  bool wide_;
};

struct Shape {
  bool wide;
  const char* name() const { return wide ? "wide" : "narrow"; }
  int columns() const { return wide ? 3 + kMetrics : 3; }
  std::string declaration(bool timeseries) const;  // "ts TIMESTAMP, host TEXT TAG, ..." or its plain form
  std::string column_list() const;                 // "ts,host,value"
  std::string parameters() const;                  // "?,?,?"
};

}  // namespace ts_bench
