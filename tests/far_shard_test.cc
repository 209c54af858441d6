// Tests of FarShard: which way the plan chooses, what is asked for at once, and what a bound and an early end leave alone.
#include "ext/archive/far_shard.h"

#include <doctest/doctest.h>

#include <thread>

#include "ext/archive/shard_aggregate.h"
#include "ext/archive/shard_stream.h"
#include "tests/support/rounds.h"
#include "tests/support/shard_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::uint64_t kHead = RangedFile::kHeadBytes, kBlock = 64 << 10, kMiB = 1 << 20;
constexpr int kRows = 6000, kHours = 20;

const SealedShards& large() {  // some 11 MB
  static const SealedShards made(40, kRows, Partition::kDay);
  return made;
}
const SealedShards& medium() {  // 2 to 3 MB: below what is read by one GET where nobody says otherwise
  static const SealedShards made(10, kRows, Partition::kDay);
  return made;
}
const SealedShards& hourly() {
  static const SealedShards made(5, kHours * 360, Partition::kHour);
  return made;
}

struct World {
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  QueryStats stats;
  StatementCancel cancel{&stats};
  std::shared_ptr<AheadBytes> ahead;
  ShardFiles files;

  explicit World(std::uint64_t most = AheadBytes::kMost) : ahead(std::make_shared<AheadBytes>(most)), files(ahead) {}

  std::unique_ptr<FarShard> far(const SealedShards& shards, const ScanPlan& plan, std::size_t index = 0) {
    return std::make_unique<FarShard>(files, store, shards.table(), shards.store(*store, index), plan, &cancel);
  }
  std::int64_t rows(FarShard& shard, const std::shared_ptr<const ScanPlan>& plan) {
    std::unique_ptr<ShardFile> file = shard.open(stats);
    const std::int64_t count = count_rows(*file->batches(plan));
    shard.give_back(std::move(file));
    return count;
  }
  std::vector<ShardPlace> all(const SealedShards& shards) {
    std::vector<ShardPlace> places;
    for (std::size_t i = 0; i < shards.count(); i++)
      places.push_back({nullptr, 0, std::make_shared<const ShardRef>(shards.store(*store, i))});
    return places;
  }
};

struct NoInterrupt : InterruptProbe {
  void check() override {}
};

// count(*) of the shards, by the hour.
RollupScan hourly_counts(const TablePtr& table) {
  auto spec = std::make_shared<RollupSpec>();
  spec->bucket = parse_time_bucket("1 hour", table->schema.precision, "bucket");
  return {table, std::make_shared<ScanPlan>(), spec};
}
std::int64_t rows_of(const PartialAggregates& groups) {
  std::int64_t sum = 0;
  for (std::uint32_t group : groups.ordered(false)) sum += groups.rows(group);
  return sum;
}

std::int64_t aggregate_all(World& world, const SealedShards& shards) {
  const RollupScan scan = hourly_counts(shards.table());
  ShardAggregation aggregation(world.files, world.store, scan, world.all(shards), world.cancel, world.stats);
  PartialAggregates groups(scan.spec);
  NoInterrupt probe;
  aggregation.start();
  aggregation.finish(groups, probe);
  return rows_of(groups);
}

Fetch how(const ShardRef& ref, const ScanPlan& plan) { return how_to_fetch(ref, plan, large().table()->schema); }

}  // namespace

TEST_CASE("far_shard: small files and most rows of all series are fetched whole, some series or a few rows head first") {
  ShardRef ref;
  ref.size = 16 * kMiB;
  ref.rows = 1000;
  CHECK(how(ref, ScanPlan()) == Fetch::kWhole);
  CHECK(how(ref, *plan_of_hosts({"host101"})) == Fetch::kHeadFirst);
  ScanPlan plan;
  plan.filters.push_back({2, ">", {OwnedValue()}, ""});
  CHECK(how(ref, plan) == Fetch::kWhole);
  plan.limit = 999;
  CHECK(how(ref, plan) == Fetch::kHeadFirst);
  plan.limit = 1000;
  CHECK(how(ref, plan) == Fetch::kWhole);
  ref.size = kMiB;
  CHECK(how(ref, *plan_of_hosts({"host101"})) == Fetch::kWhole);
  ref.size = kMiB + 1;
  CHECK(how(ref, *plan_of_hosts({"host101"})) == Fetch::kHeadFirst);
}

