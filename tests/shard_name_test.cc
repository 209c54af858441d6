// Tests of archive/shard_name: one spelling for each name, and no path out of the archive's directory.
#include "ext/archive/shard_name.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "ext/base/error.h"

using namespace ts;

namespace {

constexpr const char* kName = "20261123T071600.000Z_20261123T081559.990Z_864000rows_web1_01KAQ5Z8K3M2T4V6X8Z0B2D4F6.sqlite";

bool is_shard(const std::string& name) { return parse_shard_name(name, Precision::kMillis).has_value(); }

std::string replaced(std::string_view from, std::string_view to) {
  std::string name = kName;
  name.replace(name.find(from), from.size(), to);
  return name;
}

}  // namespace

TEST_CASE("shard_name: the documented name says its range, rows, writer and id") {
  const auto name = parse_shard_name(kName, Precision::kMillis);
  REQUIRE(name);
  CHECK(name->start == 1'795'418'160'000);
  CHECK(name->end == 1'795'421'759'990);
  CHECK(name->rows == 864'000);
  CHECK(name->writer == "web1");
  CHECK(name->id == "01KAQ5Z8K3M2T4V6X8Z0B2D4F6");
  CHECK(format_shard_name(*name, Precision::kMillis) == kName);
}

TEST_CASE("shard_name: anything but the exact form is a foreign file") {
  CHECK(is_shard(kName));
  CHECK_FALSE(parse_shard_name(kName, Precision::kSeconds));
  CHECK_FALSE(is_shard(""));
  CHECK_FALSE(is_shard(".sqlite"));
  CHECK_FALSE(is_shard("____.sqlite"));
  CHECK_FALSE(is_shard(replaced(".sqlite", ".sqlite3")));
  CHECK_FALSE(is_shard(replaced(".sqlite", ".SQLITE")));
  CHECK_FALSE(is_shard(replaced(".sqlite", "")));
  CHECK_FALSE(is_shard(" " + std::string(kName)));
  CHECK_FALSE(is_shard(replaced("864000rows", "0864000rows")));
  CHECK_FALSE(is_shard(replaced("864000rows", "0rows")));
  CHECK_FALSE(is_shard(replaced("864000rows", "-1rows")));
  CHECK_FALSE(is_shard(replaced("864000rows", "rows")));
  CHECK_FALSE(is_shard(replaced("864000rows", "1Rows")));
  CHECK_FALSE(is_shard(replaced("864000rows", "9223372036854775808rows")));
  CHECK(is_shard(replaced("864000rows", "9223372036854775807rows")));
  CHECK_FALSE(is_shard(replaced("_web1_", "__")));
  CHECK_FALSE(is_shard(replaced("_web1_", "_web_1_")));
  CHECK_FALSE(is_shard(replaced("_web1_", "_we/b_")));
  CHECK(is_shard(replaced("_web1_", "_WEB-1.example.org_")));
  CHECK_FALSE(is_shard(replaced("_web1_", "_" + std::string(200, 'w') + "_")));
  CHECK_FALSE(is_shard(replaced("_01KAQ", "_81KAQ")));
  CHECK_FALSE(is_shard(replaced("_01KAQ", "_01kAQ")));
  CHECK_FALSE(is_shard(replaced("20261123T081559", "20261123T061559")));  // ends before it starts
}

TEST_CASE("shard_name: every name is read back as written and sorts by start") {
  std::mt19937_64 random(7);
  for (const Precision precision : {Precision::kSeconds, Precision::kMillis, Precision::kMicros, Precision::kNanos}) {
    std::uniform_int_distribution<std::int64_t> any(min_timestamp(precision), max_timestamp(precision));
    ShardName last;
    int wrong = 0;
    for (int i = 0; i < 2'000; ++i) {
      ShardName name;
      name.start = any(random);
      name.end = std::max(name.start, any(random));
      name.rows = 1 + static_cast<std::int64_t>(random() >> 2);
      name.writer = writer_name("web-" + std::to_string(random() % 100) + ".example.org");
      std::array<unsigned char, 10> bytes;
      for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
      name.id = make_ulid(1'795'418'160'000 + i, bytes);
      const std::string text = format_shard_name(name, precision);
      const auto parsed = parse_shard_name(text, precision);
      if (!parsed || parsed->start != name.start || parsed->end != name.end || parsed->rows != name.rows || parsed->writer != name.writer ||
          parsed->id != name.id || format_shard_name(*parsed, precision) != text) {
        ++wrong;
      }
      if (i > 0 && name.start != last.start && (text < format_shard_name(last, precision)) != (name.start < last.start)) ++wrong;
      last = name;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("shard_name: a table's directory is one safe part of a path, and different for different names") {
  CHECK(table_directory("cpu") == "cpu");
  CHECK(table_directory("Cpu_1.a-b") == "Cpu_1.a-b");
  CHECK(table_directory("a/b") == "a%2Fb");
  CHECK(table_directory("100%") == "100%25");
  CHECK(table_directory("caf\xc3\xa9 x") == "caf%C3%A9%20x");
  CHECK(table_directory("...") == "...");
  CHECK(table_directory(std::string(255, 'a')).size() == 255);
  CHECK_THROWS_WITH_AS(table_directory(""), "timeseries: a table's name cannot be empty; name it with table='...'", Error);
  CHECK_THROWS_WITH_AS(table_directory(".."), "timeseries: \"..\" cannot be a directory of the archive; name another with table='...'",
                       Error);
  CHECK_THROWS_AS(table_directory("."), Error);
  const char* too_long =
      "timeseries: the table's name is longer than 255 bytes as a directory of the archive; name a shorter one with table='...'";
  CHECK_THROWS_WITH_AS(table_directory(std::string(256, 'a')), too_long, Error);
  CHECK_THROWS_WITH_AS(table_directory(std::string(86, '/')), too_long, Error);
}

TEST_CASE("shard_name: a writer is what is left of a host's name, at most 63 bytes") {
  CHECK(writer_name("web1.example.org") == "web1.example.org");
  CHECK(writer_name("my_host (2)") == "myhost2");
  CHECK(writer_name("../../etc") == "....etc");
  CHECK(writer_name("") == "host");
  CHECK(writer_name("\xe2\x98\x83") == "host");
  CHECK(writer_name(std::string(100, 'x')) == std::string(63, 'x'));
}

TEST_CASE("shard_name: a ULID carries its time first and then its randomness") {
  CHECK(make_ulid(0, {}) == "00000000000000000000000000");
  CHECK(make_ulid((std::int64_t{1} << 48) - 1, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255}) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CHECK(make_ulid(1'469'918'176'385, {}).substr(0, 10) == "01ARYZ6S41");  // the example of the ULID specification
  CHECK(make_ulid(0, {0, 0, 0, 0, 1, 0, 0, 0, 0, 32}).substr(10) == "0000000100000010");
  CHECK(make_ulid(-5, {}) == make_ulid(0, {}));
  CHECK(make_ulid(1, {}) > make_ulid(0, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255}));
  CHECK(is_ulid("01KAQ5Z8K3M2T4V6X8Z0B2D4F6"));
  for (const char* text : {"", "81KAQ5Z8K3M2T4V6X8Z0B2D4F6", "01KAQ5Z8K3M2T4V6X8Z0B2D4F", "01KAQ5Z8K3M2T4V6X8Z0B2D4F66",
                           "01KAQ5Z8K3M2T4V6X8Z0B2D4FI", "01KAQ5Z8K3M2T4V6X8Z0B2D4FU", "01KAQ5Z8K3M2T4V6X8Z0B2D4fa"}) {
    CHECK_FALSE(is_ulid(text));
  }
}

TEST_CASE("shard_name: reserved keys are schema-, merge-, index and the merged folders, and no others") {
  for (const char* key : {"schema-000001.json", "index", "index.sqlite", "2026-11-23/merge-1.sqlite", "2026-11-23/index-7",
                          "2026-11-23/merged/x.sqlite", "2026-11/merged/a/b", "2026-11-23T07/merged/", "other/schema-x"}) {
    CAPTURE(key);
    CHECK(is_reserved(key));
  }
  for (const char* key : {"", "notes.txt", "2026-11-23/readme", "2026-11-23/merged", "merged/x", "notes/merged/x", "2026-11-23/Merge-1",
                          "schema.json", "schema-1/x", "2026-11-23/unmerged/x"}) {
    CAPTURE(key);
    CHECK_FALSE(is_reserved(key));
  }
  CHECK_FALSE(is_reserved("2026-11-23/" + std::string(kName)));
}
