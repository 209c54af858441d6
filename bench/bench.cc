// bench: named workloads, each paired with raw SQLite in the same run. docs/BENCHMARKS.md says how to read the figures.
//
//   bench                          all workloads
//   bench insert_select seal       these
//   bench --list                   their names
//   bench --rounds 9 --rows 100000 ...
//   bench --hours 2 tsbs_queries   on a small part of the tsbs data, for a quick look: such figures have no aims
//
// A workload that fails (an answer is wrong, an error) is left with a line that says why; the others go on, and the run
// ends with status 1.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <set>

#include "bench/workload.h"

namespace {

std::vector<ts_bench::Workload> all_workloads() {
  std::vector<ts_bench::Workload> all;
  for (const auto* group : {&ts_bench::kInsertWorkloads, &ts_bench::kLatencyWorkloads, &ts_bench::kSealWorkloads, &ts_bench::kReadWorkloads,
                            &ts_bench::kCodecWorkloads, &ts_bench::kTsbsWorkloads, &ts_bench::kRemoteWorkloads,
                            &ts_bench::kStockWorkloads, &ts_bench::kFunctionWorkloads, &ts_bench::kTailWorkloads,
                            &ts_bench::kCatalogueWorkloads, &ts_bench::kYearWorkloads}) {
    all.insert(all.end(), group->begin(), group->end());
  }
  return all;
}

int usage(const char* wrong) {
  std::fprintf(stderr, "bench: what is %s? usage: bench [--list] [--rounds N] [--rows N] [--hours N] [WORKLOAD...]\n", wrong);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (ts_bench::is_one_query(argc, argv)) {
    try {
      ts_bench::capture_sqlite_api();
      ts_bench::print_one_query(argv);
      return 0;
    } catch (const std::exception& e) {
      std::fprintf(stderr, "bench: %s\n", e.what());
      return 1;
    }
  }
  ts_bench::Options options;
  options.program = argv[0];
  std::vector<ts_bench::Workload> all = all_workloads();
  std::set<std::string> wanted;
  for (int i = 1; i < argc; i++) {
    if (!std::strcmp(argv[i], "--list")) {
      for (const auto& workload : all) std::printf("%-24s %s\n", workload.name, workload.what);
      return 0;
    }
    bool rounds = !std::strcmp(argv[i], "--rounds"), rows = !std::strcmp(argv[i], "--rows"), hours = !std::strcmp(argv[i], "--hours");
    if (rounds || rows || hours) {
      long value = i + 1 < argc ? std::atol(argv[++i]) : 0;
      if (value < (rows ? 10'000 : 1) || value > (hours ? 24 : 10'000'000)) return usage(argv[i]);
      if (rounds) options.rounds = static_cast<int>(value);
      if (rows) options.rows = static_cast<std::size_t>(value);
      if (hours) options.hours = static_cast<int>(value);
      continue;
    }
    bool known = false;
    for (const auto& workload : all) known |= !std::strcmp(argv[i], workload.name);
    if (!known) return usage(argv[i]);
    wanted.insert(argv[i]);
  }
  try {
    ts_bench::capture_sqlite_api();
    ts_bench::Bench bench(options);
    double began = ts_bench::seconds();
    int failed = 0;
    for (const auto& workload : all) {
      if (!wanted.empty() && !wanted.count(workload.name)) continue;
      try {
        workload.run(bench);
      } catch (const std::exception& e) {
        failed++;
        bench.failed(workload.name, e.what());
      }
      bench.clear();
    }
    std::printf("\n%d aims missed, %d workloads failed; %.0f s\n", bench.missed(), failed, ts_bench::seconds() - began);
    return failed ? 1 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "\nbench: %s\n", e.what());
    return 1;
  }
}
