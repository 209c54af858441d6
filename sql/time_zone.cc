// TZif files are bytes from outside: every count and index is checked against what the file holds.
#include "sql/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "ext/base/error.h"
#include "ext/base/timestamp.h"

namespace ts {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;  // the largest of the database has 4 KB
constexpr std::size_t kMaxNameBytes = 100;
constexpr std::int64_t kMaxOffset = 26 * 3'600;
constexpr std::int64_t kDay = 86'400;

// Takes bytes from the front; false: there are too few, or other ones.
class Reader {
 public:
  Reader(std::string_view bytes, std::string what) : rest_(bytes), what_(std::move(what)) {}
  [[noreturn]] void fail() const { throw Error(Code::kCorrupt, what_ + " is no file of the tz database"); }

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) fail();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::int64_t integer(std::size_t width) {  // big-endian, signed
    std::uint64_t value = 0;
    const std::string_view taken = bytes(width);
    for (const char c : taken) value = value << 8 | static_cast<unsigned char>(c);
    return width == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  std::string what_;
};

struct Counts {
  char version = 0;
  std::size_t utc_flags = 0, standard_flags = 0, leaps = 0, transitions = 0, types = 0, letters = 0;
  std::size_t bytes(std::size_t time) const {
    return transitions * (time + 1) + types * 6 + letters + leaps * (time + 4) + standard_flags + utc_flags;
  }
};

Counts read_counts(Reader& reader) {
  if (reader.bytes(4) != "TZif") reader.fail();
  Counts counts;
  counts.version = reader.bytes(1)[0];
  reader.bytes(15);
  for (std::size_t* count :
       {&counts.utc_flags, &counts.standard_flags, &counts.leaps, &counts.transitions, &counts.types, &counts.letters}) {
    const std::int64_t value = reader.integer(4);
    if (value < 0 || value > static_cast<std::int64_t>(kMaxFileBytes)) reader.fail();
    *count = static_cast<std::size_t>(value);
  }
  return counts;
}

// The grammar of POSIX TZ, taken from the front.
class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : rest_(text) {}

  bool parse(ZoneRule& rule) {
    if (!name() || !clock(rule.standard)) return false;
    rule.standard = -rule.standard;  // POSIX counts westwards
    if (rest_.empty()) return true;
    rule.has_summer = true;
    if (!name()) return false;
    rule.summer = rule.standard + 3'600;
    if (!rest_.empty() && rest_[0] != ',') {
      if (!clock(rule.summer)) return false;
      rule.summer = -rule.summer;
    }
    return change(rule.begin) && change(rule.end) && rest_.empty();
  }

