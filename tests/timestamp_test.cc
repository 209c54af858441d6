// Tests of base/timestamp: against a calendar that is walked day by day, and against properties with a fixed seed.
#include "ext/base/timestamp.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "ext/base/error.h"

using namespace ts;

namespace {

constexpr Precision kPrecisions[] = {Precision::kSeconds, Precision::kMillis, Precision::kMicros, Precision::kNanos};
constexpr Partition kPartitions[] = {Partition::kHour, Partition::kDay, Partition::kMonth};

std::optional<std::int64_t> ms(std::string_view text) { return parse_timestamp(text, Precision::kMillis); }

// 2026-11-23T07:16:00Z
constexpr std::int64_t kSecond = 1'795'418'160;

std::vector<std::int64_t> random_counts(Precision precision, int how_many) {
  std::mt19937_64 random(20261123);
  std::uniform_int_distribution<std::int64_t> any(min_timestamp(precision), max_timestamp(precision));
  std::vector<std::int64_t> counts = {min_timestamp(precision), max_timestamp(precision), -1, 0, 1};
  for (int i = 0; i < how_many; ++i) counts.push_back(any(random));
  return counts;
}

}  // namespace

TEST_CASE("timestamp: every day of the years 1 to 9999 is the day after the one before it") {
  std::int64_t day = -719'162;  // 0001-01-01
  int wrong = 0;
  for (int year = 1; year <= 9999; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const std::array<int, 12> lengths = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int month = 1; month <= 12; ++month) {
      const int length = lengths[static_cast<std::size_t>(month - 1)];
      char text[40];
      for (int date = 1; date <= length; ++date, ++day) {
        std::snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, date);
        const auto parsed = parse_timestamp(text, Precision::kSeconds);
        if (!parsed || *parsed != day * 86'400) ++wrong;
        if (format_timestamp(day * 86'400, Precision::kSeconds) != std::string(text) + "T00:00:00Z") ++wrong;
        if (partition_name(day * 86'400 + 86'399, Precision::kSeconds, Partition::kDay) != text) ++wrong;
        if (!is_partition_name(text, Partition::kDay)) ++wrong;
      }
      std::snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, length + 1);
      if (parse_timestamp(text, Precision::kSeconds) || is_partition_name(text, Partition::kDay)) ++wrong;
    }
  }
  CHECK(wrong == 0);
  CHECK(day == 2'932'897);  // 10000-01-01
}

