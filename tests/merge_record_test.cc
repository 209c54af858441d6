// Merge records: written and read in one way, their laws, and what hostile bytes give.
#include "ext/archive/merge_record.h"

#include <doctest/doctest.h>

#include "ext/base/error.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kT0 = 1'795'392'000'000;  // 2026-11-23
const std::string kDay = "2026-11-23";
const TablePtr kTable = small_table();

std::string id(unsigned n) {
  std::array<unsigned char, 10> random{};
  random[8] = static_cast<unsigned char>(n >> 8), random[9] = static_cast<unsigned char>(n);
  return make_ulid(kT0, random);
}

MergedFile file(unsigned n, std::int64_t start = kT0) { return {{start, start + 60'000, 10, "m", id(n)}, 1000 + n, "an-etag"}; }

MergeRecord first(std::vector<unsigned> dead, std::vector<unsigned> live) {
  MergeRecord none;
  none.partition = kDay;
  MergeRecord record = none.next(id(9999));
  std::vector<UlidBits> ids;
  for (unsigned n : dead) ids.push_back(ulid_bits(id(n)));
  record.bury(ids, 5);
  for (unsigned n : live) record.add_live(file(n));
  return record;
}

MergeRecord parse(const std::string& json) { return merge_record_from_json(json, *kTable, kDay, 1, "s3://b/o"); }

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("merge record: it is read as it was written, and looks as the format says") {
  MergeRecord record = first({3, 1, 2, 1}, {12, 11});
  const std::string json = merge_record_to_json(record, *kTable);
  CHECK(json ==
        R"({"format":1,"table":"cpu","partition":"2026-11-23","sequence":1,"id":")" + id(9999) + R"(","live":[{"name":")" +
            format_shard_name(file(11).name, Precision::kMillis) + R"(","bytes":1011,"etag":"an-etag"},{"name":")" +
            format_shard_name(file(12).name, Precision::kMillis) +
            R"(","bytes":1012,"etag":"an-etag"}],"dead":[{"remove_from_ms":5,"ids":")" + id(1) + id(2) + id(3) + R"("}]})");
  MergeRecord back = parse(json);
  CHECK(merge_record_to_json(back, *kTable) == json);
  CHECK(back.sequence == 1);
  CHECK(back.is_dead(id(2)));
  CHECK_FALSE(back.is_dead(id(11)));
  REQUIRE(back.death(ulid_bits(id(3))));
  CHECK(back.death(ulid_bits(id(3)))->remove_from_ms == 5);
  CHECK(back.live[1].size == 1012);
}

TEST_CASE("merge record: keys have six digits, and no other text is one") {
  CHECK(merge_record_key(*kTable, kDay, 7) == "cpu/2026-11-23/merge-000007.json");
  CHECK(merge_record_key(*kTable, kDay, 123456) == "cpu/2026-11-23/merge-123456.json");
  CHECK(merge_record_sequence("merge-000007.json") == 7);
  CHECK(merge_record_sequence("merge-999999.json") == kMaxRecordSequence);
  for (const char* text : {"merge-000000.json", "merge-1.json", "merge-0000001.json", "merge-00000a.json", "merge-000001.jsom", ""}) {
    CHECK_FALSE(merge_record_sequence(text));
  }
  const std::string merged = merged_file_key(*kTable, file(1).name);
  CHECK(merged == "cpu/2026-11-23/merged/" + format_shard_name(file(1).name, Precision::kMillis));
  CHECK(merge_record_key(*kTable, kDay, kMaxRecordSequence) < merged);  // a partition is listed shards, records, merged files
  CHECK("cpu/2026-11-23/" + format_shard_name(file(1).name, Precision::kMillis) < merge_record_key(*kTable, kDay, 1));
}

TEST_CASE("merge record: burying a live file takes it away, and what is dead stays dead with its first date") {
  MergeRecord one = first({1, 2}, {11, 12});
  MergeRecord two = one.next(id(9998));
  two.bury({ulid_bits(id(2)), ulid_bits(id(11)), ulid_bits(id(4))}, 77);
  CHECK_NOTHROW(check_successor(one, two));
  CHECK(two.live.size() == 1);
  CHECK(two.death(ulid_bits(id(2)))->remove_from_ms == 5);
  CHECK(two.death(ulid_bits(id(11)))->remove_from_ms == 77);
  CHECK(two.dead_names() == 4);
  MergeRecord back = merge_record_from_json(merge_record_to_json(two, *kTable), *kTable, kDay, 2, "o");
  CHECK(back.dead_names() == 4);
}

