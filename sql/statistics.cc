// Quantiles by selection, moments of exact sums, histograms by Prometheus' rules.
#include "sql/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ts {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Buckets of one bound are one bucket. The last must hold all observations.
bool prepare(std::vector<Bucket>& buckets) {
  std::stable_sort(buckets.begin(), buckets.end(), [](const Bucket& a, const Bucket& b) { return a.le < b.le; });
  if (buckets.empty() || buckets.back().le != kInfinity) return false;
  std::size_t last = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].le == buckets[last].le) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
  return true;
}

// Whether two counts differ by rounding only.
bool nearly_equal(double a, double b) {
  const double scale = std::fabs(a) + std::fabs(b), difference = std::fabs(a - b);
  if (a == 0 || b == 0 || scale < std::numeric_limits<double>::min()) return difference < 1e-12 * std::numeric_limits<double>::min();
  return difference / std::min(scale, std::numeric_limits<double>::max()) < 1e-12;
}

// Counts never fall with the bound: where they do, buckets were read at different times, and the greater count holds.
void make_monotonic(std::vector<Bucket>& buckets) {
  double most = buckets[0].count;
  for (Bucket& bucket : buckets) {
    if (bucket.count < most || nearly_equal(bucket.count, most)) bucket.count = most;
    most = bucket.count;
  }
}

// How many observations are below `bound`, linear within a bucket; at most `count`.
double rank_of(double bound, const std::vector<Bucket>& buckets, double count) {
  double lower = buckets[0].le > 0 ? 0 : -kInfinity, rank = 0;
  for (const Bucket& bucket : buckets) {
    if (lower >= bound) return std::min(rank, count);
    if (bucket.le > bound) {
      const double within = std::isinf(lower) ? bucket.count : rank + (bucket.count - rank) * (bound - lower) / (bucket.le - lower);
      return std::min(within, count);
    }
    lower = bucket.le;
    rank = bucket.count;
  }
  return count;
}

}  // namespace

double quantile_of(std::span<double> values, double p) {
  if (values.empty() || std::isnan(p)) return kNone;
  if (p < 0) return -kInfinity;
  if (p > 1) return kInfinity;
  const double place = p * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(values.begin(), below, values.end());
  const double weight = place - std::floor(place), lower = *below;
  if (weight == 0) return lower;
  const double upper = *std::min_element(below + 1, values.end());
  return lower == upper ? lower : lower * (1 - weight) + upper * weight;
}

double mad_of(std::span<double> values) {
  const double median = quantile_of(values, 0.5);
  for (double& value : values) value = std::fabs(value - median);
  if (std::any_of(values.begin(), values.end(), [](double distance) { return std::isnan(distance); })) return kNone;
  return quantile_of(values, 0.5);
}

void Spread::change(double value, int sign) {
  count_ += sign;
  if (!std::isfinite(value)) {
    infinite_ += sign;
    return;
  }
  total_.add(value, sign);
  squares_.add_product(value, value, sign);
}

Exact Spread::deviations() const {
  const Exact total = this->total();
  return Exact(count_) * squares_.value() - total * total;
}

Scaled Spread::scaled_variance(bool sample) const {
  const std::int64_t divisor = count_ - (sample ? 1 : 0);
  if (divisor <= 0 || !finite()) return Scaled(kNone);
  return deviations().scaled() / Scaled(static_cast<double>(count_)) / Scaled(static_cast<double>(divisor));
}

double Spread::variance(bool sample) const { return scaled_variance(sample).value(); }
double Spread::standard_deviation(bool sample) const { return scaled_variance(sample).root().value(); }

void Pairs::change(double y, double x, int sign) {
  y_.change(y, sign);
  x_.change(x, sign);
  if (std::isfinite(y) && std::isfinite(x)) products_.add_product(y, x, sign);
}

Exact Pairs::together() const { return Exact(y_.count()) * products_.value() - y_.total() * x_.total(); }

double Pairs::covariance(bool sample) const {
  const std::int64_t divisor = y_.count() - (sample ? 1 : 0);
  if (!finite() || divisor <= 0) return kNone;
  return (together().scaled() / Scaled(static_cast<double>(y_.count())) / Scaled(static_cast<double>(divisor))).value();
}

bool Pairs::sums(Sums& sums) const {
  if (!finite()) return false;
  sums = {together().scaled(), x_.deviations().scaled(), y_.deviations().scaled()};
  return sums.xx.sign() > 0;
}

double Pairs::correlation() const {
  Sums of;
  if (!sums(of) || !(of.yy.sign() > 0)) return kNone;
  return std::clamp((of.yx / (of.yy * of.xx).root()).value(), -1.0, 1.0);
}

double Pairs::slope() const {
  Sums of;
  return sums(of) ? (of.yx / of.xx).value() : kNone;
}

double Pairs::intercept() const {
  Sums of;
  if (!sums(of)) return kNone;
  const Exact above = y_.total() * x_.deviations() - together() * x_.total();
  return (above.scaled() / of.xx / Scaled(static_cast<double>(y_.count()))).value();
}

double Pairs::r_squared() const {
  Sums of;
  if (!sums(of)) return kNone;
  return of.yy.sign() > 0 ? std::min(1.0, (of.yx * of.yx / (of.yy * of.xx)).value()) : 1;
}

double histogram_quantile(double p, std::vector<Bucket>& buckets) {
  if (std::isnan(p) || buckets.empty()) return kNone;
  if (p < 0) return -kInfinity;
  if (p > 1) return kInfinity;
  if (!prepare(buckets) || buckets.size() < 2) return kNone;
  make_monotonic(buckets);
  const double count = buckets.back().count, rank = p * count;
  if (count == 0) return kNone;
  const auto last = buckets.end() - 1;
  const auto found = std::find_if(buckets.begin(), last, [&](const Bucket& bucket) { return bucket.count >= rank; });
  if (found == last) return (last - 1)->le;
  if (found == buckets.begin() && found->le <= 0) return found->le;
  const Bucket below = found == buckets.begin() ? Bucket{} : *(found - 1);
  return below.le + (found->le - below.le) * ((rank - below.count) / (found->count - below.count));
}

double histogram_fraction(double lower, double upper, std::vector<Bucket>& buckets) {
  if (!prepare(buckets) || std::isnan(lower) || std::isnan(upper)) return kNone;
  const double count = buckets.back().count;
  if (count == 0) return kNone;
  if (lower >= upper) return 0;
  return (rank_of(upper, buckets, count) - rank_of(lower, buckets, count)) / count;
}

}  // namespace ts
