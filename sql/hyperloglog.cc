// A register holds the greatest number of leading zeros, plus one, of the hashes that its index takes.
#include "sql/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "sql/sketch_bytes.h"

namespace ts {
namespace {

// The finalizer of A. Appleby's MurmurHash3, a bijection in which each bit depends on all.
std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ word >> 33) * 0xff51afd7ed558ccdULL;
  word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return word ^ word >> 33;
}

// Ertl's sums over the registers that hold 0, and over those that hold the most.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1, z = x;
  for (double before = -1; z != before; y += y) {
    x *= x;
    before = z;
    z += x * y;
  }
  return z;
}
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y /= 2;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

std::uint64_t hash_of(std::uint64_t number, std::uint64_t kind) { return mixed(mixed(number) ^ kind * 0x9e3779b97f4a7c15ULL); }

std::uint64_t hash_of(std::string_view bytes, std::uint64_t kind) {
  std::uint64_t hash = hash_of(bytes.size(), kind);
  while (bytes.size() >= sizeof(std::uint64_t)) hash = mixed(hash ^ mixed(take_word<std::uint64_t>(bytes)));
  std::uint64_t rest = 0;
  for (const char c : bytes) rest = rest << 8 | static_cast<unsigned char>(c);
  return mixed(hash ^ mixed(rest));
}

void HyperLogLog::add(std::uint64_t hash) {
  const std::uint64_t rest = hash << kBits | std::uint64_t{1} << (kBits - 1);  // the lowest bit ends the zeros
  std::uint8_t& rank = registers_[hash >> (64 - kBits)];
  rank = std::max(rank, static_cast<std::uint8_t>(std::countl_zero(rest) + 1));
}

void HyperLogLog::merge(const HyperLogLog& other) {
  std::transform(registers_.begin(), registers_.end(), other.registers_.begin(), registers_.begin(),
                 [](std::uint8_t a, std::uint8_t b) { return std::max(a, b); });
}

std::int64_t HyperLogLog::estimate() const {
  std::array<double, kMostRank + 1> holding{};
  for (const std::uint8_t rank : registers_) ++holding[rank];
  constexpr double m = kRegisters;
  double z = m * tau(1 - holding[kMostRank] / m);
  for (std::size_t rank = kMostRank - 1; rank >= 1; --rank) z = (z + holding[rank]) / 2;
  z += m * sigma(holding[0] / m);
  return static_cast<std::int64_t>(std::min(std::round(m * m / (2 * std::log(2.0)) / z), 9e18));
}

std::string HyperLogLog::bytes() const {
  const auto used = kRegisters - static_cast<std::size_t>(std::count(registers_.begin(), registers_.end(), 0));
  std::string out(kMagic);
  if (used * 3 >= kRegisters) {
    out += 'd';
    return out.append(registers_.begin(), registers_.end());
  }
  out += 's';
  for (std::size_t i = 0; i < kRegisters; ++i) {
    if (!registers_[i]) continue;
    append_word(out, static_cast<std::uint16_t>(i));
    append_word(out, registers_[i]);
  }
  return out;
}

std::string HyperLogLog::read(std::string_view bytes) {
  std::fill(registers_.begin(), registers_.end(), std::uint8_t{0});
  if (bytes.substr(0, kMagic.size()) != kMagic || bytes.size() == kMagic.size()) return "it does not begin as one";
  const char form = bytes[kMagic.size()];
  bytes.remove_prefix(kMagic.size() + 1);
  if (form == 'd' ? bytes.size() != kRegisters : form != 's' || bytes.size() % 3 != 0) return "its length is wrong";
  std::size_t next = 0;
  while (!bytes.empty()) {
    const std::size_t index = form == 'd' ? next : take_word<std::uint16_t>(bytes);
    const auto rank = take_word<std::uint8_t>(bytes);
    if (index < next || index >= kRegisters) return "its registers are out of order";
    if (rank > kMostRank || (form == 's' && rank == 0)) return "a register holds " + std::to_string(rank);
    registers_[index] = rank;
    next = index + 1;
  }
  return "";
}

}  // namespace ts
