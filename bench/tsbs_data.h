// The data sets of the tsbs workloads: "cpu-only" of TSBS in integers, decimals, counters and jittered times; and log lines.
//
// A day of 1,000 hosts with seed 42 is what other stores were measured with, bit for bit, so that sizes and times compare;
// tests/tsbs_data_test.cc holds rows of it. Everything lies in memory, four bytes a value.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/generator.h"

namespace ts_bench {

constexpr std::int64_t kTsbsStartMs = 1'451'606'400'000;  // 2016-01-01
constexpr std::int64_t kTsbsIntervalMs = 10'000;
constexpr int kTsbsTicksPerHour = 360;
constexpr int kTsbsHosts = 1'000;

inline std::string host_name(int host) { return "host_" + std::to_string(host); }

struct TsbsOptions {
  enum Kind {
    kIntegers,  // random walks between 0 and 100, rounded down
    kDecimals,  // the same walks with two decimals
    kCounters,  // start anywhere, grow by a random part of a rate of the series' own
    kJitter,    // the integers, each row up to 50 ms before or after its time, and all 5 s later: none leaves its hour
  } kind = kIntegers;
  int hosts = kTsbsHosts;
  int ticks = 24 * kTsbsTicksPerHour;
  std::uint64_t seed = 42;
};

class TsbsData {
 public:
  explicit TsbsData(const TsbsOptions& options);

  const TsbsOptions& options() const { return options_; }
  int hosts() const { return options_.hosts; }
  int ticks() const { return options_.ticks; }
  std::size_t rows() const { return static_cast<std::size_t>(options_.hosts) * static_cast<std::size_t>(options_.ticks); }
  bool real() const { return options_.kind == TsbsOptions::kDecimals; }

  std::int64_t time(int tick, int host) const;
  // A metric as its integer; with decimals the hundredfold, which divided by 100 gives the double.
  std::int64_t value(int tick, int host, int metric) const;

 private:
  std::size_t row(int tick, int host) const {
    return static_cast<std::size_t>(tick) * static_cast<std::size_t>(options_.hosts) + static_cast<std::size_t>(host);
  }

  TsbsOptions options_;
  std::vector<std::array<std::uint32_t, kMetrics>> cells_;  // by tick, then host
  std::vector<std::array<std::int64_t, kMetrics>> starts_;  // by host; of counters
  std::vector<std::int8_t> jitter_ms_;                      // as cells_
};

struct LogLine {
  std::int64_t ts = 0;  // rises from line to line
  int host = 0;
  const char* level = "";
  std::string message;
};

// Lines of a dozen templates with numbers, addresses and ids in them, over 24 hours.
std::vector<LogLine> generate_log(std::size_t lines, int hosts, std::uint64_t seed);

}  // namespace ts_bench
