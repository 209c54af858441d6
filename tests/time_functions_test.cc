// Tests of sql/time_functions: against parse_timestamp for plain times and against SQLite's own date functions for modifiers.
#include "sql/time_functions.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "ext/base/timestamp.h"
#include "sql/time_subtype.h"
#include "tests/support/sqlite_fixture.h"

using namespace ts;

namespace {

extern "C" void subtype_of(sqlite3_context* context, int, sqlite3_value** argv) {
  sqlite3_result_int(context, static_cast<int>(sqlite3_value_subtype(argv[0])));
}

struct Fixture {
  Fixture() : db(ts_test::open_memory()) {
    REQUIRE(register_time_functions(db.get()) == SQLITE_OK);
    sqlite3_create_function_v2(db.get(), "subtype_of", 1, SQLITE_UTF8 | SQLITE_SUBTYPE, nullptr, subtype_of, nullptr, nullptr, nullptr);
  }

  // The value of an expression as SQLite would print it, NULL as "NULL".
  std::string value(const std::string& expression) {
    Statement statement = db.prepare("SELECT quote(" + expression + ")");
    REQUIRE(statement.step());
    return statement.text(0);
  }

  std::string fault(const std::string& expression) {
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.get(), ("SELECT " + expression).c_str(), -1, &statement, nullptr) == SQLITE_OK);
    const int rc = sqlite3_step(statement);
    const std::string text = rc == SQLITE_ROW ? "none" : sqlite3_errmsg(db.get());
    sqlite3_finalize(statement);
    return text;
  }

  Database db;
};

}  // namespace

TEST_CASE("time_functions: each function counts in its unit") {
  Fixture f;
  CHECK(f.value("ts('2026-11-23T07:16:00Z')") == "1795418160000");
  CHECK(f.value("ts_s('2026-11-23T07:16:00Z')") == "1795418160");
  CHECK(f.value("ts_us('2026-11-23T07:16:00Z')") == "1795418160000000");
  CHECK(f.value("ts_ns('2026-11-23T07:16:00Z')") == "1795418160000000000");
  CHECK(f.value("ts('1969-12-31')") == "-86400000");
}

TEST_CASE("time_functions: fractions are kept to the unit and cut towards -infinity, as an insert cuts them") {
  Fixture f;
  CHECK(f.value("ts('2026-11-23T07:16:00.0019')") == "1795418160001");
  CHECK(f.value("ts_s('1969-12-31T23:59:59.9')") == "-1");
  CHECK(f.value("ts_us('2026-11-23 07:16:00.1234567')") == "1795418160123456");
  CHECK(f.value("ts_ns('2026-11-23T07:16:00.123456789Z')") == "1795418160123456789");
  CHECK(f.value("ts_ns('2026-11-23T09:16:00.123456789+02:00')") == "1795418160123456789");
}

TEST_CASE("time_functions: modifiers are SQLite's and the fraction stays through them") {
  Fixture f;
  CHECK(f.value("ts('2026-11-23', '+1 day') = ts('2026-11-24')") == "1");
  CHECK(f.value("ts_ns('2026-11-23T07:16:00.123456789Z', '+1 hour')") == "1795421760123456789");
  CHECK(f.value("ts_ns('2026-01-31T07:16:00.123456789Z', '+1 month') = ts_ns('2026-03-03T07:16:00.123456789')") == "1");
  CHECK(f.value("ts_us('2026-11-23T07:16:00.000999Z', '-1 day', 'weekday 1') = ts_us('2026-11-23T07:16:00.000999')") == "1");
  CHECK(f.value("ts_us('2026-11-23T07:16:59.999999', '+0.5 seconds') = ts_us('2026-11-23T07:17:00.499999')") == "1");
  CHECK(f.value("ts_us('2026-11-23T07:16:59.999999', '+00:00:00.500') = ts_us('2026-11-23T07:17:00.499999')") == "1");
  CHECK(f.value("ts_us('2026-11-23T23:59:59.999999', '+5e-1 seconds') = ts_us('2026-11-24T00:00:00.499999')") == "1");
  CHECK(f.value("ts('2026-11-23T02:00+02:00', '+1 day') = ts('2026-11-24')") == "1");
  CHECK(f.value("ts('2026-11-23T00:00Z', 'utc') = ts('2026-11-23T00:00Z')") ==
        f.value("julianday('2026-11-23T00:00Z', 'utc') = julianday('2026-11-23')"));
}

