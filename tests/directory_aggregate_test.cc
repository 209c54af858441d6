// Tests of DirectoryAggregation: the answers of chunks without the chunks, what is fetched for them, and directories that lie.
#include "ext/archive/directory_aggregate.h"

#include <doctest/doctest.h>

#include <random>

#include "ext/archive/open_shard.h"
#include "ext/archive/sealer.h"
#include "ext/base/file.h"
#include "tests/support/rounds.h"
#include "tests/support/shard_fixture.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::uint64_t kHead = RangedFile::kHeadBytes, kBlock = 64 << 10;

struct NoInterrupt : InterruptProbe {
  void check() override {}
};

struct World {
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  QueryStats stats;
  StatementCancel cancel{&stats};
  ShardFiles files;

  template <class Aggregation>
  std::string answer(const RollupScan& scan, const std::vector<ShardRef>& shards) {
    std::vector<ShardPlace> places;
    for (const ShardRef& ref : shards) places.push_back({nullptr, 0, std::make_shared<const ShardRef>(ref)});
    Aggregation aggregation(files, store, scan, std::move(places), cancel, stats);
    PartialAggregates groups(scan.spec);
    NoInterrupt probe;
    aggregation.start();
    aggregation.finish(groups, probe);
    return shown(groups);
  }

  static std::string shown(const PartialAggregates& groups) {
    RowBuffer rows(0);
    for (std::uint32_t group : groups.ordered(false)) {
      rows.begin_row();
      rows.add_integer(groups.bucket(group));
      rows.add_integer(groups.rows(group));
      for (std::size_t t = 0; t < groups.spec().tags.size(); t++) rows.add_cell(groups.tag(group, t));
      for (std::size_t m = 0; m < groups.spec().measures.size(); m++) {
        for (Statistic edge : {kFirst, kLast}) {
          if (groups.spec().measures[m].statistics & edge) rows.add_cell(groups.result(group, m, edge));
        }
      }
    }
    std::string all;
    for (std::size_t i = 0; i < rows.rows(); i++) all += std::string(rows.row_bytes(i)) + "\n";
    return all;
  }
};

RollupScan scan_of(const TablePtr& table, std::vector<int> tags, std::vector<Measure> measures, const char* width = "1 month") {
  auto spec = std::make_shared<RollupSpec>();
  spec->bucket = parse_time_bucket(width, table->schema.precision, "test");
  for (int tag : tags) spec->tag_collations.push_back(collation_of(table->schema.columns[static_cast<std::size_t>(tag)]));
  spec->tags = std::move(tags);
  spec->measures = std::move(measures);
  auto plan = std::make_shared<ScanPlan>();
  plan->columns = spec->tags;
  for (const Measure& measure : spec->measures) plan->columns.push_back(measure.column);
  return {table, plan, spec};
}

RollupScan with_filter(RollupScan scan, int column, const std::string& value) {
  auto plan = std::make_shared<ScanPlan>(*scan.plan);
  OwnedValue text;
  text.type = SQLITE_TEXT;
  text.bytes = value;
  plan->filters.push_back({column, "=", {text}, ""});
  scan.plan = plan;
  return scan;
}

// Shards of one month whose rows have few times, so that many share a series' first or last one, across chunks and shards.
struct Shards {
  TablePtr table;
  std::vector<ShardRef> refs;

  Shards(MemoryStore& store, unsigned seed, int count, int rows_each, const std::string& change = "") {
    Schema schema;
    schema.columns = {{"ts", "INTEGER", false, false, "", ""},       {"host", "TEXT", true, false, "", "NOCASE"},
                      {"zone", "TEXT", true, false, "", ""},         {"n", "INTEGER", false, false, "", ""},
                      {"r", "REAL", false, false, "", ""},           {"any", "", false, false, "", ""},
                      {"none", "INTEGER", false, false, "", ""}};
    schema.time_column = 0;
    schema.partition = Partition::kMonth;
    table = make_table_def("cpu", schema);
    std::mt19937 random(seed);
    for (int shard = 0; shard < count; shard++) {
      const std::int64_t times = 1 + random() % 4, step = 1 + random() % 900, begin = random() % 3 * 1000;
      RowBuffer rows(7);
      for (int i = 0; i < rows_each; i++) {
        rows.begin_row();
        rows.add_integer(begin + static_cast<std::int64_t>(random()) % times * step);
        const char* const kHosts[] = {"a", "A", "b", "c"};
        rows.add_text(kHosts[random() % (i % 2 ? 4 : 2)]);
        rows.add_text(i % 3 ? "x" : "y");
        random() % 9 ? rows.add_integer(static_cast<int>(random() % 100)) : rows.add_null();
        rows.add_real(random() % 2 ? static_cast<double>(random() % 1000) / 100 : std::ldexp(static_cast<double>(random()), -40));
        random() % 2 ? rows.add_text("t" + std::to_string(random() % 5)) : rows.add_integer(static_cast<int>(random() % 5));
        rows.add_null();
      }
      add(store, rows, change);
    }
  }

