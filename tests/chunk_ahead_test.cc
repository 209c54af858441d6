// Tests of ChunkAhead, through an open shard of a store: how many requests and bytes a plan costs in a file too large for one GET.
#include "ext/archive/chunk_ahead.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "ext/archive/sealer.h"
#include "ext/archive/shard_aggregate.h"
#include "ext/archive/shard_files.h"
#include "ext/archive/shard_name.h"
#include "ext/base/file.h"
#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr int kHosts = 40, kRows = 6000;
constexpr std::uint64_t kHead = 256 << 10, kBlock = 64 << 10;
constexpr std::uint64_t kAhead = 4 << 20;

TablePtr wide_table() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}};
  for (const char* name : {"a", "b", "c", "d", "e"}) schema.columns.push_back({name, "REAL", false, false, "", ""});
  schema.time_column = 0;
  return make_table_def("cpu", schema);
}

// A packed file of some 9 MB, since random numbers do not pack; sealed once for all tests.
struct Shard {
  TempDir dir;
  TablePtr table = wide_table();
  SealedRow row;
  std::string bytes;

  Shard() {
    make_directories(dir / "open");
    make_directories(dir / "sealed");
    OpenShard::create_files(dir / "open", "a.db", false);
    OpenShard shard(dir / "open", "a.db", 1);
    RowBuffer rows(7);
    std::mt19937_64 random(1);
    for (int host = 0; host < kHosts; host++) {
      for (int i = 0; i < kRows; i++) {
        rows.begin_row();
        rows.add_integer(1'000'000 + i * 10'000);
        rows.add_text("host" + std::to_string(100 + host));
        for (int c = 0; c < 5; c++) rows.add_real(std::ldexp(static_cast<double>(random()), -60));
      }
    }
    REQUIRE(shard.begin());
    shard.insert(table, rows);
    shard.prepare();
    shard.publish(1);
    auto files = seal_table(table, {{"a.db", {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host");
    REQUIRE(files.size() == 1);
    row = files[0];
    bytes = MappedFile(dir / "sealed" + "/" + row.file).bytes();
    REQUIRE(bytes.size() > (8u << 20));
  }
};

Shard& shard() {
  static Shard made;
  return made;
}

struct World {
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  QueryStats stats;
  StatementCancel cancel{&stats};
  ShardRef ref;
  std::unique_ptr<ShardFile> file;

  World() {
    const Shard& made = shard();
    const auto name = parse_shard_name(made.row.key.substr(made.row.key.rfind('/') + 1), made.table->schema.precision);
    const std::string etag = store->overwrite(made.row.key, made.bytes);
    ref = {made.row.key, etag, "", made.bytes.size(), name->start, name->end, name->rows};
    file = std::make_unique<ShardFile>(store, made.table, ref, &cancel);
  }

  // Rows of the plan with all columns; `hosts` empty: of all.
  std::shared_ptr<ScanPlan> plan(std::vector<std::string> hosts) const {
    auto plan = std::make_shared<ScanPlan>();
    plan->columns = {1, 2, 3, 4, 5, 6};
    if (hosts.empty()) return plan;
    Filter filter{1, "IN", {}, ""};
    for (const std::string& host : hosts) {
      filter.values.emplace_back();
      filter.values.back().type = SQLITE_TEXT;
      filter.values.back().bytes = host;
    }
    plan->filters.push_back(std::move(filter));
    return plan;
  }
  std::int64_t rows(const std::shared_ptr<const ScanPlan>& plan) const {
    auto source = file->batches(plan);
    std::int64_t count = 0;
    for (bool more = true; more;) {
      BatchSource::Next made = source->next();
      if (made.batch) count += made.batch->size();
      more = made.state != BatchSource::State::kEnd;
    }
    return count;
  }
  // Lets requests wait until `count` of them are there at once.
  void expect_side_by_side(int count) {
    store->before([this, count](const MemoryStore::Request&) {
      std::unique_lock lock(mutex);
      waiting++;
      arrived.notify_all();
      arrived.wait(lock, [&] { return waiting >= count; });
    });
  }
  std::mutex mutex;
  std::condition_variable arrived;
  int waiting = 0;
};

}  // namespace

TEST_CASE("chunk_ahead: opening a shard of any size is one GET of 256 KiB, with the pages that lead to its chunks") {
  World world;
  CHECK(world.store->requests() == 1);
  CHECK(world.store->bytes_read() == kHead);
}

TEST_CASE("chunk_ahead: one series costs one GET more, of its own pages and their neighbours in the blocks") {
  World world;
  CHECK(world.rows(world.plan({"host125"})) == kRows);
  CHECK(world.store->requests() == 2);
  const std::uint64_t series = shard().bytes.size() / kHosts;
  CHECK(world.store->bytes_read() <= kHead + series + 4 * kBlock);
}

TEST_CASE("chunk_ahead: series that lie apart are asked for at the same time, one GET each") {
  World world;
  world.expect_side_by_side(3);  // one after the other would never end
  CHECK(world.rows(world.plan({"host110", "host120", "host130"})) == 3 * kRows);
  CHECK(world.store->requests() == 4);
}

TEST_CASE("chunk_ahead: a whole scan asks for several parts at the same time and for no byte twice") {
  World world;
  world.expect_side_by_side(3);
  CHECK(world.rows(world.plan({})) == std::int64_t{kHosts} * kRows);
  CHECK(world.store->bytes_read() <= shard().bytes.size());
}

TEST_CASE("chunk_ahead: however large the answer, no more is fetched than a bound ahead of what was read") {
  World world;
  auto source = world.file->batches(world.plan({}));
  CHECK(source->next().batch->size() > 0);
  CHECK(world.store->bytes_read() <= kHead + kAhead + kBlock);
  source.reset();
  world.file.reset();
  CHECK(world.store->bytes_read() <= kHead + kAhead + kBlock);
}

TEST_CASE("chunk_ahead: with a limit nothing is fetched in advance") {
  World world;
  auto plan = world.plan({});
  plan->limit = 5;
  auto source = world.file->batches(plan);
  CHECK(source->next().batch->size() >= 5);
  CHECK(world.store->bytes_read() <= kHead + 2 * kBlock);
}

TEST_CASE("chunk_ahead: series in the order of time and rollups fetch in parallel as well") {
  for (const bool rollup : {false, true}) {
    World world;
    world.expect_side_by_side(3);
    auto plan = world.plan({"host110", "host120", "host130"});
    if (rollup) {
      auto spec = std::make_shared<RollupSpec>();
      spec->bucket = parse_time_bucket("1 hour", shard().table->schema.precision, "bucket");
      spec->tags = {1};
      spec->tag_collations = {collation_of(shard().table->schema.columns[1])};
      plan->columns = {1};
      PartialAggregates groups(spec);
      CHECK(aggregate_shard(*world.file, world.ref, "x", {shard().table, plan, spec}, groups, [] {}) == 3 * kRows);
    } else {
      plan->order = Order::kTimeAscending;
      CHECK(world.rows(plan) == 3 * kRows);
    }
    CHECK(world.store->requests() == 4);
  }
}

TEST_CASE("chunk_ahead: an object that changed meanwhile ends the statement and is named") {
  World world;
  world.store->overwrite(world.ref.key, shard().bytes + "x");
  try {
    world.rows(world.plan({}));
    FAIL("no error");
  } catch (const Error& e) {
    try {
      world.file->explain(e);
    } catch (const Error& explained) {
      CHECK(explained.code() == Code::kChanged);
      CHECK(std::string(explained.what()).find(world.ref.key) != std::string::npos);
    }
  }
}
