// Reading archives whose partitions have merge records: what counts, each row once, whoever merges, removes and expires meanwhile.
#include <doctest/doctest.h>

#include <algorithm>

#include "ext/archive/catalogue.h"
#include "ext/archive/partition_commit.h"
#include "ext/base/clock.h"
#include "tests/support/archive_world.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kDay = 86'400'000, kHour = 3'600'000, kT0 = 1'795'392'000'000;  // 2026-11-23
using Keys = std::vector<std::string>;

struct Archive {
  TempDir dir;
  std::shared_ptr<Spool> spool = Spool::open(spool_config(dir));
  std::unique_ptr<SpoolDb> db = spool->connect();
  TablePtr table = small_table();
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  SpoolView view{spool};
  QueryStats stats;
  unsigned names = 0;

  Archive() { store->overwrite("cpu/schema-000001.json", "{}"); }

  ShardName name(std::int64_t start) {
    std::array<unsigned char, 10> random{};
    random[9] = static_cast<unsigned char>(names++);
    return {start, start + 1000, 10, "w", make_ulid(start, random)};
  }
  std::string day(std::int64_t time) const { return partition_name(time, table->schema.precision, table->schema.partition); }
  std::string key(const ShardName& shard) const {
    return "cpu/" + day(shard.start) + "/" + format_shard_name(shard, table->schema.precision);
  }
  ShardName put(std::int64_t start) {
    ShardName shard = name(start);
    store->overwrite(key(shard), "x");
    return shard;
  }
  // Replaces shards by one merged file; returns its key.
  std::string merge(const std::vector<ShardName>& shards, bool remove = true) {
    ShardName merged = name(shards[0].start);
    merged.end = shards.back().end;
    PartitionCommits commits(*store, *table, "test");
    MergeRecord before = commits.read(day(merged.start), nullptr), next = before.next(new_ulid());
    std::vector<UlidBits> ids;
    for (const ShardName& shard : shards) ids.push_back(ulid_bits(shard.id));
    next.bury(ids, 0);
    next.add_live({merged, 2, store->overwrite(merged_file_key(*table, merged), "mm")});
    REQUIRE(commits.commit(before, next, nullptr));
    for (const ShardName& shard : shards) {
      if (remove) store->forget(key(shard));
    }
    return merged_file_key(*table, merged);
  }
  // A file of this spool's own, from an open shard.
  SealedRow seal(std::int64_t start) {
    ShardName shard = name(start);
    std::int64_t id = db->add_open("open-" + std::to_string(names) + ".db", 1, false, [](std::int64_t) {});
    db->set_rotated(id);
    std::vector<SealedRow> rows = {{0, "cpu", key(shard), std::to_string(names) + ".sqlite", 10, 1, "", ""}};
    REQUIRE(db->seal({{id, 0, 0, true}}, rows, 5));
    return rows[0];
  }
  ShardName name_of(const SealedRow& row) const {
    return *parse_shard_name(row.key.substr(row.key.rfind('/') + 1), table->schema.precision);
  }
  void upload(const SealedRow& row) {
    db->set_attempted(row.seq);
    store->overwrite(row.key, "x");
    db->set_stored(row.seq, "an-etag", Clock::system().now_ms());
  }

  Keys look(Catalogue& catalogue, std::int64_t from = INT64_MIN, std::int64_t to = INT64_MAX) {
    catalogue.reuse(from, to, stats);
    if (!catalogue.covers(from, to)) catalogue.cover(from, to, nullptr, stats);
    CHECK(catalogue.covers(from, to));
    Keys keys;
    catalogue.find(from, to, [&](const ShardList& list, std::size_t i, std::int64_t) { keys.push_back(list.key(i)); });
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  Keys look(std::int64_t from = INT64_MIN, std::int64_t to = INT64_MAX, std::int64_t age_ms = 0) {
    LocalSnapshot local(view, nullptr);
    Catalogue catalogue(store, table, local, age_ms);
    return look(catalogue, from, to);
  }
};

}  // namespace

TEST_CASE("merged reading: a record hides the dead, adds what is live, and counts no other merged file") {
  Archive a;
  ShardName one = a.put(kT0), two = a.put(kT0 + kHour), other = a.put(kT0 + kDay);
  const std::string merged = a.merge({one, two}, false);
  ShardName late = a.put(kT0 + 2 * kHour);
  a.store->overwrite(merged_file_key(*a.table, a.name(kT0)), "left behind");
  Keys expected = {a.key(late), merged, a.key(other)};
  std::sort(expected.begin(), expected.end());
  CHECK(a.look() == expected);
  CHECK(a.stats.files_listed == 3);
  a.store->forget(a.key(one));
  CHECK(a.look() == expected);
  CHECK(a.look(kT0 + kDay, kT0 + kDay) == Keys{a.key(other)});
}

