// Publishing: nothing that was stored is left out, no index loses what an earlier one has, and nothing is overwritten.
#include <doctest/doctest.h>

#include <algorithm>

#include "ext/archive/publish.h"
#include "ext/archive/shard_name.h"
#include "tests/support/memory_store.h"
#include "tests/support/s3_fixture.h"
#include "vfs/indexed_store.h"

using namespace ts;
using namespace ts_test;

namespace {

TableDef table() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}};
  schema.time_column = 0;
  return *make_table_def("cpu", schema);
}

std::string add_shard(MemoryStore& store, int month, int i) {
  const std::int64_t start = 1'767'225'600'000 + (month * 31ll * 24 + i % 700) * 3'600'000;  // from 2026-01-01
  const ShardName name{start, start, 1, "w", ulid_text({static_cast<std::uint64_t>(month), static_cast<std::uint64_t>(i)})};
  const std::string key =
      "cpu/" + partition_name(start, Precision::kMillis, Partition::kDay) + "/" + format_shard_name(name, Precision::kMillis);
  store.overwrite(key, key);
  return key;
}

std::size_t pages_in(const MemoryStore& store) {
  const auto keys = store.keys();
  return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), [](const auto& k) { return k.starts_with("cpu!index/page-"); }));
}

bool indexes(MemoryStore& store, std::int64_t number, const std::string& key) {
  const IndexRoot root = load_index_root(store, index_root_key("cpu", number), nullptr);
  for (const IndexPage& page : root.pages) {
    for (const ObjectInfo& object : load_index_page(store, "cpu", page, nullptr)) {
      if ("cpu/" + object.key == key) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("publish: what changes in one month leaves the pages of the others") {
  MemoryStore store;
  for (int month = 0; month < 6; month++) {
    for (int i = 0; i < 300; i++) add_shard(store, month, i);
  }
  publish_index(store, table(), nullptr);
  const std::size_t before = pages_in(store);
  const std::string late = add_shard(store, 2, 1000);
  store.reset_counts();
  CHECK(publish_index(store, table(), nullptr) == 2);
  CHECK(pages_in(store) == before + 1);
  CHECK(store.puts() == 2);  // that page, and the root
  CHECK(indexes(store, 2, late));
  CHECK(!indexes(store, 1, late));
}

TEST_CASE("publish: of two at once the slower one lists anew, and so lacks nothing that the faster one saw") {
  MemoryStore store;
  add_shard(store, 0, 0);
  std::string late;
  bool met = false;
  store.before([&](const MemoryStore::Request& request) {
    if (met || request.kind != MemoryStore::Kind::kPut || request.key != index_root_key("cpu", 1)) return;
    met = true;  // listed already: another shard comes, and another publisher is faster
    late = add_shard(store, 1, 1);
    CHECK(publish_index(store, table(), nullptr) == 1);
  });
  CHECK(publish_index(store, table(), nullptr) == 2);
  CHECK(met);
  CHECK(indexes(store, 1, late));
  CHECK(indexes(store, 2, late));
}

TEST_CASE("publish: whichever request fails, no reader sees part of an index, and publishing again succeeds") {
  for (int fails = 0;; fails++) {
    auto store = std::make_shared<MemoryStore>();
    add_shard(*store, 0, 0);
    publish_index(*store, table(), nullptr);
    add_shard(*store, 1, 1);
    int at = 0;
    store->before([&](const MemoryStore::Request&) {
      if (at++ == fails) throw Error(Code::kUnavailable, "lost");
    });
    const bool failed = thrown([&] { publish_index(*store, table(), nullptr); }).code == Code::kUnavailable;
    store->before(nullptr);
    IndexedStore indexed(store, "");
    const std::size_t seen = indexed.list("cpu/", "").objects.size() + (indexed.list("cpu/", "").more ? 1 : 0);
    CHECK(seen == (failed ? 1 : 2));
    if (!failed) {
      CHECK(fails >= 6);
      break;
    }
    CHECK(publish_index(*store, table(), nullptr) == 2);
    CHECK(indexed.list("cpu/", "cpu/2026-01-02").objects.size() == 1);
  }
}
