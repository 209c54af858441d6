// Tests of the digest of rows.
#include "ext/archive/rows_digest.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ts;

TEST_CASE("rows_digest: the order of rows does not count, their number and every bit do") {
  auto digest = [](std::vector<std::string> rows) {
    RowsDigest out;
    for (const std::string& row : rows) out.add(row);
    return out;
  };
  std::string row = "a row of more than eight bytes";
  RowsDigest plain = digest({row, "b"});
  CHECK(plain == digest({"b", row}));
  CHECK(plain != digest({row}));
  CHECK(plain != digest({row, "b", "b"}));
  CHECK(plain != digest({"b", "b"}));
  CHECK(digest({std::string("x\0", 2)}) != digest({"x"}));
  for (std::size_t bit = 0; bit < row.size() * 8; bit++) {
    std::string changed = row;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    CHECK(plain != digest({changed, "b"}));
  }
}
