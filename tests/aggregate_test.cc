// Tests of archive/aggregate: statistics as SQLite's, groups as GROUP BY's, and one answer however rows come and are cut.
#include "ext/archive/aggregate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/sqlite_fixture.h"

using namespace ts;

namespace {

constexpr unsigned kAll = kCount | kSum | kMin | kMax | kFirst | kLast;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Cell integer(std::int64_t value) { return {SQLITE_INTEGER, value, 0, {}}; }
Cell real(double value) { return {SQLITE_FLOAT, 0, value, {}}; }
Cell text(std::string_view value) { return {SQLITE_TEXT, 0, 0, value}; }
Cell blob(std::string_view value) { return {SQLITE_BLOB, 0, 0, value}; }

std::string shown(const Cell& cell) {
  switch (cell.type) {
    case SQLITE_INTEGER: return std::to_string(cell.integer);
    case SQLITE_FLOAT: {
      char out[40];
      std::snprintf(out, sizeof out, "%.17g", cell.real);
      return std::string(out) + "f";
    }
    case SQLITE_TEXT: return "'" + std::string(cell.bytes) + "'";
    case SQLITE_BLOB: return "x" + std::string(cell.bytes);
    default: return "NULL";
  }
}

std::shared_ptr<RollupSpec> spec_of(std::vector<Collation> tags, int measures, unsigned statistics = kAll, const char* width = "10") {
  auto spec = std::make_shared<RollupSpec>();
  spec->bucket = parse_time_bucket(width, Precision::kSeconds, "test");
  spec->tag_collations = std::move(tags);
  for (std::size_t t = 0; t < spec->tag_collations.size(); t++) spec->tags.push_back(static_cast<int>(t));
  for (int m = 0; m < measures; m++) spec->measures.push_back({m, statistics, Collation::kBinary});
  return spec;
}

std::uint32_t series(PartialAggregates& groups, const std::vector<Cell>& tags) {
  RowBuffer row(static_cast<int>(tags.size()));
  row.begin_row();
  for (const Cell& cell : tags) row.add_cell(cell);
  return groups.series(row.row_bytes(0));
}

// All statistics of one group's measure.
std::string facts(const PartialAggregates& groups, std::uint32_t group = 0, std::size_t measure = 0) {
  std::string out;
  for (Statistic s : {kCount, kSum, kMin, kMax, kFirst, kLast}) {
    try {
      out += shown(groups.result(group, measure, s)) + " ";
    } catch (const Error& e) {
      out += std::string(e.what()) + " ";
    }
  }
  return out + shown(groups.average(group, measure));
}

PartialAggregates aggregate(const std::vector<Cell>& cells, Collation collation = Collation::kBinary) {
  auto spec = spec_of({}, 1);
  spec->measures[0].collation = collation;
  PartialAggregates groups(spec);
  std::uint32_t group = groups.group(series(groups, {}), 0);
  std::int64_t time = 0;
  for (const Cell& cell : cells) groups.add(group, 0, time++, cell);
  return groups;
}

std::string facts_of(const std::vector<Cell>& cells) { return facts(aggregate(cells)); }

}  // namespace

TEST_CASE("aggregate: the statistics are count, sum, min, max, first, last and the average") {
  CHECK(facts_of({}) == "0 NULL NULL NULL NULL NULL NULL");
  CHECK(facts_of({Cell(), Cell()}) == "0 NULL NULL NULL NULL NULL NULL");
  CHECK(facts_of({integer(3), integer(1), Cell(), integer(5)}) == "3 9 1 5 3 5 3f");
  CHECK(facts_of({Cell(), integer(1), Cell()}) == "1 1 1 1 NULL NULL 1f");
  CHECK(facts_of({real(0.5), integer(2)}) == "2 2.5f 0.5f 2 0.5f 2 1.25f");
  CHECK(facts_of({blob("b"), text("a"), integer(1)}) == "3 1f 1 xb xb 1 0.33333333333333331f");
  CHECK(facts_of({text("z"), text("2x")}) == "2 2f '2x' 'z' 'z' '2x' 1f");
}

