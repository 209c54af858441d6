// Carries wait in the upper half of 64-bit limbs until they might overflow, or the sum is asked for.
#include "sql/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace ts {
namespace {

constexpr std::int64_t kMostWaiting = std::int64_t{1} << 30;
constexpr std::uint64_t kLow = 0xffffffff;

struct Parts {
  std::uint64_t mantissa;
  int exponent;
  bool negative;
};
Parts parts_of(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  return {field ? fraction | std::uint64_t{1} << 52 : fraction, (field ? field : 1) - 1075, (bits >> 63) != 0};
}

// Leaves every limb below 2^32; what remains is the sign: 0 or -1.
template <class Limbs>
std::int64_t carry(Limbs& limbs) {
  std::int64_t over = 0;
  for (std::int64_t& limb : limbs) {
    const std::int64_t whole = limb + over;
    limb = static_cast<std::int64_t>(static_cast<std::uint64_t>(whole) & kLow);
    over = whole >> 32;
  }
  return over;
}

// The number of limbs with signs and waiting carries; the highest has room for a sign.
Exact number_of(std::vector<std::int64_t> limbs, std::int64_t position) {
  const bool negative = carry(limbs) < 0;
  if (negative) {  // 2^(32n) less what the limbs hold
    for (std::int64_t& limb : limbs) limb = -limb;
    limbs.back() += std::int64_t{1} << 32;
    carry(limbs);
  }
  return Exact(std::vector<std::uint32_t>(limbs.begin(), limbs.end()), position, negative);
}

}  // namespace

Scaled::Scaled(double mantissa, std::int64_t exponent) {
  int more = 0;
  mantissa_ = std::frexp(mantissa, &more);
  exponent_ = std::isfinite(mantissa) ? exponent + more : 0;
}
double Scaled::value() const { return std::ldexp(mantissa_, static_cast<int>(std::clamp<std::int64_t>(exponent_, -3'000, 3'000))); }
Scaled Scaled::root() const {
  const bool odd = exponent_ % 2 != 0;
  return Scaled(std::sqrt(odd ? mantissa_ * 2 : mantissa_), (exponent_ - (odd ? 1 : 0)) / 2);
}

Exact::Exact(std::int64_t number) {
  const std::uint64_t size = number < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  *this = Exact({static_cast<std::uint32_t>(size & kLow), static_cast<std::uint32_t>(size >> 32)}, 0, number < 0);
}

Exact::Exact(std::vector<std::uint32_t> limbs, std::int64_t position, bool negative)
    : limbs_(std::move(limbs)), position_(position), negative_(negative) {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
  const auto used = std::find_if(limbs_.begin(), limbs_.end(), [](std::uint32_t limb) { return limb != 0; });
  position_ += used - limbs_.begin();
  limbs_.erase(limbs_.begin(), used);
}

// The highest three limbs hold 65 bits or more.
Scaled Exact::scaled() const {
  __extension__ using Wide = unsigned __int128;
  Wide bits = 0;
  const auto n = static_cast<std::int64_t>(limbs_.size());
  for (std::int64_t i = n - 1; i >= n - 3; --i) bits = bits << 32 | (i >= 0 ? limbs_[static_cast<std::size_t>(i)] : 0);
  const auto size = static_cast<double>(bits);
  return Scaled(negative_ ? -size : size, 32 * (position_ + n - 3));
}

Exact operator*(const Exact& a, const Exact& b) {
  std::vector<std::uint32_t> limbs(a.limbs_.size() + b.limbs_.size());
  for (std::size_t i = 0; i < a.limbs_.size(); ++i) {
    std::uint64_t over = 0;
    for (std::size_t j = 0; j < b.limbs_.size(); ++j) {
      const std::uint64_t whole = std::uint64_t{a.limbs_[i]} * b.limbs_[j] + limbs[i + j] + over;
      limbs[i + j] = static_cast<std::uint32_t>(whole & kLow);
      over = whole >> 32;
    }
    limbs[i + b.limbs_.size()] = static_cast<std::uint32_t>(over);
  }
  return Exact(std::move(limbs), a.position_ + b.position_, a.negative_ != b.negative_);
}

Exact operator-(const Exact& a, const Exact& b) {
  if (b.limbs_.empty()) return a;
  const std::int64_t low = a.limbs_.empty() ? b.position_ : std::min(a.position_, b.position_);
  const auto end = [](const Exact& number) { return number.position_ + static_cast<std::int64_t>(number.limbs_.size()); };
  std::vector<std::int64_t> limbs(static_cast<std::size_t>(std::max(a.limbs_.empty() ? low : end(a), end(b)) - low));
  const auto add = [&](const Exact& number, bool negative) {
    for (std::size_t i = 0; i < number.limbs_.size(); ++i) {
      std::int64_t& limb = limbs[static_cast<std::size_t>(number.position_ - low) + i];
      limb += negative ? -std::int64_t{number.limbs_[i]} : std::int64_t{number.limbs_[i]};
    }
  };
  add(a, a.negative_);
  add(b, !b.negative_);
  limbs.push_back(0);
  return number_of(std::move(limbs), low);
}

void ExactSum::add_bits(Wide bits, int exponent, bool negative) {
  const int place = exponent - 32 * kFirst, shift = place % 32;
  std::int64_t* limb = limbs_ + place / 32;
  auto piece = static_cast<std::int64_t>(static_cast<std::uint64_t>(bits << shift) & kLow);
  for (bits >>= 32 - shift;; bits >>= 32) {
    *limb++ += negative ? -piece : piece;
    if (bits == 0) break;
    piece = static_cast<std::int64_t>(static_cast<std::uint64_t>(bits) & kLow);
  }
  if (++waiting_ < kMostWaiting) return;
  limbs_[kLimbs - 1] += carry(limbs_) * (std::int64_t{1} << 32);
  waiting_ = 0;
}

void ExactSum::add(double value, int sign) {
  const Parts parts = parts_of(value);
  if (parts.mantissa) add_bits(parts.mantissa, parts.exponent, parts.negative != (sign < 0));
}

void ExactSum::add_product(double a, double b, int sign) {
  const Parts x = parts_of(a), y = parts_of(b);
  const Wide bits = Wide{x.mantissa} * y.mantissa;
  if (bits) add_bits(bits, x.exponent + y.exponent, (x.negative != y.negative) != (sign < 0));
}

Exact ExactSum::value() const { return number_of({limbs_, limbs_ + kLimbs}, kFirst); }

}  // namespace ts
