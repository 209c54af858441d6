// The wait of an event provider: one row, one transaction, durable when the call returns.
//
// Raw SQLite never checkpoints here, which spares it the stalls of 8 ms and more that a default connection has.
#include <functional>

#include "bench/workload.h"

namespace ts_bench {
namespace {

struct Provider {
  std::string label;
  RowStatement* statement;
  std::vector<double> waits_us;
};

// One round: all providers in slices, in turn, so that a slow moment of the machine meets all of them.
void run_round(std::vector<Provider>& providers, const Fleet& rows, std::size_t calls, std::size_t slice) {
  std::size_t next = 0;
  for (std::size_t done = 0; done < calls; done += slice) {
    for (Provider& provider : providers) {
      for (std::size_t i = 0; i < slice; i++) {
        const Row& row = rows.rows[(next + i) % rows.rows.size()];
        double began = seconds();
        provider.statement->run(rows, row);
        provider.waits_us.push_back((seconds() - began) * 1e6);
      }
    }
    next += slice;
  }
}

struct Quantile {
  const char* name;
  double fraction;
  Aim aim;
};

// INSERT also takes the write lock of the database that declares the table, main or temp, and is held to the same aims.
void measure_autocommit(Bench& bench, const std::string& name, const char* synchronous, const std::string& durability, std::size_t calls,
                        std::size_t slice, const std::vector<Quantile>& quantiles) {
  const Fleet& rows = fleet(100'000);
  Shape shape{false};
  std::size_t count = quantiles.size();
  std::vector<std::string> labels = {"raw autocommit", "ts_insert", "INSERT temp", "INSERT"};
  std::vector<std::vector<std::vector<double>>> figures(labels.size(), std::vector<std::vector<double>>(count));
  for (int round = 0; round < bench.options().rounds; round++) {
    bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(bench.options().rounds) + ": " + name);
    {
      Raw raw(bench, shape, synchronous);
      std::string options = "flush_size='4GB', flush_interval='1d', flush_on_close='never', durability='" + durability + "'";
      Timeseries function(bench, shape, options), temp(bench, shape, options, "", "temp"), table(bench, shape, options);
      std::string insert_sql = "INSERT INTO cpu VALUES(?,?,?)";
      RowStatement raw_insert(raw.db, insert_sql), call(function.db, "SELECT ts_insert('cpu',?,?,?)"), temp_insert(temp.db, insert_sql),
          insert(table.db, insert_sql);
      std::vector<Provider> providers = {
          {labels[0], &raw_insert, {}}, {labels[1], &call, {}}, {labels[2], &temp_insert, {}}, {labels[3], &insert, {}}};
      run_round(providers, rows, slice, slice);
      for (Provider& provider : providers) provider.waits_us.clear();
      run_round(providers, rows, calls, slice);
      for (std::size_t p = 0; p < providers.size(); p++) {
        for (std::size_t q = 0; q < count; q++) figures[p][q].push_back(percentile(providers[p].waits_us, quantiles[q].fraction));
      }
    }
    bench.clear();
  }
  for (std::size_t p = 1; p < labels.size(); p++) {
    for (std::size_t q = 0; q < count; q++) {
      bench.report(name + " " + labels[p] + " " + quantiles[q].name, "us", figures[p][q], labels[0], figures[0][q], quantiles[q].aim);
    }
  }
}

void run_autocommit(Bench& bench) {
  measure_autocommit(bench, "autocommit", "NORMAL", "normal", 20'000, 250,
                     {{"p50", 0.5, {Aim::kRatioAtMost, 1.2}}, {"p99", 0.99, {}}, {"p99.9", 0.999, {Aim::kRatioAtMost, 1.5}}});
}

void run_autocommit_full(Bench& bench) {
  measure_autocommit(bench, "full", "FULL", "full", 1'000, 25, {{"p50", 0.5, {Aim::kRatioAtMost, 1.2}}, {"p99", 0.99, {}}});
}

}  // namespace

const std::vector<Workload> kLatencyWorkloads = {
    {"autocommit", "one row, one transaction, synchronous=NORMAL: ts_insert and INSERT", run_autocommit},
    {"autocommit_full", "the same with durability='full' against synchronous=FULL", run_autocommit_full},
};

}  // namespace ts_bench
