// What the distribution functions compute: quantiles, moments with exact sums, classic histograms. Pure.
//
// NaN is the answer of what has none, which SQL sees as NULL.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "sql/exact_sum.h"

namespace ts {

// Neumaier's sum.
class Sum {
 public:
  void add(double value) {
    const double total = sum_ + value;
    if (std::isfinite(total)) {
      rest_ += std::fabs(sum_) >= std::fabs(value) ? (sum_ - total) + value : (value - total) + sum_;
    }
    sum_ = total;
  }
  double value() const { return std::isfinite(sum_) ? sum_ + rest_ : sum_; }

 private:
  double sum_ = 0, rest_ = 0;
};

// The quantile p of the values by linear interpolation at the place p * (n - 1); -Infinity for p < 0, Infinity for p > 1. Moves the values.
double quantile_of(std::span<double> values, double p);
// The median of the distances from the median. Moves the values.
double mad_of(std::span<double> values);

// Exact sums of values and of their squares: what leaves is taken out again to the last bit.
class Spread {
 public:
  void change(double value, int sign);  // sign: 1, or -1 for a value that leaves
  std::int64_t count() const { return count_; }
  bool finite() const { return infinite_ == 0; }
  Exact total() const { return total_.value(); }
  Exact deviations() const;  // n times the sum of squared distances from the mean
  double variance(bool sample) const;  // by n, or by n - 1; NaN while a value is infinite
  double standard_deviation(bool sample) const;

 private:
  Scaled scaled_variance(bool sample) const;

  std::int64_t count_ = 0, infinite_ = 0;
  ExactSum total_, squares_;
};

// Pairs; NaN is the answer to all questions while one holds an infinity.
class Pairs {
 public:
  void change(double y, double x, int sign);
  double covariance(bool sample) const;
  double correlation() const;  // in [-1, 1]; NaN where y or x does not vary
  double slope() const;        // of the least-squares line y over x; NaN where x does not vary
  double intercept() const;
  double r_squared() const;  // 1 where y does not vary

 private:
  bool finite() const { return y_.finite() && x_.finite() && y_.count() > 0; }
  Exact together() const;  // n times the sum of products of the distances from the means
  // The three sums that slopes and correlations are made of; false: no answer, because x does not vary.
  struct Sums {
    Scaled yx, xx, yy;
  };
  bool sums(Sums& sums) const;

  Spread y_, x_;
  ExactSum products_;
};

// A classic histogram's bucket: how many observations are <= le.
struct Bucket {
  double le = 0, count = 0;
};
// Prometheus' rules. Both order the buckets and change them.
double histogram_quantile(double p, std::vector<Bucket>& buckets);
double histogram_fraction(double lower, double upper, std::vector<Bucket>& buckets);

}  // namespace ts