TEST_CASE("timestamp: every second of a day is written and read") {
  int wrong = 0;
  for (std::int64_t second = 0; second < 86'400; ++second) {
    const std::string text = format_timestamp(kSecond - kSecond % 86'400 + second, Precision::kSeconds);
    char clock[20];
    std::snprintf(clock, sizeof clock, "%02d:%02d:%02d", int(second / 3600), int(second / 60 % 60), int(second % 60));
    if (text != "2026-11-23T" + std::string(clock) + "Z") ++wrong;
    if (parse_timestamp(text, Precision::kSeconds) != kSecond - kSecond % 86'400 + second) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("timestamp: the forms of ISO-8601 are read, and no zone means UTC") {
  CHECK(ms("2026-11-23T07:16:00Z") == kSecond * 1000);
  CHECK(ms("2026-11-23 07:16:00") == kSecond * 1000);
  CHECK(ms("2026-11-23T07:16") == kSecond * 1000);
  CHECK(ms("2026-11-23T07:16Z") == kSecond * 1000);
  CHECK(ms("2026-11-23") == 1'795'392'000'000);
  CHECK(ms("2026-11-23T07:16:00.5") == kSecond * 1000 + 500);
  CHECK(ms("2026-11-23T07:16:00.123456789Z") == kSecond * 1000 + 123);
  CHECK(ms("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_timestamp("2026-11-23T07:16:00.123456789Z", Precision::kNanos) == kSecond * 1'000'000'000 + 123'456'789);
}

TEST_CASE("timestamp: an offset is taken off, up to 14:59") {
  CHECK(ms("2026-11-23T09:16:00+02:00") == kSecond * 1000);
  CHECK(ms("2026-11-23T09:16:00+0200") == kSecond * 1000);
  CHECK(ms("2026-11-23T09:16:00+02") == kSecond * 1000);
  CHECK(ms("2026-11-23T01:46:00-05:30") == kSecond * 1000);
  CHECK(ms("2026-11-23T07:16:00-00:00") == kSecond * 1000);
  CHECK(ms("2026-11-23T22:15:00.25+14:59") == kSecond * 1000 + 250);
  CHECK_FALSE(ms("2026-11-23T07:16:00+15:00"));
  CHECK_FALSE(ms("2026-11-23T07:16:00+02:60"));
  CHECK_FALSE(ms("2026-11-23T07:16:00+2"));
  CHECK_FALSE(ms("2026-11-23T07:16:00+02:0"));
  CHECK_FALSE(ms("2026-11-23T07:16:00 +02:00"));
  CHECK_FALSE(ms("2026-11-23T07:16:00Z+02:00"));
  CHECK_FALSE(ms("0001-01-01T00:00:00+00:01"));
  CHECK_FALSE(ms("9999-12-31T23:59:59-00:01"));
}

TEST_CASE("timestamp: a leap second is refused") {
  CHECK_FALSE(ms("2016-12-31T23:59:60Z"));
  CHECK_FALSE(parse_compact("20161231T235960.000Z", Precision::kMillis));
}

TEST_CASE("timestamp: what is no time is refused") {
  for (const char* text : {"",
                           "yesterday",
                           "now",
                           "1795418160000",
                           "1795418160",
                           "2460000.5",
                           "07:16:00",
                           "T07:16:00",
                           "2026",
                           "2026-11",
                           "2026-11-23T",
                           "2026-11-23T07",
                           "2026-11-23T07Z",
                           "2026-11-23Z",
                           "2026-11-23+02:00",
                           "2026-11-23T24:00:00",
                           "2026-11-23T07:60:00",
                           "2026-11-23T07:16:00.",
                           "2026-11-23T07:16:00.Z",
                           "2026-11-23T07:16:00,5Z",
                           "2026-11-23T07:16.5",
                           "2026-11-23T07:16:00.5x",
                           "2026-11-23T07:16:0",
                           "2026-11-23T7:16:00",
                           "2026-11-23t07:16:00",
                           "2026-11-23T07:16:00z",
                           "2026-11-23  07:16:00",
                           " 2026-11-23",
                           "2026-11-23 ",
                           "2026-1-23",
                           "2026/11/23",
                           "20261123",
                           "2026-02-29",
                           "2026-02-30",
                           "2026-04-31",
                           "2026-00-01",
                           "2026-13-01",
                           "2026-01-00",
                           "0000-12-31",
                           "-001-01-01",
                           "10000-01-01",
                           "+2026-11-23",
                           "2026-11-2\xd9\xa3",
                           "2026-11-23T-7:16:00"}) {
    CAPTURE(text);
    CHECK_FALSE(ms(text));
  }
  CHECK_FALSE(ms(std::string_view("2026-11-23\0", 11)));
}

TEST_CASE("timestamp: a fraction beyond the precision is cut towards -infinity") {
  CHECK(ms("2026-11-23T07:16:00.0019") == kSecond * 1000 + 1);
  CHECK(ms("1969-12-31T23:59:59.9999999") == -1);
  CHECK(parse_timestamp("1969-12-31T23:59:59.9", Precision::kSeconds) == -1);
  CHECK(parse_timestamp("1970-01-01T00:00:00.9", Precision::kSeconds) == 0);
  CHECK(ms("2026-11-23T07:16:00.5" + std::string(10'000, '9') + "Z") == kSecond * 1000 + 599);
  CHECK_FALSE(ms("2026-11-23T07:16:00.123x"));
}

TEST_CASE("timestamp: the limits are the years 0001 to 9999, and 1678 to 2261 for ns") {
  CHECK(min_timestamp(Precision::kSeconds) == -62'135'596'800);
  CHECK(max_timestamp(Precision::kSeconds) == 253'402'300'799);
  CHECK(max_timestamp(Precision::kMillis) == 253'402'300'799'999);
  CHECK(max_timestamp(Precision::kMicros) == 253'402'300'799'999'999);
  CHECK(format_timestamp(min_timestamp(Precision::kNanos), Precision::kNanos) == "1678-01-01T00:00:00.000000000Z");
  CHECK(format_timestamp(max_timestamp(Precision::kNanos), Precision::kNanos) == "2261-12-31T23:59:59.999999999Z");
  CHECK(ms("1677-12-31T23:59:59"));
  CHECK_FALSE(parse_timestamp("1677-12-31T23:59:59.999", Precision::kNanos));
  CHECK_FALSE(parse_timestamp("2262-01-01", Precision::kNanos));
}

TEST_CASE("timestamp: a count outside the limits is an error wherever it would become a date") {
  CHECK_THROWS_WITH_AS(format_timestamp(max_timestamp(Precision::kMillis) + 1, Precision::kMillis),
                       "timestamp: 253402300800000 ms lies outside the years 0001 to 9999", Error);
  CHECK_THROWS_WITH_AS(format_compact(std::numeric_limits<std::int64_t>::min(), Precision::kNanos),
                       "timestamp: -9223372036854775808 ns lies outside the years 1678 to 2261", Error);
  CHECK_THROWS_AS(partition_name(std::numeric_limits<std::int64_t>::max(), Precision::kSeconds, Partition::kDay), Error);
  CHECK_THROWS_AS(partition_start(std::numeric_limits<std::int64_t>::min(), Precision::kSeconds, Partition::kDay), Error);
  CHECK_THROWS_AS(partition_end(std::numeric_limits<std::int64_t>::max(), Precision::kMicros, Partition::kMonth), Error);
}

TEST_CASE("timestamp: text has 0, 3, 6 or 9 fraction digits for s, ms, us, ns") {
  CHECK(format_timestamp(kSecond, Precision::kSeconds) == "2026-11-23T07:16:00Z");
  CHECK(format_timestamp(kSecond * 1000 + 7, Precision::kMillis) == "2026-11-23T07:16:00.007Z");
  CHECK(format_timestamp(-1, Precision::kMicros) == "1969-12-31T23:59:59.999999Z");
  CHECK(format_timestamp(1, Precision::kNanos) == "1970-01-01T00:00:00.000000001Z");
  CHECK(format_compact(kSecond, Precision::kSeconds) == "20261123T071600Z");
  CHECK(format_compact(kSecond * 1000, Precision::kMillis) == "20261123T071600.000Z");
  CHECK(format_compact(-1, Precision::kNanos) == "19691231T235959.999999999Z");
}

TEST_CASE("timestamp: what is written is read back, in both forms and every precision, and sorts as the counts do") {
  for (const Precision precision : kPrecisions) {
    std::int64_t last = min_timestamp(precision);
    int wrong = 0;
    for (const std::int64_t count : random_counts(precision, 20'000)) {
      const std::string compact = format_compact(count, precision);
      if (parse_timestamp(format_timestamp(count, precision), precision) != count) ++wrong;
      if (parse_compact(compact, precision) != count) ++wrong;
      if ((compact < format_compact(last, precision)) != (count < last)) ++wrong;
      last = count;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("timestamp: the compact form has one spelling") {
  CHECK(parse_compact("20261123T071600.000Z", Precision::kMillis) == kSecond * 1000);
  for (const char* text :
       {"", "20261123T071600Z", "20261123T071600.00Z", "20261123T071600.0000Z", "20261123T071600,000Z", "20261123T071600.000z",
        "20261123 071600.000Z", "20261123t071600.000Z", "2026-11-23T07:16:00.000Z", "20261123T241600.000Z", "20261123T076000.000Z",
        "20261123T071660.000Z", "20260229T071600.000Z", "00001123T071600.000Z", "20261123T071600.0 0Z", "20261123T071600.-01Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_compact(text, Precision::kMillis));
  }
  CHECK_FALSE(parse_compact("16771231T235959.000000000Z", Precision::kNanos));
}

TEST_CASE("timestamp: a partition begins at or before its times and ends where the next one begins") {
  for (const Precision precision : kPrecisions) {
    for (const Partition partition : kPartitions) {
      int wrong = 0;
      for (const std::int64_t count : random_counts(precision, 3'000)) {
        const std::string name = partition_name(count, precision, partition);
        const std::int64_t start = partition_start(count, precision, partition), end = partition_end(count, precision, partition);
        if (start > count || end < count || !is_partition_name(name, partition)) ++wrong;
        if (partition_name(start, precision, partition) != name) ++wrong;
        if (start > min_timestamp(precision) && partition_name(start - 1, precision, partition) >= name) ++wrong;
        if (end == max_timestamp(precision)) continue;
        if (partition_name(end - 1, precision, partition) != name || partition_name(end, precision, partition) <= name) ++wrong;
        if (partition_start(end, precision, partition) != end) ++wrong;
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("timestamp: partitions are named by hour, day or month") {
  CHECK(partition_name(kSecond, Precision::kSeconds, Partition::kHour) == "2026-11-23T07");
  CHECK(partition_name(kSecond, Precision::kSeconds, Partition::kDay) == "2026-11-23");
  CHECK(partition_name(kSecond, Precision::kSeconds, Partition::kMonth) == "2026-11");
  CHECK(partition_end(max_timestamp(Precision::kMillis), Precision::kMillis, Partition::kMonth) == max_timestamp(Precision::kMillis));
  CHECK(partition_name(-1, Precision::kNanos, Partition::kHour) == "1969-12-31T23");
}

TEST_CASE("timestamp: only a partition's own name is one") {
  CHECK(is_partition_name("2026-11-23T07", Partition::kHour));
  CHECK(is_partition_name("2026-11", Partition::kMonth));
  for (const char* name : {"2026-11-23T24", "2026-11-23T7", "2026-11-23 07", "2026-11-23T07Z", "2026-11-31T07", "2026-11-23", "2026-11"}) {
    CHECK_FALSE(is_partition_name(name, Partition::kHour));
  }
  for (const char* name : {"2026-11-31", "2026-11-2", "2026-11-23/", "", "2026_11_23", "2026-11"})
    CHECK_FALSE(is_partition_name(name, Partition::kDay));
  for (const char* name : {"2026-13", "2026-00", "0000-01", "2026-1", "2026-11-23", "202611", "merged"}) {
    CHECK_FALSE(is_partition_name(name, Partition::kMonth));
  }
}

TEST_CASE("timestamp: a coarser precision is cut towards -infinity, a finer one saturates at the limits") {
  CHECK(convert_precision(1'999, Precision::kMillis, Precision::kSeconds) == 1);
  CHECK(convert_precision(-1, Precision::kNanos, Precision::kSeconds) == -1);
  CHECK(convert_precision(-1'000'001, Precision::kNanos, Precision::kMillis) == -2);
  CHECK(convert_precision(kSecond, Precision::kSeconds, Precision::kNanos) == kSecond * 1'000'000'000);
  CHECK(convert_precision(max_timestamp(Precision::kSeconds), Precision::kSeconds, Precision::kNanos) == max_timestamp(Precision::kNanos));
  CHECK(convert_precision(min_timestamp(Precision::kMillis), Precision::kMillis, Precision::kNanos) == min_timestamp(Precision::kNanos));
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min(), kMax = std::numeric_limits<std::int64_t>::max();
  for (const Precision from : kPrecisions) {
    for (const Precision to : kPrecisions) {
      CHECK(convert_precision(kMax, from, to) <= max_timestamp(to));
      CHECK(convert_precision(kMin, from, to) >= min_timestamp(to));
      if (from > to) continue;
      for (const std::int64_t count : random_counts(Precision::kNanos, 100)) {
        const std::int64_t coarse = convert_precision(count, Precision::kNanos, from);
        CHECK(convert_precision(convert_precision(coarse, from, to), to, from) == std::max(coarse, min_timestamp(from)));
      }
    }
  }
}

TEST_CASE("timestamp: precisions and partitions have names") {
  for (const Precision precision : kPrecisions) CHECK(parse_precision(precision_text(precision)) == precision);
  for (const Partition partition : kPartitions) CHECK(parse_partition(partition_text(partition)) == partition);
  CHECK_FALSE(parse_precision("min"));
  CHECK_FALSE(parse_precision("MS"));
  CHECK_FALSE(parse_partition("year"));
  CHECK(units_per_second(Precision::kMicros) == 1'000'000);
}