TEST_CASE("merge record: many declarations are kept in few groups, none forgotten and none removed earlier than declared") {
  MergeRecord record = first({0}, {});
  for (unsigned n = 1; n < 300; n++) {
    MergeRecord next = record.next(id(10'000 + n));
    next.bury({ulid_bits(id(n))}, n);
    CHECK_NOTHROW(check_successor(record, next));
    record = next;
  }
  CHECK(record.dead.size() == 64);
  CHECK(record.dead_names() == 300);
  for (unsigned n = 1; n < 300; n++) {
    REQUIRE(record.is_dead(id(n)));
    CHECK(record.death(ulid_bits(id(n)))->remove_from_ms >= n);
  }
}

TEST_CASE("merge record: a successor that breaks a law is refused") {
  const MergeRecord before = first({1}, {11});
  auto refused = [&](const MergeRecord& next, const std::string& why) {
    CHECK_THROWS_WITH_AS(check_successor(before, next),
                         ("merge record: " + why + ": record " + std::to_string(next.sequence) + " of 2026-11-23").c_str(), Error);
  };
  MergeRecord next = before.next(id(9998));
  CHECK_NOTHROW(check_successor(before, next));
  MergeRecord broken = next;
  broken.sequence = 3;
  refused(broken, "does not follow the one before");
  broken = next;
  broken.id = before.id;
  refused(broken, "has no id of its own");
  broken = next;
  broken.dead.clear();
  refused(broken, "forgets a dead name");
  broken = next;
  broken.live.clear();
  refused(broken, "loses a live file");
  broken = next;
  broken.add_live(file(1));
  refused(broken, "would bring back a dead file");
  MergeRecord last = before;
  last.sequence = kMaxRecordSequence;
  CHECK_THROWS_WITH_AS(check_successor(last, last.next(id(9998))),
                       "merge record: the partition has had all 999999 records: record 1000000 of 2026-11-23", Error);
}

TEST_CASE("merge record: what is not one is an error that names the object and says why") {
  const std::string good = merge_record_to_json(first({1, 2}, {11}), *kTable);
  auto refused = [&](const std::string& json, const std::string& why) {
    CHECK_THROWS_WITH_AS(parse(json), ("merge record: " + why + ": s3://b/o").c_str(), Error);
  };
  CHECK_NOTHROW(parse(good));
  refused("", "does not parse as JSON");
  refused("[]", "is no JSON object");
  refused(std::string(kMaxRecordBytes + 1, ' '), "is larger than 32 MiB");
  refused(std::string(2 << 20, '['), "has too many values");
  refused(replaced(good, "\"format\":1", "\"format\":2"),
          "written by a newer version, its format is 2 and this version reads 1; upgrade timeseries");
  refused(replaced(good, "\"cpu\"", "\"mem\""), "says another table than its key");
  refused(replaced(good, "\"2026-11-23\"", "\"2026-11-24\""), "says another partition than its key");
  refused(replaced(good, "\"sequence\":1", "\"sequence\":2"), "says another sequence than its key");
  refused(replaced(good, "\"sequence\":1", "\"sequence\":-1"), "has a \"sequence\" that is no whole number");
  refused(replaced(good, "\"sequence\":1", "\"sequence\":18446744073709551615"), "has a \"sequence\" that is no whole number");
  refused(replaced(good, id(9999), "x"), "has an \"id\" that is no ULID");
  refused(replaced(good, id(1) + id(2), id(2) + id(1)), "has \"ids\" that do not ascend");
  refused(replaced(good, id(1) + id(2), id(1) + id(1)), "has \"ids\" that do not ascend");
  refused(replaced(good, id(1) + id(2), id(1) + "x"), "has \"ids\" that are no row of ULIDs");
  refused(replaced(good, "\"live\":[", "\"live\":[7,"), "lacks \"name\"");
  refused(replaced(good, "10rows", "0rows"), "has a live file whose \"name\" is no shard's");
  refused(replaced(good, "20261123T000000.000Z_20261123T000100.000Z", "20261122T000000.000Z_20261122T000100.000Z"),
          "has a live file of another partition");
  refused(replaced(good, "\"bytes\":1011", "\"bytes\":0"), "has a live file without bytes");
  refused(replaced(good, "an-etag", "a\\r\\nb"), "has an \"etag\" that is none");
  refused(replaced(good, "an-etag", ""), "has an \"etag\" that is none");
  refused(replaced(good, id(1) + id(2), id(1) + id(11)), "has a file that is live and dead");
  const std::string one = good.substr(good.find("{\"name\""), good.find("]") - good.find("{\"name\""));
  refused(replaced(good, one, one + "," + one), "has live files that do not ascend");
  refused(replaced(good, "\"dead\":[", "\"dead\":{\"x\":["), "does not parse as JSON");
  refused(replaced(good, "\"live\":", "\"alive\":"), "lacks \"live\"");
}
