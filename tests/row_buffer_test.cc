// RowBuffer: values keep their storage class bit for bit, and the order of values is SQLite's.
#include "ext/archive/row_buffer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ext/archive/buffer_table.h"
#include "tests/support/sqlite_fixture.h"

using namespace ts;

namespace {

double double_of(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}

std::uint64_t bits_of(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}

void fill(RowBuffer& rows) {
  rows.begin_row();
  rows.add_integer(INT64_MIN);
  rows.add_real(-0.0);
  rows.add_text(std::string_view("a\0b", 3));
  rows.begin_row();
  rows.add_null();
  rows.add_blob("");
  rows.add_text("");
  rows.begin_row();
  rows.add_integer(INT64_MAX);
  rows.add_real(double_of(1));  // the smallest denormal
  rows.add_blob(std::string_view("\0\xff", 2));
}

}  // namespace

TEST_CASE("row buffer: every cell reads back with its type and bits") {
  RowBuffer rows(3);
  fill(rows);
  REQUIRE(rows.rows() == 3);
  CHECK(rows.cell(0, 0).integer == INT64_MIN);
  CHECK(bits_of(rows.cell(0, 1).real) == bits_of(-0.0));
  CHECK(rows.cell(0, 2).bytes == std::string_view("a\0b", 3));
  CHECK(rows.cell(1, 0).type == SQLITE_NULL);
  CHECK(rows.cell(1, 1).type == SQLITE_BLOB);
  CHECK(rows.cell(1, 2).type == SQLITE_TEXT);
  CHECK(rows.cell(1, 2).bytes.empty());
  CHECK(rows.cell(2, 0).integer == INT64_MAX);
  CHECK(bits_of(rows.cell(2, 1).real) == 1);
  CHECK(rows.cell(2, 2).bytes == std::string_view("\0\xff", 2));
}

TEST_CASE("row buffer: truncate, drop_row and append leave exactly the rows they name") {
  RowBuffer rows(3), other(3);
  fill(rows);
  rows.begin_row();
  rows.add_integer(7);  // half a row
  rows.drop_row();
  CHECK(rows.rows() == 3);
  fill(other);
  rows.append(other);
  CHECK(rows.rows() == 6);
  CHECK(rows.row_bytes(5) == rows.row_bytes(2));
  rows.truncate(1);
  CHECK(rows.rows() == 1);
  CHECK(rows.row_bytes(0) == other.row_bytes(0));
  rows.clear();
  CHECK(rows.rows() == 0);
}

TEST_CASE("row buffer: the order of cells is SQLite's, also of large integers against doubles") {
  auto integer = [](std::int64_t value) { return Cell{SQLITE_INTEGER, value, 0, {}}; };
  auto real = [](double value) { return Cell{SQLITE_FLOAT, 0, value, {}}; };
  auto text = [](std::string_view value) { return Cell{SQLITE_TEXT, 0, 0, value}; };
  auto blob = [](std::string_view value) { return Cell{SQLITE_BLOB, 0, 0, value}; };
  const std::vector<Cell> ascending = {Cell{},
                                       real(-std::numeric_limits<double>::infinity()),
                                       integer(INT64_MIN),
                                       integer(-1),
                                       real(-0.5),
                                       integer(0),
                                       real(double_of(1)),
                                       integer(9007199254740992),
                                       integer(9007199254740993),
                                       integer(INT64_MAX),
                                       real(9223372036854775808.0),
                                       text(""),
                                       text("B"),
                                       text("a"),
                                       text(std::string_view("a\0", 2)),
                                       blob(""),
                                       blob("\x01")};
  for (std::size_t i = 0; i < ascending.size(); i++) {
    for (std::size_t j = 0; j < ascending.size(); j++) {
      int order = compare_cells(ascending[i], ascending[j]);
      CHECK((order < 0) == (i < j));
      CHECK((order == 0) == (i == j));
    }
  }
}

TEST_CASE("row buffer: an INSERT ... SELECT drains it with SQLite's own affinities") {
  Database db(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  RowBuffer rows(3);
  rows.begin_row();
  rows.add_text("12");
  rows.add_text("1.5");
  rows.add_integer(3);
  BufferView view{&rows, nullptr, 0, 1};
  register_buffer_table(db.get(), "buffered", 3, &view);
  db.exec("CREATE TABLE t(a INTEGER, b REAL, c TEXT); INSERT INTO t SELECT * FROM buffered");
  Statement get = db.prepare("SELECT typeof(a) || typeof(b) || typeof(c) FROM t");
  REQUIRE(get.step());
  CHECK(get.text(0) == "integerrealtext");
}
