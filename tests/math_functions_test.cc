// Tests of sql/math_functions: the host's own functions are the oracle, each asked beside ours over numbers, text, blobs and NULL.
#include "sql/math_functions.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/support/sqlite_fixture.h"

using namespace ts;

namespace {

const std::vector<std::string> kValues = {
    "NULL", "0",    "1",      "-1",      "2",    "10",     "-7",   "100",     "9007199254740993", "9223372036854775807", "0.0", "-0.0",
    "0.5",  "-0.5", "0.9999", "1.00001", "2.5",  "-2.5",   "1e-9", "1e300",   "-1e300",           "9e999",               "-9e999",
    "3.7",  "-3.7", "'2'",    "'2.5'",   "'2x'", "'x'",    "''",   "x'32'",   "' 4 '",            "'1e3'",
};

// The functions of this module under names that no host has.
struct Fixture {
  Fixture() : db(ts_test::open_memory()) {
    for (const PureFunction& function : math_functions()) {
      const std::string name = std::string("our_") + function.name;
      REQUIRE(sqlite3_create_function_v2(db.get(), name.c_str(), function.arguments, kPureFlags, nullptr, function.call, nullptr, nullptr,
                                         nullptr) == SQLITE_OK);
    }
  }
  Database db;

  // Of the same type, and the last digit of a library's REAL may differ.
  bool same(const std::string& call) {
    Statement ask = db.prepare("SELECT our_" + call + ", " + call);
    REQUIRE(ask.step());
    const int type = sqlite3_column_type(ask.get(), 0);
    if (type != sqlite3_column_type(ask.get(), 1)) return false;
    const double ours = sqlite3_column_double(ask.get(), 0), theirs = sqlite3_column_double(ask.get(), 1);
    if (type == SQLITE_INTEGER) return ask.int64(0) == ask.int64(1);
    return type == SQLITE_NULL || ours == theirs || std::fabs(ours - theirs) <= 1e-15 * std::fabs(theirs);
  }
};

}  // namespace

TEST_CASE("math_functions: each answers as the host's own, in value and type") {
  Fixture f;
  const std::set<std::string> host = function_names(f.db.get());
  int compared = 0;
  for (const PureFunction& function : math_functions()) {
    if (!host.count(function.name)) continue;
    const std::string name = function.name;
    for (const std::string& a : kValues) {
      for (const std::string& b : function.arguments == 2 ? kValues : std::vector<std::string>{""}) {
        const std::string call = name + "(" + (function.arguments == 0 ? "" : function.arguments == 1 ? a : a + ", " + b) + ")";
        INFO(call);
        CHECK(f.same(call));
        ++compared;
      }
    }
  }
  Statement built = f.db.prepare("SELECT sqlite_compileoption_used('ENABLE_MATH_FUNCTIONS')");
  REQUIRE(built.step());
  if (built.int64(0)) CHECK(compared > 5'000);
}

TEST_CASE("math_functions: the list is the one of SQLite's reference") {
  std::set<std::string> names;
  for (const PureFunction& function : math_functions()) names.insert(function.name + ("/" + std::to_string(function.arguments)));
  CHECK(names == std::set<std::string>{"acos/1",    "acosh/1", "asin/1", "asinh/1", "atan/1",  "atan2/2", "atanh/1", "ceil/1",
                                       "ceiling/1", "cos/1",   "cosh/1", "degrees/1", "exp/1", "floor/1", "ln/1",    "log/1",
                                       "log/2",     "log10/1", "log2/1", "mod/2",   "pi/0",    "pow/2",   "power/2", "radians/1",
                                       "sin/1",     "sinh/1",  "sqrt/1", "tan/1",   "tanh/1",  "trunc/1"});
}

TEST_CASE("math_functions: a host's own function is left alone") {
  Database db = ts_test::open_memory();
  const auto seven = [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_int(context, 7); };
  REQUIRE(sqlite3_create_function_v2(db.get(), "trunc", 1, SQLITE_UTF8, nullptr, seven, nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(register_math_functions(db.get()) == SQLITE_OK);
  Statement ask = db.prepare("SELECT trunc(1.5)");
  REQUIRE(ask.step());
  CHECK(ask.int64(0) == 7);
}