TEST_CASE("time_functions: 'start of' drops the fraction, in any case of letters") {
  Fixture f;
  CHECK(f.value("ts_ns('2026-11-23T07:16:00.123456789Z', 'start of day') = ts_ns('2026-11-23')") == "1");
  CHECK(f.value("ts_ns('2026-11-23T07:16:00.123456789Z', '+1 month', 'START OF MONTH') = ts_ns('2026-12-01')") == "1");
  CHECK(f.value("ts_us('2026-11-23T23:59:59.999999', '+0.5 seconds', 'start of day') = ts_us('2026-11-24')") == "1");
  CHECK(f.value("ts('2026-11-23T23:59:59.999', 'start of year', '+0.5 seconds') = ts('2026-01-01T00:00:00.5')") == "1");
}

TEST_CASE("time_functions: a number needs a modifier that says what it counts") {
  Fixture f;
  CHECK(f.value("ts(1795418160, 'unixepoch')") == "1795418160000");
  CHECK(f.value("ts('1795418160', 'unixepoch')") == "1795418160000");
  CHECK(f.value("ts(1795418160.5, 'unixepoch')") == "1795418160500");
  CHECK(f.value("ts(-1, 'unixepoch', '+1 day')") == "86399000");
  CHECK(f.value("ts_ns(1795418160, 'unixepoch')") == "1795418160000000000");
  CHECK(f.value("ts(2440587.5, 'julianday')") == "0");
  CHECK(f.value("ts(1795418160, 'auto')") == "1795418160000");
  CHECK(f.value("ts_us(2440587.5, 'Auto')") == "0");
  CHECK(f.fault("ts(1795418160000)") ==
        "ts: 1795418160000 is a number of what? Say so: ts(1795418160000, 'unixepoch'), or 'julianday' or 'auto'");
  CHECK(f.fault("ts_us('2460000.5')") ==
        "ts_us: \"2460000.5\" is a number of what? Say so: ts_us(2460000.5, 'unixepoch'), or 'julianday' or 'auto'");
  CHECK(f.fault("ts(5, '+1 day', 'unixepoch')").find("is a number of what?") != std::string::npos);
  CHECK(f.fault("ts(ts('2026-11-23'))").find("is a number of what?") != std::string::npos);
}

TEST_CASE("time_functions: 'now' is now") {
  Fixture f;
  CHECK(f.value("abs(ts('now') - ts_s('now') * 1000) < 60000") == "1");
  CHECK(f.value("abs(ts_s('NOW', '-1 day') - (strftime('%s', 'now') - 86400)) < 60") == "1");
}

TEST_CASE("time_functions: NULL in any argument gives NULL") {
  Fixture f;
  CHECK(f.value("ts(NULL)") == "NULL");
  CHECK(f.value("ts('2026-11-23', NULL)") == "NULL");
  CHECK(f.value("ts_ns('nonsense', '+1 day', NULL)") == "NULL");
  CHECK(f.value("ts_text(NULL)") == "NULL");
  CHECK(f.value("ts_text(0, NULL)") == "NULL");
  CHECK(f.value("ts_text('x', NULL)") == "NULL");
}