TEST_CASE("aggregate: sums of integers are exact, or an error that says so") {
  CHECK(facts_of({integer(INT64_MAX), integer(1), integer(-1)}) ==
        "3 9223372036854775807 -1 9223372036854775807 9223372036854775807 -1 3.0744573456182584e+18f");
  CHECK(facts_of({integer(INT64_MAX), integer(1)}) ==
        "2 integer overflow 1 9223372036854775807 9223372036854775807 1 4.6116860184273879e+18f");
  CHECK(facts_of({integer(INT64_MIN), integer(INT64_MIN), real(0)}).substr(0, 25) == "3 -1.8446744073709552e+19");
}

TEST_CASE("aggregate: sums of reals are compensated, and infinities are SQLite's") {
  CHECK(facts_of({real(1e16), real(1), real(1), real(-1e16)}).substr(0, 5) == "4 2f ");
  CHECK(facts_of({real(0.1), real(0.2), real(0.3), real(0.4)}).substr(0, 5) == "4 1f ");
  CHECK(facts_of({real(kInfinity), real(1)}) == "2 inff 1f inff inff 1f inff");
  CHECK(facts_of({real(kInfinity), real(-kInfinity), real(2)}) == "3 NULL -inff inff inff 2f NULL");
}

TEST_CASE("aggregate: text counts as sum() takes it") {
  const char* texts[] = {"",
                         " ",
                         "5",
                         " 5 ",
                         "+5",
                         "-5",
                         "5x",
                         "5.0",
                         ".5",
                         "5.",
                         ".",
                         "-",
                         "1e2",
                         "1e",
                         "1e+",
                         "1e-2",
                         "0x10",
                         "inf",
                         "nan",
                         "9223372036854775807",
                         "9223372036854775808",
                         "-9223372036854775808",
                         "1e400",
                         "-1e400",
                         "1e-400",
                         "0.000",
                         "12e1x",
                         "abc",
                         "\t7\n",
                         "7 7",
                         "--5",
                         "1_000",
                         "1e5e5",
                         "00012",
                         "1e308",
                         "123456789012345678901234"};
  Database db = ts_test::open_memory();
  for (const char* t : texts) {
    for (bool as_blob : {false, true}) {
      Statement select = db.prepare(as_blob ? "SELECT sum(CAST(?1 AS BLOB))" : "SELECT sum(?1)");
      select.bind(1, std::string_view(t));
      select.step();
      Cell sum = aggregate({as_blob ? blob(t) : text(t)}).result(0, 0, kSum);
      CAPTURE(t);
      CAPTURE(as_blob);
      CHECK(sum.type == sqlite3_column_type(select.get(), 0));
      CHECK(sum.integer == (sum.type == SQLITE_INTEGER ? select.int64(0) : 0));
      double expected = sum.type == SQLITE_FLOAT ? sqlite3_column_double(select.get(), 0) : 0;
      CHECK((sum.real == expected || std::fabs(sum.real - expected) <= 1e-15 * std::fabs(expected)));
    }
  }
}

TEST_CASE("aggregate: min and max of texts follow the column's collation") {
  CHECK(facts(aggregate({text("b"), text("A"), text("C")}, Collation::kNocase)).substr(5, 7) == "'A' 'C'");
  CHECK(facts(aggregate({text("b"), text("A"), text("C")})).substr(5, 7) == "'A' 'b'");
  CHECK(compare_text("a", "a  ", Collation::kRtrim) == 0);
  CHECK(compare_text("a", "a  ", Collation::kBinary) < 0);
  CHECK(compare_text("aB", "Ab", Collation::kNocase) == 0);
  CHECK(compare_text(std::string_view("a\0b", 3), std::string_view("A\0c", 3), Collation::kNocase) == 0);
  CHECK(compare_text("a", "ab", Collation::kNocase) < 0);
}

