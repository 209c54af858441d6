// Tests of ChunkAhead, through an open shard of a store: how many requests and bytes a plan costs in a file too large for one GET.
#include "ext/archive/chunk_ahead.h"

#include <doctest/doctest.h>

#include "ext/archive/shard_aggregate.h"
#include "tests/support/rounds.h"
#include "tests/support/shard_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr int kHosts = 40, kRows = 6000;
constexpr std::uint64_t kHead = 256 << 10, kBlock = 64 << 10;
constexpr std::uint64_t kAhead = 4 << 20;

// Some 11 MB, sealed once for all tests.
const SealedShards& sealed() {
  static const SealedShards made(kHosts, kRows, Partition::kDay);
  return made;
}

struct World {
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  QueryStats stats;
  StatementCancel cancel{&stats};
  ShardRef ref = sealed().store(*store);
  std::unique_ptr<ShardFile> file;

  World() {
    auto bytes = std::make_shared<RangedFile>(store, ref.key, ref.etag, ref.size, std::make_shared<AheadBytes>(kAhead));
    file = std::make_unique<ShardFile>(store, sealed().table(), ref, &cancel, bytes);
  }
  std::int64_t rows(const std::shared_ptr<const ScanPlan>& plan) const { return count_rows(*file->batches(plan)); }
};

}  // namespace

TEST_CASE("chunk_ahead: opening a shard of any size is one GET of 256 KiB, with the pages that lead to its chunks") {
  World world;
  CHECK(world.store->requests() == 1);
  CHECK(world.store->bytes_read() == kHead);
}

TEST_CASE("chunk_ahead: one series costs one GET more, of its own pages and their neighbours in the blocks") {
  World world;
  CHECK(world.rows(plan_of_hosts({"host125"})) == kRows);
  CHECK(world.store->requests() == 2);
  const std::uint64_t series = sealed().bytes().size() / kHosts;
  CHECK(world.store->bytes_read() <= kHead + series + 4 * kBlock);
}

TEST_CASE("chunk_ahead: series that lie apart are asked for at the same time, one GET each") {
  World world;
  const Rounds rounds(*world.store, {3});  // one after the other would never end
  CHECK(world.rows(plan_of_hosts({"host110", "host120", "host130"})) == 3 * kRows);
  CHECK(world.store->requests() == 4);
}

TEST_CASE("chunk_ahead: a whole scan asks for several parts at the same time and for no byte twice") {
  World world;
  const Rounds rounds(*world.store, {2});
  CHECK(world.rows(plan_of_hosts({})) == std::int64_t{kHosts} * kRows);
  CHECK(world.store->bytes_read() <= sealed().bytes().size());
}

TEST_CASE("chunk_ahead: however large the answer, no more is fetched than a bound ahead of what was read") {
  World world;
  auto source = world.file->batches(plan_of_hosts({}));
  CHECK(source->next().batch->size() > 0);
  CHECK(world.store->bytes_read() <= kHead + kAhead + kBlock);
  source.reset();
  world.file.reset();
  CHECK(world.store->bytes_read() <= kHead + kAhead + kBlock);
}

TEST_CASE("chunk_ahead: in no order and with a limit nothing is fetched in advance") {
  World world;
  auto plan = plan_of_hosts({});
  plan->limit = 5;
  auto source = world.file->batches(plan);
  CHECK(source->next().batch->size() >= 5);
  CHECK(world.store->bytes_read() <= kHead + 2 * kBlock);
}

TEST_CASE("chunk_ahead: series in the order of time and rollups fetch in parallel as well") {
  for (const bool rollup : {false, true}) {
    World world;
    const Rounds rounds(*world.store, {3});
    auto plan = plan_of_hosts({"host110", "host120", "host130"});
    if (rollup) {
      auto spec = std::make_shared<RollupSpec>();
      spec->bucket = parse_time_bucket("1 hour", sealed().table()->schema.precision, "bucket");
      spec->tags = {1};
      spec->tag_collations = {collation_of(sealed().table()->schema.columns[1])};
      plan->columns = {1};
      PartialAggregates groups(spec);
      CHECK(aggregate_shard(*world.file, world.ref, "x", {sealed().table(), plan, spec}, groups, [] {}) == 3 * kRows);
    } else {
      plan->order = Order::kTimeAscending;
      CHECK(world.rows(plan) == 3 * kRows);
    }
    CHECK(world.store->requests() == 4);
  }
}

TEST_CASE("chunk_ahead: of the newest rows the last chunks of as many series are fetched in one batch") {
  World world;
  auto plan = plan_of_hosts({"host100", "host110", "host120", "host130", "host139"});
  plan->order = Order::kTimeDescending;
  plan->limit = 5;
  const Rounds rounds(*world.store, {5});  // five series that lie apart
  auto source = world.file->batches(plan);
  std::int64_t count = 0;
  while (count < 5) count += source->next().batch->size();
  CHECK(count == 5);
  CHECK(rounds.left() == 0);
  CHECK(world.store->requests() == 6);
  CHECK(world.store->bytes_read() <= kHead + 5 * 2 * kBlock);
}

TEST_CASE("chunk_ahead: a time in the middle of a series is looked for in the chunk where regular times have it") {
  World world;
  auto plan = plan_of_hosts({"host110", "host120", "host130"});
  plan->order = Order::kTimeDescending;
  plan->limit = 3;
  plan->to = kRows / 2 * 10'000;
  const Rounds rounds(*world.store, {3});
  auto source = world.file->batches(plan);
  std::int64_t count = 0;
  while (count < 3) count += source->next().batch->size();
  CHECK(rounds.left() == 0);
}

TEST_CASE("chunk_ahead: an object that changed meanwhile ends the statement and is named") {
  World world;
  world.store->overwrite(world.ref.key, sealed().bytes() + "x");
  try {
    world.rows(plan_of_hosts({}));
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