TEST_CASE("far_shard: a whole scan of a large file asks for all its parts at once, before it is opened, and for no byte twice") {
  World world;
  const std::uint64_t size = large().bytes().size();
  const int parts = static_cast<int>((size + 2 * kMiB - 1) / (2 * kMiB));
  REQUIRE(parts >= 4);
  const Rounds rounds(*world.store, {parts});
  auto shard = world.far(large(), ScanPlan());
  CHECK(shard->start());
  CHECK(world.rows(*shard, plan_of_hosts({})) == 40 * kRows);
  CHECK(world.store->requests() == static_cast<std::uint64_t>(parts));
  CHECK(world.store->bytes_read() == size);
  CHECK(world.ahead->room() == AheadBytes::kMost);
}

TEST_CASE("far_shard: one series costs the head and its own range, also of a file that one GET would bring; a whole scan that one GET") {
  World world;
  const auto plan = plan_of_hosts({"host105"});
  auto shard = world.far(medium(), *plan);
  CHECK(shard->start());
  CHECK(world.rows(*shard, plan) == kRows);
  CHECK(world.store->requests() == 2);
  CHECK(world.store->bytes_read() <= kHead + medium().bytes().size() / 10 + 4 * kBlock);
  World other;
  auto whole = other.far(medium(), ScanPlan());
  CHECK(whole->start());
  CHECK(other.rows(*whole, plan_of_hosts({})) == 10 * kRows);
  CHECK(other.store->requests() == 1);
  CHECK(other.store->bytes_read() == medium().bytes().size());
}

TEST_CASE("far_shard: what an earlier scan has in memory is not asked for again, whichever way it was fetched") {
  World world;
  const auto plan = plan_of_hosts({"host105"});
  CHECK(world.rows(*world.far(medium(), *plan), plan) == kRows);
  const std::uint64_t before = world.store->bytes_read();
  auto shard = world.far(medium(), ScanPlan());
  CHECK(shard->start());
  CHECK(world.rows(*shard, plan_of_hosts({})) == 10 * kRows);
  CHECK(world.store->bytes_read() - before <= medium().bytes().size());
  world.store->reset_counts();
  CHECK(world.rows(*world.far(medium(), *plan), plan) == kRows);
  CHECK(world.store->requests() == 0);
  CHECK(world.stats.cache_hits == 2);
}

TEST_CASE("far_shard: later shards wait for room that reading the first one makes; who is waited for does not") {
  const std::uint64_t size = medium().bytes().size();
  World world(size + kBlock);
  auto first = world.far(medium(), ScanPlan());
  auto second = world.far(large(), ScanPlan());
  CHECK(first->start());
  CHECK(!second->start());
  CHECK(world.rows(*first, plan_of_hosts({})) == 10 * kRows);
  CHECK(world.store->requests() == 1);
  CHECK(!second->start());  // more than there will ever be room for
  second->await();
  CHECK(world.rows(*second, plan_of_hosts({})) == 40 * kRows);
  CHECK(world.ahead->room() == size + kBlock);
}

TEST_CASE("far_shard: one that is not wanted any more ends without waiting for its requests, and nobody uses its Cancel afterwards") {
  World world;
  world.store->set_latency_ms(3'600'000);  // that only a Cancel ends
  auto cancel = std::make_unique<StatementCancel>(&world.stats);
  auto shard = std::make_unique<FarShard>(world.files, world.store, large().table(), large().store(*world.store), ScanPlan(), cancel.get());
  CHECK(shard->start());
  CHECK(world.ahead->room() < AheadBytes::kMost);
  shard.reset();
  cancel.reset();
  while (world.ahead->room() < AheadBytes::kMost) std::this_thread::yield();
}

TEST_CASE("far_shard: all files of an aggregation are asked for together, more of them than there are workers") {
  World world;
  REQUIRE(hourly().count() == kHours);
  const Rounds rounds(*world.store, {kHours});
  CHECK(aggregate_all(world, hourly()) == 5 * kHours * 360);
  CHECK(world.stats.requests == kHours);
  CHECK(world.stats.files_read == kHours);
}

TEST_CASE("far_shard: with room for nothing an aggregation is still complete") {
  World world(0);
  CHECK(aggregate_all(world, hourly()) == 5 * kHours * 360);
  CHECK(world.ahead->room() == 0);
}

TEST_CASE("far_shard: a stream that is closed early calls off its requests") {
  World world;
  world.store->set_latency_ms(3'600'000);
  NoInterrupt probe;
  auto stream = stream_shard(world.files, world.store, large().table(), large().store(*world.store), plan_of_hosts({"host101"}),
                             &world.cancel, &world.stats, probe);
  stream->prefetch();
  while (world.store->requests() == 0) std::this_thread::yield();
  stream.reset();  // would take an hour
  CHECK(!world.cancel.cancelled());
}