TEST_CASE("time_functions: what is no time is an error that names it") {
  Fixture f;
  CHECK(f.fault("ts('yesterday')") == "ts: \"yesterday\" is no time; write a date as '2026-11-23' or '2026-11-23T07:16:00Z'");
  CHECK(f.fault("ts_ns('')") == "ts_ns: \"\" is no time; write a date as '2026-11-23' or '2026-11-23T07:16:00Z'");
  for (const char* text :
       {"07:16", "2026-02-30", "2026-04-31", "2026-11-23T24:00", "2026-11-23T07:16:60", "0000-01-01", "-2026-01-01", "2026-11-23T",
        "2026-11-23T07", "2026-11-23x", "2026-11-23 07:16:00.5x", "now ", "T", "2026-11-23 +02:00", "2026-11-23T07:16Zz"}) {
    CAPTURE(text);
    CHECK(f.fault("ts('" + std::string(text) + "')").find("is no time; write a date as") != std::string::npos);
    CHECK(f.fault("ts('" + std::string(text) + "', '+1 day')").find("is no time; write a date as") != std::string::npos);
  }
  CHECK(f.fault("ts(x'00')") == "ts: a blob is no time; write a date as '2026-11-23' or '2026-11-23T07:16:00Z'");
  CHECK(f.fault("ts('x' || char(0, 10) || 'y')") == "ts: \"x??y\" is no time; write a date as '2026-11-23' or '2026-11-23T07:16:00Z'");
  CHECK(f.fault("ts()") == "ts: a time is missing; write ts('2026-11-23') or ts('now')");
  CHECK(f.fault("ts('2026-11-23', '+1 moth')") ==
        "ts: \"+1 moth\" is no modifier for \"2026-11-23\", or leads out of the years 0001 to 9999; modifiers are SQLite's, as in '+1 day' "
        "or 'start of "
        "month'");
  CHECK(f.fault("ts('2026-11-23', '+1 day', 'x', 'y')").find("ts: \"x\" is no modifier") == 0);
  CHECK(f.fault("ts('2026-11-23', 'unixepoch')").find("ts: \"unixepoch\" is no modifier") == 0);
}

TEST_CASE("time_functions: the blanks and the z of SQLite's date syntax are taken") {
  Fixture f;
  for (const char* text :
       {"2026-11-23 07:16:00 ", "2026-11-23   07:16", "2026-11-23T07:16:00z", "2026-11-23 07:16:00 Z", "2026-11-23 09:16:00 +02:00"}) {
    CAPTURE(text);
    CHECK(f.value("ts('" + std::string(text) + "')") == "1795418160000");
  }
  CHECK(f.value("ts('2026-11-23 ')") == "1795392000000");
}

TEST_CASE("time_functions: a time outside the years that can be counted is an error") {
  Fixture f;
  CHECK(f.fault("ts_ns('1500-01-01')") == "ts_ns: \"1500-01-01\" lies outside the years 1678 to 2261 that nanoseconds can count");
  CHECK(f.value("ts_ns('1500-01-01T00:00:00.5', '+500 years') = ts_ns('2000-01-01T00:00:00.5')") == "1");
  CHECK(f.fault("ts('0001-01-01', '-1 second')") == "ts: \"0001-01-01\" with its modifiers lies outside the years 0001 to 9999");
  CHECK(f.fault("ts('9999-12-31', '+1 day')").find("of the years 0001 to 9999") != std::string::npos);
  CHECK(f.fault("ts_ns(1e10, 'unixepoch')").find("lies outside the years 1678 to 2261") != std::string::npos);
  CHECK(f.value("ts('9999-12-31T23:59:59.999')") == "253402300799999");
  CHECK(f.value("ts_s('0001-01-01', '+0 days')") == "-62135596800");
}

TEST_CASE("time_functions: results are marked with their unit") {
  Fixture f;
  CHECK(f.value("subtype_of(ts_s('now'))") == std::to_string(kSubtypeSeconds));
  CHECK(f.value("subtype_of(ts('2026-11-23'))") == std::to_string(kSubtypeMillis));
  CHECK(f.value("subtype_of(ts_us('2026-11-23', '+1 day'))") == std::to_string(kSubtypeMicros));
  CHECK(f.value("subtype_of(ts_ns('2026-11-23'))") == std::to_string(kSubtypeNanos));
  CHECK(f.value("subtype_of(ts(NULL))") == "0");
  for (const Precision precision : {Precision::kSeconds, Precision::kMillis, Precision::kMicros, Precision::kNanos}) {
    CHECK(precision_of_subtype(subtype_of_precision(precision)) == precision);
  }
  CHECK_FALSE(precision_of_subtype(0));
  CHECK_FALSE(precision_of_subtype(74));
}

TEST_CASE("time_functions: ts_text is the inverse, in the unit of its argument") {
  Fixture f;
  CHECK(f.value("ts_text(1795418160000)") == "'2026-11-23T07:16:00.000Z'");
  CHECK(f.value("ts_text(1795418160, 's')") == "'2026-11-23T07:16:00Z'");
  CHECK(f.value("ts_text(-1, 'ns')") == "'1969-12-31T23:59:59.999999999Z'");
  CHECK(f.value("ts_text(ts_us('2026-11-23T07:16:00.5'))") == "'2026-11-23T07:16:00.500000Z'");
  CHECK(f.value("ts_text(ts_us('2026-11-23'), 'us')") == "'2026-11-23T00:00:00.000000Z'");
  CHECK(f.value("ts(ts_text(1795418160123))") == "1795418160123");
}

