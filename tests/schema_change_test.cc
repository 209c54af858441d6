// Tests of archive/schema_change: one conditional PUT, of which one wins each number; what a lost answer and a careless store do.
#include "ext/archive/schema_change.h"

#include <doctest/doctest.h>

#include "ext/archive/partition_commit.h"
#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

Column column(const std::string& name) { return {name, "TEXT", false, false, "", ""}; }

// A store that lets somebody else act before a PUT, or that loses its answer.
class Meddled : public Store {
 public:
  ListPage list(std::string_view prefix, std::string_view after, const Cancel* cancel) override {
    return inner.list(prefix, after, cancel);
  }
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length, const Cancel* cancel) override {
    return inner.get_range(key, etag, offset, length, cancel);
  }
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel) override {
    puts++;
    if (before_put) before_put(key);
    PutResult result = inner.put_if_absent(key, bytes, cancel);
    if (lose_answers && result.stored) result.stored = false;  // what a retry of a PUT that was done learns
    if (careless) result.stored = true;
    return result;
  }
  void remove(std::string_view key, const Cancel* cancel) override { inner.remove(key, cancel); }
  std::string describe() const override { return inner.describe(); }

  MemoryStore inner;
  std::function<void(std::string_view)> before_put;
  bool lose_answers = false, careless = false;
  int puts = 0;
};

std::int64_t add(Store& store, const std::string& name) {
  return change_archive_schema(store, *small_table("cpu"), "ts_add_column", add_column_step(column(name)), nullptr)->number;
}

std::vector<std::string> names(Store& store) {
  const ArchiveSchemaPtr archive = read_archive_schema(store, "cpu", nullptr);
  std::vector<std::string> found;
  for (const Column& c : archive->schema.columns) found.push_back(c.name);
  return found;
}

}  // namespace

TEST_CASE("schema change: the first of an archive without a schema publishes the table's before its own") {
  Meddled store;
  CHECK(add(store, "note") == 2);
  CHECK(store.inner.list("cpu/", "", nullptr).objects.size() == 2);
  CHECK(names(store) == std::vector<std::string>{"ts", "host", "value", "note"});
  CHECK(add(store, "NOTE") == 2);  // it is there
}

TEST_CASE("schema change: who loses a number starts over from the schema that won it") {
  Meddled store;
  add(store, "first");
  int others = 0;
  store.before_put = [&](std::string_view key) {
    if (key.find("schema-000003") == std::string_view::npos || others++) return;
    add(store.inner, "other");
  };
  CHECK(add(store, "mine") == 4);
  CHECK(names(store) == std::vector<std::string>{"ts", "host", "value", "first", "other", "mine"});
}

TEST_CASE("schema change: when another adds the same column in that instant, it is there and no error") {
  Meddled store;
  add(store, "first");
  bool done = false;
  store.before_put = [&](std::string_view key) {
    if (key.find("schema-000003") == std::string_view::npos || std::exchange(done, true)) return;
    add(store.inner, "same");
  };
  CHECK(add(store, "same") == 3);
  CHECK(read_archive_schema(store, "cpu", nullptr)->number == 3);
}

TEST_CASE("schema change: a PUT whose answer was lost is known by its content") {
  Meddled store;
  add(store, "first");
  store.lose_answers = true;
  CHECK(add(store, "mine") == 3);
  CHECK(names(store).back() == "mine");
  CHECK(read_archive_schema(store, "cpu", nullptr)->number == 3);
}

TEST_CASE("schema change: a store that replaces objects is refused before anything is put") {
  Meddled store;
  add(store, "first");
  store.careless = true;
  CHECK_THROWS_WITH_AS(add(store, "mine"), doctest::Contains("ts_add_column: the store overwrites an object although asked not to"), Error);
  CHECK(read_archive_schema(store, "cpu", nullptr)->number == 2);
}

TEST_CASE("schema change: a known schema is asked for again with one LIST, and read when there is a newer one") {
  Meddled store;
  add(store, "first");
  KnownArchive known;
  CHECK_FALSE(known.newest());
  CHECK(known.look(nullptr, store, "cpu", nullptr)->number == 2);
  const ArchiveSchemaPtr seen = known.newest();
  CHECK(known.look(seen, store, "cpu", nullptr) == seen);
  add(store, "second");
  CHECK(known.look(nullptr, store, "cpu", nullptr) == seen);  // newer than none
  CHECK(known.look(seen, store, "cpu", nullptr)->number == 3);
  known.offer(seen);
  CHECK(known.newest()->number == 3);
}

TEST_CASE("schema change: a column's history is a history of names, each taken for ever") {
  Schema schema = small_table("cpu")->schema;
  auto step = [&](const SchemaStep& change) { schema = change(schema, 2).value(); };
  step(rename_column_step("value", "b"));
  step(rename_column_step("b", "c"));
  CHECK(schema.columns[2].also == std::vector<std::string>{"value", "b"});
  CHECK_FALSE(rename_column_step("value", "c")(schema, 5));  // done already
  CHECK_THROWS_AS(add_column_step(column("b"))(schema, 5), Error);
  step(rename_column_step("c", "value"));
  CHECK(schema.columns[2].also == std::vector<std::string>{"b", "c"});
  step(rename_column_step("value", "VALUE"));
  CHECK(schema.columns[2].also == std::vector<std::string>{"b", "c"});
  step(drop_column_step("Value"));
  CHECK(schema.columns.size() == 2);
  CHECK_FALSE(drop_column_step("b")(schema, 5));
  for (const char* taken : {"value", "b", "C"}) CHECK_THROWS_AS(add_column_step(column(taken))(schema, 5), Error);
  const Schema read = schema_from_json(schema_to_json(schema), "x");
  CHECK(schema_to_json(read) == schema_to_json(schema));
}
