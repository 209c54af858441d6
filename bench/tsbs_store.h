// The tsbs data stored twice: by ours in a file:// archive, and as plain rows clustered by (host, ts) in an ordinary SQLite file.
//
// The integers of all hosts are made once in a run and shared by the workloads; --hours says how much of the day there is.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/tsbs_data.h"
#include "bench/workload.h"

namespace ts_bench {

// "ts TIMESTAMP, host TEXT TAG, usage_user INTEGER, ..." or its plain form.
std::string tsbs_columns(bool timeseries, bool real);

// An INSERT into `cpu` that is bound again for each row. Transactions are the caller's.
class TsbsInsert {
 public:
  TsbsInsert(Database& db, const TsbsData& data);
  ~TsbsInsert() { sqlite3_finalize(stmt_); }
  TsbsInsert(const TsbsInsert&) = delete;
  TsbsInsert& operator=(const TsbsInsert&) = delete;
  void row(int tick, int host);
  void tick(int tick);  // a row of each host

 private:
  const TsbsData& data_;
  std::vector<std::string> hosts_;
  sqlite3_stmt* stmt_ = nullptr;
};

// A table `cpu` of plain rows in a file of SQLite's default settings, WITHOUT ROWID and PRIMARY KEY(host, ts).
struct PlainRows {
  PlainRows(const std::string& where, const std::string& columns) : path(where), db(where) {
    db.exec("CREATE TABLE cpu(" + columns + ", PRIMARY KEY(host, ts)) WITHOUT ROWID");
  }
  std::string path;
  Database db;
};

// Options of a table whose rows are stored when ts_flush asks for it and not before.
std::string stored_when_asked(const std::string& partition);

// In time order, a transaction for each hour. Hourly files are stored after each hour, the daily one after the last.
std::shared_ptr<Timeseries> store_tsbs(Bench& bench, const TsbsData& data, const std::string& directory, const std::string& partition,
                                       const std::string& label);
// In the order of the key, so that all pages are full.
std::shared_ptr<PlainRows> store_tsbs_plain(Bench& bench, const TsbsData& data, const std::string& path, const std::string& label);

// The middle one of the table's files in a file:// archive.
std::string stored_file(const Timeseries& table);
// `each` with % replaced by the metric's name, for the first `count` metrics, joined by commas.
std::string of_metrics(int count, const std::string& each);

// The integers of all hosts, kept.
const TsbsData& tsbs_integers(Bench& bench);
Timeseries& tsbs_archive(Bench& bench, const std::string& partition);
PlainRows& tsbs_plain(Bench& bench);

// What is stored, by ts_files. Throws when rows are missing or anything is not stored yet.
struct Footprint {
  std::int64_t files = 0;
  double bytes_per_row = 0;
};
Footprint footprint_of(Timeseries& table, std::size_t rows);
double plain_bytes_per_row(PlainRows& plain, std::size_t rows);

}  // namespace ts_bench
