// Catalogue and its listings: what is asked of the store, what is asked once, and every row once while files come and go.
#include "ext/archive/catalogue.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "ext/base/clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kDay = 86'400'000, kHour = 3'600'000, kT0 = 1'795'392'000'000;  // 2026-11-23
constexpr std::int64_t kMinute = 60'000;

struct Fixture {
  TempDir dir;
  std::shared_ptr<Spool> spool = Spool::open(spool_config(dir));
  std::unique_ptr<SpoolDb> db = spool->connect();
  TablePtr table = small_table();
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  SpoolView view{spool};
  QueryStats stats;
  int names = 0;
  bool imported = false;  // what is sealed next

  std::string key(std::int64_t start) {
    std::array<unsigned char, 10> random{};
    random[8] = static_cast<unsigned char>(names >> 8);
    random[9] = static_cast<unsigned char>(names++);
    return table->directory + "/" + partition_name(start, table->schema.precision, table->schema.partition) + "/" +
           format_shard_name({start, start + kMinute, 10, "other", make_ulid(imported ? 0 : start, random)}, table->schema.precision);
  }
  std::string put(std::int64_t start) {
    std::string name = key(start);
    store->overwrite(name, "x");
    return name;
  }
  // A file that this spool has sealed, from an open shard of its own.
  SealedRow seal(std::int64_t start, const std::string& of = "cpu") {
    std::int64_t id = db->add_open("open-" + std::to_string(names) + ".db", 1, false, [](std::int64_t) {});
    db->set_rotated(id);
    std::string name = key(start);
    std::vector<SealedRow> rows = {{0, of, name, std::to_string(names) + ".sqlite", 10, 1, "", ""}};
    REQUIRE(db->seal({{id, 0, 0, true}}, rows, 5));
    return rows[0];
  }
  void upload(const SealedRow& row, const std::string& etag = "an-etag") {
    db->set_attempted(row.seq);
    store->overwrite(row.key, "x");
    db->set_stored(row.seq, etag, Clock::system().now_ms());
  }

  struct Seen {
    std::vector<std::string> keys;
    std::uint64_t lists = 0;
  };
  Seen look(std::int64_t from, std::int64_t to, std::int64_t age_ms = 0) {
    LocalSnapshot local(view, nullptr);
    Catalogue catalogue(store, table, local, age_ms);
    return look(catalogue, from, to);
  }
  Seen look(Catalogue& catalogue, std::int64_t from, std::int64_t to) {
    std::uint64_t before = store->lists();
    catalogue.reuse(from, to, stats);
    if (!catalogue.covers(from, to)) catalogue.cover(from, to, nullptr, stats);
    CHECK(catalogue.covers(from, to));
    Seen seen;
    catalogue.find(from, to, [&](const ShardList& list, std::size_t i, std::int64_t) { seen.keys.push_back(list.key(i)); });
    std::sort(seen.keys.begin(), seen.keys.end());
    seen.lists = store->lists() - before;
    return seen;
  }
};

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("catalogue: a range of keys is listed once in a statement, and each shard is there once, whatever the order of ranges") {
  Fixture f;
  Keys all;
  for (int day = 0; day < 20; day++) all.push_back(f.put(kT0 + day * kDay));
  f.store->set_page_size(3);
  LocalSnapshot local(f.view, nullptr);
  Catalogue catalogue(f.store, f.table, local, 0);
  CHECK(f.look(catalogue, kT0 + 8 * kDay, kT0 + 8 * kDay).keys == Keys{all[8]});
  CHECK(f.look(catalogue, kT0 + 15 * kDay, kT0 + 15 * kDay).keys == Keys{all[15]});
  CHECK(f.look(catalogue, kT0 + 8 * kDay, kT0 + 8 * kDay).lists == 0);
  CHECK(f.look(catalogue, kT0 + 3 * kDay, kT0 + 3 * kDay).keys == Keys{all[3]});
  CHECK(f.look(catalogue, INT64_MIN, INT64_MAX).keys == all);
  CHECK(f.look(catalogue, INT64_MIN, INT64_MAX).lists == 0);
  CHECK(f.stats.files_listed == 20);
}

