// Sums of doubles and of their products without rounding: fixed point as wide as all products. Pure.
//
// What was added is taken out again to the last bit, and the order of additions does not matter. Source: R. M. Neal, "Fast exact summation
// using small and large superaccumulators", 2015, which keeps a double's bits in 64-bit limbs of 32 bits, whose carries wait.
#pragma once
#include <cstdint>
#include <vector>

namespace ts {

// A number m * 2^e beyond the range of a double; m is 0, infinite, NaN or in [0.5, 1).
class Scaled {
 public:
  explicit Scaled(double mantissa = 0, std::int64_t exponent = 0);
  double value() const;  // 0 or Infinity where it leaves the doubles
  Scaled root() const;
  double sign() const { return mantissa_; }
  friend Scaled operator*(const Scaled& a, const Scaled& b) { return Scaled(a.mantissa_ * b.mantissa_, a.exponent_ + b.exponent_); }
  friend Scaled operator/(const Scaled& a, const Scaled& b) { return Scaled(a.mantissa_ / b.mantissa_, a.exponent_ - b.exponent_); }

 private:
  double mantissa_;
  std::int64_t exponent_;
};

// A binary number of any length.
class Exact {
 public:
  Exact() = default;
  explicit Exact(std::int64_t number);
  // Limbs of 32 bits, the lowest first, of which the first counts 2^(32 * position).
  Exact(std::vector<std::uint32_t> limbs, std::int64_t position, bool negative);
  Scaled scaled() const;
  friend Exact operator*(const Exact& a, const Exact& b);
  friend Exact operator-(const Exact& a, const Exact& b);

 private:
  std::vector<std::uint32_t> limbs_;  // without zeros at either end; empty: 0
  std::int64_t position_ = 0;
  bool negative_ = false;
};

class ExactSum {
 public:
  // Finite numbers; sign is 1, or -1 to take out.
  void add(double value, int sign);
  void add_product(double a, double b, int sign);
  Exact value() const;

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr int kLimbs = 136, kFirst = -68;  // 2^-2176 to 2^2176; a product has bits from 2^-2148 to 2^2048
  void add_bits(Wide bits, int exponent, bool negative);

  std::int64_t limbs_[kLimbs] = {};
  std::int64_t waiting_ = 0;  // additions since the carries were carried
};

}  // namespace ts
