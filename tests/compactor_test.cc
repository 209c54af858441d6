// Tests of the compactor: whoever else writes, compacts or removes meanwhile, every row counts once at every moment.
#include "ext/archive/compactor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "ext/archive/listed_key.h"
#include "ext/archive/sealer.h"
#include "ext/base/clock.h"
#include "ext/base/file.h"
#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

using Kind = MemoryStore::Kind;

constexpr std::int64_t kDay = 86'400'000;
const std::string kPartition = "1970-01-02";

class Nobody : public Cancel {
 public:
  bool cancelled() const override { return left-- <= 0; }
  mutable std::int64_t left = INT64_MAX;
};

// An archive of numbered rows, and what a reader of it sees.
struct World {
  World() {
    for (const char* name : {"open", "sealed", "spool"}) make_directories(dir / name);
    store->overwrite("cpu/schema-000001.json", schema_to_json(table->schema));
  }

  // A file of rows of one minute of the day, as the flusher makes it.
  void write(int minute, int rows = 5) {
    const std::string name = std::to_string(++files) + ".db";
    OpenShard::create_files(dir / "open", name);
    OpenShard shard(dir / "open", name, files);
    RowBuffer buffer(3);
    for (int i = 0; i < rows; i++) add_row(buffer, kDay + minute * 60'000 + i, i % 2 ? "a" : "b", ++written);
    REQUIRE(shard.begin());
    shard.insert(table, buffer);
    shard.prepare();
    shard.publish(1);
    for (const SealedRow& row : seal_table(table, {{name, {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host")) {
      store->overwrite(row.key, std::string(MappedFile(dir / "sealed" + "/" + row.file).bytes()));
    }
  }

  // As docs/FORMAT.md says: names, then the record, which takes precedence.
  std::vector<std::string> counting() {
    MergeRecord record;
    std::vector<std::string> keys;
    for (const std::string& key : store->keys()) {
      const std::string name = key.substr(key.rfind('/') + 1);
      if (auto sequence = merge_record_sequence(name)) {
        record = merge_record_from_json(*store->bytes_of(key), *table, kPartition, *sequence, key);
      } else if (auto shard = parse_shard_name(name, Precision::kMillis); shard && key.find("/merged/") == std::string::npos) {
        keys.push_back(key);
      }
    }
    std::erase_if(keys, [&](const std::string& key) {
      return record.is_dead(parse_shard_name(key.substr(key.rfind('/') + 1), Precision::kMillis)->id);
    });
    for (const MergedFile& file : record.live) keys.push_back(merged_file_key(*table, file.name));
    return keys;
  }

  // The rows that count: 1 to `written`, each once.
  void check() {
    std::vector<std::int64_t> values;
    for (const std::string& key : counting()) {
      const auto bytes = store->bytes_of(key);
      REQUIRE(bytes);
      const std::string path = dir / "read.sqlite";
      write_file(path, *bytes, Sync::kNo);
      MergeLane lane({path, key, key, *parse_shard_name(key.substr(key.rfind('/') + 1), Precision::kMillis)}, table, 0);
      while (!lane.ended()) {
        do {
          const char* at = lane.row().data();
          RowBuffer::skip(at);
          RowBuffer::skip(at);
          values.push_back(RowBuffer::read(at).integer);
        } while (lane.next());
      }
    }
    std::sort(values.begin(), values.end());
    CHECK(values.size() == static_cast<std::size_t>(written));
    for (std::size_t i = 0; i < values.size(); i++) {
      if (values[i] != static_cast<std::int64_t>(i) + 1) FAIL("row " << i + 1 << " is missing or doubled");
    }
  }

  Compacted compact(bool dry_run = false) {
    Compactor compactor(store, table, options(dry_run), cancel, [](std::int64_t, std::int64_t, std::uint64_t) {});
    return compactor.compact(kPartition);
  }
  CompactOptions options(bool dry_run = false) const {
    CompactOptions out;
    out.directory = dir / "spool";
    out.dry_run = dry_run;
    out.fan_in = 4;
    return out;
  }

  TempDir dir;
  TablePtr table = small_table();
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  Nobody cancel;
  std::int64_t files = 0, written = 0;
};

}  // namespace

TEST_CASE("compactor: small files become one, their names are dead, and nothing is left in the spool") {
  World world;
  for (int minute = 0; minute < 10; minute++) world.write(minute);
  const Compacted plan = world.compact(true);
  CHECK(plan.files_before == 10);
  CHECK(plan.files_after == 1);
  CHECK_FALSE(plan.bytes_after);
  CHECK(world.counting().size() == 10);
  const Compacted done = world.compact();
  CHECK(done.files_before == 10);
  CHECK(done.files_after == 1);
  CHECK(done.rows == world.written);
  CHECK(done.bytes_after < done.bytes_before);
  CHECK(world.counting().size() == 1);
  world.check();
  CHECK(list_directory(world.dir / "spool").empty());
  // Nothing is worth doing twice, and late rows wait until there are enough of them.
  world.store->reset_counts();
  CHECK(world.compact().files_after == 1);
  CHECK(world.store->puts() == 0);
  world.write(3, 1);
  CHECK(world.compact().files_after == 2);
  world.check();
}

TEST_CASE("compactor: partitions are found one after the other, from any on") {
  World world;
  world.write(1);
  world.store->overwrite("cpu/1970-01-05/anything", "x");
  world.store->overwrite("cpu/strange/anything", "x");
  world.store->set_page_size(1);
  Compactor compactor(world.store, world.table, world.options(), world.cancel, [](std::int64_t, std::int64_t, std::uint64_t) {});
  CHECK(compactor.partition_from("") == kPartition);
  CHECK(compactor.partition_from(kPartition) == kPartition);
  CHECK(compactor.partition_after(kPartition) == "1970-01-05");
  CHECK(compactor.partition_from("1970-01-03") == "1970-01-05");
  CHECK_FALSE(compactor.partition_after("1970-01-05"));
}

TEST_CASE("compactor: a fault or an interrupt at any request loses and doubles nothing, and the next try ends the work") {
  int faults = 0;
  for (int fail_at = 1;; fail_at++) {
    World world;
    for (int minute = 0; minute < 6; minute++) world.write(minute);
    int request = 0;
    const bool before = fail_at % 2;
    auto hook = [&](const MemoryStore::Request&) {
      if (++request == fail_at / 2 + 1) throw Error(Code::kUnavailable, "gone");
    };
    before ? world.store->before(hook) : world.store->after(hook);
    bool failed = false;
    try {
      world.compact();
    } catch (const Error& e) {
      failed = true;
      CHECK(e.code() == Code::kUnavailable);
    }
    world.store->before(nullptr);
    world.store->after(nullptr);
    world.check();
    world.write(3, 2);
    world.compact();
    CHECK(world.counting().size() <= 2);
    world.check();
    faults += failed;
    if (request < fail_at / 2 + 1) break;
  }
  CHECK(faults > 15);
}

TEST_CASE("compactor: writers, another compactor and a reader act between any two requests") {
  for (int seed = 1; seed <= 12; seed++) {
    World world;
    for (int minute = 0; minute < 8; minute++) world.write(minute);
    int request = 0, depth = 0;
    auto hook = [&](const MemoryStore::Request&) {
      if (depth > 0) return;
      depth++;
      const int turn = ++request;
      world.check();
      if (turn % 5 == seed % 5) world.write(turn % 10, 2);
      if (turn == seed * 2 || turn == seed * 3) {
        World* all = &world;  // another process, with a directory of its own
        make_directories(all->dir / "other");
        CompactOptions options = all->options();
        options.directory = all->dir / "other";
        Compactor other(all->store, all->table, options, all->cancel, [](std::int64_t, std::int64_t, std::uint64_t) {});
        other.compact(kPartition);
        all->check();
      }
      depth--;
    };
    if (seed % 2) {
      // GETs run on other threads: only what the compactor itself asks for is a turn.
      world.store->before([&](const MemoryStore::Request& r) { r.kind == Kind::kGet ? void() : hook(r); });
    } else {
      world.store->after([&](const MemoryStore::Request& r) { r.kind == Kind::kGet ? void() : hook(r); });
    }
    try {
      world.compact();
    } catch (const Error& e) {
      FAIL("seed " << seed << ": " << e.what());
    }
    world.store->before(nullptr);
    world.store->after(nullptr);
    world.check();
    world.compact();
    world.check();
    CHECK(world.counting().size() <= 8);
  }
}

TEST_CASE("compactor: a file that is damaged is named, and the partition stays as it is") {
  World world;
  for (int minute = 0; minute < 4; minute++) world.write(minute);
  const std::string key = world.counting()[2];
  std::string bytes = world.store->bytes_of(key).value_or("");
  REQUIRE(bytes.size() > 5000);
  bytes.at(5000) = static_cast<char>(bytes.at(5000) ^ 1);
  world.store->overwrite(key, bytes);
  try {
    world.compact();
    FAIL("a damaged file was merged");
  } catch (const Error& e) {
    CHECK(e.code() == Code::kCorrupt);
    CHECK(std::string(e.what()).find(key) != std::string::npos);
  }
  CHECK(world.counting().size() == 4);
  CHECK(list_directory(world.dir / "spool").empty());
}

TEST_CASE("compactor: an interrupt at any poll ends it, and nothing has changed or all has") {
  for (std::int64_t polls = 0; polls < 60; polls += 3) {
    World world;
    for (int minute = 0; minute < 9; minute++) world.write(minute);
    world.cancel.left = polls;
    try {
      world.compact();
    } catch (const Error& e) {
      CHECK(e.code() == Code::kInterrupted);
    }
    const std::size_t counting = world.counting().size();
    CHECK((counting == 9 || counting == 1));
    world.check();
    CHECK(list_directory(world.dir / "spool").empty());
  }
}
