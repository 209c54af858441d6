// xoroshiro128+ seeded by splitmix64, normal steps by Box-Muller: the order of every draw is part of the data.
#include "bench/tsbs_data.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace ts_bench {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : a_(mix(seed)), b_(mix(seed)) {}

  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * (1.0 / 9007199254740992.0); }  // inside (0, 1)

  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double radius = std::sqrt(-2 * std::log(uniform()));
    double angle = 6.283185307179586 * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

  std::uint64_t below(std::uint64_t limit) { return static_cast<std::uint64_t>(uniform() * static_cast<double>(limit)); }

 private:
  static std::uint64_t mix(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::uint64_t next() {
    std::uint64_t x = a_, y = b_, sum = x + y;
    y ^= x;
    a_ = ((x << 24) | (x >> 40)) ^ y ^ (y << 16);
    b_ = (y << 37) | (y >> 27);
    return sum;
  }

  std::uint64_t a_, b_;
  double spare_ = 0;
  bool has_spare_ = false;
};

using Cells = std::vector<std::array<std::uint32_t, kMetrics>>;

void walk(Cells& cells, std::size_t hosts, double scale, Random& random) {
  std::vector<std::array<double, kMetrics>> state(hosts);
  for (auto& metrics : state) {
    for (double& metric : metrics) metric = random.uniform() * 100;
  }
  for (std::size_t row = 0; row < cells.size(); row++) {
    auto& metrics = state[row % hosts];
    for (std::size_t m = 0; m < metrics.size(); m++) {
      metrics[m] = std::clamp(metrics[m] + random.normal(), 0.0, 100.0);
      cells[row][m] = static_cast<std::uint32_t>(metrics[m] * scale);
    }
  }
}

// Rates between 1 and 10,000 a tick, as many small as large; a tick adds half to one and a half of it.
void count_up(Cells& cells, std::size_t hosts, Random& random) {
  std::vector<std::array<double, kMetrics>> rates(hosts);
  for (auto& metrics : rates) {
    for (double& rate : metrics) rate = std::exp(random.uniform() * std::log(1e4));
  }
  for (std::size_t row = 0; row < cells.size(); row++) {
    for (std::size_t m = 0; m < kMetrics; m++) {
      std::uint32_t before = row < hosts ? 0 : cells[row - hosts][m];
      cells[row][m] = before + static_cast<std::uint32_t>(rates[row % hosts][m] * (0.5 + random.uniform()));
    }
  }
}

}  // namespace

TsbsData::TsbsData(const TsbsOptions& options) : options_(options), cells_(rows()) {
  auto hosts = static_cast<std::size_t>(options.hosts);
  Random random(options.seed);
  if (options.kind == TsbsOptions::kCounters) {
    count_up(cells_, hosts, random);
    starts_.resize(hosts);
    for (auto& metrics : starts_) {
      for (std::int64_t& start : metrics) start = static_cast<std::int64_t>(random.below(1ull << 40));
    }
  } else {
    walk(cells_, hosts, real() ? 100 : 1, random);
  }
  if (options.kind == TsbsOptions::kJitter) {
    jitter_ms_.resize(rows());
    for (std::int8_t& jitter : jitter_ms_) jitter = static_cast<std::int8_t>(static_cast<int>(random.below(101)) - 50);
  }
}

std::int64_t TsbsData::time(int tick, int host) const {
  std::int64_t regular = kTsbsStartMs + kTsbsIntervalMs * tick;
  return jitter_ms_.empty() ? regular : regular + kTsbsIntervalMs / 2 + jitter_ms_[row(tick, host)];
}

std::int64_t TsbsData::value(int tick, int host, int metric) const {
  auto m = static_cast<std::size_t>(metric);
  std::int64_t cell = cells_[row(tick, host)][m];
  return starts_.empty() ? cell : starts_[static_cast<std::size_t>(host)][m] + cell;
}

std::vector<LogLine> generate_log(std::size_t lines, int hosts, std::uint64_t seed) {
  struct Template {
    const char* level;
    const char* format;  // of three numbers and, last, an id of twelve hexadecimal digits
  };
  static const Template templates[] = {
      {"INFO", "GET /api/v1/items/%u 200 in %u ms, %u bytes"},
      {"INFO", "GET /api/v1/users/%u 304 in %u ms, %u bytes"},
      {"INFO", "connection from 10.0.%u.%u port %u accepted"},
      {"INFO", "user %u logged in from 10.1.%u.%u session %s"},
      {"INFO", "cache: %u hits, %u misses, %u evicted"},
      {"INFO", "job %u finished in %u ms after %u tries, trace %s"},
      {"DEBUG", "lock %u taken after %u us by thread %u"},
      {"DEBUG", "query %u read %u pages in %u us, plan %s"},
      {"WARN", "slow request: /api/v1/search?q=%u took %u ms of %u ms"},
      {"WARN", "disk %u is %u%% full, %u MB left"},
      {"ERROR", "upstream 10.2.%u.%u:%u timed out, request %s"},
      {"ERROR", "cannot write block %u of volume %u: code %u, checksum %s"},
  };
  Random random(seed);
  std::vector<LogLine> log(lines);
  std::uint64_t step_ms = 86'400'000 / std::max<std::size_t>(lines, 1);
  for (std::size_t i = 0; i < lines; i++) {
    // Squared, so that the first templates are the frequent ones.
    double u = random.uniform();
    const Template& one = templates[static_cast<std::size_t>(u * u * static_cast<double>(std::size(templates)))];
    auto a = static_cast<unsigned>(random.below(100)), b = static_cast<unsigned>(random.below(256)),
         c = static_cast<unsigned>(random.below(65'536));
    char id[16], message[160];
    std::snprintf(id, sizeof id, "%012llx", static_cast<unsigned long long>(random.below(1ull << 48)));
    std::snprintf(message, sizeof message, one.format, a, b, c, id);
    log[i].ts = kTsbsStartMs + static_cast<std::int64_t>(step_ms * i + random.below(std::max<std::uint64_t>(step_ms, 1)));
    log[i].host = static_cast<int>(random.below(static_cast<std::uint64_t>(hosts)));
    log[i].level = one.level;
    log[i].message = message;
  }
  return log;
}

}  // namespace ts_bench
