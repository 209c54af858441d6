// Sealing: from an open shard to a sorted, verified, fsynced file, next to copying the same bytes.
//
// The sealer is called itself, without the flusher's waits and the upload; rows reach the open shard through ts_insert.
#include "ext/archive/sealer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "bench/workload.h"

namespace fs = std::filesystem;

namespace ts_bench {
namespace {

// Returns the path of the open shard's log and fills `inputs` with the shard.
std::string open_shard_with(Bench& bench, Shape shape, const Fleet& rows, std::string& spool, std::vector<ts::SealInput>& inputs) {
  {
    Timeseries table(bench, shape);
    spool = table.spool;
    RowStatement insert(table.db, "SELECT ts_insert('cpu'," + shape.parameters() + ")");
    for (std::size_t i = 0; i < rows.rows.size(); i++) {
      if (i % 10'000 == 0) table.db.exec(i ? "COMMIT; BEGIN" : "BEGIN");
      insert.run(rows, rows.rows[i]);
    }
    table.db.exec("COMMIT");
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

void run_seal(Bench& bench) {
  const Fleet& rows = fleet(bench.options().rows);
  for (Shape shape : {Shape{false}, Shape{true}}) {
    std::string name = std::string("seal ") + shape.name();
    std::string spool;
    std::vector<ts::SealInput> inputs;
    bench.progress(name + ": filling an open shard");
    std::string log = open_shard_with(bench, shape, rows, spool, inputs);
    auto schema = ts::Schema();
    schema.columns.push_back({"ts", "INTEGER", false, false, "", ""});
    schema.columns.push_back({"host", "TEXT", true, false, "", ""});
    if (shape.wide) schema.columns.push_back({"region", "TEXT", true, false, "", ""});
    for (int m = 0; m < (shape.wide ? kMetrics : 1); m++) {
      schema.columns.push_back({shape.wide ? kMetricNames[static_cast<std::size_t>(m)] : "value", "REAL", false, false, "", ""});
    }
    schema.time_column = 0;
    ts::TablePtr table = ts::make_table_def("cpu", schema);
    std::vector<double> ours, copies;
    auto count = static_cast<double>(rows.rows.size());
    for (int round = 0; round < bench.options().rounds; round++) {
      bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(bench.options().rounds) + ": " + name);
      double began = seconds();
      auto files = ts::seal_table(table, inputs, spool + "/open", spool + "/sealed", "bench");
      ours.push_back(count / (seconds() - began));
      std::int64_t sealed = 0;
      for (const auto& file : files) sealed += file.rows;
      if (sealed != static_cast<std::int64_t>(rows.rows.size())) throw std::runtime_error("seal: rows are missing");
      copies.push_back(count / copy_seconds(log, spool + "/copy"));
      fs::remove(spool + "/copy");
      for (const auto& file : files) fs::remove(spool + "/sealed/" + file.file);
    }
    bench.report(name, "rows/s", ours, "copy and fsync", copies, {Aim::kOursAtLeast, 1e6});
    bench.clear();
  }
}

}  // namespace

const std::vector<Workload> kSealWorkloads = {
    {"seal", "open shard to sorted, verified, fsynced file, next to a copy of the same bytes", run_seal},
};

}  // namespace ts_bench
