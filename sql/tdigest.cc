// Values wait until there are enough of them to be sorted and merged into the centroids in one pass.
#include "sql/tdigest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "sql/sketch_bytes.h"

namespace ts {
namespace {

constexpr double kCompression = 200;
constexpr std::size_t kMostWaiting = 4'096, kMostCentroids = 1'000;
constexpr std::size_t kHeaderBytes = 4 * sizeof(std::uint64_t), kCentroidBytes = 2 * sizeof(std::uint64_t);
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The greatest quantile that a centroid may reach which begins at the quantile q: one step on the scale k1.
double reach(double q) {
  const double k = kCompression / (2 * std::numbers::pi) * std::asin(2 * q - 1) + 1;
  return k >= kCompression / 4 ? 1 : (std::sin(k * 2 * std::numbers::pi / kCompression) + 1) / 2;
}

// A mean of two that never leaves them.
double between(double a, double b, double share) {
  if (a == b) return a;
  const double distance = b - a;
  return std::clamp(std::isfinite(distance) ? a + distance * share : a * (1 - share) + b * share, a, b);
}

}  // namespace

void TDigest::add(double value) {
  if (std::isinf(value)) {
    ++(value < 0 ? low_ : high_);
    return;
  }
  waiting_.push_back(value);
  if (waiting_.size() >= kMostWaiting) compress();
}

void TDigest::compress() {
  if (waiting_.empty()) return;
  std::sort(waiting_.begin(), waiting_.end());
  const bool first = centroids_.empty();
  least_ = first ? waiting_.front() : std::min(least_, waiting_.front());
  most_ = first ? waiting_.back() : std::max(most_, waiting_.back());
  std::vector<Centroid> all(centroids_);
  for (const double value : waiting_) all.push_back({value, 1});
  waiting_.clear();
  close_up(std::move(all));
}

void TDigest::close_up(std::vector<Centroid> all) {
  std::stable_sort(all.begin(), all.end(), [](const Centroid& a, const Centroid& b) { return a.mean < b.mean; });
  double total = 0;
  for (const Centroid& one : all) total += static_cast<double>(one.weight);
  centroids_.clear();
  std::int64_t before = 0;  // the weight of all centroids but the last
  double limit = 0;
  for (const Centroid& one : all) {
    if (centroids_.empty() || static_cast<double>(before + centroids_.back().weight + one.weight) > limit) {
      if (!centroids_.empty()) before += centroids_.back().weight;
      limit = total * reach(static_cast<double>(before) / total);
      centroids_.push_back(one);
      continue;
    }
    Centroid& last = centroids_.back();
    last.weight += one.weight;
    last.mean = between(last.mean, one.mean, static_cast<double>(one.weight) / static_cast<double>(last.weight));
  }
}

void TDigest::merge(TDigest other) {
  compress();
  other.compress();
  low_ += other.low_;
  high_ += other.high_;
  if (other.centroids_.empty()) return;
  least_ = centroids_.empty() ? other.least_ : std::min(least_, other.least_);
  most_ = centroids_.empty() ? other.most_ : std::max(most_, other.most_);
  std::vector<Centroid> all(std::move(centroids_));
  all.insert(all.end(), other.centroids_.begin(), other.centroids_.end());
  close_up(std::move(all));
}

std::int64_t TDigest::count() const {
  std::int64_t count = low_ + high_ + static_cast<std::int64_t>(waiting_.size());
  for (const Centroid& one : centroids_) count += one.weight;
  return count;
}

double TDigest::quantile(double p) {
  compress();
  const std::int64_t finite = count() - low_ - high_;
  const double place = p * static_cast<double>(low_ + finite + high_ - 1) - static_cast<double>(low_);
  if (place < 0) return -kInfinity;
  if (place > static_cast<double>(finite - 1)) return kInfinity;
  // The means stand in the middle of their values' places, the least and the most value at both ends.
  double at = 0, value = least_, begin = 0;
  for (const Centroid& one : centroids_) {
    const double middle = begin + static_cast<double>(one.weight - 1) / 2;
    if (place <= middle) return middle == at ? one.mean : between(value, one.mean, (place - at) / (middle - at));
    at = middle;
    value = one.mean;
    begin += static_cast<double>(one.weight);
  }
  return between(value, most_, (place - at) / (static_cast<double>(finite - 1) - at));
}

std::string TDigest::bytes() {
  compress();
  std::string out(kMagic);
  append_word(out, static_cast<std::uint64_t>(low_));
  append_word(out, static_cast<std::uint64_t>(high_));
  append_real(out, least_);
  append_real(out, most_);
  for (const Centroid& one : centroids_) {
    append_real(out, one.mean);
    append_word(out, static_cast<std::uint64_t>(one.weight));
  }
  return out;
}

std::string TDigest::read(std::string_view bytes) {
  *this = TDigest();
  if (bytes.substr(0, kMagic.size()) != kMagic) return "it does not begin as one";
  bytes.remove_prefix(kMagic.size());
  if (bytes.size() < kHeaderBytes || (bytes.size() - kHeaderBytes) % kCentroidBytes != 0 ||
      (bytes.size() - kHeaderBytes) / kCentroidBytes > kMostCentroids) {
    return "its length is wrong";
  }
  constexpr auto kMost = static_cast<std::uint64_t>(kMostValues);
  const auto low = take_word<std::uint64_t>(bytes), high = take_word<std::uint64_t>(bytes);
  if (low >= kMost || high >= kMost || low + high >= kMost) return "it counts too many values";
  std::uint64_t total = low + high;
  low_ = static_cast<std::int64_t>(low);
  high_ = static_cast<std::int64_t>(high);
  least_ = take_real(bytes);
  most_ = take_real(bytes);
  if (!std::isfinite(least_) || !std::isfinite(most_)) return "its ends are no numbers";
  double before = least_;
  while (!bytes.empty()) {
    const double mean = take_real(bytes);
    const auto weight = take_word<std::uint64_t>(bytes);
    if (!(mean >= before && mean <= most_)) return "its centroids are out of order";
    if (weight == 0 || weight >= kMost || (total += weight) >= kMost) return "it counts too many values, or none";
    centroids_.push_back({mean, static_cast<std::int64_t>(weight)});
    before = mean;
  }
  return total == 0 ? "it holds no value" : "";
}

}  // namespace ts
