// Commits of merge records: one winner of each number, whatever happens on the way, and none on a store that cannot promise it.
#include "ext/archive/partition_commit.h"

#include <doctest/doctest.h>

#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

const std::string kDay = "2026-11-23", kSchema = "cpu/schema-000001.json";
const TablePtr kTable = small_table();
using Kind = MemoryStore::Kind;

struct Archive {
  MemoryStore store;
  Archive() { store.overwrite(kSchema, "{}"); }
};

// Asked not to replace an object it replaces it all the same.
class CarelessStore : public MemoryStore {
 public:
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel) override {
    PutResult put = MemoryStore::put_if_absent(key, bytes, cancel);
    return put.stored ? put : PutResult{true, overwrite(std::string(key), std::string(bytes))};
  }
};

}  // namespace

TEST_CASE("partition commit: the highest record counts, and a partition without one has the empty one") {
  Archive archive;
  archive.store.set_page_size(2);
  PartitionCommits commits(archive.store, *kTable, "test");
  MergeRecord record = commits.read(kDay, nullptr);
  CHECK(record.sequence == 0);
  for (int n = 1; n <= 5; n++) {
    MergeRecord next = record.next(new_ulid());
    next.bury({ulid_bits(new_ulid())}, n);
    REQUIRE(commits.commit(record, next, nullptr));
    record = commits.read(kDay, nullptr);
    CHECK(record.sequence == n);
    CHECK(record.id == next.id);
    CHECK(record.dead_names() == static_cast<std::size_t>(n));
  }
  archive.store.overwrite("cpu/2026-11-23/merge-x.json", "{}");
  CHECK_THROWS_WITH_AS(commits.read(kDay, nullptr),
                       "archive: written by a newer version (unknown object s3://memory/cpu/2026-11-23/merge-x.json); upgrade timeseries",
                       Error);
}

TEST_CASE("partition commit: of two who make the same record, exactly one wins, and the other sees whose it is") {
  Archive archive;
  PartitionCommits a(archive.store, *kTable, "a"), b(archive.store, *kTable, "b");
  MergeRecord seen_by_a = a.read(kDay, nullptr), seen_by_b = b.read(kDay, nullptr);
  MergeRecord of_a = seen_by_a.next(new_ulid()), of_b = seen_by_b.next(new_ulid());
  CHECK(b.commit(seen_by_b, of_b, nullptr));
  CHECK_FALSE(a.commit(seen_by_a, of_a, nullptr));
  CHECK(a.read(kDay, nullptr).id == of_b.id);
}

TEST_CASE("partition commit: a reply that was lost is resolved by what lies there") {
  Archive archive;
  PartitionCommits commits(archive.store, *kTable, "test");
  MergeRecord none = commits.read(kDay, nullptr), ours = none.next(new_ulid()), others = none.next(new_ulid());
  const std::string key = merge_record_key(*kTable, kDay, 1);
  auto lose = [&](const MemoryStore::Request& request) {
    if (request.kind == Kind::kPut && request.key == key) throw Error(Code::kUnavailable, "lost");
  };
  SUBCASE("it arrived, and is found at once") {
    archive.store.after(lose);
    CHECK(commits.commit(none, ours, nullptr));
  }
  SUBCASE("it did not arrive: nobody knows, and the next try stores it") {
    archive.store.before(lose);
    CHECK_THROWS_WITH_AS(commits.commit(none, ours, nullptr), "lost", Error);
    archive.store.before(nullptr);
    CHECK(commits.read(kDay, nullptr).sequence == 0);
    CHECK(commits.commit(none, ours, nullptr));
  }
  SUBCASE("it arrived and everything was away: the same record is committed once more, and was ours") {
    archive.store.after([&](const MemoryStore::Request& request) {
      if (request.key == key) throw Error(Code::kUnavailable, "lost");
    });
    CHECK_THROWS_WITH_AS(commits.commit(none, ours, nullptr), "lost", Error);
    archive.store.after(nullptr);
    CHECK(commits.commit(none, ours, nullptr));
  }
  SUBCASE("somebody else's arrived") {
    archive.store.before([&](const MemoryStore::Request& request) {
      if (request.kind != Kind::kPut || request.key != key) return;
      archive.store.overwrite(key, merge_record_to_json(others, *kTable));
      throw Error(Code::kUnavailable, "lost");
    });
    CHECK_FALSE(commits.commit(none, ours, nullptr));
  }
}

TEST_CASE("partition commit: a store that overwrites is found out before the first record, and keeps its schema object") {
  CarelessStore store;
  store.overwrite(kSchema, "{}");
  PartitionCommits commits(store, *kTable, "ts_compact");
  MergeRecord none = commits.read(kDay, nullptr);
  CHECK_THROWS_WITH_AS(commits.commit(none, none.next(new_ulid()), nullptr),
                       "ts_compact: the store overwrites an object although asked not to (it ignores or refuses If-None-Match: *), so two "
                       "machines could undo each other's work; use a store with conditional PUTs: s3://memory/cpu",
                       Error);
  CHECK(store.keys() == std::vector<std::string>{kSchema});
  CHECK(store.bytes_of(kSchema) == "{}");
  MemoryStore empty;
  CHECK_THROWS_WITH_AS(prove_conditional_put(empty, "cpu", "ts_compact", nullptr), "ts_compact: there is no table yet at s3://memory/cpu",
                       Error);
}

TEST_CASE("partition commit: the proof is made once for many commits, in one LIST, one GET and one PUT") {
  Archive archive;
  PartitionCommits commits(archive.store, *kTable, "test");
  MergeRecord none = commits.read(kDay, nullptr), one = none.next(new_ulid()), two = one.next(new_ulid());
  archive.store.reset_counts();
  REQUIRE(commits.commit(none, one, nullptr));
  CHECK(archive.store.requests() == 4);
  REQUIRE(commits.commit(one, two, nullptr));
  CHECK(archive.store.requests() == 5);
}

TEST_CASE("partition commit: a record that breaks a law is not stored") {
  Archive archive;
  PartitionCommits commits(archive.store, *kTable, "test");
  MergeRecord none = commits.read(kDay, nullptr), one = none.next(new_ulid());
  one.bury({ulid_bits(new_ulid())}, 0);
  REQUIRE(commits.commit(none, one, nullptr));
  MergeRecord forgetful = one.next(new_ulid());
  forgetful.dead.clear();
  CHECK_THROWS_AS(commits.commit(one, forgetful, nullptr), Error);
  CHECK(commits.read(kDay, nullptr).id == one.id);
}
