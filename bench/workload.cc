// Rounds, the printed table, scratch directories.
#include "bench/workload.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>

namespace fs = std::filesystem;

namespace ts_bench {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

const Fleet& fleet(std::size_t rows, std::int64_t interval_ms) {
  static std::map<std::pair<std::size_t, std::int64_t>, std::unique_ptr<Fleet>> made;
  auto& one = made[{rows, interval_ms}];
  if (!one) {
    GeneratorOptions options;
    options.rows = rows;
    options.interval_ms = interval_ms;
    one = std::make_unique<Fleet>(generate(options));
  }
  return *one;
}

namespace {

// 1234567 -> "1.23 M", 73412 -> "73.4 k", 0.1234 -> "0.123".
std::string short_number(double value) {
  char text[32];
  if (value >= 1e6) {
    std::snprintf(text, sizeof text, "%.2f M", value / 1e6);
  } else if (value >= 1e4) {
    std::snprintf(text, sizeof text, "%.1f k", value / 1e3);
  } else {
    std::snprintf(text, sizeof text, value < 1 ? "%.3f" : value < 100 ? "%.2f" : "%.0f", value);
  }
  return text;
}

// Small ratios need a digit more, or 0.05 could be either side of its aim.
std::string ratio_text(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text, ratio < 0.1 ? "%.3f" : "%.2f", ratio);
  return text;
}

// Aims for a ratio are bare, aims for ours have the unit with them.
std::string text_of(Aim aim, const std::string& unit) {
  char text[64];
  std::string also;
  if (aim.and_ours_at_most > 0) {
    std::snprintf(text, sizeof text, ", <= %g %s", aim.and_ours_at_most, unit.c_str());
    also = text;
  }
  switch (aim.kind) {
    case Aim::kRatioAtLeast: std::snprintf(text, sizeof text, ">= %.2f", aim.value); return text + also;
    case Aim::kRatioAtMost: std::snprintf(text, sizeof text, "<= %.2f", aim.value); return text + also;
    case Aim::kOursAtLeast: return ">= " + short_number(aim.value) + also;
    case Aim::kOursAtMost: std::snprintf(text, sizeof text, "<= %g %s", aim.value, unit.c_str()); return text + also;
    default: return "";
  }
}

bool met(Aim aim, double ours, double ratio) {
  if (aim.and_ours_at_most > 0 && ours > aim.and_ours_at_most) return false;
  switch (aim.kind) {
    case Aim::kRatioAtLeast: return ratio >= aim.value;
    case Aim::kRatioAtMost: return ratio <= aim.value;
    case Aim::kOursAtLeast: return ours >= aim.value;
    case Aim::kOursAtMost: return ours <= aim.value;
    default: return true;
  }
}

}  // namespace

Bench::Bench(const Options& options) : options_(options), terminal_(::isatty(STDERR_FILENO) == 1) {
  const char* base = std::getenv("TMPDIR");
  scratch_ = std::string(base && *base ? base : "/tmp") + "/timeseries-bench-XXXXXX";
  if (!::mkdtemp(scratch_.data())) throw std::runtime_error("cannot make a directory like " + scratch_);
  std::printf("%d rounds each, ours and raw SQLite %s in turn; scratch files in %s\n\n", options_.rounds, sqlite3_libversion(),
              scratch_.c_str());
  if (options_.hours != 24) std::printf("tsbs data of %d of 24 hours: these figures have no aims\n\n", options_.hours);
  std::printf("%-34s %-7s %10s %10s  %-6s %-16s %-18s\n", "workload", "unit", "ours", "raw", "ratio", "min..max", "aim");
}

Bench::~Bench() {
  kept_.clear();
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
}

std::string Bench::fresh(const std::string& what) {
  std::string path = scratch_ + "/" + std::to_string(++files_) + "-" + what;
  return path;
}

std::string Bench::fresh_kept(const std::string& what) {
  fs::create_directories(scratch_ + "/kept");
  return scratch_ + "/kept/" + std::to_string(++files_) + "-" + what;
}

