// Tests of bench/tsbs_data: the rows are those that other stores were measured with, the variants are what they say.
#include "bench/tsbs_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace ts_bench;

namespace {

std::vector<std::int64_t> row_of(const TsbsData& data, int tick, int host) {
  std::vector<std::int64_t> row = {data.time(tick, host)};
  for (int m = 0; m < kMetrics; m++) row.push_back(data.value(tick, host, m));
  return row;
}

TsbsData made(TsbsOptions::Kind kind, int hosts, int ticks) { return TsbsData({kind, hosts, ticks}); }

}  // namespace

TEST_CASE("tsbs data: integers and decimals of 1,000 hosts are the reference generator's rows") {
  using Row = std::vector<std::int64_t>;
  TsbsData integers = made(TsbsOptions::kIntegers, 1'000, 2);
  CHECK(row_of(integers, 0, 0) == Row{1'451'606'400'000, 90, 8, 53, 33, 47, 95, 85, 58, 67, 43});
  CHECK(row_of(integers, 0, 1) == Row{1'451'606'400'000, 29, 5, 33, 21, 87, 11, 69, 39, 87, 89});
  CHECK(row_of(integers, 1, 999) == Row{1'451'606'410'000, 65, 27, 41, 91, 4, 80, 56, 63, 3, 25});
  TsbsData decimals = made(TsbsOptions::kDecimals, 1'000, 2);
  CHECK(row_of(decimals, 0, 0) == Row{1'451'606'400'000, 9052, 852, 5359, 3378, 4799, 9539, 8546, 5892, 6764, 4346});
  CHECK(row_of(decimals, 1, 999) == Row{1'451'606'410'000, 6542, 2798, 4172, 9164, 427, 8054, 5696, 6365, 397, 2518});
}

TEST_CASE("tsbs data: less of the data is the beginning of all of it") {
  TsbsData some = made(TsbsOptions::kIntegers, 20, 3), all = made(TsbsOptions::kIntegers, 20, 9);
  for (int tick = 0; tick < 3; tick++) {
    for (int host = 0; host < 20; host++) CHECK(row_of(some, tick, host) == row_of(all, tick, host));
  }
}

TEST_CASE("tsbs data: counters never fall and most of them rise") {
  TsbsData data = made(TsbsOptions::kCounters, 50, 200);
  int rose = 0, steps = 0;
  for (int tick = 1; tick < data.ticks(); tick++) {
    for (int host = 0; host < data.hosts(); host++) {
      for (int m = 0; m < kMetrics; m++) {
        REQUIRE(data.value(tick, host, m) >= data.value(tick - 1, host, m));
        rose += data.value(tick, host, m) > data.value(tick - 1, host, m);
        steps++;
      }
    }
  }
  CHECK(rose > steps * 9 / 10);
}

TEST_CASE("tsbs data: jittered times are within 50 ms of every tick's middle, so none leaves its hour, and reach both ends") {
  TsbsData data = made(TsbsOptions::kJitter, 100, 50);
  std::int64_t least = 0, most = 0;
  for (int tick = 0; tick < data.ticks(); tick++) {
    for (int host = 0; host < data.hosts(); host++) {
      std::int64_t off = data.time(tick, host) - (kTsbsStartMs + kTsbsIntervalMs * tick + 5'000);
      least = std::min(least, off);
      most = std::max(most, off);
    }
  }
  CHECK(least == -50);
  CHECK(most == 50);
  CHECK(row_of(data, 7, 7)[1] == made(TsbsOptions::kIntegers, 100, 50).value(7, 7, 0));
}

TEST_CASE("tsbs data: log lines rise in time over one day and are nearly all different") {
  std::vector<LogLine> log = generate_log(10'000, 100, 42);
  std::set<std::string> messages;
  for (std::size_t i = 0; i < log.size(); i++) {
    if (i) REQUIRE(log[i].ts > log[i - 1].ts);
    REQUIRE(log[i].message.find('%') == log[i].message.find("% full"));
    messages.insert(log[i].message);
  }
  CHECK(log.back().ts < kTsbsStartMs + 86'400'000);
  CHECK(messages.size() > log.size() * 99 / 100);
}