TEST_CASE("catalogue: without max_staleness every statement lists, and keeps nothing for the next") {
  Fixture f;
  f.put(kT0);
  CHECK(f.look(INT64_MIN, INT64_MAX).lists == 1);
  CHECK(f.look(INT64_MIN, INT64_MAX).lists == 1);
  CHECK(f.look(INT64_MIN, INT64_MAX, kHour).lists == 1);
  CHECK(f.look(INT64_MIN, INT64_MAX, 0).lists == 1);
}

TEST_CASE("catalogue: a young listing answers for its range of keys and for nothing else") {
  Fixture f;
  Keys all;
  for (int day = 0; day < 6; day++) all.push_back(f.put(kT0 + day * kDay));
  f.store->set_page_size(3);
  CHECK(f.look(kT0 + 2 * kDay, kT0 + 3 * kDay, kHour).lists == 1);  // and knows all[4] too
  std::string later = f.put(kT0 + 2 * kDay + kHour), outside = f.put(kT0 + 4 * kDay + kHour);
  Fixture::Seen seen = f.look(kT0 + 2 * kDay, kT0 + 4 * kDay - 1, kHour);
  CHECK(seen.lists == 0);
  CHECK(seen.keys == Keys{all[2], all[3]});
  // What it does not know is listed, and only that.
  seen = f.look(kT0 + 2 * kDay, INT64_MAX, kHour);
  CHECK(seen.lists == 1);
  CHECK(seen.keys == Keys{all[2], all[3], all[4], outside, all[5]});
  // Both together are all of it now.
  seen = f.look(kT0 + 3 * kDay, kT0 + 5 * kDay, kHour);
  CHECK(seen.lists == 0);
  CHECK(seen.keys == Keys{all[3], all[4], outside, all[5]});
  CHECK(f.look(kT0 + 2 * kDay, kT0 + 3 * kDay, 0).keys == Keys{all[2], later, all[3]});
}

