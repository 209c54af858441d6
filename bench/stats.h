// What is said about repeated measurements: median, extremes, percentiles. Pure.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace ts_bench {

struct Spread {
  double median = 0, min = 0, max = 0;
};

// Of an odd or even number of values; all zero when there are none.
inline Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  std::size_t half = values.size() / 2;
  double median = values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

// The smallest value that at least `fraction` of all values do not exceed.
inline double percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  auto rank = static_cast<std::size_t>(fraction * static_cast<double>(values.size()));
  rank = std::min(rank, values.size() - 1);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank), values.end());
  return values[rank];
}

}  // namespace ts_bench
