// ShardList: names and ETags come out as they went in, in little memory, in the order of keys.
#include "ext/archive/shard_list.h"

#include <doctest/doctest.h>

#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kDay = 86'400'000, kT0 = 1'795'392'000'000;  // 2026-11-23

ShardName name(std::int64_t start, int n, const std::string& writer = "web1") {
  std::array<unsigned char, 10> random{};
  for (std::size_t i = 0; i < random.size(); i++) random[i] = static_cast<unsigned char>(n * 37 + static_cast<int>(i) * 101);
  return {start, start + 999, n + 1, writer, make_ulid(start, random)};
}

std::string key_of(const TableDef& table, const ShardName& name) {
  return table.directory + "/" + partition_name(name.start, table.schema.precision, table.schema.partition) + "/" +
         format_shard_name(name, table.schema.precision);
}

}  // namespace

TEST_CASE("shard list: the bits of a ULID give its text again, for every ULID") {
  for (const char* ulid :
       {"00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01KAQ5Z8K3M2T4V6X8Z0B2D4F6", "70000000000000000000000001"}) {
    CHECK(ulid_text(ulid_bits(ulid)) == ulid);
  }
  for (int n = 0; n < 1000; n++) {
    const std::string ulid = name(kT0 + n * 977, n).id;
    CHECK(ulid_text(ulid_bits(ulid)) == ulid);
  }
}

TEST_CASE("shard list: keys, ETags of any form, sizes and ranges come out as they went in") {
  TablePtr table = small_table("cpu load");
  ShardList list(table);
  const std::vector<std::string> etags = {"0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdef", "", "d41d8cd9-12",
                                          "0123456789abcdef0123456789abcdeg", "ffffffffffffffffffffffffffffffff", std::string(200, 'x')};
  std::vector<ShardName> names;
  for (int n = 0; n < 7; n++) names.push_back(name(kT0 + n * kDay / 2, n, n % 2 ? "web1" : "a-long.name"));
  for (std::size_t n = 0; n < names.size(); n++) list.add(names[n], etags[n], (1ull << 40) + n);
  list.finish();
  REQUIRE(list.size() == names.size());
  for (std::size_t n = 0; n < names.size(); n++) {
    const ShardRef ref = list.ref(n);
    CHECK(ref.key == key_of(*table, names[n]));
    CHECK(ref.etag == etags[n]);
    CHECK(ref.size == (1ull << 40) + n);
    CHECK(ref.path.empty());
    CHECK(ref.start == names[n].start);
    CHECK(ref.end == names[n].end);
    CHECK(ref.rows == names[n].rows);
    CHECK(list.find(ref.key) == n);
    CHECK(list.after(ref.key) == n + 1);
    CHECK(list.after(ref.key.substr(0, ref.key.size() - 1)) == n);
  }
  CHECK(list.after("cpu%20load/") == 0);
  CHECK(list.after("cpu%20load0") == names.size());
  CHECK_FALSE(list.find("cpu%20load/2026-11-23"));
  CHECK_FALSE(list.find(""));
}

TEST_CASE("shard list: a shard takes 72 bytes, whatever its name's length") {
  ShardList list(small_table());
  constexpr std::size_t kShards = 10'000;
  for (std::size_t n = 0; n < kShards; n++) {
    const std::string writer = "a-writer-with-a-rather-long-name-" + std::to_string(n % 50);
    list.add(name(kT0 + static_cast<std::int64_t>(n) * 1000, static_cast<int>(n), writer), "0123456789abcdef0123456789abcdef", n);
  }
  list.finish();
  CHECK(list.memory_bytes() >= 72 * kShards);
  CHECK(list.memory_bytes() < 73 * kShards);
}
