// Widths are parsed once a statement, zones are read once a connection.
#include "sql/bucket_functions.h"

#include <algorithm>
#include <memory>

#include "sql/function_support.h"
#include "sql/local_bucket.h"
#include "sql/time_subtype.h"

namespace ts {
namespace {

__extension__ using Wide = __int128;

// What sqlite3_user_data points to.
struct Function {
  std::string name;
  Precision precision = Precision::kMillis;
  std::shared_ptr<Zones> zones;
  unsigned mark = 0;  // the precision as a subtype
};

const Function& function_of(sqlite3_context* context) { return *static_cast<const Function*>(sqlite3_user_data(context)); }

void destroy_bucket(void* bucket) { delete static_cast<TimeBucket*>(bucket); }

// The bucket of argument 0, kept as long as SQLite says that the argument is constant.
TimeBucket bucket_of(sqlite3_context* context, sqlite3_value* width, const Function& function) {
  if (const void* kept = sqlite3_get_auxdata(context, 0)) return *static_cast<const TimeBucket*>(kept);
  const TimeBucket bucket = parse_time_bucket(text_value(width), function.precision, function.name);
  sqlite3_set_auxdata(context, 0, new TimeBucket(bucket), destroy_bucket);
  return bucket;
}

const TimeZone& zone_of(const Function& function, sqlite3_value* name) { return function.zones->at(text_value(name), function.name); }

void time_bucket(sqlite3_context* context, int argc, sqlite3_value** argv) {
  const Function& function = function_of(context);
  for (int i = 0; i < argc; ++i) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) return sqlite3_result_null(context);
  }
  const TimeBucket bucket = bucket_of(context, argv[0], function);
  const std::int64_t ts = time_argument(argv[1], function.precision, function.name);
  sqlite3_value* zone = argc > 2 && sqlite3_value_type(argv[2]) == SQLITE_TEXT ? argv[2] : nullptr;
  sqlite3_value* origin = argc == 4 ? argv[3] : argc == 3 && !zone ? argv[2] : nullptr;
  if (argc == 4 && !zone) throw Error(Code::kBadInput, function.name + ": the time zone " + shown_value(argv[2]) + " is no text");
  if (!zone && !origin) {
    sqlite3_result_int64(context, bucket.start(ts));
    return sqlite3_result_subtype(context, function.mark);
  }
  const std::int64_t least = min_timestamp(function.precision), most = max_timestamp(function.precision);
  const std::int64_t from = origin ? time_argument(origin, function.precision, function.name) : least;
  if (ts < least || ts > most || from < least || from > most) {
    throw Error(Code::kBadInput, function.name + ": the time " + shown_value(ts < least || ts > most ? argv[1] : origin) +
                                     " lies outside the years " +
                                     (function.precision == Precision::kNanos ? "1678 to 2261" : "0001 to 9999"));
  }
  const std::int64_t units = units_per_second(function.precision);
  std::int64_t shift = 0;
  if (origin) {
    if (!bucket.width()) throw Error(Code::kBadInput, function.name + ": months and years take no origin; write a width in days or less");
    const std::int64_t there = zone ? from + zone_of(function, zone).offset(from / units - (from % units < 0 ? 1 : 0)) * units : from;
    shift = there - bucket.start(there);
  }
  sqlite3_result_int64(context,
                       zone ? local_start(bucket, ts, zone_of(function, zone), function.precision, shift, function.name)
                            : moved_start(bucket, ts, shift, function.name));
  sqlite3_result_subtype(context, function.mark);
}

// A fixed width that was parsed already and an integer of the right unit: nothing is left to check, and a row costs little more than
// a division. False: time_bucket has to look.
bool plain_time_bucket(sqlite3_context* context, sqlite3_value** argv) noexcept {
  const auto* bucket = static_cast<const TimeBucket*>(sqlite3_get_auxdata(context, 0));
  if (!bucket || sqlite3_value_type(argv[1]) != SQLITE_INTEGER) return false;
  const unsigned mark = function_of(context).mark, given = sqlite3_value_subtype(argv[1]);
  if (given != 0 && given != mark) return false;
  sqlite3_result_int64(context, bucket->start(sqlite3_value_int64(argv[1])));
  sqlite3_result_subtype(context, mark);
  return true;
}