TEST_CASE("catalogue: a listing of its own age or older than asked for is not used") {
  Fixture f;
  f.put(kT0);
  f.look(INT64_MIN, INT64_MAX, kHour);
  std::string other = f.put(kT0 + kHour);
  YoungListings& young = f.spool->listings();
  ListingPtr kept = young.find("cpu", "cpu/", false, kHour);
  REQUIRE(kept);
  auto aged = [&](std::int64_t ms) {
    auto older = std::make_shared<Listing>(*kept);
    older->steady_ms -= ms;
    older->wall_ms -= ms;
    young.drop();
    young.keep("cpu", older, young.drops());
  };
  aged(5000);
  CHECK(f.look(INT64_MIN, INT64_MAX, 10'000).lists == 0);
  aged(10'000);
  CHECK(f.look(INT64_MIN, INT64_MAX, 10'000).keys.size() == 2);
  // A clock that was set, or a machine that slept.
  auto later = std::make_shared<Listing>(*kept);
  later->wall_ms += kHour;
  young.drop();
  young.keep("cpu", later, young.drops());
  CHECK_FALSE(young.find("cpu", "cpu/", false, kHour));
}

TEST_CASE("catalogue: a young listing is joined with what this spool has stored since, each file once") {
  Fixture f;
  std::string foreign = f.put(kT0);
  SealedRow before = f.seal(kT0 + kHour), waiting = f.seal(kT0 + 2 * kHour), during = f.seal(kT0 + 3 * kHour);
  f.upload(before);
  // One is stored while the store is listed: it is in the listing, and was not known to be stored.
  bool first = true;
  f.store->before([&](const MemoryStore::Request&) {
    if (first) f.store->overwrite(during.key, "x");
    first = false;
  });
  CHECK(f.look(INT64_MIN, INT64_MAX, kHour).keys == Keys{foreign, before.key});  // the others are read in the spool
  f.store->before(nullptr);
  f.upload(during);
  CHECK(f.look(INT64_MIN, INT64_MAX, kHour).keys == Keys{foreign, before.key, during.key});
  f.upload(waiting);
  SealedRow later = f.seal(kT0 + 4 * kHour), pending = f.seal(kT0 + 5 * kHour), of_another = f.seal(kT0 + 6 * kHour, "mem");
  f.upload(later);
  f.upload(of_another);
  Fixture::Seen seen = f.look(INT64_MIN, INT64_MAX, kHour);
  CHECK(seen.lists == 0);
  CHECK(seen.keys == Keys{foreign, before.key, waiting.key, during.key, later.key});
  // The range counts for them too.
  CHECK(f.look(kT0 - kDay, kT0 - 1, kHour).keys.empty());
  CHECK(f.look(kT0 + 4 * kHour, kT0 + 4 * kHour, kHour).keys == Keys{later.key});
}

TEST_CASE("catalogue: a walk uses young listings from the end where it begins, and lists what they do not know") {
  Fixture f;
  Keys all;
  for (int day = 0; day < 9; day++) all.push_back(f.put(kT0 - (8 - day) * kDay));
  f.store->set_page_size(4);
  for (bool down : {true, false}) {
    f.spool->listings().drop();
    auto walk_all = [&](std::size_t enough) {
      LocalSnapshot local(f.view, nullptr);
      Catalogue catalogue(f.store, f.table, local, kHour);
      CatalogueWalk walk = catalogue.walk(INT64_MIN, INT64_MAX, down, true);
      std::uint64_t before = f.store->lists();
      Fixture::Seen seen;
      while (!walk.done() && seen.keys.size() < enough) {
        catalogue.reuse_next(walk, f.stats);
        if (!catalogue.knows_next(walk)) catalogue.list_next(walk, nullptr, f.stats);
        auto add = [&](const ShardList& list, std::size_t i, std::int64_t) { seen.keys.push_back(list.key(i)); };
        catalogue.find(catalogue.take_next(walk), INT64_MIN, INT64_MAX, add);
      }
      std::sort(seen.keys.begin(), seen.keys.end());
      seen.lists = f.store->lists() - before;
      return seen;
    };
    CHECK(walk_all(1).lists > 0);
    CHECK(walk_all(1).lists == 0);
    CHECK(walk_all(100).lists > 0);
    Fixture::Seen seen = walk_all(100);
    CHECK(seen.lists == 0);
    CHECK(seen.keys == all);
  }
}

TEST_CASE("catalogue: what is sealed and stored after the snapshot is seen in no listing, an early or a late one") {
  Fixture f;
  f.put(kT0);
  f.look(INT64_MIN, INT64_MAX, kHour);
  for (std::int64_t age : {std::int64_t{0}, kHour}) {
    SealedRow in_spool = f.seal(kT0 + kHour);
    LocalSnapshot local(f.view, nullptr);
    Catalogue catalogue(f.store, f.table, local, age);
    std::size_t at_first = f.look(catalogue, kT0 - kDay, kT0 - 1).keys.size();
    SealedRow after = f.seal(kT0 + 2 * kHour);
    f.upload(in_spool);  // read where it lay
    f.upload(after);
    Fixture::Seen seen = f.look(catalogue, kT0, kT0 + kDay - 1);
    CHECK(std::count(seen.keys.begin(), seen.keys.end(), in_spool.key) == 0);
    CHECK(std::count(seen.keys.begin(), seen.keys.end(), after.key) == 0);
    CHECK(at_first == 0);
    Keys now = f.look(INT64_MIN, INT64_MAX, age).keys;
    CHECK(std::count(now.begin(), now.end(), in_spool.key) == 1);
    CHECK(std::count(now.begin(), now.end(), after.key) == 1);
  }
}

TEST_CASE("catalogue: where spool.db has forgotten what was stored since, or does not know its bytes, the store is asked") {
  enum { kPurged, kNoEtag, kImported };
  for (int how : {kPurged, kNoEtag, kImported}) {
    CAPTURE(how);
    Fixture f;
    f.put(kT0);
    f.look(INT64_MIN, INT64_MAX, kHour);
    f.imported = how == kImported;
    SealedRow later = f.seal(kT0 + kHour);
    f.upload(later, how == kNoEtag ? "" : "an-etag");
    if (how == kPurged) {
      f.db->set_local_gone(later.seq);
      f.db->purge(Clock::system().now_ms() + 2 * SpoolDb::kKeepMs);
    }
    Fixture::Seen seen = f.look(INT64_MIN, INT64_MAX, kHour);
    CHECK(seen.lists == 1);
    CHECK(seen.keys.size() == 2);
    CHECK(f.look(INT64_MIN, INT64_MAX, kHour).lists == 0);
  }
}

TEST_CASE("catalogue: a statement that outlives what spool.db remembers ends, as later files cannot be told from earlier ones") {
  Fixture f;
  for (int day = 0; day < 3; day++) f.put(kT0 + day * kDay);
  f.store->set_page_size(1);
  LocalSnapshot local(f.view, nullptr);
  Catalogue catalogue(f.store, f.table, local, 0);
  f.look(catalogue, kT0, kT0);
  SealedRow later = f.seal(kT0 + 3 * kDay);
  f.upload(later);
  f.db->set_local_gone(later.seq);
  f.db->purge(Clock::system().now_ms() + 2 * SpoolDb::kKeepMs);
  CHECK_THROWS_WITH_AS(f.look(catalogue, kT0 + 3 * kDay, kT0 + 3 * kDay),
                       "timeseries: this statement has been open for more than a day, and what was stored meanwhile cannot be told from "
                       "what was there; run the statement again",
                       Error);
}

TEST_CASE("catalogue: young listings are bounded, a wider one takes the place of narrower ones, and none begun before a drop is kept") {
  YoungListings young;
  TablePtr table = small_table();
  auto listing = [&](int first, int last) {
    const KeyRange range{std::to_string(first), std::to_string(last)};
    return std::make_shared<Listing>(Listing{range, ShardList(table), Clock::system().steady_ms(), Clock::system().now_ms()});
  };
  young.keep("cpu", listing(1000, 1001), 0);
  CHECK(young.find("cpu", "1000", false, kHour));
  CHECK_FALSE(young.find("cpu", "1001", false, kHour));
  CHECK_FALSE(young.find("mem", "1000", false, kHour));
  CHECK(young.find("cpu", "1001", true, kHour));
  CHECK_FALSE(young.find("cpu", "1000", true, kHour));
  for (int n = 0; n < 64; n++) young.keep("cpu", listing(2000 + n, 2001 + n), 0);
  CHECK_FALSE(young.find("cpu", "1000", false, kHour));
  CHECK(young.find("cpu", "2000", false, kHour));
  ListingPtr wide = listing(2000, 2064);
  young.keep("cpu", wide, 0);
  CHECK(young.find("cpu", "2030", false, kHour) == wide);
  for (int n = 0; n < 63; n++) young.keep("cpu", listing(3000 + n, 3001 + n), 0);
  CHECK(young.find("cpu", "2030", false, kHour) == wide);
  std::uint64_t drops = young.drops();
  young.drop();
  CHECK_FALSE(young.find("cpu", "2030", false, kHour));
  young.keep("cpu", wide, drops);
  CHECK_FALSE(young.find("cpu", "2030", false, kHour));
  young.keep("cpu", wide, young.drops());
  CHECK(young.find("cpu", "2030", false, kHour));
}
