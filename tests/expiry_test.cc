// Expiry: which partitions go, in which order, and what comes late.
#include "ext/archive/expiry.h"

#include <doctest/doctest.h>

#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kT0 = 1'795'392'000'000, kDay = 86'400'000, kHour = 3'600'000;  // 2026-11-23
const TablePtr kTable = small_table();
using Names = std::vector<std::string>;

struct Archive {
  MemoryStore store;
  unsigned names = 0;

  Archive() { store.overwrite("cpu/schema-000001.json", "{}"); }
  std::string put(std::int64_t start) {
    std::array<unsigned char, 10> random{};
    random[9] = static_cast<unsigned char>(names++);
    const ShardName shard{start, start + 1000, 10, "w", make_ulid(start, random)};
    const std::string day = partition_name(start, Precision::kMillis, Partition::kDay);
    std::string key = "cpu/" + day + "/" + format_shard_name(shard, Precision::kMillis);
    store.overwrite(key, "xyz");
    return key;
  }
  bool there(const std::string& key) { return store.bytes_of(key).has_value(); }
};

}  // namespace

TEST_CASE("expiry: partitions that end before the time are old, oldest first; the one that holds it and later ones are not looked at") {
  Archive a;
  for (int day = 0; day < 4; day++) a.put(kT0 + day * kDay);
  a.store.set_page_size(2);
  Expiry expiry(a.store, *kTable, "test", 0);
  CHECK(expiry.old_partitions(kT0, 100, nullptr).empty());
  CHECK(expiry.old_partitions(kT0 + kDay - 1, 100, nullptr).empty());
  CHECK(expiry.old_partitions(kT0 + kDay, 100, nullptr) == Names{"2026-11-23"});
  CHECK(expiry.old_partitions(kT0 + 3 * kDay + kHour, 100, nullptr) == Names{"2026-11-23", "2026-11-24", "2026-11-25"});
  CHECK(expiry.old_partitions(kT0 + 3 * kDay, 2, nullptr) == Names{"2026-11-23", "2026-11-24"});
  CHECK(expiry.old_partitions(INT64_MIN, 100, nullptr).empty());
  CHECK(expiry.old_partitions(INT64_MAX, 100, nullptr).size() == 4);
  // Where everything has gone long ago a record says so, and nobody looks again.
  a.store.overwrite("cpu/2026-01-01/merge-000001.json", "{}");
  CHECK(expiry.old_partitions(kT0 + kDay, 100, nullptr) == Names{"2026-11-23"});
}

TEST_CASE("expiry: looking changes nothing; expiring hides a partition at once and removes it when the grace is over, but for its record") {
  Archive a;
  const std::string one = a.put(kT0), two = a.put(kT0 + kHour), young = a.put(kT0 + kDay);
  Expiry expiry(a.store, *kTable, "test", kHour);
  OldPartition old = expiry.look("2026-11-23", nullptr);
  CHECK(old.files == 2);
  CHECK(old.rows == 20);
  CHECK(old.bytes == 6);
  CHECK(a.store.keys().size() == 4);
  old = expiry.expire("2026-11-23", kT0 + 5 * kDay, nullptr);
  CHECK(old.files == 2);
  CHECK(old.removed == 0);
  CHECK(a.there(one));
  CHECK(expiry.look("2026-11-23", nullptr).files == 0);
  old = expiry.expire("2026-11-23", kT0 + 5 * kDay + kHour, nullptr);
  CHECK(old.files == 0);
  CHECK(old.removed == 2);
  CHECK(a.store.keys() == Names{"cpu/2026-11-23/merge-000001.json", young, "cpu/schema-000001.json"});
  // A repeated upload is dead when it appears; a late shard counts, and goes the next time.
  a.store.overwrite(one, "xyz");
  const std::string late = a.put(kT0 + 2 * kHour);
  CHECK(expiry.look("2026-11-23", nullptr).files == 1);
  old = expiry.expire("2026-11-23", kT0 + 6 * kDay, nullptr);
  CHECK(old.files == 1);
  CHECK(old.removed == 1);
  CHECK_FALSE(a.there(one));
  CHECK(a.there(late));
}

TEST_CASE("expiry: a merge that commits in between wins, and the partition expires with what it made") {
  Archive a;
  a.put(kT0);
  MergeRecord record;
  record.partition = "2026-11-23";
  record = record.next(new_ulid());
  const ShardName merged{kT0, kT0 + 1000, 10, "m", new_ulid()};
  bool merging = true;
  a.store.before([&](const MemoryStore::Request& request) {
    if (!merging || request.kind != MemoryStore::Kind::kPut || request.key.find("merge-") == std::string::npos) return;
    merging = false;
    record.add_live({merged, 2, a.store.overwrite(merged_file_key(*kTable, merged), "mm")});
    a.store.overwrite(merge_record_key(*kTable, "2026-11-23", 1), merge_record_to_json(record, *kTable));
  });
  Expiry expiry(a.store, *kTable, "test", 0);
  OldPartition old = expiry.expire("2026-11-23", kT0 + kDay, nullptr);
  CHECK(old.files == 2);
  CHECK(old.removed == 2);
  CHECK(a.store.keys() ==
        Names{"cpu/2026-11-23/merge-000001.json", "cpu/2026-11-23/merge-000002.json", "cpu/schema-000001.json"});
}