TEST_CASE("aggregate: series are equal as GROUP BY takes them") {
  const std::vector<Collation> collations = {Collation::kBinary, Collation::kNocase, Collation::kRtrim};
  auto equal = [](const std::vector<Collation>& by, const std::vector<Cell>& a, const std::vector<Cell>& b) {
    PartialAggregates groups(spec_of(by, 0));
    std::uint32_t first = groups.group(series(groups, a), 0), second = groups.group(series(groups, b), 0);
    return first == second;
  };
  CHECK(equal(collations, {integer(1), text("Web"), text("x ")}, {real(1), text("wEB"), text("x")}));
  CHECK(equal(collations, {integer(1), text("Web"), text("x ")}, {integer(1), text("web"), text("x   ")}));
  CHECK_FALSE(equal(collations, {integer(1), text("web"), text("x")}, {integer(1), text("web"), text(" x")}));
  CHECK_FALSE(equal(collations, {integer(1), text("web"), text("x")}, {real(1.5), text("web"), text("x")}));
  CHECK_FALSE(equal(collations, {integer(1), text("web"), text("x")}, {text("1"), text("web"), text("x")}));
  CHECK_FALSE(equal(collations, {blob("1"), text("web"), text("x")}, {text("1"), text("web"), text("x")}));
  CHECK_FALSE(equal(collations, {Cell(), text("web"), text("x")}, {Cell(), Cell(), text("x")}));
  const std::vector<Collation> plain = {Collation::kBinary, Collation::kBinary};
  CHECK_FALSE(equal(plain, {integer(INT64_MAX), text("w")}, {real(9223372036854775808.0), text("w")}));
  CHECK(equal(plain, {integer(INT64_MIN), text("w")}, {real(-9223372036854775808.0), text("w")}));
  CHECK(equal(plain, {real(2), text("a")}, {integer(2), text("a")}));
  CHECK(equal(plain, {integer(2), text("a")}, {real(2), text("a")}));
  CHECK_FALSE(equal(plain, {text("a"), text("bc")}, {text("ab"), text("c")}));
}

TEST_CASE("aggregate: a group's tags are those of one of its own rows, the same in whichever order they come") {
  std::vector<Cell> spellings = {text("web"), text("Web"), text("wEB")};
  for (int i = 0; i < 6; i++, std::next_permutation(
                                  spellings.begin(), spellings.end(), [](const Cell&a, const Cell&b) { return a.bytes < b.bytes; })) {
    PartialAggregates groups(spec_of({Collation::kNocase}, 0));
    for (const Cell& cell : spellings) {
      groups.group(series(groups, {cell}), 0);
      if (cell.bytes != "Web") groups.group(series(groups, {cell}), 10);
    }
    REQUIRE(groups.groups() == 2);
    CHECK(shown(groups.tag(groups.ordered(false)[0], 0)) == "'Web'");
    CHECK(shown(groups.tag(groups.ordered(false)[1], 0)) == "'wEB'");
  }
}

TEST_CASE("aggregate: groups are buckets of series, and only wanted ones") {
  auto spec = spec_of({Collation::kBinary}, 0);
  spec->some_buckets = true;
  spec->buckets = {-10, 20};
  PartialAggregates groups(spec);
  std::uint32_t a = series(groups, {text("a")}), b = series(groups, {text("b")});
  std::int64_t origin = parse_timestamp("2000-01-03", Precision::kSeconds).value() % 10;
  REQUIRE(origin == 0);
  CHECK(groups.group(a, 5) == PartialAggregates::kUnwanted);
  std::uint32_t one = groups.group(b, 25), two = groups.group(a, 29), three = groups.group(a, -1);
  CHECK(groups.group(b, 20) == one);
  CHECK(groups.group(a, 20) == two);
  CHECK(groups.group(a, 30) == PartialAggregates::kUnwanted);
  CHECK(groups.groups() == 3);
  CHECK(groups.ordered(false) == std::vector<std::uint32_t>{three, two, one});
  CHECK(groups.ordered(true) == std::vector<std::uint32_t>{two, one, three});
  CHECK(spec->wants_some_of(-3, 12));
  CHECK(spec->wants_some_of(12, 20));
  CHECK(spec->wants_some_of(29, 100));
  CHECK_FALSE(spec->wants_some_of(0, 19));
  CHECK_FALSE(spec->wants_some_of(30, 1000));
}

