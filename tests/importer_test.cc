// Importer: names that follow from the source, all or none, known files left out, the limit of the spool.
#include "ext/archive/importer.h"

#include <doctest/doctest.h>

#include "ext/archive/shard_name.h"
#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kDay = 86'400'000;

struct Fixture {
  TempDir dir;
  std::shared_ptr<Spool> spool = Spool::open(spool_config(dir));
  TablePtr table = small_table();
  std::unique_ptr<SpoolDb> db = spool->connect();

  Fixture() { db->remember_schema("cpu", schema_to_json(table->schema)); }

  void add(Importer& import, int rows, std::int64_t step = 1000) {
    for (int i = 0; i < rows; i++) {
      add_row(import.rows(), 1000 + i * step, i % 2 ? "a" : "b", i);
      import.added();
    }
  }
  // Keys of what waits in the spool or was stored, and what lies in its directory beside that.
  std::vector<std::string> keys() {
    std::vector<std::string> found = db->keys_after("cpu", 0);
    return found;
  }
  bool leftovers() {
    for (const std::string& name : list_directory(spool->directory())) {
      if (name.rfind("import-", 0) == 0) return true;
    }
    return false;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "importer: names follow from the source's digest, the table and the rows, in this version and every later one") {
  Importer import(*spool, table, "digest", 0, 60'000);
  add(import, 5000);
  CHECK(import.commit(*db) == 5000);
  std::vector<std::string> names = keys();
  REQUIRE(names.size() == 3);
  auto id = [](std::uint64_t number) { return import_id("digest", "cpu", number) + ".sqlite"; };
  CHECK(names[0] == "cpu/1970-01-01/19700101T000001.000Z_19700101T003320.000Z_2000rows_import_" + id(0));
  CHECK(names[1] == "cpu/1970-01-01/19700101T003321.000Z_19700101T010640.000Z_2000rows_import_" + id(1));
  CHECK(import_id("digest", "cpu", 0) == "00000000002VQ7JA19JVT051T6");
  CHECK(import_id("digest", "mem", 0) != import_id("digest", "cpu", 0));
  CHECK(is_import_key(names[0]));
  CHECK_FALSE(is_import_key("cpu/1970-01-01/a_b_1rows_import_" + new_ulid() + ".sqlite"));
}

TEST_CASE_FIXTURE(Fixture, "importer: rows of several partitions are a file each, and all of them come at once") {
  {
    Importer import(*spool, table, "digest", 0);
    add(import, 3000, kDay / 1000);
    CHECK(keys().empty());
    CHECK(import.commit(*db) == 3000);
    CHECK(keys().size() == 3);
  }
  CHECK_FALSE(leftovers());
}

TEST_CASE_FIXTURE(Fixture, "importer: what was not committed leaves nothing") {
  {
    Importer import(*spool, table, "digest", 0, 10'000);
    add(import, 5000);
    CHECK(leftovers());
  }
  CHECK_FALSE(leftovers());
  CHECK(keys().empty());
  CHECK(list_directory(spool->sealed_directory()).empty());
}

TEST_CASE_FIXTURE(Fixture, "importer: the same source a second time brings no row") {
  for (std::int64_t fresh : {2000, 0}) {
    Importer import(*spool, table, "digest", 0);
    add(import, 2000);
    CHECK(import.commit(*db) == fresh);
  }
  CHECK(keys().size() == 1);
  Importer other(*spool, table, "another digest", 0);
  add(other, 2000);
  CHECK(other.commit(*db) == 2000);
  CHECK(keys().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "importer: beyond spool_limit nothing is imported, and the error says what to do") {
  {
    Importer import(*spool, table, "digest", 5'000, 10'000);
    CHECK_THROWS_WITH(add(import, 50'000),
                      "ts_import: the rows take the spool beyond spool_limit (5000 bytes); nothing was imported; import smaller files one "
                      "after the other, or raise spool_limit");
  }
  CHECK_FALSE(leftovers());
  CHECK(keys().empty());
}
