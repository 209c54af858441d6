// A packed file read by several versions of SQLite that know nothing of the extension, each in a process of its own.
//
// The programs are tests/support/stock_query.c with one SQLite each. What a statement takes is the CPU time of the
// process without that of one that answers SELECT 1. Next to it: the same rows as plain rows (ts_unpack), by the same program.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "bench/process.h"
#include "bench/tsbs_store.h"

namespace fs = std::filesystem;

namespace ts_bench {
namespace {

std::string stock_directory() {
  const char* told = std::getenv("TIMESERIES_STOCK");
  return told && *told ? told : "build/stock";
}

// Versions and their programs, oldest first. This machine's own is what this program is linked with too.
std::vector<std::pair<std::string, std::string>> stock_programs() {
  std::vector<std::pair<std::string, std::string>> found;
  if (!fs::exists(stock_directory())) return found;
  for (const auto& entry : fs::directory_iterator(stock_directory())) {
    std::string program = entry.path().string() + "/stock_query";
    if (!fs::exists(program)) continue;
    std::string name = entry.path().filename().string();
    found.emplace_back(name == "system" ? std::string(sqlite3_libversion()) + " (system)" : name, program);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void run_stock_versions(Bench& bench) {
  auto programs = stock_programs();
  if (programs.empty()) {
    bench.skipped("stock versions", "not built: JOBS=1 tests/support/stock-sqlite.sh " + stock_directory());
    return;
  }
  TsbsOptions options;
  options.ticks = kTsbsTicksPerHour;
  TsbsData data(options);
  auto table = store_tsbs(bench, data, bench.fresh("archive"), "hour", "stock");
  std::string packed = stored_file(*table), plain = bench.fresh("plain.sqlite");
  table->db.exec("SELECT ts_unpack('" + packed + "', '" + plain + "')");
  if (Database(packed).integer("PRAGMA user_version") != 2) throw std::runtime_error("the file is not packed: " + packed);
  struct Scan {
    std::string what, sql;
    int most_rounds;  // ten metrics take seconds a round
  };
  const Scan scans[] = {
      {"sum of 1", "SELECT sum(usage_user) FROM cpu", 3},
      {"sum of 10", "SELECT " + of_metrics(kMetrics, "sum(%)") + " FROM cpu", 1},
  };
  auto rows = static_cast<double>(data.rows());
  for (const auto& [version, program] : programs) {
    std::vector<double> starts_ms;
    for (const auto& [what, sql, most_rounds] : scans) {
      int rounds = std::min(bench.options().rounds, most_rounds);
      std::string label = "SQLite " + version + ", " + what;
      bench.progress(label + ": comparing answers");
      if (output_of({program, packed, sql}).text != output_of({program, plain, sql}).text)
        throw std::runtime_error(label + ": answers differ");
      std::vector<double> ours, raw;
      for (int round = 0; round < rounds; round++) {
        bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(rounds) + ": " + label);
        double start = output_of({program, packed, "SELECT 1"}).cpu_seconds;
        starts_ms.push_back(start * 1e3);
        ours.push_back(rows / (output_of({program, packed, sql}).cpu_seconds - start));
        raw.push_back(rows / (output_of({program, plain, sql}).cpu_seconds - start));
      }
      bench.report(label, "rows/s", ours, "plain rows, same program", raw, {});
    }
    bench.note("SQLite " + version + ": a process takes " + std::to_string(spread_of(starts_ms).median).substr(0, 4) +
               " ms of CPU to start, which is subtracted");
  }
}

}  // namespace

const std::vector<Workload> kStockWorkloads = {
    {"stock_versions", "one hourly file read by each SQLite in build/stock, next to plain rows", run_stock_versions},
};

}  // namespace ts_bench
