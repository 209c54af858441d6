// The random walks: xorshift128+ seeded by splitmix64, steps from a normal distribution (Box-Muller), clamped to 0..100.
#include "bench/generator.h"

#include <algorithm>
#include <cmath>

namespace ts_bench {

const std::array<const char*, kMetrics> kMetricNames = {"usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
                                                        "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"};

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : a_(mix(seed)), b_(mix(seed + 0x9e3779b97f4a7c15ull)) {}

  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) / 9007199254740992.0; }  // inside (0, 1)

  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double radius = std::sqrt(-2 * std::log(uniform())), angle = 6.283185307179586 * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::uint64_t next() {
    std::uint64_t x = a_, y = b_;
    a_ = y;
    x ^= x << 23;
    b_ = x ^ y ^ (x >> 17) ^ (y >> 26);
    return b_ + y;
  }

  std::uint64_t a_, b_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace

Fleet generate(const GeneratorOptions& options) {
  static const std::array<const char*, 4> kRegions = {"eu-central-1", "eu-west-1", "us-east-1", "ap-northeast-1"};
  Fleet fleet;
  for (int h = 0; h < options.hosts; h++) {
    fleet.hosts.push_back("host_" + std::to_string(h));
    fleet.regions.push_back(kRegions[static_cast<std::size_t>(h) % kRegions.size()]);
  }
  Random random(options.seed);
  std::vector<std::array<double, kMetrics>> state(static_cast<std::size_t>(options.hosts));
  for (auto& metrics : state) {
    for (double& metric : metrics) metric = random.uniform() * 100;
  }
  fleet.rows.resize(options.rows);
  std::int64_t now = options.start_ms;
  int host = 0;
  for (Row& row : fleet.rows) {
    auto& metrics = state[static_cast<std::size_t>(host)];
    row.ts = now;
    row.host = host;
    for (std::size_t m = 0; m < metrics.size(); m++) {
      metrics[m] = std::clamp(metrics[m] + random.normal(), 0.0, 100.0);
      row.metrics[m] = std::floor(metrics[m] * 100) / 100;
    }
    if (++host == options.hosts) host = 0, now += options.interval_ms;
  }
  return fleet;
}

}  // namespace ts_bench
