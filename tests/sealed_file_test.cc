// Sealed shards: exactly the rows, bit for bit, in files that stock SQLite reads; and what is none is refused with a sentence.
#include "ext/archive/sealer.h"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <set>

#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

struct Fixture {
  TempDir dir;
  TablePtr table = small_table();
  std::unique_ptr<OpenShard> shard;

  Fixture() {
    make_directories(dir / "open");
    make_directories(dir / "sealed");
    OpenShard::create_files(dir / "open", "a.db");
    shard = std::make_unique<OpenShard>(dir / "open", "a.db", 1);
  }
  void commit(const RowBuffer& rows) {
    REQUIRE(shard->begin());
    shard->insert(table, rows);
    shard->prepare();
    shard->publish(1);
  }
  std::vector<SealedRow> seal(std::size_t piece_bytes = kSealBytes) {
    return seal_table(table, {{"a.db", {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host", piece_bytes);
  }
  std::string path(const SealedRow& row) { return dir / "sealed/" + row.file; }
  std::string refusal(const SealedRow& row, const std::string& key = "") {
    try {
      open_sealed(immutable_uri(path(row)), *table, key.empty() ? row.key : key, "the object");
      return "taken";
    } catch (const Error& e) {
      return e.what();
    }
  }
};

std::string bits(Statement& row) {
  RowBuffer one(3);
  one.begin_row();
  for (int c = 0; c < 3; c++) one.add_column(row.get(), c);
  return std::string(one.row_bytes(0));
}

}  // namespace

TEST_CASE("sealed file: odd values come out bit for bit, sorted by tags and time") {
  Fixture f;
  std::vector<double> reals = {-0.0,
                               std::numeric_limits<double>::denorm_min(),
                               std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(),
                               0.1,
                               1e22,
                               9007199254740993.0};
  RowBuffer rows(3);
  std::multiset<std::string> expected;
  auto row = [&](std::int64_t time, const char* host, const std::function<void()>& value) {
    rows.begin_row();
    rows.add_integer(time);
    if (host) {
      rows.add_text(host);
    } else {
      rows.add_null();
    }
    value();
  };
  std::int64_t time = 100;
  for (double value : reals) row(time--, "b", [&] { rows.add_real(value); });
  for (std::int64_t value : {INT64_MIN, INT64_MAX, std::int64_t{0}}) row(time--, "a", [&] { rows.add_integer(value); });
  row(time--, nullptr, [&] { rows.add_null(); });
  row(time--, "", [&] { rows.add_text(""); });
  row(time--, "\xff\xfe", [&] { rows.add_text(std::string_view("a\0b", 3)); });
  row(time--, "a", [&] { rows.add_blob(std::string_view("\0", 1)); });
  row(time, "a", [&] { rows.add_blob(""); });
  row(time, "a", [&] { rows.add_blob(""); });  // the same row twice is two rows
  f.commit(rows);
  {  // what SQLite made of them
    OpenShardReader reader(f.dir / "open", "a.db", 1);
    Statement all = reader.db().prepare("SELECT ts, host, value FROM " + quote_identifier(f.table->open_name));
    while (all.step()) expected.insert(bits(all));
  }
  CHECK(expected.size() == rows.rows());
  auto files = f.seal();
  REQUIRE(files.size() == 1);
  CHECK(files[0].rows == static_cast<std::int64_t>(rows.rows()));
  SealedFile file = open_sealed(immutable_uri(f.path(files[0])), *f.table, files[0].key, "x");
  REQUIRE(file.format == kFormatRows);  // too few rows for packing to pay
  Database& db = file.db;
  std::multiset<std::string> found;
  Statement all = db.prepare("SELECT ts, host, value FROM cpu");
  while (all.step()) found.insert(bits(all));
  CHECK(found == expected);
  Statement disorder = db.prepare("SELECT count(*) FROM cpu a JOIN cpu b ON b.rowid = a.rowid + 1 WHERE (b.host, b.ts) < (a.host, a.ts)");
  REQUIRE(disorder.step());
  CHECK(disorder.int64(0) == 0);
  Statement check = db.prepare("PRAGMA integrity_check");
  REQUIRE(check.step());
  CHECK(check.text(0) == "ok");
}

TEST_CASE("sealed file: every page carries its checksum, in both formats, and a header that denies it is refused") {
  for (int count : {1, 5000}) {
    Fixture f;
    RowBuffer rows(3);
    for (int i = 0; i < count; i++) add_row(rows, 5 + i, "h", i);
    f.commit(rows);
    auto files = f.seal();
    REQUIRE(files.size() == 1);
    CHECK(open_sealed(immutable_uri(f.path(files[0])), *f.table, files[0].key, "x").format == (count == 1 ? kFormatRows : kFormatPacked));
    std::string bytes(MappedFile(f.path(files[0])).bytes());
    CHECK(has_page_checksums(bytes));
    CHECK_NOTHROW(check_pages(bytes, "x"));
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    std::string last = std::to_string(bytes.size() / page_bytes_of(bytes));
    try {
      check_pages(bytes, "the object");
      FAIL("a changed byte was not noticed");
    } catch (const Error& e) {
      CHECK(e.what() == "shard: page " + last + " is damaged (its checksum is wrong): the object");
    }
    bytes[20] = 0;
    write_file(f.path(files[0]), bytes);
    std::string refused = f.refusal(files[0]);
    CHECK(refused == "shard: its header says that its pages have no checksums, timeseries_meta that they have: the object");
  }
}

TEST_CASE("sealed file: one per partition, each with its range and rows in its name") {
  Fixture f;
  constexpr std::int64_t kDay = 86'400'000;
  RowBuffer rows(3);
  for (std::int64_t time : {kDay - 1, kDay, 2 * kDay - 1, -std::int64_t{1}}) add_row(rows, time, "h", time);
  f.commit(rows);
  std::set<std::string> partitions;
  std::int64_t count = 0;
  for (const SealedRow& row : f.seal()) {
    partitions.insert(row.key.substr(0, row.key.rfind('/')));
    count += row.rows;
    CHECK(f.refusal(row) == "taken");
  }
  CHECK(partitions == std::set<std::string>{"cpu/1969-12-31", "cpu/1970-01-01", "cpu/1970-01-02"});
  CHECK(count == 4);
  CHECK(list_directory(f.dir / "sealed").size() == 3);
}

TEST_CASE("sealed file: rows beyond the memory bound give several files, and none is left out") {
  Fixture f;
  RowBuffer rows(3);
  for (int i = 0; i < 1000; i++) add_row(rows, i, "host", i);
  f.commit(rows);
  auto files = f.seal(10'000);
  CHECK(files.size() > 2);
  std::int64_t sum = 0, count = 0;
  for (const SealedRow& row : files) {
    SealedFile file = open_sealed(immutable_uri(f.path(row)), *f.table, row.key, "x");
    CHECK(file.format == kFormatPacked);
    Statement all = file.db.prepare("SELECT sum(value), count(*) FROM cpu");
    REQUIRE(all.step());
    sum += all.int64(0);
    count += all.int64(1);
  }
  CHECK(sum == 999 * 1000 / 2);
  CHECK(count == 1000);
}

TEST_CASE("sealed file: where packing is not exact plain rows are stored, and the file says why") {
  Fixture f;
  RowBuffer rows(3);
  for (int i = 0; i < 1000; i++) add_row(rows, i, "host", i);
  f.commit(rows);
  ::setenv("TIMESERIES_FAILPOINT", "seal.prove=corrupt", 1);
  auto files = f.seal();
  ::unsetenv("TIMESERIES_FAILPOINT");
  REQUIRE(files.size() == 1);
  SealedFile file = open_sealed(immutable_uri(f.path(files[0])), *f.table, files[0].key, "x");
  CHECK(file.format == kFormatRows);
  Statement all = file.db.prepare("SELECT sum(value), count(*) FROM cpu");
  REQUIRE(all.step());
  CHECK(all.int64(0) == 999 * 1000 / 2);
  CHECK(all.int64(1) == 1000);
  Statement why = file.db.prepare("SELECT value FROM timeseries_meta WHERE key='plain_because'");
  REQUIRE(why.step());
  CHECK(why.text(0) == "packing is not exact: failpoint: seal.prove");
  CHECK(list_directory(f.dir / "sealed").size() == 1);
}

TEST_CASE("sealed file: rows that do not count are left out") {
  Fixture f;
  for (int value : {1, 2, 3, 4}) {
    RowBuffer rows(3);
    add_row(rows, value, "h", value);
    f.commit(rows);
  }
  auto files = seal_table(f.table, {{"a.db", {1, 3, 2}}}, f.dir / "open", f.dir / "sealed", "host");
  REQUIRE(files.size() == 1);
  CHECK(files[0].rows == 1);
  CHECK(seal_table(f.table, {{"a.db", {4, INT64_MAX, 0}}}, f.dir / "open", f.dir / "sealed", "host").empty());
}

TEST_CASE("sealed file: crafted files are refused with a sentence") {
  struct Case {
    const char* change;
    const char* sentence;
  };
  const Case cases[] = {
      {"PRAGMA application_id=1", "shard: not a timeseries shard: the object"},
      {"PRAGMA user_version=99", "shard: written by a newer version (format 99); upgrade timeseries: the object"},
      {"PRAGMA user_version=0", "shard: unknown format version 0: the object"},
      {"CREATE TABLE more(x)", "shard: does not hold the two tables of a shard: the object"},
      {"CREATE TRIGGER t AFTER INSERT ON cpu BEGIN SELECT 1; END", "shard: does not hold the two tables of a shard: the object"},
      {"CREATE INDEX i ON cpu(value)", "shard: does not hold the two tables of a shard: the object"},
      {"ALTER TABLE cpu RENAME TO c; CREATE VIEW cpu AS SELECT * FROM c", "shard: does not hold the two tables of a shard: the object"},
      {"DROP TABLE timeseries_meta", "shard: does not hold the two tables of a shard: the object"},
      {"UPDATE timeseries_meta SET value='mem' WHERE key='table'",
       "shard: timeseries_meta says table=mem where its name says cpu: the object"},
      {"UPDATE timeseries_meta SET value=2 WHERE key='rows'", "shard: timeseries_meta says rows=2 where its name says 1: the object"},
      {"UPDATE timeseries_meta SET value=0 WHERE key='start'", "shard: timeseries_meta says start=0 where its name says 5: the object"},
      {"DELETE FROM timeseries_meta WHERE key='end'", "shard: timeseries_meta says end= where its name says 5: the object"},
      {"UPDATE timeseries_meta SET value='us' WHERE key='precision'",
       "shard: timeseries_meta says precision=us where its name says ms: the object"},
      {"UPDATE timeseries_meta SET value='1970-01-02' WHERE key='partition'",
       "shard: timeseries_meta says partition=1970-01-02 where its name says 1970-01-01: the object"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.change);
    Fixture f;
    RowBuffer rows(3);
    add_row(rows, 5, "h", 1);
    f.commit(rows);
    auto files = f.seal();
    REQUIRE(files.size() == 1);
    CHECK(f.refusal(files[0]) == "taken");
    {
      Database db(f.path(files[0]), SQLITE_OPEN_READWRITE);
      db.exec(c.change);
    }
    CHECK(f.refusal(files[0]) == c.sentence);
  }
}

TEST_CASE("sealed file: a file that is none is refused") {
  Fixture f;
  RowBuffer rows(3);
  add_row(rows, 5, "h", 1);
  f.commit(rows);
  auto files = f.seal();
  write_file(f.path(files[0]), std::string(5000, 'x'));
  CHECK(f.refusal(files[0]) == "shard: not an SQLite file, or damaged: the object");
  write_file(f.path(files[0]), "");
  CHECK(f.refusal(files[0]) == "shard: not a timeseries shard: the object");
}

TEST_CASE("sealed file: a seal that fails leaves no file") {
  Fixture f;
  RowBuffer rows(3);
  add_row(rows, 5, "h", 1);
  add_row(rows, 86'400'005, "h", 1);
  f.commit(rows);
  ::setenv("TIMESERIES_FAILPOINT", "seal.renamed@2=error", 1);
  CHECK_THROWS_AS(f.seal(), Error);
  ::unsetenv("TIMESERIES_FAILPOINT");
  CHECK(list_directory(f.dir / "sealed").empty());
}
