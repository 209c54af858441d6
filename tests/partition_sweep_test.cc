// Sweeping a partition: what is removed, when, after which proof, and what a merge that comes late can still do.
#include "ext/archive/partition_sweep.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kT0 = 1'795'392'000'000, kHour = 3'600'000, kGrace = kHour;  // 2026-11-23
const std::string kDay = "2026-11-23";
const TablePtr kTable = small_table();

struct OneDay {
  MemoryStore store;
  PartitionCommits commits{store, *kTable, "test"};
  unsigned names = 0;

  OneDay() { store.overwrite("cpu/schema-000001.json", "{}"); }
  ShardName name(std::int64_t made_ms = kT0) {
    std::array<unsigned char, 10> random{};
    random[9] = static_cast<unsigned char>(names++);
    return {kT0, kT0 + 1000, 10, "w", make_ulid(made_ms, random)};
  }
  std::string key(const ShardName& shard) const { return "cpu/" + kDay + "/" + format_shard_name(shard, Precision::kMillis); }
  ShardName put() {
    ShardName shard = name();
    store.overwrite(key(shard), "x");
    return shard;
  }
  MergedFile put_merged(std::int64_t made_ms = kT0) {
    ShardName merged = name(made_ms);
    return {merged, 2, store.overwrite(merged_file_key(*kTable, merged), "mm")};
  }
  MergeRecord record_of(const std::vector<ShardName>& dead, const std::vector<MergedFile>& live, std::int64_t remove_from_ms) {
    MergeRecord next = commits.read(kDay, nullptr).next(new_ulid());
    std::vector<UlidBits> ids;
    for (const ShardName& shard : dead) ids.push_back(ulid_bits(shard.id));
    next.bury(ids, remove_from_ms);
    for (const MergedFile& file : live) next.add_live(file);
    return next;
  }
  void commit(const MergeRecord& next) { REQUIRE(commits.commit(commits.read(kDay, nullptr), next, nullptr)); }
  Swept sweep(std::int64_t now_ms) { return sweep_partition(store, *kTable, commits, kDay, now_ms, kGrace, nullptr); }
  bool there(const std::string& key) { return store.bytes_of(key).has_value(); }
};

}  // namespace

TEST_CASE("partition sweep: dead files go when their grace is over, not before, and no other") {
  OneDay p;
  ShardName one = p.put(), two = p.put(), late = p.put();
  MergedFile merged = p.put_merged();
  p.commit(p.record_of({one, two}, {merged}, kT0 + kGrace));
  CHECK(p.sweep(kT0 + kGrace - 1).files == 0);
  CHECK(p.there(p.key(one)));
  Swept swept = p.sweep(kT0 + kGrace);
  CHECK(swept.files == 2);
  CHECK(swept.bytes == 2);
  CHECK_FALSE(p.there(p.key(one)));
  CHECK_FALSE(p.there(p.key(two)));
  CHECK(p.there(p.key(late)));
  CHECK(p.there(merged_file_key(*kTable, merged.name)));
  CHECK(p.commits.read(kDay, nullptr).sequence == 1);  // what a record has declared dead needs no other
  p.store.overwrite(p.key(one), "x");  // its upload is repeated
  CHECK(p.sweep(kT0 + 2 * kGrace).files == 1);
}

TEST_CASE("partition sweep: nothing goes while a live file is not there as the record says") {
  for (bool gone : {true, false}) {
    OneDay p;
    ShardName one = p.put();
    MergedFile merged = p.put_merged();
    p.commit(p.record_of({one}, {merged}, kT0));
    const std::string key = merged_file_key(*kTable, merged.name);
    if (gone) {
      p.store.forget(key);
    } else {
      p.store.overwrite(key, "MM");
    }
    const std::string sentence = "archive: merge record 1 of partition 2026-11-23 names a file that is not in the store as it says; "
                                 "nothing of the partition is removed: s3://memory/" + key;
    CHECK_THROWS_WITH_AS(p.sweep(kT0 + kGrace), sentence.c_str(), Error);
    CHECK(p.there(p.key(one)));
  }
}

TEST_CASE("partition sweep: what a merge left behind is declared dead before it goes, and a merge that stood still cannot name it") {
  OneDay p;
  ShardName one = p.put(), two = p.put();
  MergeRecord before = p.commits.read(kDay, nullptr);
  MergedFile merged = p.put_merged();  // stored, and then it stands still for longer than the grace
  MergeRecord stalled = p.record_of({one, two}, {merged}, kT0 + kGrace);
  CHECK(p.sweep(kT0 + kGrace).files == 0);  // it is young
  CHECK(p.sweep(kT0 + kGrace + 1).files == 1);
  CHECK_FALSE(p.there(merged_file_key(*kTable, merged.name)));
  CHECK(p.commits.read(kDay, nullptr).is_dead(merged.name.id));
  CHECK_FALSE(p.commits.commit(before, stalled, nullptr));
  MergeRecord now = p.commits.read(kDay, nullptr), stubborn = now.next(new_ulid());
  stubborn.add_live(merged);
  CHECK_THROWS_AS(p.commits.commit(now, stubborn, nullptr), Error);
  CHECK(p.there(p.key(one)));
  CHECK(p.there(p.key(two)));
}

TEST_CASE("partition sweep: a file that becomes live while a sweep stands still between listing and declaring is kept") {
  OneDay p;
  ShardName one = p.put();
  MergedFile merged = p.put_merged();
  MergeRecord record = p.record_of({one}, {merged}, kT0 + 10 * kGrace);
  bool committed = false;
  p.store.before([&](const MemoryStore::Request& request) {
    if (committed || request.kind != MemoryStore::Kind::kPut || request.key.find("merge-") == std::string::npos) return;
    committed = true;
    p.store.overwrite(merge_record_key(*kTable, kDay, 1), merge_record_to_json(record, *kTable));
  });
  CHECK(p.sweep(kT0 + 2 * kGrace).files == 0);
  CHECK(committed);
  CHECK(p.there(merged_file_key(*kTable, merged.name)));
  CHECK(p.commits.read(kDay, nullptr).id == record.id);
}

TEST_CASE("partition sweep: stopped at any request it has removed nothing that counts, and the next one finishes") {
  for (int stop = 0; stop < 12; stop++) {
    CAPTURE(stop);
    OneDay p;
    ShardName one = p.put(), two = p.put(), late = p.put();
    MergedFile merged = p.put_merged(kT0 + 100 * kGrace), left = p.put_merged();
    p.commit(p.record_of({one, two}, {merged}, kT0));
    int requests = 0;
    p.store.before([&](const MemoryStore::Request&) {
      if (requests++ == stop) throw Error(Code::kUnavailable, "stopped");
    });
    try {
      p.sweep(kT0 + 2 * kGrace);
    } catch (const Error& e) {
      CHECK(e.code() == Code::kUnavailable);
    }
    p.store.before(nullptr);
    CHECK(p.there(p.key(late)));
    CHECK(p.there(merged_file_key(*kTable, merged.name)));
    p.sweep(kT0 + 2 * kGrace);
    CHECK_FALSE(p.there(p.key(one)));
    CHECK_FALSE(p.there(p.key(two)));
    CHECK_FALSE(p.there(merged_file_key(*kTable, left.name)));
    const PartitionFiles files = list_partition(p.store, *kTable, kDay, nullptr);
    CHECK(files.counting(p.store, *kTable).size() == 2);
  }
}
