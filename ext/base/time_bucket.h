// Time buckets of one width ('1 hour', '3 months'): where the one begins and ends that holds a time. Pure.
//
// Fixed widths count from 2000-01-03T00:00:00Z, a Monday, so that weeks begin on Mondays and every width that divides a
// day begins with it; months and years count from 2000-01-01. Times before that are floored like all others. Every
// function takes any integer: what lies beyond the integers is cut off there.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "ext/base/timestamp.h"

namespace ts {

class TimeBucket {
 public:
  // The first and last time of the bucket that holds `time`.
  std::int64_t start(std::int64_t time) const {
    std::int64_t since = 0, start = 0;
    if (width_ && !__builtin_sub_overflow(time, origin_, &since)) {
      std::int64_t rest = since % width_;
      rest += rest < 0 ? width_ : 0;
      if (!__builtin_sub_overflow(time, rest, &start)) return start;
    }
    return slow_start(time);
  }
  std::int64_t last(std::int64_t time) const;
  // The start of the one after it, and the first start that is `time` or later; nullopt: beyond the integers.
  std::optional<std::int64_t> next(std::int64_t time) const;
  std::optional<std::int64_t> start_from(std::int64_t time) const;

  // Units of one bucket; nullopt: months, which differ.
  std::optional<std::int64_t> width() const { return width_ ? std::optional(width_) : std::nullopt; }

 private:
  friend TimeBucket parse_time_bucket(std::string_view text, Precision precision, std::string_view label);
  __extension__ using Wide = __int128;  // a start or an end may lie outside 64 bits
  std::int64_t slow_start(std::int64_t time) const;  // months, and what lies near the ends of the integers
  Wide begin(std::int64_t time) const;
  Wide end(std::int64_t time) const;  // not part of it
  Wide month_begin(std::int64_t month) const;
  std::int64_t month_bucket(std::int64_t time) const;  // its first month, counted from year 0

  std::int64_t width_ = 0;  // in units of the precision; 0: months
  std::int64_t months_ = 0;
  std::int64_t origin_ = 0;
  std::int64_t units_per_day_ = 1;
};

// '250ms', '90 s', '5m', '1 hour', '2 days', '1 week', '3 months', '1 year'; a number alone counts units of the precision.
// Throws kBadInput, beginning with `label`, for what is no width, not positive, wider than all times or no whole number of units.
TimeBucket parse_time_bucket(std::string_view text, Precision precision, std::string_view label);

}  // namespace ts
