// Modifiers are evaluated by SQLite itself, on whole seconds in a private connection; the fraction is ours.
//
// SQLite rounds a fraction to milliseconds, while an insert cuts it to the table's unit: a bound and a row written from the
// same text must be the same count. So the fraction is taken off before and put back after, which is exact as long as every
// modifier moves by whole seconds.
#include "sql/time_functions.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ext/base/sql_tokens.h"
#include "ext/base/timestamp.h"
#include "ext/base/utf8.h"
#include "sql/function_support.h"
#include "sql/time_subtype.h"

namespace ts {
namespace {

constexpr double kMillisPerDay = 86'400'000.0;
constexpr std::int64_t kUnixEpochAsJulianMillis = 210'866'760'000'000;  // 1970-01-01 is the Julian day 2440587.5

using Arguments = std::vector<sqlite3_value*>;

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, message); }

bool any_null(int argc, sqlite3_value** argv) {
  for (int i = 0; i < argc; ++i) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) return true;
  }
  return false;
}

// SQLite's date arithmetic in a connection of its own: the host's may be in the middle of anything. Opened at the first use,
// so that loading costs nothing and a connection opened in here does not open another one.
class Calendar {
 public:
  // Milliseconds since 1970 of julianday(base, modifiers...); nullopt where SQLite says NULL.
  std::optional<std::int64_t> millis(const std::optional<std::string>& base_text, sqlite3_value* base, const Arguments& modifiers) {
    Statement& statement = prepared(modifiers.size());
    if (base_text) {
      statement.bind(1, std::string_view(*base_text));
    } else {
      statement.bind(1, base);
    }
    for (std::size_t i = 0; i < modifiers.size(); ++i) statement.bind(static_cast<int>(i) + 2, modifiers[i]);
    std::optional<std::int64_t> result;
    if (statement.step() && !statement.is_null(0)) {
      const double day = sqlite3_column_double(statement.get(), 0);
      result = static_cast<std::int64_t>(std::llround(day * kMillisPerDay)) - kUnixEpochAsJulianMillis;
    }
    statement.reset();
    return result;
  }

 private:
  Statement& prepared(std::size_t modifiers) {
    if (!db_) db_ = Database(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY);
    if (statements_.size() <= modifiers) statements_.resize(modifiers + 1);
    Statement& statement = statements_[modifiers];
    if (!statement) {
      std::string sql = "SELECT julianday(?1";
      for (std::size_t i = 0; i < modifiers; ++i) sql += ", ?" + std::to_string(i + 2);
      statement = db_.prepare(sql + ")");
    }
    return statement;
  }

  Database db_;                        // outlives its statements
  std::vector<Statement> statements_;  // by number of modifiers, of which SQLite allows at most 126
};

// What sqlite3_user_data points to: one for each registered function, all with the same calendar.
struct TimeFunction {
  std::string name;
  Precision precision = Precision::kMillis;
  std::shared_ptr<Calendar> calendar;
};

constexpr std::pair<const char*, Precision> kTimeFunctions[] = {
    {"ts", Precision::kMillis}, {"ts_s", Precision::kSeconds}, {"ts_us", Precision::kMicros}, {"ts_ns", Precision::kNanos}};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A date-time with the liberties of SQLite's date syntax taken out: blanks at the end, before the clock (also after its 'T') and
// before the zone, and 'z'. What is no date-time comes back as something else that is none.
std::string strict_form(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string strict(text.substr(0, 10));
  if (text.size() <= 10) return strict;
  std::size_t at = 10;
  while (at < text.size() && (is_blank(text[at]) || text[at] == 'T')) ++at;
  strict += at == 10 ? '?' : 'T';
  const std::size_t zone = text.find_first_of("+-zZ", at);
  std::size_t end = std::min(zone, text.size());
  while (end > at && is_blank(text[end - 1])) --end;
  strict += text.substr(at, end - at);
  if (zone < text.size()) strict += text[zone] == 'z' ? "Z" : text.substr(zone);
  return strict;
}

// A strict date-time in its parts: whole seconds, digits of the fraction, and whether it says its zone.
struct IsoTime {
  std::int64_t seconds = 0;
  std::string_view fraction;
  bool zoned = false;
};

std::optional<IsoTime> parse_iso(std::string_view strict) {
  const auto seconds = parse_timestamp(strict, Precision::kSeconds);
  if (!seconds) return std::nullopt;
  IsoTime iso{*seconds, {}, strict.find_first_of("+-Z", 10) != std::string_view::npos};
  const std::size_t point = strict.find('.');
  if (point != std::string_view::npos) {
    const std::string_view rest = strict.substr(point + 1);
    iso.fraction = rest.substr(0, rest.find_first_not_of("0123456789"));
  }
  return iso;
}

