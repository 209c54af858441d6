// Time buckets: fixed widths by division, months and years by the calendar.
#include "ext/base/time_bucket.h"

#include <charconv>
#include <limits>
#include <string>

#include "ext/base/error.h"
#include "ext/base/sql_tokens.h"

namespace ts {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kOriginMonth = 2'000 * 12;

struct Unit {
  std::string_view names[4];
  std::int64_t nanos;   // of one, where it is fixed
  std::int64_t months;  // or months
};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr Unit kUnits[] = {
    {{"ns", "nanosecond", "nanoseconds"}, 1, 0},
    {{"us", "microsecond", "microseconds"}, 1'000, 0},
    {{"ms", "millisecond", "milliseconds"}, 1'000'000, 0},
    {{"s", "sec", "second", "seconds"}, kSecond, 0},
    {{"m", "min", "minute", "minutes"}, 60 * kSecond, 0},
    {{"h", "hour", "hours"}, 3'600 * kSecond, 0},
    {{"d", "day", "days"}, kSecondsPerDay* kSecond, 0},
    {{"w", "week", "weeks"}, 7 * kSecondsPerDay* kSecond, 0},
    {{"month", "months"}, 0, 1},
    {{"y", "year", "years"}, 0, 12},
};

const Unit* find_unit(std::string_view word) {
  for (const Unit& unit : kUnits) {
    for (std::string_view name : unit.names) {
      if (!name.empty() && same_word(name, word)) return &unit;
    }
  }
  return nullptr;
}

void trim(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
}

template <class Wide>
Wide floor_div(Wide value, Wide by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

template <class Wide>
std::int64_t clamped(Wide value) {
  if (value < std::numeric_limits<std::int64_t>::min()) return std::numeric_limits<std::int64_t>::min();
  if (value > std::numeric_limits<std::int64_t>::max()) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(value);
}

}  // namespace

TimeBucket::Wide TimeBucket::month_begin(std::int64_t month) const {
  std::int64_t year = floor_div<std::int64_t>(month, 12);
  return Wide{days_of({year, static_cast<int>(month - year * 12) + 1, 1})} * units_per_day_;
}

std::int64_t TimeBucket::month_bucket(std::int64_t time) const {
  Date date = date_of(floor_div(time, units_per_day_));
  std::int64_t month = date.year * 12 + date.month - 1;
  return floor_div(month - kOriginMonth, months_) * months_ + kOriginMonth;
}

TimeBucket::Wide TimeBucket::begin(std::int64_t time) const {
  if (!width_) return month_begin(month_bucket(time));
  std::int64_t since;
  if (!__builtin_sub_overflow(time, origin_, &since)) return Wide{floor_div(since, width_)} * width_ + origin_;
  return floor_div(Wide{time} - origin_, Wide{width_}) * width_ + origin_;
}

TimeBucket::Wide TimeBucket::end(std::int64_t time) const {
  return width_ ? begin(time) + width_ : month_begin(month_bucket(time) + months_);
}

std::int64_t TimeBucket::slow_start(std::int64_t time) const { return clamped(begin(time)); }

std::int64_t TimeBucket::last(std::int64_t time) const { return clamped(end(time) - 1); }

std::optional<std::int64_t> TimeBucket::next(std::int64_t time) const {
  Wide end = this->end(time);
  if (end > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(end);
}

std::optional<std::int64_t> TimeBucket::start_from(std::int64_t time) const { return start(time) == time ? time : next(time); }

TimeBucket parse_time_bucket(std::string_view text, Precision precision, std::string_view label) {
  const std::string unit_name(precision_text(precision));
  std::string_view rest = text;
  trim(rest);
  const std::string width = std::string(label) + ": the width '" + std::string(rest.substr(0, 60)) + "' ";
  bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
  const bool digits = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  trim(rest);
  const Unit* unit = find_unit(rest);
  if (!digits || (!unit && !rest.empty())) {
    throw Error(Code::kBadInput, width + "is not understood; write a whole number with ms, s, m, h, days, weeks, months or years, as in " +
                                     "'1 hour', or a number of " + unit_name);
  }
  if (negative || count == 0) {
    if (error == std::errc()) throw Error(Code::kBadInput, width + "is not positive; write one as in '1 hour'");
  }
  const std::int64_t units = units_per_second(precision);
  const std::int64_t widest = clamped(TimeBucket::Wide{max_timestamp(precision)} - min_timestamp(precision));
  const std::int64_t years = widest / units / kSecondsPerDay * 400 / 146'097;
  const std::string too_wide = width + "is too wide; the limit is " + std::to_string(years) + " years";
  TimeBucket bucket;
  bucket.units_per_day_ = units * kSecondsPerDay;
  bucket.origin_ = days_of({2'000, 1, 3}) * bucket.units_per_day_;
  if (unit && unit->months) {
    if (error != std::errc() || count > years * 12 / unit->months) throw Error(Code::kBadInput, too_wide);
    bucket.months_ = count * unit->months;
    return bucket;
  }
  TimeBucket::Wide nanos = unit ? TimeBucket::Wide{count} * unit->nanos : TimeBucket::Wide{count} * (kSecond / units);
  if (error != std::errc() || nanos / (kSecond / units) > widest) throw Error(Code::kBadInput, too_wide);
  if (nanos % (kSecond / units) != 0) {
    throw Error(Code::kBadInput, width + "is no whole number of " + unit_name + ", in which the time counts; write whole " + unit_name);
  }
  bucket.width_ = static_cast<std::int64_t>(nanos / (kSecond / units));
  return bucket;
}

}  // namespace ts
