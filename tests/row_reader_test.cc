// RowReader: rows of a SELECT arrive whole and in order, also where they have more columns than a function takes arguments.
#include "ext/archive/row_reader.h"

#include <doctest/doctest.h>

#include "tests/support/sqlite_fixture.h"

using namespace ts;

namespace {

RowBuffer read_all(Database& db, const std::vector<std::string>& columns, const std::string& from) {
  RowBuffer rows(static_cast<int>(columns.size()));
  RowReader reader(db, columns, from);
  while (reader.next(rows)) {
  }
  return rows;
}

}  // namespace

TEST_CASE("row reader: every storage class arrives bit for bit, in a UTF-16 database too") {
  for (const char* encoding : {"UTF-8", "UTF-16"}) {
    Database db = ts_test::open_memory();
    db.exec("PRAGMA encoding='" + std::string(encoding) + "'");
    db.exec(
        "CREATE TABLE t(a, b REAL, c TEXT, d); INSERT INTO t VALUES(-9223372036854775808, 5, 'h\xc3\xb6', x'00ff'), (NULL, 0.1, '', x'')");
    RowBuffer rows = read_all(db, {"a", "b", "c", "d"}, "FROM t ORDER BY rowid");
    REQUIRE(rows.rows() == 2);
    CHECK(rows.cell(0, 0).integer == INT64_MIN);
    CHECK(rows.cell(0, 1).type == SQLITE_FLOAT);  // stored as the integer 5
    CHECK(rows.cell(0, 1).real == 5);
    CHECK(rows.cell(0, 2).type == SQLITE_TEXT);
    CHECK(rows.cell(0, 2).bytes == "h\xc3\xb6");
    CHECK(rows.cell(0, 3).bytes == std::string_view("\0\xff", 2));
    CHECK(rows.cell(1, 0).type == SQLITE_NULL);
    CHECK(rows.cell(1, 2).type == SQLITE_TEXT);
    CHECK(rows.cell(1, 2).bytes.empty());
    CHECK(rows.cell(1, 3).type == SQLITE_BLOB);
  }
}

TEST_CASE("row reader: 250 columns come in order, in one row") {
  Database db = ts_test::open_memory();
  std::vector<std::string> columns;
  std::string declared, values;
  for (int c = 0; c < 250; c++) {
    columns.push_back("c" + std::to_string(c));
    declared += (c ? "," : "") + columns.back();
    values += (c ? "," : "") + std::to_string(c);
  }
  db.exec("CREATE TABLE t(" + declared + "); INSERT INTO t VALUES(" + values + "),(" + values + ")");
  RowBuffer rows = read_all(db, columns, "FROM t");
  REQUIRE(rows.rows() == 2);
  for (int c = 0; c < 250; c++) CHECK(rows.cell(1, c).integer == c);
}

TEST_CASE("row reader: an error of the SELECT leaves no part of a row") {
  Database db = ts_test::open_memory();
  db.exec("CREATE TABLE t(a); INSERT INTO t VALUES(1),(-9223372036854775808)");
  RowBuffer rows(1);
  RowReader reader(db, {"abs(a)"}, "FROM t ORDER BY rowid");
  CHECK(reader.next(rows));
  CHECK_THROWS_AS(reader.next(rows), Error);
  CHECK(rows.rows() == 1);
}
