// Sealing: from an open shard to a sorted, verified, fsynced file, next to copying the same bytes.
//
// The sealer is called itself, without the flusher's waits and the upload; rows reach the open shard through SQL.
#include "ext/archive/sealer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>

#include "bench/tsbs_store.h"
#include "bench/workload.h"

namespace fs = std::filesystem;

namespace ts_bench {
namespace {

struct Case {
  std::string name;
  std::vector<ts::Column> columns;  // the first is the time
  std::size_t rows;
  std::function<void(Database&)> fill;  // in transactions of about 10,000 rows, so that all are in one open shard
};

std::string declaration_of(const std::vector<ts::Column>& columns) {
  std::string all = columns[0].name + " TIMESTAMP";
  for (std::size_t i = 1; i < columns.size(); i++) all += ", " + columns[i].name + " " + columns[i].type + (columns[i].tag ? " TAG" : "");
  return all;
}

// Returns the path of the open shard's log and fills `inputs` with the shard.
std::string open_shard_with(Bench& bench, const Case& one, std::string& spool, std::vector<ts::SealInput>& inputs) {
  {
    Timeseries table(bench.fresh("timeseries"), declaration_of(one.columns), stored_when_asked("day"));
    spool = table.spool;
    one.fill(table.db);
  }
  std::string log;
  for (const auto& entry : fs::directory_iterator(spool + "/open")) {
    std::string path = entry.path().string();
    if (path.size() < 4 || path.substr(path.size() - 4) != "-wal" || entry.file_size() < 100'000) continue;
    log = path;
    std::string file = entry.path().filename().string();
    ts::SealInput input;
    input.file = file.substr(0, file.size() - 4);
    input.visibility.upto = INT64_MAX;  // as of a process that is gone
    inputs.push_back(input);
  }
  if (inputs.size() != 1) throw std::runtime_error("seal: one open shard was expected in " + spool);
  return log;
}

double copy_seconds(const std::string& from, const std::string& to) {
  double began = seconds();
  int in = ::open(from.c_str(), O_RDONLY | O_CLOEXEC), out = ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto buffer = std::make_unique<std::array<char, 1 << 20>>();
  bool good = in >= 0 && out >= 0;
  for (ssize_t n = 1; good && n > 0;) {
    n = ::read(in, buffer->data(), buffer->size());
    good = n >= 0 && ::write(out, buffer->data(), static_cast<std::size_t>(n)) == n;
  }
  good = good && ::fsync(out) == 0;
  ::close(in);
  ::close(out);
  if (!good) throw std::runtime_error("cannot copy " + from);
  return seconds() - began;
}

void measure_seal(Bench& bench, const Case& one) {
  std::string spool;
  std::vector<ts::SealInput> inputs;
  bench.progress(one.name + ": filling an open shard");
  std::string log = open_shard_with(bench, one, spool, inputs);
  auto schema = ts::Schema();
  schema.columns = one.columns;
  schema.time_column = 0;
  ts::TablePtr table = ts::make_table_def("cpu", schema);
  std::vector<double> ours, copies;
  auto count = static_cast<double>(one.rows);
  for (int round = 0; round < bench.options().rounds; round++) {
    bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(bench.options().rounds) + ": " + one.name);
    double began = seconds();
    auto files = ts::seal_table(table, inputs, spool + "/open", spool + "/sealed", "bench");
    ours.push_back(count / (seconds() - began));
    std::int64_t sealed = 0;
    for (const auto& file : files) sealed += file.rows;
    if (sealed != static_cast<std::int64_t>(one.rows)) throw std::runtime_error("seal: rows are missing");
    copies.push_back(count / copy_seconds(log, spool + "/copy"));
    fs::remove(spool + "/copy");
    for (const auto& file : files) fs::remove(spool + "/sealed/" + file.file);
  }
  bench.report(one.name, "rows/s", ours, "copy and fsync", copies, {Aim::kOursAtLeast, 1e6});
  bench.clear();
}

ts::Column column(const std::string& name, const std::string& type, bool tag = false) { return {name, type, tag, false, "", ""}; }

void run_seal(Bench& bench) {
  const Fleet& rows = fleet(bench.options().rows);
  for (Shape shape : {Shape{false}, Shape{true}}) {
    Case one{std::string("seal ") + shape.name(), {column("ts", "INTEGER"), column("host", "TEXT", true)}, rows.rows.size(), {}};
    if (shape.wide) one.columns.push_back(column("region", "TEXT", true));
    for (int m = 0; m < (shape.wide ? kMetrics : 1); m++) {
      one.columns.push_back(column(shape.wide ? kMetricNames[static_cast<std::size_t>(m)] : "value", "REAL"));
    }
    one.fill = [&](Database& db) {
      RowStatement insert(db, "SELECT ts_insert('cpu'," + shape.parameters() + ")");
      for (std::size_t i = 0; i < rows.rows.size(); i++) {
        if (i % 10'000 == 0) db.exec(i ? "COMMIT; BEGIN" : "BEGIN");
        insert.run(rows, rows.rows[i]);
      }
      db.exec("COMMIT");
    };
    measure_seal(bench, one);
  }
}

void run_tsbs_seal(Bench& bench) {
  TsbsOptions options;
  options.ticks = static_cast<int>(bench.options().rows / kTsbsHosts);
  TsbsData data(options);
  Case one{"seal tsbs integers", {column("ts", "INTEGER"), column("host", "TEXT", true)}, data.rows(), {}};
  for (const char* metric : kMetricNames) one.columns.push_back(column(metric, "INTEGER"));
  one.fill = [&](Database& db) {
    TsbsInsert insert(db, data);
    for (int t = 0; t < data.ticks(); t++) {
      if (t % 10 == 0) db.exec(t ? "COMMIT; BEGIN" : "BEGIN");
      insert.tick(t);
    }
    db.exec("COMMIT");
  };
  measure_seal(bench, one);
}

}  // namespace

const std::vector<Workload> kSealWorkloads = {
    {"seal", "open shard to sorted, verified, fsynced file, next to a copy of the same bytes", run_seal},
    {"tsbs_seal", "the same for ten integer metrics of 1,000 hosts", run_tsbs_seal},
};

}  // namespace ts_bench
