// Tests of the loops for AVX2: each gives the bits that its plain form gives, or stops before.
#include "ext/archive/packed_avx2.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "ext/archive/packed_column.h"

using namespace ts;

TEST_CASE("packed_avx2: codes of every width are taken from any bit on, within the bytes") {
  if (!has_avx2()) return;
  std::mt19937_64 random(1);
  for (int bits = 1; bits <= kMostAvx2Bits; bits++) {
    for (int round = 0; round < 200; round++) {
      std::vector<unsigned char> bytes(1 + random() % 60);  // without slack behind them, for a sanitizer
      for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
      auto width = static_cast<std::size_t>(bits);
      std::size_t first = random() % (bytes.size() * 8), count = (bytes.size() * 8 - first) / width;
      std::vector<std::uint64_t> out(count);
      std::size_t done = unpack_codes_avx2(bytes.data(), bytes.size(), first, bits, count, out.data());
      REQUIRE(done <= count);
      for (std::size_t i = 0; i < done; i++) {
        std::uint64_t wanted = 0;
        for (std::size_t b = first + i * width; b < first + (i + 1) * width; b++) wanted = wanted << 1 | (bytes[b / 8] >> (7 - b % 8) & 1);
        REQUIRE(out[i] == wanted);
      }
    }
  }
}

TEST_CASE("packed_avx2: integers of every size become the doubles of a conversion and a division") {
  std::mt19937_64 random(2);
  std::vector<std::int64_t> integers = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, (1LL << 53) + 1, -(1LL << 53) - 1, 1LL << 52};
  for (int i = 0; i < 100'000; i++) integers.push_back(static_cast<std::int64_t>(random()) >> (random() % 64));
  std::vector<double> out(integers.size());
  for (double scale : {1.0, 100.0, 1e18, 3.0, 1.7976931348623}) {
    to_reals(integers.data(), integers.size(), scale, out.data());
    for (std::size_t i = 0; i < out.size(); i++) {
      REQUIRE(std::bit_cast<std::uint64_t>(out[i]) == std::bit_cast<std::uint64_t>(static_cast<double>(integers[i]) / scale));
    }
  }
}

TEST_CASE("packed_avx2: a decimal among others is found exactly, and what is none ends it") {
  if (!has_avx2()) return;
  for (double odd : {-0.0, 0.125, 1e300, std::ldexp(1.0, 51), -std::ldexp(1.0, 60), 1.0 / 3, HUGE_VAL, -HUGE_VAL, double(NAN)}) {
    std::vector<double> values;
    for (int i = -50; i < 50; i++) values.push_back(i / 100.0);
    values[50 + 13] = odd;
    std::vector<std::int64_t> integers(values.size());
    CHECK(decimals_avx2(values.data(), values.size(), 100, integers.data()) == 60);
    for (int i = 0; i < 60; i++) CHECK(integers[static_cast<std::size_t>(i)] == i - 50);
    CHECK(decimals_avx2(values.data() + 64, 36, 100, integers.data()) == 36);
  }
}
