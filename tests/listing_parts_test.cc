// Listings in parts and walks in the order of time: every shard once, few requests, little memory, with a million objects too.
#include "ext/archive/listing_parts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "bench/catalogue_store.h"
#include "ext/archive/catalogue.h"
#include "ext/base/clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;
using ts_bench::CatalogueStore;

namespace {

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour, kT0 = 1'795'392'000'000;  // 2026-11-23
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kMinute = 60'000;  // a million minutes are 694 days

TablePtr table_of(Partition partition) {
  Schema schema = small_table()->schema;
  schema.partition = partition;
  return make_table_def("cpu", schema);
}

struct Scan {
  TempDir dir;
  std::shared_ptr<Spool> spool = Spool::open(spool_config(dir));
  SpoolView view{spool};
  LocalSnapshot local{view, nullptr};
  QueryStats stats;
};

std::vector<std::string> keys_of_all(const std::vector<ListingPtr>& listings) {
  std::vector<std::string> keys;
  for (const ListingPtr& listing : listings) {
    const std::size_t end = listing->shards.after(listing->range.last);  // behind it a partition may be listed in part
    for (std::size_t i = 0; i < end; i++) keys.push_back(listing->shards.key(i));
  }
  return keys;
}

// Shards at uneven times: bunches, gaps, several at one instant, files of others in between.
std::vector<std::string> fill(MemoryStore& store, const TableDef& table, std::mt19937& random, int count) {
  std::vector<std::string> keys;
  std::int64_t time = kT0 - 400 * kDay;
  for (int n = 0; n < count; n++) {
    switch (random() % 20) {
      case 0: time += static_cast<std::int64_t>(random() % 40) * kDay; break;
      case 1: break;
      default: time += static_cast<std::int64_t>(random() % 3) * kHour;
    }
    std::array<unsigned char, 10> bits{};
    bits[0] = static_cast<unsigned char>(n), bits[1] = static_cast<unsigned char>(n >> 8);
    std::int64_t last = partition_end(time, table.schema.precision, table.schema.partition) - 1;
    std::int64_t end = std::min(last, time + static_cast<std::int64_t>(random() % 5) * kHour);
    std::string folder = table.directory + "/" + partition_name(time, table.schema.precision, table.schema.partition) + "/";
    keys.push_back(folder + format_shard_name({time, end, 1, "w", make_ulid(time, bits)}, table.schema.precision));
    store.overwrite(keys.back(), "x");
    if (n % 7 == 0) store.overwrite(folder + "notes.txt", "x");
  }
  store.overwrite(table.directory + "/schema-000001.json", "{}");
  store.overwrite(table.directory + "/2026x/other", "x");
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

TEST_CASE("listing parts: where a time's keys begin, and what time a key tells, fit each other") {
  for (Partition partition : {Partition::kHour, Partition::kDay, Partition::kMonth}) {
    TablePtr table = table_of(partition);
    for (std::int64_t time : {kT0, kT0 + 1, kT0 + kHour, kT0 - 1, table->min_time, table->max_time}) {
      CHECK(time_after(*table, key_before(*table, time)) == time);
      KeyRange range = keys_of(*table, time, time);
      CHECK(time_after(*table, range.after) == partition_start(time, Precision::kMillis, partition));
      CHECK(time_after(*table, range.last) == partition_end(time, Precision::kMillis, partition));
    }
    CHECK_FALSE(time_after(*table, "cpu/schema-000001.json"));
    CHECK_FALSE(time_after(*table, "cpu/2026x/20261123T000000.000Z"));
    CHECK_FALSE(time_after(*table, keys_of(*table, kT0, kT0).last + "/20261123T000000.000Z"));
    CHECK(time_after(*table, keys_of(*table, kT0, kT0).after + "/notes") == partition_start(kT0, Precision::kMillis, partition));
    CHECK(time_after(*table, "cpu/") == table->min_time);
    CHECK(time_after(*table, "cpu0") == table->max_time);
  }
}

TEST_CASE("listing parts: parts give what one listing gives, each shard once and in order, however uneven") {
  std::mt19937 random(7);
  for (int round = 0; round < 30; round++) {
    CAPTURE(round);
    TablePtr table = table_of(round % 3 == 0 ? Partition::kHour : round % 3 == 1 ? Partition::kDay : Partition::kMonth);
    MemoryStore store;
    store.set_page_size(1 + random() % 20);
    std::vector<std::string> keys = fill(store, *table, random, static_cast<int>(random() % 600));
    KeyRange everything = keys_of(*table, INT64_MIN, INT64_MAX);
    std::vector<ListingPtr> listings = list_in_parts(store, table, SpoolState(), everything, nullptr);
    CHECK(keys_of_all(listings) == keys);
    CHECK(listings.front()->range.after == everything.after);
    for (std::size_t i = 1; i < listings.size(); i++) CHECK(listings[i]->range.after == listings[i - 1]->range.last);
    CHECK(listings.back()->range.last == everything.last);
    CHECK(store.most_in_flight() <= kListedAtOnce);
  }
}

TEST_CASE("listing parts: the first fault of a part ends all of them, and is what is thrown") {
  TablePtr table = table_of(Partition::kDay);
  MemoryStore store;
  store.set_page_size(2);
  std::mt19937 random(8);
  fill(store, *table, random, 300);
  store.overwrite("cpu/2026-05-01/index", "x");
  CHECK_THROWS_WITH_AS(list_in_parts(store, table, SpoolState(), keys_of(*table, INT64_MIN, INT64_MAX), nullptr),
                       "archive: written by a newer version (unknown object s3://memory/cpu/2026-05-01/index); upgrade timeseries", Error);
}

TEST_CASE("listing parts: a walk gives each shard once, and no later part breaks its bound") {
  std::mt19937 random(9);
  for (int round = 0; round < 60; round++) {
    CAPTURE(round);
    TablePtr table = table_of(round % 3 == 0 ? Partition::kHour : round % 3 == 1 ? Partition::kDay : Partition::kMonth);
    auto store = std::make_shared<MemoryStore>();
    store->set_page_size(1 + random() % 30);
    std::vector<std::string> keys = fill(*store, *table, random, static_cast<int>(random() % 400));
    std::int64_t from = INT64_MIN, to = INT64_MAX;
    if (round % 2) {
      from = kT0 - static_cast<std::int64_t>(random() % 400) * kDay;
      to = from + static_cast<std::int64_t>(random() % 300) * kDay;
    }
    const KeyRange range = keys_of(*table, from, to);
    keys.erase(std::remove_if(keys.begin(), keys.end(), [&](const std::string& key) { return key <= range.after || key > range.last; }),
               keys.end());
    Scan statement;
    Catalogue catalogue(store, table, statement.local, 0);
    if (round % 5 == 0) catalogue.cover(kT0 - 300 * kDay, kT0 - 280 * kDay, nullptr, statement.stats);  // another scan was there
    if (round % 5 == 1) catalogue.begin_whole(nullptr, statement.stats);
    const bool down = round % 4 < 2;
    CatalogueWalk walk = catalogue.walk(from, to, down, round % 7 == 0);
    std::vector<std::string> given;
    while (!walk.done()) {
      const std::int64_t bound = catalogue.bound(walk);
      if (!catalogue.knows_next(walk)) catalogue.list_next(walk, nullptr, statement.stats);
      REQUIRE(catalogue.knows_next(walk));
      std::vector<std::string> part;
      catalogue.find(catalogue.take_next(walk), INT64_MIN, INT64_MAX, [&](const ShardList& list, std::size_t i, std::int64_t) {
        part.push_back(list.key(i));
        CHECK((down ? list.end(i) <= bound : list.start(i) >= bound));
      });
      std::sort(part.begin(), part.end());
      given.insert(down ? given.begin() : given.end(), part.begin(), part.end());
    }
    CHECK(given == keys);
  }
}

TEST_CASE("listing parts: of a million objects a query of an hour lists its partition") {
  TablePtr table = table_of(Partition::kHour);
  auto store = std::make_shared<CatalogueStore>(table, kT0 - kMillion * kMinute, kMinute, kMillion);
  Scan statement;
  Catalogue catalogue(store, table, statement.local, 0);
  const std::int64_t hour = kT0 - 300 * kDay;
  catalogue.cover(hour, hour + kHour - 1, nullptr, statement.stats);
  CHECK(store->lists() == std::vector<std::string>{"cpu/" + partition_name(hour, Precision::kMillis, Partition::kHour)});
  std::int64_t found = 0, others = catalogue.find(hour, hour + kHour - 1, [&](const ShardList&, std::size_t, std::int64_t) { found++; });
  CHECK(found == 60);
  CHECK(others == 15 * 60);  // a page is a page, of which 16 hours are whole
}

TEST_CASE("listing parts: a million objects are listed side by side, in hardly more pages than there are, and take 73 bytes each") {
  TablePtr table = table_of(Partition::kDay);
  auto store = std::make_shared<CatalogueStore>(table, kT0 - kMillion * kMinute, kMinute, kMillion);
  Scan statement;
  Catalogue catalogue(store, table, statement.local, 0);
  catalogue.cover(INT64_MIN, INT64_MAX, nullptr, statement.stats);
  CHECK(statement.stats.files_listed == kMillion);
  CHECK(store->lists().size() <= 1100);
  CHECK(store->most_in_flight() > 1);
  CHECK(store->most_in_flight() <= static_cast<std::int64_t>(kListedAtOnce));
  CHECK(catalogue.memory_bytes() <= 73 * kMillion);
  std::int64_t found = 0, ordinals = 0;
  catalogue.find(INT64_MIN, INT64_MAX, [&](const ShardList&, std::size_t, std::int64_t ordinal) { found++, ordinals += ordinal; });
  CHECK(found == kMillion);
  CHECK(ordinals == kMillion * (kMillion - 1) / 2);
}

TEST_CASE("listing parts: of a million objects the newest are found in few pages, be they of now, of long ago or of the future") {
  const std::int64_t now = Clock::system().now_ms();
  for (Partition partition : {Partition::kHour, Partition::kDay, Partition::kMonth}) {
    for (std::int64_t end : {now, now - 3 * kDay, now - 400 * kDay, now - 10'000 * kDay, now + 700 * kDay}) {
      for (bool large : {false, true}) {
        CAPTURE(static_cast<int>(partition));
        CAPTURE((now - end) / kDay);
        TablePtr table = table_of(partition);
        const std::int64_t first = partition_start(end, Precision::kMillis, partition) - (kMillion - 10) * kMinute;
        auto store = std::make_shared<CatalogueStore>(table, first, kMinute, kMillion);
        Scan statement;
        Catalogue catalogue(store, table, statement.local, 0);
        CatalogueWalk walk = catalogue.walk(INT64_MIN, INT64_MAX, true, large);
        std::size_t found = 0;
        while (found == 0 && !walk.done()) {
          if (!catalogue.knows_next(walk)) catalogue.list_next(walk, nullptr, statement.stats);
          catalogue.find(catalogue.take_next(walk), INT64_MIN, INT64_MAX, [&](const ShardList&, std::size_t, std::int64_t) { found++; });
        }
        CHECK(found >= 10);
        // Where guesses from now fail, the time between is halved until a page is enough.
        CHECK(store->lists().size() <= 45);
        if (end == now) CHECK(store->lists().size() <= (large ? 1 : 2));
        if (end == now - 3 * kDay) CHECK(store->lists().size() <= 10);
        CHECK((large || catalogue.large()));
      }
    }
  }
}