void Bench::clear() {
  for (const auto& entry : fs::directory_iterator(scratch_)) {
    if (entry.path().filename() != "kept") fs::remove_all(entry.path());
  }
}

void Bench::progress(const std::string& what) {
  if (terminal_) std::fprintf(stderr, "\r\033[K%s", what.c_str());
}

void Bench::compare(const std::string& unit, const std::string& raw_label, const std::function<double()>& raw,
                    const std::vector<Contestant>& ours) {
  std::size_t contestants = ours.size() + 1;
  std::vector<std::vector<double>> figures(contestants);
  for (int round = 0; round < options_.rounds; round++) {
    for (std::size_t turn = 0; turn < contestants; turn++) {
      std::size_t who = (turn + static_cast<std::size_t>(round)) % contestants;
      progress("round " + std::to_string(round + 1) + " of " + std::to_string(options_.rounds) + ": " +
               (who ? ours[who - 1].label : raw_label));
      figures[who].push_back(who ? ours[who - 1].run() : raw());
      clear();
    }
  }
  for (std::size_t i = 0; i < ours.size(); i++) report(ours[i].label, unit, figures[i + 1], raw_label, figures[0], ours[i].aim);
}

void Bench::report(const std::string& label, const std::string& unit, const std::vector<double>& ours, const std::string& raw_label,
                   const std::vector<double>& raw, Aim aim) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); i++) ratios.push_back(ours[i] / raw[i]);
  Spread us = spread_of(ours), them = spread_of(raw), ratio = spread_of(ratios);
  bool good = met(aim, us.median, ratio.median);
  if (!good) missed_++;
  std::string range = ratio_text(ratio.min) + ".." + ratio_text(ratio.max);
  progress("");
  std::printf("%-34s %-7s %10s %10s  %-6s %-16s %-18s %-6s vs %s\n", label.c_str(), unit.c_str(), short_number(us.median).c_str(),
              short_number(them.median).c_str(), ratio_text(ratio.median).c_str(), range.c_str(), text_of(aim, unit).c_str(),
              aim.kind == Aim::kNone ? ""
              : good                 ? "met"
                                     : "MISSED",
              raw_label.c_str());
  std::fflush(stdout);
}

void Bench::note(const std::string& line) {
  progress("");
  std::printf("  %s\n", line.c_str());
}

void Bench::skipped(const std::string& label, const std::string& why) {
  progress("");
  std::printf("%-34s skipped: %s\n", label.c_str(), why.c_str());
}

void Bench::failed(const std::string& label, const std::string& why) {
  progress("");
  std::printf("%-34s FAILED: %s\n", label.c_str(), why.c_str());
  std::fflush(stdout);
}

Timeseries::Timeseries(Bench& bench, Shape shape, const std::string& options, const std::string& location, const std::string& schema)
    : Timeseries(bench.fresh("timeseries"), shape.declaration(true),
                 options.empty() ? "flush_size='4GB', flush_interval='1d', flush_on_close='never'" : options, location, schema) {}

Timeseries::Timeseries(const std::string& where, const std::string& columns, const std::string& options, const std::string& location,
                       const std::string& schema)
    : directory(where), spool(directory + "/spool"), db((fs::create_directories(directory), directory + "/main.db")) {
  fs::create_directories(directory + "/archive");
  db.use_wal("NORMAL");
  db.register_extension();
  db.exec("CREATE VIRTUAL TABLE " + schema + ".cpu USING timeseries(" + columns + ", location='" +
          (location.empty() ? "file://" + directory + "/archive" : location) + "', spool='" + spool + "', " + options + ")");
}

Raw::Raw(Bench& bench, Shape shape, const char* synchronous) : path(bench.fresh("raw.db")), db(path) {
  db.use_wal(synchronous);
  db.exec("CREATE TABLE cpu(" + shape.declaration(false) + ")");
}

}  // namespace ts_bench