TEST_CASE("time_functions: ts_text refuses what is no count, another unit and counts outside the years") {
  Fixture f;
  CHECK(f.fault("ts_text('2026')") == "ts_text: \"2026\" is no integer; ts('...') makes one from text");
  CHECK(f.fault("ts_text(1.0)") == "ts_text: 1.0 is no integer; ts('...') makes one from text");
  CHECK(f.fault("ts_text(x'00')") == "ts_text: a blob is no integer; ts('...') makes one from text");
  CHECK(f.fault("ts_text(0, 'min')") == "ts_text: \"min\" is no precision; write 's', 'ms', 'us' or 'ns'");
  CHECK(f.fault("ts_text(ts_ns('2026-11-23'), 'ms')") ==
        "ts_text: the value counts 'ns' and is to be read as 'ms'; leave the precision out");
  CHECK(f.fault("ts_text(9223372036854775807)") == "ts_text: 9223372036854775807 as 'ms' lies outside the years 0001 to 9999");
  CHECK(f.fault("ts_text(9223372036854775807, 'ns')") == "ts_text: 9223372036854775807 as 'ns' lies outside the years 1678 to 2261");
}

TEST_CASE("time_functions: they are deterministic and harmless, so they work in indexes and in views of an untrusted schema") {
  Fixture f;
  f.db.exec(
      "PRAGMA trusted_schema=OFF; CREATE TABLE t(a TEXT); CREATE INDEX i ON t(ts(a)); CREATE VIEW v AS SELECT ts_text(ts(a)) AS b FROM t;");
  f.db.exec("INSERT INTO t VALUES('2026-11-23')");
  CHECK(f.value("(SELECT b FROM v)") == "'2026-11-23T00:00:00.000Z'");
}

TEST_CASE("time_functions: with whole-second modifiers the result is SQLite's second and the text's fraction") {
  Fixture f;
  std::mt19937_64 random(42);
  std::uniform_int_distribution<std::int64_t> any(parse_timestamp("1700-01-01", Precision::kMillis).value(),
                                                  parse_timestamp("2200-01-01", Precision::kMillis).value());
  const char* modifiers[] = {"+1 day",    "-3 months",    "+1 year",        "weekday 3",   "+17 minutes",
                             "-01:30:15", "start of day", "start of month", "+100 seconds"};
  Statement ours = f.db.prepare("SELECT ts(?1, ?2, ?3)");
  Statement theirs = f.db.prepare("SELECT strftime('%s', substr(?1, 1, 19), ?2, ?3)");
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t count = any(random);
    const std::string text = format_timestamp(count, Precision::kMillis), first = modifiers[random() % 9], second = modifiers[random() % 9];
    ours.bind(1, text).bind(2, first).bind(3, second);
    theirs.bind(1, text).bind(2, first).bind(3, second);
    REQUIRE(ours.step());
    REQUIRE(theirs.step());
    const bool dropped = first[0] == 's' || second[0] == 's';
    const std::int64_t millis = dropped ? 0 : (count % 1'000 + 1'000) % 1'000;
    if (ours.int64(0) != theirs.int64(0) * 1'000 + millis) ++wrong;
    ours.reset();
    theirs.reset();
  }
  CHECK(wrong == 0);
}

TEST_CASE("time_functions: a modifier with a fraction adds exactly to every millisecond of a second") {
  Fixture f;
  Statement ours = f.db.prepare("SELECT ts(?1, '+0.001 seconds', '+1 day')");
  int wrong = 0;
  for (std::int64_t millis = 0; millis < 60'000; ++millis) {
    ours.bind(1, format_timestamp(1'795'418'160'000 + millis, Precision::kMillis));
    REQUIRE(ours.step());
    if (ours.int64(0) != 1'795'418'160'001 + millis + 86'400'000) ++wrong;
    ours.reset();
  }
  CHECK(wrong == 0);
}
