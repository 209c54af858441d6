// Fills archives and plain files with the tsbs data, telling how far it is.
#include "bench/tsbs_store.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace fs = std::filesystem;

namespace ts_bench {

std::string tsbs_columns(bool timeseries, bool real) {
  std::string columns = timeseries ? "ts TIMESTAMP, host TEXT TAG" : "ts INTEGER, host TEXT";
  for (const char* metric : kMetricNames) columns += std::string(", ") + metric + (real ? " REAL" : " INTEGER");
  return columns;
}

TsbsInsert::TsbsInsert(Database& db, const TsbsData& data) : data_(data) {
  for (int host = 0; host < data.hosts(); host++) hosts_.push_back(host_name(host));
  std::string sql = "INSERT INTO cpu VALUES(?,?";
  for (int m = 0; m < kMetrics; m++) sql += ",?";
  if (sqlite3_prepare_v3(db.get(), (sql + ")").c_str(), -1, SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(db.get()));
  }
}

void TsbsInsert::row(int tick, int host) {
  const std::string& name = hosts_[static_cast<std::size_t>(host)];
  sqlite3_bind_int64(stmt_, 1, data_.time(tick, host));
  sqlite3_bind_text(stmt_, 2, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
  for (int m = 0; m < kMetrics; m++) {
    std::int64_t value = data_.value(tick, host, m);
    if (data_.real()) {
      sqlite3_bind_double(stmt_, 3 + m, static_cast<double>(value) / 100);
    } else {
      sqlite3_bind_int64(stmt_, 3 + m, value);
    }
  }
  sqlite3_step(stmt_);
  if (sqlite3_reset(stmt_) != SQLITE_OK) throw std::runtime_error(std::string("insert: ") + sqlite3_errmsg(sqlite3_db_handle(stmt_)));
}

void TsbsInsert::tick(int tick) {
  for (int host = 0; host < data_.hosts(); host++) row(tick, host);
}

std::string stored_when_asked(const std::string& partition) {
  return "partition='" + partition + "', flush_size='64GB', flush_interval='1d', flush_timeout='10m', flush_on_close='never'";
}

std::shared_ptr<Timeseries> store_tsbs(Bench& bench, const TsbsData& data, const std::string& directory, const std::string& partition,
                                       const std::string& label) {
  auto table = std::make_shared<Timeseries>(directory, tsbs_columns(true, data.real()), stored_when_asked(partition));
  TsbsInsert insert(table->db, data);
  int hours = data.ticks() / kTsbsTicksPerHour;
  for (int hour = 0; hour < hours; hour++) {
    bench.progress(label + ": storing hour " + std::to_string(hour + 1) + " of " + std::to_string(hours));
    table->db.exec("BEGIN");
    for (int t = 0; t < kTsbsTicksPerHour; t++) insert.tick(hour * kTsbsTicksPerHour + t);
    table->db.exec("COMMIT");
    if (partition == "hour") table->db.exec("SELECT ts_flush('cpu')");
  }
  bench.progress(label + ": sealing the day");
  table->db.exec("SELECT ts_flush('cpu')");
  return table;
}

std::shared_ptr<PlainRows> store_tsbs_plain(Bench& bench, const TsbsData& data, const std::string& path, const std::string& label) {
  std::vector<int> hosts(static_cast<std::size_t>(data.hosts()));
  std::iota(hosts.begin(), hosts.end(), 0);
  std::sort(hosts.begin(), hosts.end(), [&](int a, int b) { return host_name(a) < host_name(b); });
  auto plain = std::make_shared<PlainRows>(path, tsbs_columns(false, data.real()));
  TsbsInsert insert(plain->db, data);
  plain->db.exec("BEGIN");
  for (std::size_t i = 0; i < hosts.size(); i++) {
    if (i % 50 == 0) bench.progress(label + ": plain rows, host " + std::to_string(i) + " of " + std::to_string(hosts.size()));
    for (int t = 0; t < data.ticks(); t++) insert.row(t, hosts[i]);
  }
  plain->db.exec("COMMIT");
  return plain;
}

std::string stored_file(const Timeseries& table) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(table.directory + "/archive/cpu")) {
    if (entry.path().extension() == ".sqlite") files.push_back(entry.path().string());
  }
  if (files.empty()) throw std::runtime_error("no file in " + table.directory);
  std::sort(files.begin(), files.end());
  return files[files.size() / 2];
}

std::string of_metrics(int count, const std::string& each) {
  std::string all;
  for (int m = 0; m < count; m++) {
    for (char c : (m ? ", " : "") + each) all += c == '%' ? kMetricNames[static_cast<std::size_t>(m)] : std::string(1, c);
  }
  return all;
}

const TsbsData& tsbs_integers(Bench& bench) {
  return bench.keep<TsbsData>("integers", [&] {
    bench.progress("tsbs: generating the rows");
    TsbsOptions options;
    options.ticks = bench.options().hours * kTsbsTicksPerHour;
    return std::make_shared<TsbsData>(options);
  });
}

Timeseries& tsbs_archive(Bench& bench, const std::string& partition) {
  return bench.keep<Timeseries>("archive by " + partition, [&] {
    return store_tsbs(bench, tsbs_integers(bench), bench.fresh_kept("archive"), partition, "tsbs: archive by " + partition);
  });
}

PlainRows& tsbs_plain(Bench& bench) {
  return bench.keep<PlainRows>("plain",
                               [&] { return store_tsbs_plain(bench, tsbs_integers(bench), bench.fresh_kept("plain.db"), "tsbs"); });
}

Footprint footprint_of(Timeseries& table, std::size_t rows) {
  std::string all = table.db.text("SELECT count(*), sum(bytes), sum(rows), sum(state<>'stored') FROM ts_files('cpu')");
  std::replace(all.begin(), all.end(), '|', ' ');
  std::istringstream words(all);
  Footprint footprint;
  std::int64_t bytes = 0, stored = 0, elsewhere = 0;
  words >> footprint.files >> bytes >> stored >> elsewhere;
  if (!words || stored != static_cast<std::int64_t>(rows) || elsewhere) throw std::runtime_error("rows are not stored: " + all);
  footprint.bytes_per_row = static_cast<double>(bytes) / static_cast<double>(rows);
  return footprint;
}

double plain_bytes_per_row(PlainRows& plain, std::size_t rows) {
  return static_cast<double>(plain.db.integer("SELECT page_count*page_size FROM pragma_page_count, pragma_page_size")) /
         static_cast<double>(rows);
}

}  // namespace ts_bench
