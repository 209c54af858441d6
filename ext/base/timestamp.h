// Timestamps: ISO-8601 text to and from a count of `precision` units since 1970-01-01 UTC. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ts {

enum class Precision { kSeconds, kMillis, kMicros, kNanos };
enum class Partition { kHour, kDay, kMonth };

std::optional<Precision> parse_precision(std::string_view text);  // 's' 'ms' 'us' 'ns'
std::string_view precision_text(Precision precision);
std::int64_t units_per_second(Precision precision);
std::optional<Partition> parse_partition(std::string_view text);  // 'hour' 'day' 'month'
std::string_view partition_text(Partition partition);

// First and last storable count: years 0001..9999, for ns 1678..2261.
std::int64_t min_timestamp(Precision precision);
std::int64_t max_timestamp(Precision precision);

// ISO-8601: date, date-time ('T' or space), fraction (digits beyond the precision must be 0..9 and are cut towards
// -infinity), 'Z' or +hh:mm / +hhmm / +hh; no zone means UTC. nullopt: not a time (bare numbers, time without date,
// impossible dates, years outside the range).
std::optional<std::int64_t> parse_timestamp(std::string_view text, Precision precision);

// '2026-11-23T07:16:00.000Z', with 0/3/6/9 fraction digits for s/ms/us/ns. This and the functions below that take a count and
// split it into a date throw kBadInput for one outside the limits.
std::string format_timestamp(std::int64_t count, Precision precision);
// '20261123T071600.000Z', the form in object names, and its strict inverse.
std::string format_compact(std::int64_t count, Precision precision);
std::optional<std::int64_t> parse_compact(std::string_view text, Precision precision);

// The partition directory of a time: '2026-11-23T07', '2026-11-23', '2026-11'.
std::string partition_name(std::int64_t count, Precision precision, Partition partition);
// First count of the partition that holds `count`, and first count of the next one (saturating at the limits).
std::int64_t partition_start(std::int64_t count, Precision precision, Partition partition);
std::int64_t partition_end(std::int64_t count, Precision precision, Partition partition);
// True for text that partition_name could have returned.
bool is_partition_name(std::string_view text, Partition partition);

// The proleptic Gregorian calendar, for any year.
struct Date {
  std::int64_t year = 0;
  int month = 0, day = 0;
};
std::int64_t days_of(Date date);  // since 1970-01-01
Date date_of(std::int64_t days);

// `count` of one precision in another; towards -infinity when it gets coarser; saturates at the limits.
std::int64_t convert_precision(std::int64_t count, Precision from, Precision to);

}  // namespace ts
