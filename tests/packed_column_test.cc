// Tests of packing integers: exactness at every width, and what a hostile file may claim.
#include "ext/archive/packed_column.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace {

using namespace ts;
using Integers = std::vector<std::int64_t>;
using Nulls = std::vector<std::uint8_t>;

// What unpack gives for every range of a packed column is what went in.
void check_exact(const Integers& values, const Nulls& nulls = {}) {
  auto packed = pack(values.data(), nulls.empty() ? nullptr : nulls.data(), values.size());
  REQUIRE(packed);
  PackedColumn view = packed->view();
  REQUIRE(packed_fault(view, values.size()) == nullptr);
  if (view.all_null) return;
  for (auto [begin, end] : {std::pair<std::size_t, std::size_t>{0, values.size()},
                            {values.size() / 3, values.size()},
                            {values.size() - 1, values.size()},
                            {0, 1},
                            {values.size() / 2, values.size() * 3 / 4 + 1}}) {
    end = std::min(end, values.size());
    if (begin >= end) continue;
    Integers out(end - begin, 77);
    Nulls is_null(end - begin, 0);
    unpack(view, begin, end, out.data(), is_null.data());
    for (std::size_t i = begin; i < end; i++) {
      bool null = !nulls.empty() && nulls[i];
      REQUIRE(static_cast<bool>(is_null[i - begin]) == null);
      if (!null) REQUIRE(out[i - begin] == values[i]);
    }
  }
}

}  // namespace

TEST_CASE("packed_column: every width from 0 to 64 bits gives back what went in, with and without NULLs") {
  std::mt19937_64 random(1);
  for (int bits = 0; bits <= 64; bits++) {
    for (std::size_t count : {1u, 2u, 3u, 7u, 8u, 9u, 63u, 64u, 65u, 360u, 1024u, 1499u}) {
      Integers values(count);
      Nulls nulls(count);
      std::uint64_t mask = bits == 64 ? UINT64_MAX : (std::uint64_t{1} << bits) - 1;
      std::int64_t base = bits > 60 ? 0 : static_cast<std::int64_t>(random() >> 8) * (random() & 1 ? 1 : -1);
      for (std::size_t i = 0; i < count; i++) {
        values[i] = base + static_cast<std::int64_t>(random() & mask);
        nulls[i] = random() % 5 == 0;
        if (values[i] == -1) values[i] = -2;  // the only value that a raw column with NULLs cannot hold
      }
      CAPTURE(bits);
      CAPTURE(count);
      check_exact(values);
      check_exact(values, nulls);
    }
  }
}

TEST_CASE("packed_column: walks, slopes, steps and outliers give back what went in") {
  std::mt19937_64 random(2);
  for (int shape = 0; shape < 200; shape++) {
    std::size_t count = 1 + random() % 1499;
    Integers values(count);
    std::int64_t at = static_cast<std::int64_t>(random() >> (random() % 40 + 8)),
                 slope = static_cast<std::int64_t>(random() >> (20 + random() % 40));
    for (std::size_t i = 0; i < count; i++) {
      at += slope + static_cast<std::int64_t>(random() % 17) - 8;
      values[i] = random() % 500 == 0 ? at + 1'000'000 : at;
    }
    if (shape % 3 == 0) std::reverse(values.begin(), values.end());
    check_exact(values);
  }
}

TEST_CASE("packed_column: the ends of 64 bits are held, and a column that cannot be packed is refused") {
  check_exact({INT64_MIN, INT64_MAX});
  check_exact({INT64_MAX, INT64_MAX});
  check_exact({INT64_MIN, INT64_MIN, INT64_MIN + 1});
  check_exact({INT64_MIN, 0, INT64_MAX, -1});
  check_exact({INT64_MIN, INT64_MIN / 2, -5, INT64_MAX - 10});
  check_exact({INT64_MAX - 3, INT64_MAX - 2, INT64_MAX - 1, INT64_MAX});
  check_exact({INT64_MIN, INT64_MAX, 5}, {0, 0, 1});
  const Integers values = {INT64_MIN, INT64_MAX, -1, 0};
  const Nulls nulls = {0, 0, 0, 1};
  CHECK_FALSE(pack(values.data(), nulls.data(), values.size()));  // -1 would mean NULL
  const Nulls all = {1, 1, 1, 1};
  CHECK(pack(values.data(), all.data(), values.size())->all_null);
}

