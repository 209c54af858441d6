// Open shards: what is durable, what is visible, what a fence and an abort mark mean.
#include "ext/archive/open_shard.h"

#include <doctest/doctest.h>

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
    OpenShard::create_files(dir.path(), "a.db");
    shard = std::make_unique<OpenShard>(dir.path(), "a.db", 1);
  }
  void insert(std::int64_t value) {
    RowBuffer rows(3);
    add_row(rows, 1000 + value, "h", value);
    shard->insert(table, rows);
  }
  void prepare(std::int64_t value) {
    REQUIRE(shard->begin());
    insert(value);
    shard->prepare();
  }
  std::string seen(bool owner_alive, std::uint64_t sealed_upto = 0) {
    OpenShardReader reader(dir.path(), "a.db", 1);
    return values_of(reader, *table, visibility_of(reader.mark(), owner_alive, sealed_upto));
  }
};

}  // namespace

TEST_CASE("open shard: prepared rows are seen after publish, or when their owner is dead") {
  Fixture f;
  f.prepare(1);
  CHECK(f.seen(true) == "");
  CHECK(f.seen(false) == "1");
  f.shard->publish(5);
  CHECK(f.seen(true) == "1");
  CHECK(f.shard->mark().first_commit_ms().load() == 5);
}

TEST_CASE("open shard: rows taken back are seen by nobody, whether their owner lives or not") {
  Fixture f;
  f.prepare(1);
  f.shard->publish(5);
  f.prepare(2);
  CHECK(f.shard->abort());
  CHECK(f.seen(true) == "1");
  CHECK(f.seen(false) == "1");
  f.prepare(3);
  CHECK(f.seen(true) == "1");
  CHECK(f.seen(false) == "1,3");
  f.shard->publish(6);
  CHECK(f.seen(true) == "1,3");
}

TEST_CASE("open shard: a rollback before prepare leaves nothing, also of a table it created") {
  Fixture f;
  REQUIRE(f.shard->begin());
  f.insert(1);
  CHECK(f.shard->abort());
  CHECK(f.seen(false) == "");
  f.prepare(2);
  f.shard->publish(5);
  CHECK(f.seen(true) == "2");
}

TEST_CASE("open shard: rows that are sealed already are not seen again") {
  Fixture f;
  for (int value : {1, 2, 3}) {
    f.prepare(value);
    f.shard->publish(5);
  }
  CHECK(f.seen(true, 2) == "3");
  CHECK(f.seen(false, 3) == "");
}

TEST_CASE("open shard: after the fence nothing is begun, and what was prepared can still go either way") {
  Fixture f;
  f.prepare(1);
  CHECK(fence_shard(f.dir.path(), "a.db", 0));
  CHECK(f.seen(true) == "");
  f.shard->publish(5);
  CHECK(f.seen(true) == "1");
  CHECK_FALSE(f.shard->begin());

  Fixture g;
  g.prepare(1);
  CHECK(fence_shard(g.dir.path(), "a.db", 0));
  CHECK(g.shard->abort());
  CHECK(g.seen(false) == "");
}

TEST_CASE("open shard: a fence is refused while the writer holds the lock, and the writer never waits for one") {
  Fixture f;
  REQUIRE(f.shard->begin());
  f.insert(1);
  CHECK_FALSE(fence_shard(f.dir.path(), "a.db", 0));
  f.shard->prepare();
  f.shard->publish(5);
  Database other(f.dir / "a.db", SQLITE_OPEN_READWRITE);
  int ignored = 0;
  sqlite3_db_config(other.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
  other.exec("BEGIN IMMEDIATE");
  CHECK_FALSE(f.shard->begin());
  other.exec("ROLLBACK");
  CHECK(f.shard->begin());
}

TEST_CASE("open shard: opened again it never gives a number twice, not even that of rows taken back") {
  Fixture f;
  f.prepare(1);
  f.shard->publish(5);
  f.prepare(2);
  CHECK(f.shard->abort());
  f.shard.reset();
  f.shard = std::make_unique<OpenShard>(f.dir.path(), "a.db", 1);
  f.prepare(3);
  CHECK(f.seen(false) == "1,3");
  f.shard->publish(6);
  CHECK(f.seen(true) == "1,3");
}

TEST_CASE("open shard: a mark file that is none is refused by name") {
  TempDir dir;
  write_file(dir / "x.mark", "short");
  CHECK_THROWS_WITH(Mark(dir / "x.mark"), ("spool: not a mark file: " + dir.path() + "/x.mark").c_str());
  write_file(dir / "y.mark", std::string(4096, 'z'));
  CHECK_THROWS_WITH(Mark(dir / "y.mark"), ("spool: not a mark file: " + dir.path() + "/y.mark").c_str());
  CHECK_THROWS_AS(Mark(dir / "none.mark"), Error);
}

TEST_CASE("open shard: its files are removed main file first") {
  Fixture f;
  f.prepare(1);
  f.shard.reset();
  remove_open_files(f.dir / "a.db");
  CHECK(list_directory(f.dir.path()).empty());
}
