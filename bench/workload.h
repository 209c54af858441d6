// Named workloads and how one is measured: ours and raw SQLite in turn, five rounds, medians and the ratios' spread.
//
// A round runs every contestant once, in rotating order, so that a slow moment of the machine meets all of them. The
// ratio is taken within each round; its median is what the aim is held against.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/database.h"
#include "bench/stats.h"

namespace ts_bench {

struct Aim {
  enum Kind { kNone, kRatioAtLeast, kRatioAtMost, kOursAtLeast, kOursAtMost } kind = kNone;
  double value = 0;
  double and_ours_at_most = 0;  // beside an aim for the ratio; 0: none
};

struct Options {
  int rounds = 5;
  std::size_t rows = 500'000;  // of the workloads in one transaction
  int hours = 24;              // of the tsbs workloads' data
  std::string program = {};    // this one, to be run again
};

// One contestant: runs once, returns its figure (rows/s, microseconds, ...).
struct Contestant {
  std::string label;
  Aim aim;
  std::function<double()> run;
};

class Bench {
 public:
  explicit Bench(const Options& options);
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  const Options& options() const { return options_; }
  // On less than the day of tsbs data an aim would say nothing.
  Aim of_the_day(Aim aim) const { return options_.hours == 24 ? aim : Aim{}; }
  // A fresh path in the scratch directory; the directory is removed at the end.
  std::string fresh(const std::string& what);
  std::string fresh_kept(const std::string& what);  // one that clear() leaves alone, for what keep() makes
  void clear();                                     // removes what else lies in the scratch directory

  // What several workloads use: made by the first that asks, destroyed at the end of the run.
  template <class T>
  T& keep(const std::string& name, const std::function<std::shared_ptr<T>()>& make) {
    auto& kept = kept_[name];
    if (!kept) kept = make();
    return *static_cast<T*>(kept.get());
  }

  // Alternates `raw` with all of `ours` and prints a line for each of ours.
  void compare(const std::string& unit, const std::string& raw_label, const std::function<double()>& raw,
               const std::vector<Contestant>& ours);
  // Prints a line from figures of equal rounds that the workload took itself.
  void report(const std::string& label, const std::string& unit, const std::vector<double>& ours, const std::string& raw_label,
              const std::vector<double>& raw, Aim aim);
  void note(const std::string& line);  // below the line that it explains
  void skipped(const std::string& label, const std::string& why);
  void failed(const std::string& label, const std::string& why);
  void progress(const std::string& what);  // on a terminal: one line that is overwritten
  int missed() const { return missed_; }

 private:
  Options options_;
  std::string scratch_;
  std::map<std::string, std::shared_ptr<void>> kept_;
  int files_ = 0, missed_ = 0;
  bool terminal_;
};

struct Workload {
  const char* name;
  const char* what;
  void (*run)(Bench&);
};
extern const std::vector<Workload> kInsertWorkloads, kLatencyWorkloads, kSealWorkloads, kReadWorkloads, kCodecWorkloads, kTsbsWorkloads,
    kRemoteWorkloads, kStockWorkloads, kFunctionWorkloads, kTailWorkloads, kCatalogueWorkloads,
    kYearWorkloads;

// A process of its own for one query of kRemoteWorkloads: whether the arguments say so, and what it does.
bool is_one_query(int argc, char** argv);
void print_one_query(char** argv);

// A connection with the table `cpu` USING timeseries in a database, spool and archive of its own. Nothing is sealed or
// stored before it is asked for, unless `options` says otherwise ("flush_size='64MB'").
struct Timeseries {
  Timeseries(Bench& bench, Shape shape, const std::string& options = "", const std::string& location = "",
             const std::string& schema = "main");
  Timeseries(const std::string& directory, const std::string& columns, const std::string& options, const std::string& location = "",
             const std::string& schema = "main");
  std::string directory, spool;
  Database db;
};

// A plain table `cpu` in a write-ahead-log database of its own.
struct Raw {
  Raw(Bench& bench, Shape shape, const char* synchronous = "NORMAL");
  std::string path;
  Database db;
};

double seconds();                                                         // steady clock
const Fleet& fleet(std::size_t rows, std::int64_t interval_ms = 10'000);  // generated once, kept

}  // namespace ts_bench
