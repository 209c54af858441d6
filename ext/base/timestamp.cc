// Timestamps: the proleptic Gregorian calendar without leap seconds, in integers only.
//
// Dates become days by the usual era arithmetic (400 years are 146,097 days), so nothing depends on the C library, a
// locale or a time zone. Every public function checks its range: counts come from users and from object names.
#include "ext/base/timestamp.h"

#include <algorithm>
#include <cstddef>

#include "ext/base/error.h"

namespace ts {
namespace {

constexpr std::int64_t kSecondsPerHour = 3'600;
constexpr std::int64_t kSecondsPerDay = 86'400;
// As SQLite: no zone on Earth is further than 14 hours from UTC.
constexpr int kMaxOffsetHours = 14;

struct Moment {
  Date date;
  int hour = 0, minute = 0, second = 0;
  std::int64_t fraction = 0;  // in units of the precision
};

constexpr std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

constexpr int days_in_month(std::int64_t year, int month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

std::int64_t min_seconds(Precision precision) { return days_of({precision == Precision::kNanos ? 1678 : 1, 1, 1}) * kSecondsPerDay; }

std::int64_t max_seconds(Precision precision) {
  return (days_of({precision == Precision::kNanos ? 2261 : 9999, 12, 31}) + 1) * kSecondsPerDay - 1;
}

int fraction_digits(Precision precision) { return static_cast<int>(precision) * 3; }

void require_in_range(std::int64_t count, Precision precision) {
  if (count >= min_timestamp(precision) && count <= max_timestamp(precision)) return;
  throw Error(Code::kBadInput, "timestamp: " + std::to_string(count) + " " + std::string(precision_text(precision)) +
                                   " lies outside the years " + (precision == Precision::kNanos ? "1678 to 2261" : "0001 to 9999"));
}

// The number in `count` digits from `at`, or -1 if they are not all there.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < count || at > text.size() - count) return -1;
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

bool is_char_at(std::string_view text, std::size_t at, char c) { return at < text.size() && text[at] == c; }

bool is_date(Date date) {
  return date.year >= 1 && date.year <= 9999 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
         date.day <= days_in_month(date.year, date.month);
}

bool is_clock(int hour, int minute, int second) {
  return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
}

// 'YYYY-MM-DD' in the first ten bytes.
std::optional<Date> date_at_start(std::string_view text) {
  const Date date{number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2)};
  if (!is_char_at(text, 4, '-') || !is_char_at(text, 7, '-') || !is_date(date)) return std::nullopt;
  return date;
}

// 'Z', '+hh:mm', '+hhmm' or '+hh' as seconds east of UTC; empty text means UTC.
std::optional<std::int64_t> parse_zone(std::string_view zone) {
  if (zone.empty() || zone == "Z") return 0;
  if (zone[0] != '+' && zone[0] != '-') return std::nullopt;
  const int hours = number_at(zone, 1, 2);
  int minutes = 0;
  if (zone.size() == 6 && zone[3] == ':') {
    minutes = number_at(zone, 4, 2);
  } else if (zone.size() == 5) {
    minutes = number_at(zone, 3, 2);
  } else if (zone.size() != 3) {
    return std::nullopt;
  }
  if (hours < 0 || hours > kMaxOffsetHours || minutes < 0 || minutes > 59) return std::nullopt;
  const std::int64_t offset = hours * kSecondsPerHour + minutes * 60;
  return zone[0] == '-' ? -offset : offset;
}

std::optional<std::int64_t> count_of(std::int64_t seconds, std::int64_t fraction, Precision precision) {
  if (seconds < min_seconds(precision) || seconds > max_seconds(precision)) return std::nullopt;
  return seconds * units_per_second(precision) + fraction;
}

std::int64_t seconds_of(const Moment& moment) {
  return days_of(moment.date) * kSecondsPerDay + moment.hour * kSecondsPerHour + moment.minute * 60 + moment.second;
}

Moment moment_of(std::int64_t count, Precision precision) {
  require_in_range(count, precision);
  const std::int64_t seconds = floor_div(count, units_per_second(precision));
  const std::int64_t days = floor_div(seconds, kSecondsPerDay);
  const int second_of_day = static_cast<int>(seconds - days * kSecondsPerDay);
  Moment moment;
  moment.date = date_of(days);
  moment.hour = second_of_day / 3'600;
  moment.minute = second_of_day / 60 % 60;
  moment.second = second_of_day % 60;
  moment.fraction = count - seconds * units_per_second(precision);
  return moment;
}

void append_number(std::string& text, std::int64_t number, int digits) {
  const std::size_t begin = text.size();
  text.append(static_cast<std::size_t>(digits), '0');
  for (std::size_t i = text.size(); i > begin; number /= 10) text[--i] = static_cast<char>('0' + number % 10);
}

void append_date(std::string& text, Date date, std::string_view separator) {
  append_number(text, date.year, 4);
  text += separator;
  append_number(text, date.month, 2);
  text += separator;
  append_number(text, date.day, 2);
}

void append_clock(std::string& text, const Moment& moment, std::string_view separator, Precision precision) {
  append_number(text, moment.hour, 2);
  text += separator;
  append_number(text, moment.minute, 2);
  text += separator;
  append_number(text, moment.second, 2);
  if (precision != Precision::kSeconds) {
    text += '.';
    append_number(text, moment.fraction, fraction_digits(precision));
  }
  text += 'Z';
}

std::int64_t partition_start_seconds(const Moment& moment, Partition partition) {
  switch (partition) {
    case Partition::kHour: return days_of(moment.date) * kSecondsPerDay + moment.hour * kSecondsPerHour;
    case Partition::kDay: return days_of(moment.date) * kSecondsPerDay;
    case Partition::kMonth: break;
  }
  return days_of({moment.date.year, moment.date.month, 1}) * kSecondsPerDay;
}

}  // namespace

// Years begin in March here, so that the leap day is the last of its year.
std::int64_t days_of(Date date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

Date date_of(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = floor_div(days, 146'097);
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;  // 0 is March
  Date date;
  date.day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  date.month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

std::optional<Precision> parse_precision(std::string_view text) {
  if (text == "s") return Precision::kSeconds;
  if (text == "ms") return Precision::kMillis;
  if (text == "us") return Precision::kMicros;
  if (text == "ns") return Precision::kNanos;
  return std::nullopt;
}

std::string_view precision_text(Precision precision) {
  switch (precision) {
    case Precision::kSeconds: return "s";
    case Precision::kMillis: return "ms";
    case Precision::kMicros: return "us";
    case Precision::kNanos: break;
  }
  return "ns";
}

std::int64_t units_per_second(Precision precision) {
  switch (precision) {
    case Precision::kSeconds: return 1;
    case Precision::kMillis: return 1'000;
    case Precision::kMicros: return 1'000'000;
    case Precision::kNanos: break;
  }
  return 1'000'000'000;
}

std::optional<Partition> parse_partition(std::string_view text) {
  if (text == "hour") return Partition::kHour;
  if (text == "day") return Partition::kDay;
  if (text == "month") return Partition::kMonth;
  return std::nullopt;
}

std::string_view partition_text(Partition partition) {
  switch (partition) {
    case Partition::kHour: return "hour";
    case Partition::kDay: return "day";
    case Partition::kMonth: break;
  }
  return "month";
}

std::int64_t min_timestamp(Precision precision) { return min_seconds(precision) * units_per_second(precision); }

std::int64_t max_timestamp(Precision precision) {
  return max_seconds(precision) * units_per_second(precision) + units_per_second(precision) - 1;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, Precision precision) {
  const auto date = date_at_start(text);
  if (!date) return std::nullopt;
  Moment moment;
  moment.date = *date;
  if (text.size() == 10) return count_of(seconds_of(moment), 0, precision);
  if ((text[10] != 'T' && text[10] != ' ') || !is_char_at(text, 13, ':')) return std::nullopt;
  moment.hour = number_at(text, 11, 2);
  moment.minute = number_at(text, 14, 2);
  std::size_t at = 16;
  if (is_char_at(text, at, ':')) {
    moment.second = number_at(text, 17, 2);
    at = 19;
    if (is_char_at(text, at, '.')) {
      const std::size_t first = ++at;
      std::int64_t unit = units_per_second(precision);
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        unit /= 10;  // 0 from the first digit beyond the precision on: cut
        moment.fraction += (text[at] - '0') * unit;
      }
      if (at == first) return std::nullopt;
    }
  }
  if (!is_clock(moment.hour, moment.minute, moment.second)) return std::nullopt;
  const auto offset = parse_zone(text.substr(at));
  if (!offset) return std::nullopt;
  return count_of(seconds_of(moment) - *offset, moment.fraction, precision);
}

std::string format_timestamp(std::int64_t count, Precision precision) {
  const Moment moment = moment_of(count, precision);
  std::string text;
  append_date(text, moment.date, "-");
  text += 'T';
  append_clock(text, moment, ":", precision);
  return text;
}

std::string format_compact(std::int64_t count, Precision precision) {
  const Moment moment = moment_of(count, precision);
  std::string text;
  append_date(text, moment.date, "");
  text += 'T';
  append_clock(text, moment, "", precision);
  return text;
}

std::optional<std::int64_t> parse_compact(std::string_view text, Precision precision) {
  const std::size_t digits = static_cast<std::size_t>(fraction_digits(precision));
  const std::size_t point = digits == 0 ? 0 : 1;
  if (text.size() != 16 + point + digits || text[8] != 'T' || text.back() != 'Z') return std::nullopt;
  Moment moment;
  moment.date = {number_at(text, 0, 4), number_at(text, 4, 2), number_at(text, 6, 2)};
  moment.hour = number_at(text, 9, 2);
  moment.minute = number_at(text, 11, 2);
  moment.second = number_at(text, 13, 2);
  if (!is_date(moment.date) || !is_clock(moment.hour, moment.minute, moment.second)) return std::nullopt;
  if (digits > 0) {
    moment.fraction = number_at(text, 16, digits);
    if (text[15] != '.' || moment.fraction < 0) return std::nullopt;
  }
  return count_of(seconds_of(moment), moment.fraction, precision);
}

std::string partition_name(std::int64_t count, Precision precision, Partition partition) {
  const Moment moment = moment_of(count, precision);
  std::string text;
  append_date(text, moment.date, "-");
  if (partition == Partition::kMonth) text.resize(7);
  if (partition == Partition::kHour) {
    text += 'T';
    append_number(text, moment.hour, 2);
  }
  return text;
}

std::int64_t partition_start(std::int64_t count, Precision precision, Partition partition) {
  return partition_start_seconds(moment_of(count, precision), partition) * units_per_second(precision);
}

std::int64_t partition_end(std::int64_t count, Precision precision, Partition partition) {
  const Moment moment = moment_of(count, precision);
  std::int64_t seconds = partition_start_seconds(moment, partition);
  switch (partition) {
    case Partition::kHour: seconds += kSecondsPerHour; break;
    case Partition::kDay: seconds += kSecondsPerDay; break;
    case Partition::kMonth: seconds += days_in_month(moment.date.year, moment.date.month) * kSecondsPerDay; break;
  }
  return count_of(seconds, 0, precision).value_or(max_timestamp(precision));
}

bool is_partition_name(std::string_view text, Partition partition) {
  switch (partition) {
    case Partition::kHour: {
      const int hour = number_at(text, 11, 2);
      return text.size() == 13 && text[10] == 'T' && hour >= 0 && hour <= 23 && date_at_start(text).has_value();
    }
    case Partition::kDay: return text.size() == 10 && date_at_start(text).has_value();
    case Partition::kMonth: break;
  }
  return text.size() == 7 && text[4] == '-' && is_date({number_at(text, 0, 4), number_at(text, 5, 2), 1});
}

std::int64_t convert_precision(std::int64_t count, Precision from, Precision to) {
  const std::int64_t had = units_per_second(from), wanted = units_per_second(to);
  if (wanted <= had) {
    return std::clamp(floor_div(count, had / wanted), min_timestamp(to), max_timestamp(to));
  }
  const std::int64_t factor = wanted / had;
  if (count < floor_div(min_timestamp(to), factor)) return min_timestamp(to);
  if (count > floor_div(max_timestamp(to), factor)) return max_timestamp(to);
  return count * factor;
}

}  // namespace ts