void duration(sqlite3_context* context, sqlite3_value** argv) {
  const Function& function = function_of(context);
  if (sqlite3_value_type(argv[0]) == SQLITE_NULL) return sqlite3_result_null(context);
  const auto width = bucket_of(context, argv[0], function).width();
  if (!width) throw Error(Code::kBadInput, function.name + ": months and years are of no fixed length; write days");
  sqlite3_result_int64(context, *width);
}

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400 * kSecond;
constexpr std::int64_t kNiceSeconds[] = {1,     2,     5,      10,     15,     30,     60,     120,     300,     600,       900,      1'800,
                                         3'600, 7'200, 10'800, 14'400, 21'600, 43'200, 86'400, 172'800, 604'800, 1'209'600, 2'592'000};

// The narrowest width of a clock or calendar, in nanoseconds, that is no less; above 30 days whole multiples of 30 days.
Wide nice_width(Wide least) {
  for (Wide width = 1; width < kSecond; width *= 10) {
    for (const int times : {1, 2, 5}) {
      if (width * times >= least) return width * times;
    }
  }
  for (const std::int64_t seconds : kNiceSeconds) {
    if (Wide{seconds} * kSecond >= least) return Wide{seconds} * kSecond;
  }
  return (least + 30 * kDay - 1) / (30 * kDay) * (30 * kDay);
}

void auto_bucket(sqlite3_context* context, sqlite3_value** argv) {
  const Function& function = function_of(context);
  for (int i = 0; i < 3; ++i) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) return sqlite3_result_null(context);
  }
  const std::int64_t from = time_argument(argv[0], function.precision, function.name);
  const std::int64_t to = time_argument(argv[1], function.precision, function.name);
  const std::int64_t bins = sqlite3_value_int64(argv[2]);
  if (to < from) throw Error(Code::kBadInput, function.name + ": the range ends before it begins; write from, to, bins");
  if (bins < 1) throw Error(Code::kBadInput, function.name + ": " + shown_value(argv[2]) + " is no number of bins; write 1 or more");
  const Wide unit = kSecond / units_per_second(function.precision);
  const Wide width = nice_width(std::max((Wide{to} - from + bins - 1) / bins * unit, unit)) / unit;
  sqlite3_result_int64(context, static_cast<std::int64_t>(std::min(width, Wide{INT64_MAX})));
}

void xTimeBucket(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
  if (argc == 2 && plain_time_bucket(context, argv)) return;
  answer(context, [&] { time_bucket(context, argc, argv); });
}
void xDuration(sqlite3_context* context, int, sqlite3_value** argv) noexcept {
  answer(context, [&] { duration(context, argv); });
}
void xAutoBucket(sqlite3_context* context, int, sqlite3_value** argv) noexcept {
  answer(context, [&] { auto_bucket(context, argv); });
}
void xDestroy(void* function) noexcept { delete static_cast<Function*>(function); }

struct Entry {
  const char* name;
  int arguments;
  Scalar call;
};
constexpr Entry kEntries[] = {{"time_bucket", 2, xTimeBucket},
                              {"time_bucket", 3, xTimeBucket},
                              {"time_bucket", 4, xTimeBucket},
                              {"duration", 1, xDuration},
                              {"auto_bucket", 3, xAutoBucket}};

}  // namespace

int register_bucket_functions(sqlite3* db) {
  return guard(
      [&] {
        const std::set<std::string> taken = function_names(db);
        const auto zones = std::make_shared<Zones>();
        const int flags = marking_flags();
        for (const auto& [suffix, precision] : kUnitForms) {
          for (const Entry& entry : kEntries) {
            const std::string name = std::string(entry.name) + suffix;
            if (taken.count(name)) continue;
            // SQLite destroys the user data in every case, also when it fails.
            auto* function = new Function{name, precision, zones, subtype_of_precision(precision)};
            const int rc =
                sqlite3_create_function_v2(db, name.c_str(), entry.arguments, flags, function, entry.call, nullptr, nullptr, xDestroy);
            if (rc != SQLITE_OK) throw_sqlite(db, rc, "timeseries: cannot register " + name);
          }
        }
      },
      [](const char*) {});
}

}  // namespace ts
