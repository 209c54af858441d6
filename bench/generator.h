// Deterministic rows as a fleet of hosts would send them: "cpu-only" of TSBS, each metric a clamped random walk.
//
// Every host sends one row each interval, hosts in order, so rows come in time order. The same arguments give the same
// rows on every machine with IEEE doubles. Values have two decimals, as most sensors' and agents' have.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ts_bench {

constexpr int kMetrics = 10;
extern const std::array<const char*, kMetrics> kMetricNames;

struct Row {
  std::int64_t ts = 0;  // ms since 1970-01-01 UTC
  int host = 0;
  std::array<double, kMetrics> metrics = {};
};

struct Fleet {
  std::vector<std::string> hosts, regions;  // by host
  std::vector<Row> rows;
};

struct GeneratorOptions {
  std::size_t rows = 500'000;
  int hosts = 100;
  std::int64_t interval_ms = 10'000;
  std::int64_t start_ms = 1'795'392'000'000;  // 2026-11-23
  std::uint64_t seed = 123;
};

Fleet generate(const GeneratorOptions& options);

}  // namespace ts_bench
