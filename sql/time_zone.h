// A zone of the system's tz database: the offset from UTC at a time, and when a local clock showed a time.
//
// Read from TZif files (RFC 8536) below TZDIR, else /usr/share/zoneinfo; what is no zone's name never reaches the file system.
// Times are seconds since 1970. Immutable once made.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ts {

// What holds after the last transition of the file: the clock's rule as POSIX writes it, 'CET-1CEST,M3.5.0,M10.5.0/3'.
struct ZoneRule {
  struct Change {
    bool by_week = true;  // month, week (5: the last) and weekday; else a day of the year
    int month = 0, week = 0, day = 0;
    bool leap_day_counts = false;
    std::int64_t seconds = 7'200;  // after midnight
  };
  std::int64_t standard = 0, summer = 0;
  bool has_summer = false;
  Change begin, end;
};

class TimeZone {
 public:
  // Throws kBadInput for what is no zone, kCorrupt for a file that is none; both begin with `label`.
  static TimeZone load(const std::string& name, const std::string& label);
  static TimeZone parse(std::string_view file, const std::string& label);

  std::int64_t offset(std::int64_t utc) const;
  // The first time at which a clock there shows `local`; a time that the clock skips is when it jumps over it, and as far on.
  std::int64_t utc_of(std::int64_t local) const;

 private:
  std::vector<std::int64_t> transitions_, offsets_;  // offsets_[i] holds from transitions_[i] on
  std::int64_t first_offset_ = 0;
  ZoneRule rule_;
  bool has_rule_ = false;
};

}  // namespace ts
