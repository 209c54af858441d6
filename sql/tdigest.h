// The merging t-digest: where quantiles lie, from at most 200 centroids that are small at both ends. Pure.
//
// Source: T. Dunning and O. Ertl, "Computing extremely accurate quantiles using t-digests", 2019, with the scale function k1 and a
// compression of 200: a centroid at the quantile q holds at most 2 pi sqrt(q (1 - q)) / 200 of all values, or one. So the answer for p is
// a quantile of the values that is off by at most that: 1.6 % of the values at the median, 0.3 % at p = 0.01, and usually by a tenth of it.
// The same values in the same order give the same bytes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ts {

class TDigest {
 public:
  static constexpr std::string_view kMagic = "tdg1";
  static constexpr std::int64_t kMostValues = std::int64_t{1} << 53;  // as doubles count exactly

  void add(double value);
  void merge(TDigest other);  // REQUIRES: both together hold no more than kMostValues
  std::int64_t count() const;
  // As quantile(): at the place p * (n - 1). REQUIRES: a value was added, 0 <= p <= 1.
  double quantile(double p);

  std::string bytes();
  // What is wrong with bytes that are no digest; empty: they were read.
  std::string read(std::string_view bytes);

 private:
  struct Centroid {
    double mean;
    std::int64_t weight;
  };
  void compress();
  void close_up(std::vector<Centroid> all);

  std::vector<Centroid> centroids_;  // in the order of their means
  std::vector<double> waiting_;
  std::int64_t low_ = 0, high_ = 0;  // infinities
  double least_ = 0, most_ = 0;      // of what is finite
};

}  // namespace ts