 private:
  bool eat(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool name() {
    const bool quoted = eat('<');
    const std::size_t end = quoted ? rest_.find('>') : rest_.find_first_of("+-0123456789,");
    if (quoted && end == std::string_view::npos) return false;
    rest_.remove_prefix(std::min(quoted ? end + 1 : end, rest_.size()));
    return true;
  }
  bool digits(std::int64_t& value, std::int64_t most) {
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return false;
    value = 0;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' && value <= most)
      value = value * 10 + rest_[0] - '0', rest_.remove_prefix(1);
    return value <= most;
  }
  bool clock(std::int64_t& seconds) {  // [+-]h[:m[:s]]
    const bool negative = eat('-');
    if (!negative) eat('+');
    std::int64_t hours = 0, minutes = 0, rest = 0;
    if (!digits(hours, 167) || (eat(':') && (!digits(minutes, 59) || (eat(':') && !digits(rest, 59))))) return false;
    seconds = (hours * 3'600 + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
  }
  bool change(ZoneRule::Change& change) {
    std::int64_t month = 0, week = 0, day = 0;
    if (!eat(',')) return false;
    change.by_week = eat('M');
    if (change.by_week) {
      if (!digits(month, 12) || !eat('.') || !digits(week, 5) || !eat('.') || !digits(day, 6) || month < 1 || week < 1) return false;
    } else {
      change.leap_day_counts = !eat('J');
      if (!digits(day, 365)) return false;
    }
    change.month = static_cast<int>(month), change.week = static_cast<int>(week), change.day = static_cast<int>(day);
    return !eat('/') || clock(change.seconds);
  }

  std::string_view rest_;
};

// Local seconds since 1970 at which the clock changes in a year.
std::int64_t change_in(std::int64_t year, const ZoneRule::Change& change) {
  if (!change.by_week) {
    std::int64_t day = days_of({year, 1, 1}) + change.day - (change.leap_day_counts ? 0 : 1);
    if (!change.leap_day_counts && change.day >= 60) day += days_of({year, 3, 1}) - days_of({year, 2, 28}) - 1;
    return day * kDay + change.seconds;
  }
  const std::int64_t first = days_of({year, change.month, 1});
  const std::int64_t next = change.month == 12 ? days_of({year + 1, 1, 1}) : days_of({year, change.month + 1, 1});
  const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  std::int64_t day = first + (change.day - weekday + 7) % 7 + (change.week - 1) * 7;
  while (day >= next) day -= 7;
  return day * kDay + change.seconds;
}

std::int64_t offset_by_rule(const ZoneRule& rule, std::int64_t utc) {
  if (!rule.has_summer) return rule.standard;
  const std::int64_t local = utc + rule.standard;
  const std::int64_t year = date_of(local / kDay - (local % kDay < 0 ? 1 : 0)).year;
  const std::int64_t begin = change_in(year, rule.begin) - rule.standard, end = change_in(year, rule.end) - rule.summer;
  const bool summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
  return summer ? rule.summer : rule.standard;
}

bool is_zone_name(std::string_view name) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
  return !name.empty() && name.size() <= kMaxNameBytes && name[0] != '/' && name.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

TimeZone TimeZone::load(const std::string& name, const std::string& label) {
  const char* told = std::getenv("TZDIR");
  const std::string path = std::string(told && *told ? told : "/usr/share/zoneinfo") + "/" + name;
  std::ifstream in;
  if (is_zone_name(name)) in.open(path, std::ios::binary);
  std::string file(in.is_open() ? kMaxFileBytes : 0, '\0');
  in.read(file.data(), static_cast<std::streamsize>(file.size()));
  file.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (file.empty()) {
    throw Error(Code::kBadInput, label + ": the time zone '" + name.substr(0, 60) + "' is not known; write one as in 'Europe/Berlin'");
  }
  return parse(file, label + ": the time zone '" + name + "'");
}

TimeZone TimeZone::parse(std::string_view file, const std::string& label) {
  Reader reader(file, label);
  Counts counts = read_counts(reader);
  std::size_t width = 4;
  if (counts.version >= '2') {
    reader.bytes(counts.bytes(4));
    counts = read_counts(reader);
    width = 8;
  }
  TimeZone zone;
  for (std::size_t i = 0; i < counts.transitions; ++i) {
    zone.transitions_.push_back(reader.integer(width));
    if (i > 0 && zone.transitions_[i - 1] >= zone.transitions_[i]) reader.fail();
  }
  const std::string_view types = reader.bytes(counts.transitions);
  std::vector<std::int64_t> offsets;
  for (std::size_t i = 0; i < counts.types; ++i) {
    offsets.push_back(reader.integer(4));
    if (offsets.back() > kMaxOffset || offsets.back() < -kMaxOffset) reader.fail();
    reader.bytes(2);
  }
  if (offsets.empty()) reader.fail();
  zone.first_offset_ = offsets[0];
  for (const char type : types) {
    if (static_cast<unsigned char>(type) >= offsets.size()) reader.fail();
    zone.offsets_.push_back(offsets[static_cast<unsigned char>(type)]);
  }
  if (width == 4) return zone;
  reader.bytes(counts.letters + counts.leaps * (width + 4) + counts.standard_flags + counts.utc_flags);
  const std::string_view footer = reader.rest();
  if (footer.size() < 2 || footer[0] != '\n' || footer.back() != '\n') reader.fail();
  const std::string_view text = footer.substr(1, footer.size() - 2);
  zone.has_rule_ = !text.empty();
  if (zone.has_rule_ && !RuleParser(text).parse(zone.rule_)) reader.fail();
  return zone;
}

std::int64_t TimeZone::offset(std::int64_t utc) const {
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), utc);
  if (next == transitions_.end() && has_rule_) return offset_by_rule(rule_, utc);
  return next == transitions_.begin() ? first_offset_ : offsets_[static_cast<std::size_t>(next - transitions_.begin()) - 1];
}

std::int64_t TimeZone::utc_of(std::int64_t local) const {
  const std::int64_t before = offset(local - 2 * kDay), after = offset(local + 2 * kDay);
  const std::int64_t earliest = local - std::max(before, after), latest = local - std::min(before, after);
  if (earliest + offset(earliest) == local) return earliest;
  if (latest + offset(latest) == local) return latest;
  return local - before;
}

}  // namespace ts