TEST_CASE("packed_column: regular times cost no bits, and a slow walk costs few") {
  Integers times, walk;
  for (std::int64_t i = 0; i < 1000; i++) times.push_back(1'795'418'160'000 + i * 10'000);
  auto packed = pack(times.data(), nullptr, times.size());
  CHECK(packed->bits == 0);
  CHECK(packed->mini_bits == 0);
  CHECK(packed->slope == 10'000);
  std::mt19937_64 random(3);
  std::int64_t at = 1'000'000;
  for (int i = 0; i < 1024; i++) walk.push_back(at += static_cast<std::int64_t>(random() % 3) - 1);
  packed = pack(walk.data(), nullptr, walk.size());
  CHECK(packed->size() < 1024 * 4 / 8);
}

TEST_CASE("packed_column: decimals are found exactly, and what is no decimal is not") {
  auto digits = [](std::vector<double> values) {
    Integers integers(values.size());
    auto found = decimal_digits(values.data(), nullptr, values.size(), integers.data());
    if (!found) return -1;
    for (std::size_t i = 0; i < values.size(); i++) {
      CHECK(std::bit_cast<std::uint64_t>(static_cast<double>(integers[i]) / power_of_ten(*found)) ==
            std::bit_cast<std::uint64_t>(values[i]));
    }
    return *found;
  };
  CHECK(digits({1, 2, 3}) == 0);
  CHECK(digits({0.5, 1.25, -7.75}) == 2);
  CHECK(digits({100.1, 0.001, 5}) == 3);
  CHECK(digits({1e15, 2}) == 0);
  CHECK(digits({0.0}) == 0);
  CHECK(digits({-0.0}) == -1);
  CHECK(digits({1e300}) == -1);
  CHECK(digits({1.0 / 3}) == 16);
  CHECK(digits({0.1 + 0.2}) == -1);
  CHECK(digits({5e-324}) == -1);
  CHECK(digits({std::numeric_limits<double>::infinity()}) == -1);
  CHECK(digits({9007199254740993.0}) == -1);
  for (int i = 0; i < 10000; i += 7) CHECK(digits({i / 100.0, i / 10.0}) >= 0);
}

TEST_CASE("packed_column: claims that the bytes do not bear are refused before a byte is read") {
  const std::string bytes(16, '\xFF');
  PackedColumn column;
  column.data = column.mini = bytes;
  auto refused = [&](std::size_t count) { return packed_fault(column, count) != nullptr; };
  column.bits = 8;
  CHECK_FALSE(refused(16));
  CHECK(refused(17));
  CHECK(refused(0));
  CHECK(refused(kMaxChunkRows + 1));
  for (int bits : {-1, 58, 63, 65, 1000}) {
    column.bits = bits;
    CHECK(refused(1));
  }
  column.bits = 64;
  CHECK_FALSE(refused(2));
  CHECK(refused(3));
  column.bits = 1;
  column.mini_bits = 8;
  column.step = 2;
  CHECK_FALSE(refused(64));
  CHECK(refused(65));
  for (int step : {-1, 17, 64}) {
    column.step = step;
    CHECK(refused(1));
  }
  column.step = 2;
  column.mini_bits = 60;
  CHECK(refused(1));
  column.mini_bits = 0;
  column.kind = PackedKind::kDecimal;
  for (double scale : {0.0, -1.0, 0.5, 1e19, std::numeric_limits<double>::quiet_NaN()}) {
    column.scale = scale;
    CHECK(refused(1));
  }
}

TEST_CASE("packed_column: any claim that passes the check is unpacked within its bytes") {
  std::mt19937_64 random(4);
  for (int round = 0; round < 20000; round++) {
    std::string mini(random() % 40, '\0'), data(random() % 200, '\0');
    for (char& c : mini) c = static_cast<char>(random());
    for (char& c : data) c = static_cast<char>(random());
    // Copies without slack behind them, so that a sanitizer sees one byte too many.
    std::vector<char> exact_mini(mini.begin(), mini.end()), exact_data(data.begin(), data.end());
    PackedColumn column;
    column.base = static_cast<std::int64_t>(random());
    column.slope = static_cast<std::int64_t>(random());
    column.nullable = random() & 1;
    column.step = static_cast<int>(random() % 18);
    column.bits = static_cast<int>(random() % 66);
    column.mini_bits = random() % 3 ? 0 : static_cast<int>(random() % 66);
    column.mini = std::string_view(exact_mini.data(), exact_mini.size());
    column.data = std::string_view(exact_data.data(), exact_data.size());
    std::size_t count = 1 + random() % 300;
    if (packed_fault(column, count)) continue;
    Integers out(count);
    Nulls nulls(count);
    unpack(column, 0, count, out.data(), nulls.data());
    unpack(column, count / 2, count, out.data(), nulls.data());
  }
}
