// Tests of base/time_bucket: widths as written, buckets by the calendar in every precision, and the ends of all times.
#include "ext/base/time_bucket.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "ext/base/error.h"

using namespace ts;

namespace {

constexpr Precision kPrecisions[] = {Precision::kSeconds, Precision::kMillis, Precision::kMicros, Precision::kNanos};

TimeBucket bucket(const std::string& width, Precision precision = Precision::kMillis) {
  return parse_time_bucket(width, precision, "test");
}

std::int64_t at(const std::string& text, Precision precision = Precision::kMillis) {
  auto count = parse_timestamp(text, precision);
  REQUIRE_MESSAGE(count, text);
  return *count;
}

std::string start(const std::string& width, const std::string& time, Precision precision = Precision::kMillis) {
  return format_timestamp(bucket(width, precision).start(at(time, precision)), precision).substr(0, 19);
}

std::string refusal(const std::string& width, Precision precision = Precision::kMillis) {
  try {
    bucket(width, precision);
  } catch (const Error& e) {
    CHECK(e.code() == Code::kBadInput);
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("time bucket: fixed widths begin with a Monday, a day, an hour") {
  CHECK(start("1 hour", "2026-11-23T07:16:00Z") == "2026-11-23T07:00:00");
  CHECK(start("5m", "2026-11-23T07:16:00Z") == "2026-11-23T07:15:00");
  CHECK(start("90 s", "2026-11-23T07:16:00Z") == "2026-11-23T07:15:00");
  CHECK(start("1 day", "2026-11-23T23:59:59.999Z") == "2026-11-23T00:00:00");
  CHECK(start("1 week", "2026-11-29T23:59:59Z") == "2026-11-23T00:00:00");  // a Sunday
  CHECK(start("1 week", "2026-11-30") == "2026-11-30T00:00:00");
  CHECK(start("2 days", "2000-01-04T12:00:00Z") == "2000-01-03T00:00:00");
  CHECK(start("2 days", "2000-01-02T12:00:00Z") == "2000-01-01T00:00:00");
  CHECK(start("1 hour", "1969-12-31T23:30:00Z") == "1969-12-31T23:00:00");
  CHECK(bucket("250ms").start(-1) == -250);
  CHECK(bucket("250 MS").start(-250) == -250);
  CHECK(bucket("250 milliseconds").start(249) == 0);
  CHECK(bucket("3us", Precision::kNanos).start(at("2000-01-03", Precision::kNanos) + 5'999) == at("2000-01-03", Precision::kNanos) + 3'000);
}

TEST_CASE("time bucket: months and years follow the calendar") {
  CHECK(start("1 month", "2024-02-29T23:59:59.999Z") == "2024-02-01T00:00:00");
  CHECK(start("1 month", "2024-03-01") == "2024-03-01T00:00:00");
  CHECK(start("3 months", "2026-11-23") == "2026-10-01T00:00:00");
  CHECK(start("3 months", "1999-12-31") == "1999-10-01T00:00:00");
  CHECK(start("5 months", "1999-12-31") == "1999-08-01T00:00:00");
  CHECK(start("1 year", "1969-06-01") == "1969-01-01T00:00:00");
  CHECK(start("7 years", "2026-11-23") == "2021-01-01T00:00:00");
  CHECK(start("7y", "1993-05-05") == "1993-01-01T00:00:00");
  TimeBucket month = bucket("1 month");
  CHECK(month.last(at("2023-02-10")) == at("2023-02-28T23:59:59.999Z"));
  CHECK(*month.next(at("2023-12-10")) == at("2024-01-01"));
  CHECK(*bucket("1 year", Precision::kSeconds).next(0) == at("1971-01-01", Precision::kSeconds));
}

TEST_CASE("time bucket: a number alone counts the table's units") {
  CHECK(bucket("3600", Precision::kSeconds).start(7'199) == 3'600);
  CHECK(bucket("3600", Precision::kMillis).last(at("2000-01-03")) == at("2000-01-03") + 3'599);
  CHECK(bucket(" 10 ", Precision::kNanos).start(at("2000-01-03", Precision::kNanos) + 19) == at("2000-01-03", Precision::kNanos) + 10);
}

TEST_CASE("time bucket: buckets follow each other without gap or overlap, at every time of every precision") {
  std::mt19937_64 random(11);
  for (Precision precision : kPrecisions) {
    for (const char* width : {"1", "7 s", "1 hour", "36 h", "1 week", "1 month", "5 months", "1 year", "100 years"}) {
      TimeBucket b = bucket(width, precision);
      std::vector<std::int64_t> times = {0, -1, 1, min_timestamp(precision), max_timestamp(precision)};
      for (int i = 0; i < 200; i++) {
        std::uint64_t span = static_cast<std::uint64_t>(max_timestamp(precision)) - static_cast<std::uint64_t>(min_timestamp(precision));
        times.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(min_timestamp(precision)) + random() % span));
      }
      for (std::int64_t time : times) {
        CAPTURE(width);
        CAPTURE(time);
        std::int64_t start = b.start(time), last = b.last(time);
        CHECK(start <= time);
        CHECK(time <= last);
        CHECK(b.start(start) == start);
        CHECK(b.start(last) == start);
        CHECK(b.start_from(start) == start);
        auto next = b.next(time);
        if (!next) {
          CHECK(last == INT64_MAX);
          continue;
        }
        CHECK(*next == last + 1);
        CHECK(b.start(*next) == *next);
        CHECK(b.start_from(last) == (last == start ? last : *next));
        if (start > INT64_MIN) CHECK(b.last(start - 1) == start - 1);
      }
    }
  }
}

TEST_CASE("time bucket: what lies beyond the integers is cut off there") {
  for (Precision precision : kPrecisions) {
    for (const char* width : {"1 s", "1 week", "1 month", "200 years"}) {
      TimeBucket b = bucket(width, precision);
      CHECK(b.start(INT64_MIN) == INT64_MIN);
      CHECK(b.last(INT64_MIN) >= INT64_MIN);
      CHECK(b.last(INT64_MAX) == INT64_MAX);
      CHECK_FALSE(b.next(INT64_MAX));
      CHECK(b.start_from(INT64_MAX).has_value() == (b.start(INT64_MAX) == INT64_MAX));
    }
  }
}

TEST_CASE("time bucket: a width that is none is refused with what to write") {
  const std::string understood =
      "is not understood; write a whole number with ms, s, m, h, days, weeks, months or years, as in '1 hour', or a number of ms";
  for (const char* width : {"", "hour", "1 parsec", "1.5 h", "1 h 5 m", "0x10", "h1", "+5 m", "- 5 m"}) {
    CHECK(refusal(width) == "test: the width '" + std::string(width) + "' " + understood);
  }
  CHECK(refusal("0 s") == "test: the width '0 s' is not positive; write one as in '1 hour'");
  CHECK(refusal("-5 m") == "test: the width '-5 m' is not positive; write one as in '1 hour'");
  CHECK(refusal("0", Precision::kSeconds) == "test: the width '0' is not positive; write one as in '1 hour'");
  CHECK(refusal("0 months") == "test: the width '0 months' is not positive; write one as in '1 hour'");
  CHECK(refusal("250ms", Precision::kSeconds) ==
        "test: the width '250ms' is no whole number of s, in which the time counts; write whole s");
  CHECK(refusal("1 ns", Precision::kMicros) == "test: the width '1 ns' is no whole number of us, in which the time counts; write whole us");
  CHECK(refusal("2000 ms", Precision::kSeconds) == "accepted");
  CHECK(refusal("10000 years") == "test: the width '10000 years' is too wide; the limit is 9998 years");
  CHECK(refusal("300 years", Precision::kNanos) == "test: the width '300 years' is too wide; the limit is 292 years");
  CHECK(refusal("999999999999 weeks") == "test: the width '999999999999 weeks' is too wide; the limit is 9998 years");
  CHECK(refusal("99999999999999999999 s") == "test: the width '99999999999999999999 s' is too wide; the limit is 9998 years");
  CHECK(refusal("9223372036854775807") == "test: the width '9223372036854775807' is too wide; the limit is 9998 years");
}
