// Each is one of the C library's, between a check of its arguments and SQLite's rule that NaN is NULL.
#include "sql/math_functions.h"

#include <cmath>
#include <numbers>

namespace ts {
namespace {

using Arguments = std::span<sqlite3_value*>;

bool numeric(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

template <double (*Function)(double)>
void one(sqlite3_context* context, Arguments arguments) {
  if (numeric(arguments[0])) sqlite3_result_double(context, Function(sqlite3_value_double(arguments[0])));
}

template <double (*Function)(double, double)>
void two(sqlite3_context* context, Arguments arguments) {
  if (!numeric(arguments[0]) || !numeric(arguments[1])) return;
  sqlite3_result_double(context, Function(sqlite3_value_double(arguments[0]), sqlite3_value_double(arguments[1])));
}

// An INTEGER stays one.
template <double (*Function)(double)>
void rounded(sqlite3_context* context, Arguments arguments) {
  if (sqlite3_value_numeric_type(arguments[0]) == SQLITE_INTEGER) {
    return sqlite3_result_int64(context, sqlite3_value_int64(arguments[0]));
  }
  one<Function>(context, arguments);
}

// NULL, not an infinity, at 0 and below.
template <double (*Function)(double)>
double logarithm(double x) {
  return x > 0 ? Function(x) : std::nan("");
}
// As SQLite, which looks at the type of the base only: text and blobs are the number that they begin with.
void logarithm_to(sqlite3_context* context, Arguments arguments) {
  if (!numeric(arguments[0])) return;
  const double scale = logarithm<std::log>(sqlite3_value_double(arguments[0]));
  if (scale > 0) sqlite3_result_double(context, logarithm<std::log>(sqlite3_value_double(arguments[1])) / scale);
}
double degrees(double x) { return x * (180 / std::numbers::pi); }
double radians(double x) { return x * (std::numbers::pi / 180); }
void pi(sqlite3_context* context, Arguments) { sqlite3_result_double(context, std::numbers::pi); }

constexpr PureFunction kFunctions[] = {
    {"acos", 1, xPure<one<std::acos>>},
    {"acosh", 1, xPure<one<std::acosh>>},
    {"asin", 1, xPure<one<std::asin>>},
    {"asinh", 1, xPure<one<std::asinh>>},
    {"atan", 1, xPure<one<std::atan>>},
    {"atan2", 2, xPure<two<std::atan2>>},
    {"atanh", 1, xPure<one<std::atanh>>},
    {"ceil", 1, xPure<rounded<std::ceil>>},
    {"ceiling", 1, xPure<rounded<std::ceil>>},
    {"cos", 1, xPure<one<std::cos>>},
    {"cosh", 1, xPure<one<std::cosh>>},
    {"degrees", 1, xPure<one<degrees>>},
    {"exp", 1, xPure<one<std::exp>>},
    {"floor", 1, xPure<rounded<std::floor>>},
    {"ln", 1, xPure<one<logarithm<std::log>>>},
    {"log", 1, xPure<one<logarithm<std::log10>>>},
    {"log", 2, xPure<logarithm_to>},
    {"log10", 1, xPure<one<logarithm<std::log10>>>},
    {"log2", 1, xPure<one<logarithm<std::log2>>>},
    {"mod", 2, xPure<two<std::fmod>>},
    {"pi", 0, xPure<pi>},
    {"pow", 2, xPure<two<std::pow>>},
    {"power", 2, xPure<two<std::pow>>},
    {"radians", 1, xPure<one<radians>>},
    {"sin", 1, xPure<one<std::sin>>},
    {"sinh", 1, xPure<one<std::sinh>>},
    {"sqrt", 1, xPure<one<std::sqrt>>},
    {"tan", 1, xPure<one<std::tan>>},
    {"tanh", 1, xPure<one<std::tanh>>},
    {"trunc", 1, xPure<rounded<std::trunc>>},
};

}  // namespace

std::span<const PureFunction> math_functions() { return kFunctions; }

int register_math_functions(sqlite3* db) {
  return guard([&] { register_pure(db, kFunctions); }, [](const char*) {});
}

}  // namespace ts
