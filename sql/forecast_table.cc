// Samples are read, checked to be evenly spaced, smoothed, and forecast when a scan begins.
#include "sql/forecast_table.h"

#include <algorithm>
#include <optional>

#include "sql/holt_winters.h"
#include "sql/sample_json.h"
#include "sql/table_function.h"

namespace ts {
namespace {

constexpr std::int64_t kMaxHorizon = 100'000;  // intervals take one step each, a chart a thousand
constexpr int kFirstArgument = 4;              // behind ts, value, lower and upper
constexpr int kArguments = 6;

struct Function {
  std::string name;
};

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, "forecast: " + message); }

struct ForecastCursor : CountedCursor {
  using Definition = Function;
  std::vector<ForecastPoint> points;
  Smoothing smoothing;
  std::int64_t last = 0, distance = 0;
  OwnedValue shown[3];  // samples, horizon, season

  static const char* columns(const Function&) {
    return "CREATE TABLE x(ts INTEGER, value REAL, lower REAL, upper REAL, samples HIDDEN, horizon HIDDEN, season HIDDEN, alpha HIDDEN, "
           "beta HIDDEN, gamma HIDDEN)";
  }
  static bool plan(const Function&, sqlite3_index_info* info);
  void filter(const Function&, int, std::string_view letters, sqlite3_value** argv);
  void column(const Function&, sqlite3_context* context, int column) const;
};

// The letters of idxStr are the arguments that are given, '0' to '5'.
bool ForecastCursor::plan(const Function&, sqlite3_index_info* info) {
  std::string letters;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const char letter = argument_letter(constraint.iColumn, constraint.op, kFirstArgument);
    if (!letter) continue;
    if (!constraint.usable) return false;
    letters += letter;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(letters.size());
    info->aConstraintUsage[i].omit = 1;
  }
  for (const char needed : {'0', '1', '2'}) {
    if (letters.find(needed) == std::string::npos) bad("an argument is missing; write forecast(samples, horizon, season)");
  }
  set_letters(info, letters);
  return true;
}

// How far one ts is from the one before it, which is the same all over.
std::int64_t distance_of(const std::vector<Sample>& samples) {
  std::int64_t distance = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    std::int64_t here = 0;
    const bool far = __builtin_sub_overflow(samples[i].ts, samples[i - 1].ts, &here);
    if (i == 1) distance = here;
    if (far || here <= 0 || here != distance) {
      bad("the samples at " + std::to_string(samples[i - 1].ts) + " and " + std::to_string(samples[i].ts) +
          " are not as far apart as the first two; take one sample for each bucket, as gapfill and interpolate make them");
    }
  }
  return distance;
}

std::int64_t whole_argument(sqlite3_value* value, const char* what, std::int64_t most) {
  const std::int64_t number = sqlite3_value_type(value) == SQLITE_INTEGER ? sqlite3_value_int64(value) : 0;
  if (number < 1 || number > most) {
    bad("the " + std::string(what) + " " + shown_value(value) + " is not between 1 and " + std::to_string(most));
  }
  return number;
}

// NULL: to be fitted.
std::optional<double> factor_argument(sqlite3_value* value) {
  if (!value || sqlite3_value_type(value) == SQLITE_NULL) return std::nullopt;
  const double factor = number_argument(value, "forecast");
  if (!(factor >= 0 && factor <= 1)) bad("the factor " + shown_value(value) + " lies not between 0 and 1");
  return factor;
}

void ForecastCursor::filter(const Function&, int, std::string_view letters, sqlite3_value** argv) {
  points.clear();
  sqlite3_value* arguments[kArguments] = {};
  for (std::size_t i = 0; i < letters.size(); ++i) arguments[letters[i] - '0'] = argv[i];
  for (int i = 0; i < 3; ++i) {
    shown[i].reset(sqlite3_value_dup(arguments[i]));
    if (sqlite3_value_type(arguments[i]) == SQLITE_NULL) return;  // no rows
  }
  std::vector<Sample> samples = parse_samples(text_value(arguments[0]), "forecast"), copy;
  const Samples ordered = in_order(samples, false, copy);
  const std::int64_t horizon = whole_argument(arguments[1], "horizon", kMaxHorizon);
  const std::int64_t season = whole_argument(arguments[2], "season", INT64_MAX / 2);
  if (static_cast<std::int64_t>(ordered.size()) / 2 < season) {
    bad("two seasons of " + std::to_string(season) + " are more than the " + std::to_string(ordered.size()) + " samples");
  }
  distance = distance_of(copy);
  last = copy.back().ts;
  std::int64_t end = 0;
  if (__builtin_mul_overflow(distance, horizon, &end) || __builtin_add_overflow(last, end, &end)) bad("the horizon is behind all times");
  std::vector<double> values;
  for (const Sample& sample : ordered) values.push_back(sample.value);
  const auto length = static_cast<std::size_t>(season);
  smoothing = fit_smoothing(values, length, {factor_argument(arguments[3]), factor_argument(arguments[4]), factor_argument(arguments[5])});
  points = forecast(values, length, smoothing, static_cast<std::size_t>(horizon));
  count = horizon;
}

void ForecastCursor::column(const Function&, sqlite3_context* context, int column) const {
  const ForecastPoint& point = points[static_cast<std::size_t>(at)];
  switch (column) {
    case 0: return sqlite3_result_int64(context, last + distance * (at + 1));
    case 1: return sqlite3_result_double(context, point.value);
    case 2: return sqlite3_result_double(context, point.lower);
    case 3: return sqlite3_result_double(context, point.upper);
    case 7: return sqlite3_result_double(context, smoothing.alpha);
    case 8: return sqlite3_result_double(context, smoothing.beta);
    case 9: return sqlite3_result_double(context, smoothing.gamma);
    default: return sqlite3_result_value(context, shown[column - kFirstArgument].get());
  }
}

}  // namespace

int register_forecast_table(sqlite3* db) {
  return guard([&] { add_table_function<ForecastCursor>(db, {"forecast"}); }, [](const char*) {});
}

}  // namespace ts