TEST_CASE("merged reading: a record costs one GET, the first time only, and only where its partition is wanted") {
  Archive a;
  for (int day = 0; day < 5; day++) a.merge({a.put(kT0 + day * kDay), a.put(kT0 + day * kDay + kHour)});
  a.store->reset_counts();
  CHECK(a.look(kT0 + kDay, kT0 + kDay).size() == 1);
  CHECK(a.store->gets() == 1);
  CHECK(a.store->lists() == 1);
  CHECK(a.look(kT0 + kDay, kT0 + kDay).size() == 1);
  CHECK(a.store->gets() == 1);
  CHECK(a.look().size() == 5);
  CHECK(a.store->gets() == 5);
  CHECK(a.store->most_in_flight() <= 4);
}

TEST_CASE("merged reading: newest first reads the newest partition's record and no other") {
  Archive a;
  Keys merged;
  for (int day = 0; day < 40; day++) merged.push_back(a.merge({a.put(kT0 + day * kDay), a.put(kT0 + day * kDay + kHour)}));
  LocalSnapshot local(a.view, nullptr);
  Catalogue catalogue(a.store, a.table, local, 0);
  CatalogueWalk walk = catalogue.walk(INT64_MIN, INT64_MAX, true, false);
  a.store->reset_counts();
  Keys found;
  auto go_on = [&] {
    if (!catalogue.knows_next(walk)) catalogue.list_next(walk, nullptr, a.stats);
    catalogue.find(catalogue.take_next(walk), INT64_MIN, INT64_MAX,
                   [&](const ShardList& list, std::size_t i, std::int64_t) { found.push_back(list.key(i)); });
  };
  while (found.empty() && !walk.done()) go_on();
  CHECK(found == Keys{merged.back()});
  CHECK(a.store->gets() == 1);
  CHECK(a.store->lists() == 1);
  while (!walk.done()) go_on();
  std::sort(found.begin(), found.end());
  CHECK(found == merged);
  CHECK(a.store->gets() == 40);
  CHECK(a.store->lists() == 1);
}

TEST_CASE("merged reading: a shard whose upload is repeated after it was merged stays dead, in the store and in its own spool") {
  Archive a;
  SealedRow row = a.seal(kT0);
  a.db->set_attempted(row.seq);
  a.store->overwrite(row.key, "x");  // it arrived, and the answer was lost
  const std::string merged = a.merge({a.name_of(row), a.put(kT0 + kHour)});
  {
    LocalSnapshot local(a.view, nullptr);
    REQUIRE(local.state().sealed.size() == 1);
    Catalogue catalogue(a.store, a.table, local, 0);
    CHECK(a.look(catalogue) == Keys{merged});
    CHECK(catalogue.is_dead(row.key));  // its rows are not read in the spool either
  }
  a.look(INT64_MIN, INT64_MAX, kHour);  // is kept
  a.upload(row);
  CHECK(a.look() == Keys{merged});
  CHECK(a.look(INT64_MIN, INT64_MAX, kHour) == Keys{merged});  // a young listing, joined with what was stored since
}

TEST_CASE("merged reading: a snapshot that reads rows which were merged meanwhile is refused, and taken anew it is right") {
  Archive a;
  for (bool down : {false, true}) {
    LocalSnapshot local(a.view, nullptr);  // as if it read the open shard
    SealedRow row = a.seal(kT0 + (down ? kDay : 0));
    a.upload(row);
    const std::string merged = a.merge({a.name_of(row), a.put(kT0 + kHour + (down ? kDay : 0))});
    Catalogue catalogue(a.store, a.table, local, 0);
    const std::string sentence = "timeseries: rows that were stored since this statement began have been merged or have expired already; "
                                 "run the statement again: s3://memory/" + row.key;
    if (down) {
      CatalogueWalk walk = catalogue.walk(INT64_MIN, INT64_MAX, true, false);
      CHECK_THROWS_WITH_AS(catalogue.list_next(walk, nullptr, a.stats), sentence.c_str(), Error);
    } else {
      CHECK_THROWS_WITH_AS(catalogue.cover(INT64_MIN, INT64_MAX, nullptr, a.stats), sentence.c_str(), Error);
    }
    Keys now = a.look();
    CHECK(std::count(now.begin(), now.end(), merged) == 1);
    CHECK(std::count(now.begin(), now.end(), row.key) == 0);
  }
}