TEST_CASE("aggregate: of rows with one time the first and the last are the values that sort so") {
  std::vector<Cell> cells = {integer(2), Cell(), text("a"), real(0.5), integer(7)};
  std::mt19937 random(3);
  for (int i = 0; i < 50; i++) {
    std::shuffle(cells.begin(), cells.end(), random);
    PartialAggregates groups(spec_of({}, 1)), more(spec_of({}, 1));
    std::uint32_t group = groups.group(series(groups, {}), 0), other = more.group(series(more, {}), 0);
    for (std::size_t c = 0; c < cells.size(); c++) c % 2 ? more.add(other, 0, 3, cells[c]) : groups.add(group, 0, 3, cells[c]);
    groups.merge(more);
    CHECK(shown(groups.result(0, 0, kFirst)) == "NULL");
    CHECK(shown(groups.result(0, 0, kLast)) == "'a'");
  }
}

TEST_CASE("aggregate: only what is asked for takes room, and anything can be asked for") {
  for (unsigned wanted = 0; wanted <= kAll; wanted++) {
    auto spec = spec_of({}, 2, wanted);
    spec->measures[1].statistics = kAll & ~wanted;
    PartialAggregates groups(spec);
    std::uint32_t group = groups.group(series(groups, {}), 0);
    for (int i = 0; i < 3; i++) {
      groups.add_rows(group, 1);
      for (std::size_t m : {0, 1}) groups.add(group, m, i, integer(i + 1));
    }
    const char* expected[] = {"3", "6", "1", "3", "1", "3"};
    for (int s = 0; s < 6; s++) {
      unsigned statistic = 1u << s;
      CHECK(shown(groups.result(group, wanted & statistic ? 0 : 1, static_cast<Statistic>(statistic))) == expected[s]);
    }
    CHECK(groups.rows(group) == 3);
  }
}

TEST_CASE("aggregate: a run is the same as its rows one by one") {
  std::mt19937_64 random(5);
  auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  for (int round = 0; round < 400; round++) {
    std::size_t rows = static_cast<std::size_t>(1 + below(round % 2 ? 40 : 3000));
    std::vector<std::int64_t> times, integers;
    std::vector<double> reals;
    std::vector<std::uint8_t> nulls;
    bool wide = below(2), null = below(3) == 0;
    std::int64_t time = below(100);
    for (std::size_t i = 0; i < rows; i++) {
      times.push_back(time);
      time += below(3);
      integers.push_back(wide ? static_cast<std::int64_t>(random()) : below(2'000'001) - 1'000'000);
      reals.push_back(static_cast<double>(below(2'000'001) - 1'000'000) / 128);
      nulls.push_back(null && below(3) > 0);
    }
    auto spec = spec_of({}, 3, kAll, "100 weeks");
    PartialAggregates one(spec), other(spec);
    std::uint32_t a = one.group(series(one, {}), times[0]), b = other.group(series(other, {}), times[0]);
    const std::uint8_t* mask = null ? nulls.data() : nullptr;
    Run run = Run::of(times.data(), rows);
    one.add_run(a, 0, run, integers.data(), mask);
    one.add_run(a, 1, run, reals.data(), mask);
    if (!wide) one.add_run(a, 2, run, Decimals{integers.data(), 100}, mask);
    for (std::size_t i = 0; i < rows; i++) {
      bool is_null = null && nulls[i];
      other.add(b, 0, times[i], is_null ? Cell() : integer(integers[i]));
      other.add(b, 1, times[i], is_null ? Cell() : real(reals[i]));
      if (!wide) other.add(b, 2, times[i], is_null ? Cell() : real(static_cast<double>(integers[i]) / 100));
    }
    CHECK(facts(one, a, 0) == facts(other, b, 0));
    CHECK(facts(one, a, 1) == facts(other, b, 1));
    for (Statistic s : {kCount, kMin, kMax, kFirst, kLast}) CHECK(shown(one.result(a, 2, s)) == shown(other.result(b, 2, s)));
    double x = one.result(a, 2, kSum).real, y = other.result(b, 2, kSum).real;
    CHECK(std::fabs(x - y) <= 1e-9 * std::fabs(y) + 1e-9);
  }
}