// The first digits of a fraction in units of the precision: "0019" is 1 ms and 1900 us.
std::int64_t fraction_units(std::string_view digits, Precision precision) {
  std::int64_t units = 0;
  std::int64_t unit = units_per_second(precision);
  for (const char digit : digits) units += (digit - '0') * (unit /= 10);
  return units;
}

bool is_start_of(sqlite3_value* modifier) { return same_word(text_value(modifier).substr(0, 9), "start of "); }
// '+0.5 seconds', '+1e-1 seconds', '00:00:00.5': the number before the first blank may be no whole one.
bool has_fraction(sqlite3_value* modifier) {
  const std::string_view text = text_value(modifier);
  return text.substr(0, text.find(' ')).find_first_of(".eE") != std::string_view::npos;
}

template <class Law>
bool any(const Arguments& modifiers, Law law) {
  for (sqlite3_value* modifier : modifiers) {
    if (law(modifier)) return true;
  }
  return false;
}

// True for a number, or text that is one, as SQLite's date functions read it.
bool is_number(sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) return true;
  if (type != SQLITE_TEXT) return false;
  const auto tokens = sql_tokens(text_value(value));
  const std::size_t sign = !tokens.empty() && (is_symbol(tokens[0], '-') || is_symbol(tokens[0], '+')) ? 1 : 0;
  return tokens.size() == sign + 1 && tokens[sign].kind == TokenKind::kNumber;
}

// The evaluation of one call of ts().
class Call {
 public:
  Call(const TimeFunction& function, sqlite3_value* time, Arguments modifiers)
      : function_(function), time_(time), modifiers_(std::move(modifiers)) {}

  std::int64_t count() {
    if (sqlite3_value_type(time_) == SQLITE_TEXT) {
      const std::string strict = strict_form(text_value(time_));
      if (const auto iso = parse_iso(strict)) return in_limits(modifiers_.empty() ? plain(*iso) : modified(*iso));
      if (same_word(text_value(time_), "now")) return in_limits(from_millis(required(std::nullopt)));
    }
    if (!is_number(time_)) no_time();
    if (modifiers_.empty() || !is_unit_of_number(text_value(modifiers_[0]))) {
      fail(shown_value(time_) + " is a number of what? Say so: " + function_.name + "(" + excerpt(text_value(time_)) +
           ", 'unixepoch'), or 'julianday' or 'auto'");
    }
    return in_limits(from_millis(required(std::nullopt)));
  }

 private:
  // Seconds and a part of one in units, before it is known whether the sum can be counted.
  struct Moment {
    std::int64_t seconds = 0, units = 0;
  };

  [[noreturn]] void fail(const std::string& message) const { bad(function_.name + ": " + message); }
  [[noreturn]] void no_time() const { fail(shown_value(time_) + " is no time; write a date as '2026-11-23' or '2026-11-23T07:16:00Z'"); }

  static bool is_unit_of_number(std::string_view modifier) {
    return same_word(modifier, "unixepoch") || same_word(modifier, "julianday") || same_word(modifier, "auto");
  }

  Moment plain(const IsoTime& iso) const { return {iso.seconds, fraction_units(iso.fraction, function_.precision)}; }

