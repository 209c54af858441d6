// A store listed by an index: the same listings as the LIST that the index was made of.
#include <doctest/doctest.h>

#include "ext/archive/publish.h"
#include "ext/archive/shard_name.h"
#include "ext/base/digest.h"
#include "tests/support/memory_store.h"
#include "tests/support/s3_fixture.h"
#include "tests/support/shard_fixture.h"
#include "vfs/indexed_store.h"

using namespace ts;
using namespace ts_test;

namespace {

TableDef table() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"v", "REAL", false, false, "", ""}};
  schema.time_column = 0;
  return *make_table_def("cpu", schema);
}

// `count` shards of a minute each, from 2026-11-23 on, 2,880 a day.
void fill(MemoryStore& store, int count, const std::string& writer = "w") {
  for (int i = 0; i < count; i++) {
    const std::int64_t start = 1'795'392'000'000 + i * 30'000ll;
    const ShardName name{start, start + 29'999, 7, writer, ulid_text({static_cast<std::uint64_t>(i), 5})};
    const std::string partition = partition_name(start, Precision::kMillis, Partition::kDay);
    store.overwrite("cpu/" + partition + "/" + format_shard_name(name, Precision::kMillis), std::to_string(i));
  }
  store.overwrite("cpu/schema-000001.json", "{}");
}

// All that a store lists, a page after the other.
std::vector<std::string> listed(Store& store, const std::string& prefix, std::string after = "") {
  std::vector<std::string> found;
  for (;;) {
    const ListPage page = store.list(prefix, after);
    for (const ObjectInfo& object : page.objects) found.push_back(object.key + " " + std::to_string(object.size) + " " + object.etag);
    if (!page.more) return found;
    REQUIRE(!page.objects.empty());
    after = page.objects.back().key;
  }
}

}  // namespace

TEST_CASE("indexed store: lists from every place what the store lists, of every size of archive") {
  for (int count : {0, 1, 1999, 2000, 2001, 9000}) {
    CAPTURE(count);
    auto memory = std::make_shared<MemoryStore>();
    fill(*memory, count);
    CHECK(publish_index(*memory, table(), nullptr) == 1);
    IndexedStore indexed(memory, "");
    for (const char* prefix : {"cpu/", "cpu/2026-11-24/", "cpu/schema-", "cpu/nothing"}) {
      for (const char* after : {"", "cpu/", "cpu/2026-11-24", "cpu/2026-11-240", "cpu/schema-000001.json", "cpu0", "zzz"}) {
        CHECK(listed(indexed, prefix, after) == listed(*memory, prefix, after));
      }
    }
  }
}

TEST_CASE("indexed store: a list looks for a newer index, and reads only the pages that it needs, once") {
  auto memory = std::make_shared<MemoryStore>();
  fill(*memory, 9000);
  publish_index(*memory, table(), nullptr);
  IndexedStore indexed(memory, "");
  memory->reset_counts();
  const std::string begin = indexed.list("cpu/", "cpu/2026-11-24").objects.at(0).key;
  CHECK(begin.starts_with("cpu/2026-11-24/"));
  CHECK(memory->requests() <= 7);  // the newest, its root, one page
  CHECK(memory->lists() == 0);
  memory->reset_counts();
  indexed.list("cpu/", "cpu/2026-11-24");
  CHECK(memory->requests() == 1);
  memory->overwrite("cpu/2026-11-24/x", "foreign");
  fill(*memory, 1, "late");
  CHECK(publish_index(*memory, table(), nullptr) == 2);
  CHECK(listed(indexed, "cpu/").size() == 9002);  // with the schema, without what is foreign
}

TEST_CASE("indexed store: a snapshot is the same for ever, whatever is stored and published later") {
  auto memory = std::make_shared<MemoryStore>();
  fill(*memory, 3000);
  const std::string token = publish_snapshot(*memory, table(), nullptr);
  CHECK(is_digest(token));
  IndexedStore before(memory, token);
  const auto then = listed(before, "cpu/");
  CHECK(then.size() == 3001);
  fill(*memory, 10, "late");
  publish_index(*memory, table(), nullptr);
  CHECK(listed(before, "cpu/") == then);
  IndexedStore fresh(memory, token);
  CHECK(listed(fresh, "cpu/") == then);
  CHECK(publish_snapshot(*memory, table(), nullptr) != token);
}

TEST_CASE("indexed store: a snapshot of other bytes than its token, and one that is not there, are refused") {
  auto memory = std::make_shared<MemoryStore>();
  fill(*memory, 3);
  const std::string token = publish_snapshot(*memory, table(), nullptr);
  const std::string other(64, 'a');
  CHECK(thrown([&] { IndexedStore(memory, other).list("cpu/", ""); }).has("there is no such snapshot of cpu at s3://memory"));
  memory->overwrite(index_snapshot_key("cpu", other), *memory->bytes_of(index_snapshot_key("cpu", token)));
  CHECK(thrown([&] { IndexedStore(memory, other).list("cpu/", ""); }).code == Code::kCorrupt);
}

TEST_CASE("indexed store: where nothing is published, that is said with the remedy") {
  auto memory = std::make_shared<MemoryStore>();
  IndexedStore indexed(memory, "");
  const Thrown error = thrown([&] { indexed.list("cpu/", ""); });
  CHECK(error.code == Code::kNotFound);
  CHECK(error.has("run ts_publish"));
}

TEST_CASE("indexed store: reads are pinned, an object that a snapshot needs and is gone is said so, and writes are refused") {
  auto memory = std::make_shared<MemoryStore>();
  fill(*memory, 1);
  IndexedStore indexed(memory, publish_snapshot(*memory, table(), nullptr));
  const ObjectInfo object = indexed.list("cpu/2026-11-23/", "").objects.at(0);
  CHECK(indexed.get_range(object.key, object.etag, 0, 10).bytes == "0");
  memory->forget(object.key);
  const Thrown gone = thrown([&] { indexed.get_range(object.key, object.etag, 0, 10); });
  CHECK(gone.code == Code::kChanged);
  CHECK(gone.has("take a new one with ts_snapshot"));
  CHECK(thrown([&] { indexed.put_if_absent("cpu/x", "y"); }).code == Code::kReadOnly);
  CHECK(thrown([&] { indexed.remove("cpu/x"); }).code == Code::kReadOnly);
}