 private:
  void add(MemoryStore& store, const RowBuffer& rows, const std::string& change) {
    TempDir dir;
    make_directories(dir / "open");
    make_directories(dir / "sealed");
    OpenShard::create_files(dir / "open", "a.db");
    OpenShard shard(dir / "open", "a.db", 1);
    REQUIRE(shard.begin());
    shard.insert(table, rows);
    shard.prepare();
    shard.publish(1);
    for (const SealedRow& row : seal_table(table, {{"a.db", {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host")) {
      const std::string path = dir / "sealed" + "/" + row.file;
      if (!change.empty()) {
        Database(path, SQLITE_OPEN_READWRITE).exec(change);
        stamp_sealed(path);
      }
      const std::string bytes(MappedFile(path).bytes());
      constexpr std::size_t kUserVersionEnds = 63;
      REQUIRE((bytes[kUserVersionEnds] == kFormatPacked || rows.rows() < 1000));
      const auto name = parse_shard_name(row.key.substr(row.key.rfind('/') + 1), table->schema.precision);
      refs.push_back({row.key, store.overwrite(row.key, bytes), "", bytes.size(), name->start, name->end, name->rows});
    }
  }
};

// Shards by the hour of 80 hosts, each larger than what is fetched whole.
const SealedShards& hourly() {
  static const SealedShards made(80, 3 * 360, Partition::kHour);
  return made;
}
std::vector<ShardRef> hourly_in(MemoryStore& store) {
  std::vector<ShardRef> refs;
  for (std::size_t i = 0; i < hourly().count(); i++) refs.push_back(hourly().store(store, i));
  return refs;
}

}  // namespace

TEST_CASE("directory_aggregate: it suffices for rows, first and last values of a shard that lies in one bucket and in the scan's range") {
  RollupScan scan = scan_of(hourly().table(), {1}, {{2, kLast}, {3, kFirst | kLast}}, "1 hour");
  auto suffices = [&](std::int64_t start, std::int64_t end) { return DirectoryAggregation::suffices(scan, start, end); };
  CHECK(suffices(0, 3'599'999));
  CHECK_FALSE(suffices(0, 3'600'000));
  CHECK_FALSE(suffices(-1, 5));
  auto plan = std::make_shared<ScanPlan>(*scan.plan);
  plan->from = 10;
  plan->to = 20;
  scan.plan = plan;
  CHECK(suffices(10, 20));
  CHECK_FALSE(suffices(9, 20));
  CHECK_FALSE(suffices(10, 21));
  for (unsigned more : {kCount, kSum, kMin, kMax}) {
    const RollupScan other = scan_of(hourly().table(), {1}, {{2, kLast}, {3, kFirst | more}}, "1 hour");
    CHECK_FALSE(DirectoryAggregation::suffices(other, 0, 1));
  }
}

TEST_CASE("directory_aggregate: its answers are those of all chunks, however rows share times, series and shards") {
  const std::vector<std::vector<int>> tags = {{}, {1}, {2}, {1, 2}};
  for (unsigned seed = 1; seed <= 12; seed++) {
    World world;
    const Shards shards(*world.store, seed, 1 + static_cast<int>(seed % 4), 3500);
    for (const std::vector<int>& by : tags) {
      for (unsigned edges : {0u, unsigned{kFirst}, unsigned{kLast}, kFirst | kLast}) {
        std::vector<Measure> measures;
        for (int column : {3, 4, 5, 6}) {
          if (edges) measures.push_back({column, column == 4 ? edges & -edges : edges});
        }
        for (const char* host : {"", "a", "B", "none"}) {
          CAPTURE(seed);
          CAPTURE(by.size());
          CAPTURE(edges);
          CAPTURE(host);
          RollupScan scan = scan_of(shards.table, by, measures);
          if (*host) scan = with_filter(scan, 1, host);
          REQUIRE(DirectoryAggregation::suffices(scan, shards.refs[0].start, shards.refs[0].end));
          CHECK(world.answer<DirectoryAggregation>(scan, shards.refs) == world.answer<ShardAggregation>(scan, shards.refs));
        }
      }
    }
  }
}

TEST_CASE("directory_aggregate: rows are counted by the heads alone, all of which are asked for at once") {
  World world, other;
  const std::vector<ShardRef> shards = hourly_in(*world.store);
  REQUIRE(shards.size() == 3);
  for (const ShardRef& ref : shards) REQUIRE(ref.size > (1 << 20));
  const Rounds rounds(*world.store, {3});
  const RollupScan scan = scan_of(hourly().table(), {1}, {}, "1 hour");
  const std::string counted = world.answer<DirectoryAggregation>(scan, shards);
  CHECK(world.store->requests() == 3);
  CHECK(world.store->bytes_read() == 3 * kHead);
  CHECK(world.stats.rows_read == 80 * 3 * 360);
  CHECK(counted == other.answer<ShardAggregation>(scan, hourly_in(*other.store)));
}

TEST_CASE("directory_aggregate: the last row of each series is read out of the newest shard alone, the first one out of the oldest") {
  for (const Statistic edge : {kFirst, kLast}) {
    World world, other;
    const std::vector<ShardRef> shards = hourly_in(*world.store);
    const RollupScan scan = scan_of(hourly().table(), {1}, {{2, edge}, {6, edge}}, "1 day");
    const std::string found = world.answer<DirectoryAggregation>(scan, shards);
    const std::uint64_t least = shards[edge == kFirst ? 0 : 2].size;
    CHECK(world.store->bytes_read() <= 2 * kHead + least + kBlock);
    for (const MemoryStore::Request& request : world.store->log()) {
      if (request.offset >= kHead) CHECK(request.key == shards[edge == kFirst ? 0 : 2].key);
    }
    CHECK(found == other.answer<ShardAggregation>(scan, hourly_in(*other.store)));
  }
}

TEST_CASE("directory_aggregate: of one series a few pages are read") {
  World world, other;
  const RollupScan scan = with_filter(scan_of(hourly().table(), {1}, {{2, kLast}}, "1 day"), 1, "host142");
  const std::string found = world.answer<DirectoryAggregation>(scan, hourly_in(*world.store));
  CHECK(world.store->bytes_read() <= 3 * kHead + 2 * kBlock);
  CHECK(found == other.answer<ShardAggregation>(scan, hourly_in(*other.store)));
}

TEST_CASE("directory_aggregate: more shards than are open side by side give the same answer") {
  World world;
  const Shards shards(*world.store, 5, 70, 40);
  const RollupScan scan = scan_of(shards.table, {1, 2}, {{3, kFirst | kLast}, {5, kLast}});
  CHECK(world.answer<DirectoryAggregation>(scan, shards.refs) == world.answer<ShardAggregation>(scan, shards.refs));
}

TEST_CASE("directory_aggregate: one that is not what the shard's name and chunks say is refused with a sentence") {
  struct Case {
    const char* change;
    const char* sentence;
  };
  const Case cases[] = {
      {"UPDATE cpu_series SET t1=t1+1000000", "shard: a row's time lies outside the range its name says: "},
      {"UPDATE cpu_series SET t0=NULL", "shard: a row's time lies outside the range its name says: "},
      {"UPDATE cpu_series SET t0=t1+1", "shard: a row's time lies outside the range its name says: "},
      {"DELETE FROM cpu_series", "shard: its series do not number its rows: "},
      {"DELETE FROM cpu_series WHERE first_chunk=1", "shard: its series do not number its rows: "},
      {"UPDATE cpu_series SET first_chunk=first_chunk+1, last_chunk=last_chunk+1", "shard: its series do not number its rows: "},
      {"UPDATE cpu_series SET last_chunk=last_chunk+100000 WHERE first_chunk=(SELECT max(first_chunk) FROM cpu_series)",
       "shard: its series do not number its rows: "},
      {"UPDATE cpu_series SET t1=t1-1 WHERE t1>t0", "shard: a series' chunks are not what its directory says: "},
      {"UPDATE cpu_series SET t0=t0+1 WHERE t1>t0", "shard: a series' chunks are not what its directory says: "},
      {"DELETE FROM cpu_series WHERE first_chunk=(SELECT max(first_chunk) FROM cpu_series)",
       "shard: a series' chunks are not what its directory says: "},
      {"DELETE FROM cpu_chunk", "shard: a series' chunks are not what its directory says: "},
      {"UPDATE cpu_chunk SET n_bits=63", "shard: damaged chunk in "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.change);
    World world;
    const Shards shards(*world.store, 3, 1, 6000, c.change);
    std::string found = "taken";
    try {
      world.answer<DirectoryAggregation>(scan_of(shards.table, {1, 2}, {{3, kFirst | kLast}}), shards.refs);
    } catch (const Error& e) {
      found = e.what();
    }
    CHECK(found.substr(0, std::string_view(c.sentence).size()) == c.sentence);
  }
}