  Moment modified(const IsoTime& iso) {
    const bool dropped = any(modifiers_, is_start_of);
    std::string base = format_timestamp(iso.seconds, Precision::kSeconds);
    if (!iso.zoned) base.pop_back();  // 'utc' and 'localtime' treat a time without a zone differently
    if (!any(modifiers_, has_fraction)) {
      const std::int64_t millis = required(base);
      Moment moment = from_millis(millis);
      if (!dropped) moment.units += fraction_units(iso.fraction, function_.precision);
      return moment;
    }
    // A modifier with a fraction may carry into the next second, so SQLite must see the milliseconds. The digit behind them
    // stays below a half and above zero: versions that round and versions that cut then read the same milliseconds.
    std::string digits = std::to_string(1'000 + fraction_units(iso.fraction, Precision::kMillis)).substr(1) + "2";
    base.insert(19, "." + digits);
    Moment moment = from_millis(required(base));
    if (!dropped && iso.fraction.size() > 3) {
      const std::string below = "000" + std::string(iso.fraction.substr(3));
      moment.units += fraction_units(below, function_.precision);
    }
    return moment;
  }

  std::int64_t required(const std::optional<std::string>& base) {
    if (const auto millis = function_.calendar->millis(base, time_, modifiers_)) return *millis;
    // Name the first modifier that SQLite does not take.
    for (std::size_t count = 0; count < modifiers_.size(); ++count) {
      const Arguments some(modifiers_.begin(), modifiers_.begin() + static_cast<std::ptrdiff_t>(count) + 1);
      if (function_.calendar->millis(base, time_, some)) continue;
      fail(shown_value(modifiers_[count]) + " is no modifier for " + shown_value(time_) +
           ", or leads out of the years 0001 to 9999; modifiers are SQLite's, as in '+1 day' or 'start of month'");
    }
    no_time();
  }

  Moment from_millis(std::int64_t millis) const {
    const std::int64_t rest = (millis % 1'000 + 1'000) % 1'000;
    const std::int64_t seconds = (millis - rest) / 1'000;
    return {seconds, rest * units_per_second(function_.precision) / 1'000};
  }

  std::int64_t in_limits(const Moment& moment) const {
    const Precision precision = function_.precision;
    const std::int64_t first = min_timestamp(precision) / units_per_second(precision);
    const std::int64_t last = convert_precision(max_timestamp(precision), precision, Precision::kSeconds);
    if (moment.seconds >= first && moment.seconds <= last) {
      const std::int64_t count = moment.seconds * units_per_second(precision) + moment.units;
      if (count <= max_timestamp(precision)) return count;
    }
    fail(shown_value(time_) + (modifiers_.empty() ? "" : " with its modifiers") + " lies outside the years " +
         (precision == Precision::kNanos ? "1678 to 2261 that nanoseconds can count" : "0001 to 9999"));
  }

  const TimeFunction& function_;
  sqlite3_value* time_;
  Arguments modifiers_;
};

void ts_count(sqlite3_context* context, int argc, sqlite3_value** argv) {
  const TimeFunction& function = *static_cast<const TimeFunction*>(sqlite3_user_data(context));
  if (argc == 0) bad(function.name + ": a time is missing; write " + function.name + "('2026-11-23') or " + function.name + "('now')");
  if (any_null(argc, argv)) return sqlite3_result_null(context);
  const std::int64_t count = Call(function, argv[0], Arguments(argv + 1, argv + argc)).count();
  sqlite3_result_int64(context, count);
  sqlite3_result_subtype(context, subtype_of_precision(function.precision));
}

void ts_text(sqlite3_context* context, int argc, sqlite3_value** argv) {
  if (any_null(argc, argv)) return sqlite3_result_null(context);
  const auto marked = precision_of_subtype(sqlite3_value_subtype(argv[0]));
  Precision precision = marked.value_or(Precision::kMillis);
  if (argc == 2) {
    const auto given = parse_precision(text_value(argv[1]));
    if (!given) bad("ts_text: " + shown_value(argv[1]) + " is no precision; write 's', 'ms', 'us' or 'ns'");
    if (marked && *marked != *given) {
      bad("ts_text: the value counts '" + std::string(precision_text(*marked)) + "' and is to be read as '" +
          std::string(precision_text(*given)) + "'; leave the precision out");
    }
    precision = *given;
  }
  if (sqlite3_value_type(argv[0]) != SQLITE_INTEGER)
    bad("ts_text: " + shown_value(argv[0]) + " is no integer; ts('...') makes one from text");
  const std::int64_t count = sqlite3_value_int64(argv[0]);
  if (count < min_timestamp(precision) || count > max_timestamp(precision)) {
    bad("ts_text: " + std::to_string(count) + " as '" + std::string(precision_text(precision)) + "' lies outside the years " +
        (precision == Precision::kNanos ? "1678 to 2261" : "0001 to 9999"));
  }
  const std::string text = format_timestamp(count, precision);
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void xTs(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
  answer(context, [&] { ts_count(context, argc, argv); });
}

void xTsText(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
  answer(context, [&] { ts_text(context, argc, argv); });
}

void xDestroy(void* function) noexcept { delete static_cast<TimeFunction*>(function); }

}  // namespace

int register_time_functions(sqlite3* db) {
  int flags = kPureFlags;
  if (sqlite3_libversion_number() >= kResultSubtypeSince) flags |= SQLITE_RESULT_SUBTYPE;
  try {
    const auto calendar = std::make_shared<Calendar>();
    for (const auto& [name, precision] : kTimeFunctions) {
      auto function = std::make_unique<TimeFunction>(TimeFunction{name, precision, calendar});
      // SQLite destroys the user data in every case, also when it fails.
      const int rc = sqlite3_create_function_v2(db, name, -1, flags, function.release(), xTs, nullptr, nullptr, xDestroy);
      if (rc != SQLITE_OK) return rc;
    }
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
  for (const int arguments : {1, 2}) {
    const int rc = sqlite3_create_function_v2(db, "ts_text", arguments, flags, nullptr, xTsText, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

}  // namespace ts
