// spool.db: each transition happens once, whoever tries it.
#include "ext/archive/spool_db.h"

#include <doctest/doctest.h>

#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

std::int64_t add(SpoolDb& db, const std::string& file) {
  return db.add_open(file, 1, false, [](std::int64_t) {});
}

SealedRow sealed(const std::string& key) { return {0, "cpu", key, key + ".sqlite", 10, 100, "", ""}; }

}  // namespace

TEST_CASE("spool db: a shard is rotated, sealed and gone, and its rows are in exactly one state") {
  TempDir dir;
  SpoolDb db(dir.path(), "file:///a");
  std::int64_t id = add(db, "a.db");
  CHECK(db.state().open.size() == 1);
  db.set_rotated(id);
  CHECK(db.state().open[0].state == "rotated");
  std::vector<SealedRow> files = {sealed("k1"), sealed("k2")};
  CHECK(db.seal({{id, 0, 0, true}}, files, 5));
  SpoolState state = db.state();
  CHECK(state.open.empty());
  CHECK(state.sealed.size() == 2);
  CHECK(state.last_seq == files[1].seq);
  CHECK(db.is_retired(id));
  db.set_attempted(files[0].seq);
  CHECK(db.set_stored(files[0].seq, "etag", 6));
  CHECK_FALSE(db.set_stored(files[0].seq, "etag", 7));
  CHECK_FALSE(db.is_pending(files[0].seq));
  CHECK(db.is_pending(files[1].seq));
  CHECK(db.state().sealed.size() == 1);
  CHECK(db.files_from("cpu", id).size() == 2);
}

TEST_CASE("spool db: of two who seal the same shard one wins, and the other changes nothing") {
  TempDir dir;
  SpoolDb a(dir.path(), "file:///a"), b(dir.path(), "file:///a");
  std::int64_t one = add(a, "1.db"), two = add(a, "2.db");
  a.set_rotated(one);
  a.set_rotated(two);
  std::vector<SealedRow> ours = {sealed("ours")}, theirs = {sealed("theirs")};
  CHECK(a.seal({{one, 0, 0, true}}, ours, 5));
  CHECK_FALSE(b.seal({{two, 0, 0, true}, {one, 0, 0, true}}, theirs, 5));
  CHECK_FALSE(b.is_retired(two));
  CHECK(b.state().sealed.size() == 1);
}

TEST_CASE("spool db: a seal of a part is not repeated by one who does not know of it") {
  TempDir dir;
  SpoolDb db(dir.path(), "file:///a");
  std::int64_t id = add(db, "a.db");
  std::vector<SealedRow> first = {sealed("first")}, again = {sealed("again")}, rest = {sealed("rest")};
  CHECK(db.seal({{id, 0, 7, false}}, first, 5));
  CHECK(db.state().open[0].sealed_upto == 7);
  CHECK(db.is_sealed(id, 7));
  CHECK_FALSE(db.is_sealed(id, 8));
  CHECK_FALSE(db.seal({{id, 0, 9, false}}, again, 5));
  db.set_rotated(id);
  CHECK_FALSE(db.seal({{id, 0, 0, true}}, again, 5));
  CHECK(db.seal({{id, 7, 0, true}}, rest, 5));
  CHECK(db.is_sealed(id, INT64_MAX));
  CHECK(db.state().sealed.size() == 2);
}

TEST_CASE("spool db: a shard whose lock cannot be had is not there") {
  TempDir dir;
  SpoolDb db(dir.path(), "file:///a");
  CHECK_THROWS_AS(db.add_open("a.db", 1, false, [](std::int64_t) { throw Error(Code::kBusy, "taken"); }), Error);
  CHECK(db.state().open.empty());
  CHECK(add(db, "b.db") > 0);
}

TEST_CASE("spool db: it belongs to one location") {
  TempDir dir;
  { SpoolDb db(dir.path(), "file:///a"); }
  std::string refusal = "spool: " + dir.path() + " holds rows for file:///a, not for file:///b; choose another spool= for this location";
  CHECK_THROWS_WITH(SpoolDb(dir.path(), "file:///b"), refusal.c_str());
}

TEST_CASE("spool db: a file that came from no open shard is taken once, and again when it was lost") {
  TempDir dir;
  SpoolDb db(dir.path(), "file:///a");
  auto add = [&](const std::string& file) {
    std::vector<SealedRow> files = {{0, "cpu", "cpu/1970-01-01/key.sqlite", file, 7, 100, "", ""}};
    return db.add_sealed(files).size();
  };
  CHECK(add("a") == 0);
  CHECK(add("b") == 1);
  db.set_lost(db.pending().at(0).seq);
  CHECK(db.pending().empty());
  CHECK(add("c") == 0);
  REQUIRE(db.pending().size() == 1);
  CHECK(db.pending()[0].file == "c");
}

TEST_CASE("spool db: lineage is kept for a day after the file was stored") {
  TempDir dir;
  SpoolDb db(dir.path(), "file:///a");
  std::int64_t id = add(db, "a.db");
  db.set_rotated(id);
  std::vector<SealedRow> files = {sealed("k")};
  REQUIRE(db.seal({{id, 0, 0, true}}, files, 1000));
  db.set_stored(files[0].seq, "e", 1000);
  db.set_files_gone(id);
  db.set_local_gone(files[0].seq);
  db.purge(1000 + SpoolDb::kKeepMs);
  CHECK(db.files_from("cpu", id).size() == 1);
  CHECK(db.keys_after("cpu", 0).size() == 1);
  db.purge(1001 + SpoolDb::kKeepMs);
  CHECK(db.files_from("cpu", id).empty());
  CHECK_FALSE(db.knows_open_file("a.db"));
}