TEST_CASE("aggregate: a run of doubles with infinities has SQLite's sum, min and max") {
  PartialAggregates groups(spec_of({}, 3));
  std::uint32_t group = groups.group(series(groups, {}), 0);
  std::vector<double> values(100, 1.5);
  std::vector<std::uint8_t> nulls(100, 0);
  Run run{100, 0, 9, 1, 1};
  values[17] = kInfinity;
  groups.add_run(group, 0, run, values.data());
  CHECK(shown(groups.result(group, 0, kSum)) == "inff");
  values[42] = -kInfinity;
  groups.add_run(group, 1, run, values.data());
  CHECK(shown(groups.result(group, 1, kSum)) == "NULL");
  CHECK(shown(groups.result(group, 1, kMin)) == "-inff");
  nulls[17] = nulls[42] = 1;
  groups.add_run(group, 2, run, values.data(), nulls.data());
  CHECK(facts(groups, group, 2) == "98 147f 1.5f 1.5f 1.5f 1.5f 1.5f");
}

TEST_CASE("aggregate: decimals add up better than their doubles") {
  PartialAggregates groups(spec_of({}, 1));
  std::uint32_t group = groups.group(series(groups, {}), 0);
  std::vector<std::int64_t> cents(1000, 10);
  groups.add_run(group, 0, {1000, 0, 9, 1, 1}, Decimals{cents.data(), 100});
  CHECK(shown(groups.result(group, 0, kSum)) == "100f");
}

TEST_CASE("aggregate: merging parts gives what the whole gives, however it was cut") {
  std::mt19937_64 random(8);
  auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  const std::vector<Cell> values = {Cell(),      integer(1), integer(-5), integer(INT64_MAX), real(0.25), real(-1e10),
                                    text("abc"), text("5x"), text(""),    blob("z"),          blob(""),   integer(7)};
  const std::vector<Cell> tags = {text("a"), text("A"), Cell(), integer(2), real(2), blob("a"), text("b")};
  for (int round = 0; round < 100; round++) {
    auto spec = spec_of({Collation::kNocase}, 2);
    std::vector<PartialAggregates> parts;
    for (int p = 0; p < 4; p++) parts.emplace_back(spec);
    PartialAggregates whole(spec);
    for (int row = 0; row < 200; row++) {
      std::int64_t time = below(60) - 30;
      Cell tag = tags[static_cast<std::size_t>(below(tags.size()))], x = values[static_cast<std::size_t>(below(values.size()))],
           y = values[static_cast<std::size_t>(below(6))];
      for (PartialAggregates* into : {&whole, &parts[static_cast<std::size_t>(below(4))]}) {
        std::uint32_t group = into->group(series(*into, {tag}), time);
        into->add_rows(group, 1);
        into->add(group, 0, time, x);
        into->add(group, 1, time, y);
      }
    }
    PartialAggregates merged(spec);
    for (const PartialAggregates& part : parts) merged.merge(part);
    auto a = merged.ordered(false), b = whole.ordered(false);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); i++) {
      CHECK(merged.bucket(a[i]) == whole.bucket(b[i]));
      CHECK(merged.rows(a[i]) == whole.rows(b[i]));
      CHECK(shown(merged.tag(a[i], 0)) == shown(whole.tag(b[i], 0)));
      CHECK(facts(merged, a[i], 0) == facts(whole, b[i], 0));
      CHECK(facts(merged, a[i], 1) == facts(whole, b[i], 1));
    }
  }
}