TEST_CASE("merged reading: a young listing keeps each partition with its own record, and asks for nothing") {
  Archive a;
  ShardName one = a.put(kT0), two = a.put(kT0 + kHour), next = a.put(kT0 + kDay);
  a.store->set_page_size(2);
  const std::string merged = a.merge({one, two});
  Keys expected = {merged, a.key(next)};
  CHECK(a.look(INT64_MIN, INT64_MAX, kHour) == expected);
  a.merge({next, a.put(kT0 + kDay + kHour)}, false);
  a.store->reset_counts();
  CHECK(a.look(INT64_MIN, INT64_MAX, kHour) == expected);
  CHECK(a.store->requests() == 0);
}

TEST_CASE("merged reading: in a copy of an archive live files have other ETags, and are read by those") {
  Archive a;
  const std::string merged = a.merge({a.put(kT0), a.put(kT0 + kHour)});
  const std::string copied = a.store->overwrite(merged, "MM");
  LocalSnapshot local(a.view, nullptr);
  Catalogue catalogue(a.store, a.table, local, 0);
  catalogue.cover(INT64_MIN, INT64_MAX, nullptr, a.stats);
  std::vector<ShardRef> found;
  catalogue.find(INT64_MIN, INT64_MAX, [&](const ShardList& list, std::size_t i, std::int64_t) { found.push_back(list.ref(i)); });
  REQUIRE(found.size() == 1);
  CHECK(found[0].key == merged);
  CHECK(found[0].etag == copied);
  // With another size it is another file: the record's ETag refuses it.
  a.store->overwrite(merged, "another");
  Catalogue again(a.store, a.table, local, 0);
  again.cover(INT64_MIN, INT64_MAX, nullptr, a.stats);
  again.find(INT64_MIN, INT64_MAX, [&](const ShardList& list, std::size_t i, std::int64_t) { CHECK(list.ref(i).etag != copied); });
}

TEST_CASE("merged reading: a record that is damaged or newer makes every answer about its partition an error, and no other") {
  Archive a;
  ShardName other = a.put(kT0 + kDay);
  a.put(kT0);
  a.store->overwrite("cpu/2026-11-23/merge-000001.json", "{");
  CHECK_THROWS_WITH_AS(a.look(), "merge record: does not parse as JSON: s3://memory/cpu/2026-11-23/merge-000001.json", Error);
  CHECK(a.look(kT0 + kDay, kT0 + kDay) == Keys{a.key(other)});
  a.store->overwrite("cpu/2026-11-23/merge-1.json", "{}");
  CHECK_THROWS_WITH_AS(a.look(),
                       "archive: written by a newer version (unknown object s3://memory/cpu/2026-11-23/merge-1.json); upgrade timeseries",
                       Error);
}

TEST_CASE("merged reading: records that were read are kept up to a limit, the least recently used go first") {
  auto record = [](std::size_t names) {
    MergeRecord made;
    std::vector<UlidBits> ids;
    for (std::size_t i = 0; i < names; i++) ids.push_back({1, i});
    made.bury(ids, 0);
    return std::make_shared<const MergeRecord>(made);
  };
  KnownRecords known(100'000);
  const ObjectInfo a{"a", 1, "e"}, b{"b", 1, "e"}, c{"c", 1, "e"};
  known.keep(a, record(2000));
  known.keep(b, record(2000));
  CHECK(known.find(a));
  known.keep(c, record(3000));
  CHECK(known.find(a));
  CHECK_FALSE(known.find(b));
  CHECK(known.find(c));
  CHECK_FALSE(known.find({"a", 1, "another"}));
}

TEST_CASE("merged reading: whoever acts between any two requests of anybody, no row is lost, none is doubled, and none comes back") {
  int reads = 0, merges = 0, lost = 0, removed = 0, expired = 0, again = 0, planned_again = 0, depth = 0;
  const int seeds = std::getenv("TIMESERIES_WORLD_SEEDS") ? std::atoi(std::getenv("TIMESERIES_WORLD_SEEDS")) : 60;
  for (int seed = 0; seed < seeds; seed++) {
    CAPTURE(seed);
    ArchiveWorld world(static_cast<unsigned>(seed), seed % 3 == 0 ? 1000 : 2, 1 + seed % 4);
    REQUIRE_NOTHROW([&] {
      for (int i = 0; i < 40; i++) world.act();
      world.read();
    }());
    reads += world.reads, merges += world.merges, lost += world.lost_commits, removed += world.removed, expired += world.expired;
    again += world.again, planned_again += world.planned_again, depth = std::max(depth, world.depth_reached);
  }
  MESSAGE(reads, " reads, ", merges, " merges, ", lost, " commits lost, ", removed, " files removed, ", expired, " expiries, ", again,
          " uploads repeated after the file was removed, ", planned_again, " plans made anew");
  CHECK(depth == 3);
  for (int seen : {reads, merges, lost, removed, expired, again, planned_again}) CHECK(seen > 0);
}
