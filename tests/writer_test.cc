// Writer and Transaction: the callbacks SQLite makes, in the orders in which it makes them, and what the spool then holds.
#include "ext/archive/writer.h"

#include <doctest/doctest.h>

#include "ext/archive/flusher.h"
#include "ext/archive/snapshot.h"
#include "ext/table/transaction.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

struct Fixture {
  TempDir dir;
  std::shared_ptr<Spool> spool = Spool::open(spool_config(dir));
  TablePtr table = small_table(), other_table = small_table("mem");
  Writer writer{spool};
  Transaction transaction;
  SpoolView view{spool};

  void add(std::int64_t value, const TablePtr& to) {
    transaction.begin();
    add_row(writer.buffer(to), 1000 + value, "h", value);
    transaction.join(writer, 0);
    writer.added();
  }
  void add(std::int64_t value) { add(value, table); }
  void add_megabytes(int count) {
    for (int i = 0; i < count; i++) {
      RowBuffer& rows = writer.buffer(table);
      rows.begin_row();
      rows.add_integer(1000);
      rows.add_text(std::string(1 << 20, 'x'));
      rows.add_integer(7);
      transaction.begin();
      transaction.join(writer, 0);
      writer.added();
    }
  }
  void commit() {
    transaction.sync();
    transaction.commit();
  }
  std::string seen(const TablePtr& of) {
    LocalSnapshot snapshot(view, nullptr);
    std::string all;
    for (const auto& reader : snapshot.open()) {
      std::string here = values_of(*reader, *of, reader->visibility());
      if (!here.empty()) all += (all.empty() ? "" : "|") + here;
    }
    return all;
  }
  std::string seen() { return seen(table); }
  std::int64_t count() {
    LocalSnapshot snapshot(view, nullptr);
    std::int64_t rows = 0;
    for (const auto& reader : snapshot.open()) {
      if (!reader->has_table(*table)) continue;
      Statement select = reader->db().prepare("SELECT count(*) FROM " + quote_identifier(table->open_name) +
                                              visibility_sql(*table, reader->visibility()));
      if (select.step()) rows += select.int64(0);
    }
    return rows;
  }
};

}  // namespace

TEST_CASE("writer: rows are seen after commit, and none after rollback") {
  Fixture f;
  f.add(1);
  f.transaction.sync();
  CHECK(f.seen() == "");
  f.transaction.sync();  // SQLite may ask twice
  f.transaction.commit();
  CHECK(f.seen() == "1");
  f.add(2);
  f.transaction.rollback();
  f.add(3);
  f.transaction.sync();
  f.transaction.rollback();
  CHECK(f.seen() == "1");
}

TEST_CASE("writer: rows added after sync count, and those taken back after sync do not") {
  Fixture f;
  f.add(1);
  f.transaction.savepoint(0, nullptr);
  f.add(2);
  f.transaction.sync();
  f.add(3);
  f.transaction.sync();
  f.transaction.rollback_to(0);
  f.add(4);
  f.commit();
  CHECK(f.seen() == "1,4");
}

TEST_CASE("writer: the same of a transaction that spilled") {
  Fixture f;
  f.add(1);
  f.add_megabytes(40);
  f.transaction.savepoint(0, nullptr);
  f.add_megabytes(40);
  f.transaction.sync();
  f.add(3);
  f.transaction.sync();
  CHECK(f.count() == 0);
  f.transaction.rollback_to(0);
  f.add(4);
  f.commit();
  CHECK(f.count() == 42);
  f.add_megabytes(40);
  f.transaction.sync();
  f.transaction.rollback();
  CHECK(f.count() == 42);
}

TEST_CASE("writer: savepoints nest, and release keeps what came after") {
  Fixture f;
  f.add(1);
  f.transaction.savepoint(0, nullptr);
  f.add(2);
  f.transaction.savepoint(1, nullptr);
  f.transaction.savepoint(1, nullptr);  // another table announces the same
  f.add(3);
  f.transaction.release(1);
  f.transaction.release(1);
  f.add(4, f.other_table);
  f.transaction.savepoint(1, nullptr);
  f.add(5);
  f.transaction.rollback_to(1);
  f.transaction.rollback_to(1);
  f.add(6);
  f.commit();
  CHECK(f.seen() == "1,2,3,6");
  CHECK(f.seen(f.other_table) == "4");
}

TEST_CASE("writer: a savepoint that was never announced means the state at the oldest one at or above it") {
  Fixture f;
  f.transaction.begin();
  f.transaction.savepoint(2, nullptr);  // the table joins at depth 3
  f.add(1);
  f.transaction.savepoint(3, nullptr);
  f.add(2);
  f.transaction.rollback_to(1);
  f.add(3);
  f.transaction.release(1);
  f.add(4);
  f.transaction.rollback_to(0);
  f.add(5);
  f.commit();
  CHECK(f.seen() == "5");
}

TEST_CASE("writer: going back to the SAVEPOINT that began the transaction leaves nothing") {
  Fixture f;
  f.add(1);
  f.transaction.savepoint(0, nullptr);
  f.add(2);
  f.transaction.release(0);
  f.transaction.rollback_to(-1);
  f.add(3);
  f.commit();
  CHECK(f.seen() == "3");
}

TEST_CASE("writer: a fence between sync and commit loses nothing, and the next rows go to another shard") {
  for (bool commit : {true, false}) {
    Fixture f;
    f.add(1);
    f.commit();
    f.add(2);
    f.transaction.sync();
    auto db = f.spool->connect();
    for (const OpenRow& row : db->open_rows("open")) CHECK(fence_shard(f.spool->open_directory(), row.file, 0));
    if (commit) {
      f.transaction.commit();
    } else {
      f.transaction.rollback();
    }
    f.add(3);
    f.commit();
    CHECK(f.seen() == (commit ? "3|1,2" : "3|1"));
  }
}

TEST_CASE("writer: the limit of the spool refuses the commit, and nothing of it stays") {
  Fixture f;
  f.add(1);
  f.commit();
  f.add(2);
  f.transaction.join(f.writer, 1000);
  CHECK_THROWS_AS(f.transaction.sync(), Error);
  f.transaction.rollback();
  f.add(3);
  f.commit();
  CHECK(f.seen() == "1,3");
}

TEST_CASE("writer: a connection never goes back to an older shard") {
  Fixture f;
  auto older = f.spool->take_shard(false, 0);
  std::int64_t old_id = older->id();
  f.add(1);
  f.commit();
  f.spool->give_back(std::move(older));
  auto next = f.spool->take_shard(true, old_id);
  CHECK(next->id() > old_id);
  f.spool->give_back(std::move(next));
}

TEST_CASE("writer: ts_flush's part covers a shard whose writer is in the middle of a transaction") {
  Fixture f;
  auto db = f.spool->connect();
  db->remember_schema("cpu", schema_to_json(f.table->schema));
  f.add(1);
  f.commit();
  f.add(2);
  f.transaction.sync();  // durable, not decided
  struct Patient : Cancel {
    bool cancelled() const override { return false; }
  } patient;
  CHECK(f.spool->flusher().flush(*db, "cpu", 10'000, patient) == 1);
  f.transaction.commit();
  CHECK(f.seen() == "2");
  CHECK(f.spool->flusher().flush(*db, "cpu", 10'000, patient) == 1);
  CHECK(f.seen() == "");
}
