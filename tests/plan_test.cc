// Tests of table/plan: what is encoded is decoded, whatever the columns are called, and nothing else is.
#include "ext/table/plan.h"

#include <doctest/doctest.h>

#include <random>

#include "ext/base/error.h"

using namespace ts;

namespace {

// Names that are words of the language, hold its separators, or differ only in what is encoded.
const std::vector<std::string> kNames = {"ts",        "host",      "columns", "Columns",   "order", "limit",    "offset", "my col",
                                         "a%b",       "a%25b",     "a:in?",   "x=?",       "null",  "a@NOCASE", "<>",     "é",
                                         "order:asc", "columns:1", "limit?",  "%63olumns", "sorted",     "?",        "_file"};
const std::vector<std::string> kOperators = {"=", "<>", "<", "<=", ">", ">=", "in", "null"};

std::string refusal(const std::string& text) {
  try {
    decode_plan(text, kNames);
  } catch (const Error& e) {
    CHECK(e.code() == Code::kBadInput);
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("plan: the text is the documented one") {
  Plan plan;
  plan.terms = {{0, ">=", ""}, {0, "<", ""}, {1, "in", ""}, {1, "=", "NOCASE"}, {7, "null", ""}};
  plan.order = -1;
  plan.limit = plan.offset = true;
  plan.columns = {1, 7};
  CHECK(encode_plan(plan, kNames) == "ts>=? ts<? host:in? host@NOCASE=? my%20col:null order:desc limit? offset? columns:1,7");
  CHECK(encode_plan(Plan{}, kNames) == "columns:");
  plan = Plan{};
  plan.sorted = {1, 7, 0};
  plan.columns = {1, 7};
  CHECK(encode_plan(plan, kNames) == "sorted:host,my%20col,ts columns:1,7");
}

TEST_CASE("plan: a column's name is never taken for a word of the language") {
  for (std::size_t c = 0; c < kNames.size(); c++) {
    for (const std::string& op : kOperators) {
      for (const char* collation : {"", "RTRIM"}) {
        Plan plan;
        plan.terms = {{static_cast<int>(c), op, collation}};
        CAPTURE(encode_plan(plan, kNames));
        CHECK(decode_plan(encode_plan(plan, kNames), kNames) == plan);
      }
    }
  }
}

TEST_CASE("plan: any plan survives its text") {
  std::mt19937 random(7);
  auto below = [&](std::size_t n) { return static_cast<int>(random() % n); };
  for (int i = 0; i < 2000; i++) {
    Plan plan;
    for (int n = below(6); n > 0; n--) {
      plan.terms.push_back({below(kNames.size()), kOperators[random() % kOperators.size()], below(3) ? "" : "NOCASE"});
    }
    plan.order = below(3) - 1;
    plan.limit = below(2);
    plan.offset = below(2);
    for (int n = below(5); n > 0; n--) plan.columns.push_back(below(kNames.size()));
    CHECK(decode_plan(encode_plan(plan, kNames), kNames) == plan);
  }
}

TEST_CASE("plan: a text that is no plan of the table is refused") {
  CHECK(refusal("nobody=?") == "timeseries: not a plan of this table: nobody");
  CHECK(refusal("ts") == "timeseries: not a plan of this table: ts");
  CHECK(refusal("ts=") == "timeseries: not a plan of this table: ts=");
  CHECK(refusal("ts~?") == "timeseries: not a plan of this table: ts~?");
  CHECK(refusal("host@NOCASE") == "timeseries: not a plan of this table: host@NOCASE");
  CHECK(refusal("host:out?") == "timeseries: not a plan of this table: host:out?");
  CHECK(refusal("columns:x") == "timeseries: not a plan of this table: x");
  CHECK(refusal("columns:99") == "timeseries: not a plan of this table: columns:99");
  CHECK(refusal("columns:-1") == "timeseries: not a plan of this table: columns:-1");
}
