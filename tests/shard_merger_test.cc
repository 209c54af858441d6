// Tests of the merger: the same rows by type and bits, whatever the inputs, the number of levels and the form of the files.
#include "ext/archive/shard_merger.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ext/archive/encoded_rows.h"
#include "ext/archive/open_shard.h"
#include "ext/archive/plain_writer.h"
#include "ext/archive/row_reader.h"
#include "ext/archive/sealer.h"
#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

constexpr std::int64_t kDay = 86'400'000;

TablePtr table_of(std::vector<Column> columns) {
  Schema schema;
  schema.columns = std::move(columns);
  schema.time_column = 0;
  return make_table_def("cpu", schema);
}

// Two tags of any class, and values of every kind.
TablePtr mixed_table() {
  return table_of({{"ts", "INTEGER", false, false, "", ""},
                   {"host", "TEXT", true, false, "", ""},
                   {"n", "INTEGER", false, false, "", ""},
                   {"unit", "", true, false, "", ""},
                   {"r", "REAL", false, false, "", ""},
                   {"any", "", false, false, "", ""}});
}

void add_mixed(RowBuffer& rows, std::mt19937& random, std::int64_t time, int series) {
  rows.begin_row();
  rows.add_integer(time);
  series % 5 == 4 ? rows.add_null() : rows.add_text("host" + std::to_string(series % 5));
  random() % 9 ? rows.add_integer(static_cast<int>(random() % 100)) : rows.add_null();
  switch (series / 5 % 4) {
    case 0: rows.add_null(); break;
    case 1: rows.add_integer(1); break;
    case 2: rows.add_real(1.5); break;
    default: rows.add_blob("u");
  }
  random() % 2 ? rows.add_real(static_cast<double>(random() % 10000) / 100) : rows.add_real(std::ldexp(static_cast<double>(random()), -40));
  switch (random() % 5) {
    case 0: rows.add_integer(INT64_MIN); break;
    case 1: rows.add_real(-0.0); break;
    case 2: rows.add_text("line " + std::to_string(random() % 1000)); break;
    case 3: rows.add_blob(std::string(random() % 40, 'b')); break;
    default: rows.add_null();
  }
}

// Sealed files, and who brings them to a merge.
class Archive : public MergeFiles {
 public:
  explicit Archive(TablePtr table) : table(std::move(table)) {
    for (const char* name : {"open", "sealed", "merge"}) make_directories(dir / name);
  }

  RowBuffer buffer() const { return RowBuffer(static_cast<int>(table->schema.columns.size())); }

  // As the flusher seals them.
  void seal(const RowBuffer& rows) {
    std::string name = std::to_string(++shards_) + ".db";
    OpenShard::create_files(dir / "open", name);
    OpenShard shard(dir / "open", name, shards_);
    REQUIRE(shard.begin());
    shard.insert(table, rows);
    shard.prepare();
    shard.publish(1);
    for (const SealedRow& row : seal_table(table, {{name, {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host")) {
      add(row.key, dir / "sealed" + "/" + row.file);
    }
  }
  // Plain rows, as they stand in the buffer.
  void plain(const RowBuffer& rows) {
    ShardName name{INT64_MAX, INT64_MIN, static_cast<std::int64_t>(rows.rows()), "host", new_ulid()};
    for (std::size_t row = 0; row < rows.rows(); row++) {
      name.start = std::min(name.start, rows.cell(row, 0).integer);
      name.end = std::max(name.end, rows.cell(row, 0).integer);
    }
    std::string path = dir / "sealed" + "/" + name.id + ".sqlite";
    PlainWriter writer(path, *table, "1970-01-02", name, rows.bytes());
    writer.add(rows);
    writer.finish();
    add("cpu/1970-01-02/" + format_shard_name(name, Precision::kMillis), path);
  }
  void add(const std::string& key, const std::string& path) {
    inputs.push_back({key, "", file_size(path), *parse_shard_name(key.substr(key.rfind('/') + 1), Precision::kMillis)});
    paths.push_back(path);
  }

  std::vector<LocalShard> bring(const std::vector<MergeInput>& all, std::size_t begin, std::size_t end) override {
    std::vector<LocalShard> brought;
    for (std::size_t i = begin; i < end; i++) {
      std::size_t at = static_cast<std::size_t>(std::find_if(inputs.begin(), inputs.end(), [&](const MergeInput& input) {
                                                  return input.key == all[i].key;
                                                }) - inputs.begin());
      brought.push_back({paths[at], all[i].key, all[i].key, all[i].name});
    }
    most_open = std::max(most_open, end - begin);
    return brought;
  }
  void release(const LocalShard&) override { released++; }

  MergedShard merge(std::size_t fan_in = kMergeFanIn) {
    ShardMerger merger(table, "1970-01-02", {dir / "merge", "host", fan_in, [] {}});
    return merger.merge(inputs, *this);
  }

  std::vector<std::string> rows_of(const std::string& path, const std::string& key) const {
    SealedFile file = open_sealed(immutable_uri(path), *table, key, path);
    std::unique_ptr<PackedShard> packed;
    if (file.format == kFormatPacked) packed = std::make_unique<PackedShard>(file.db, table, path);
    RowBuffer rows = buffer();
    std::vector<std::string> found;
    for (AllRows all(file.db, packed.get(), *file.columns); all.next(rows);) {
      for (std::size_t row = 0; row < rows.rows(); row++) found.emplace_back(rows.row_bytes(row));
    }
    return found;
  }
  std::vector<std::string> input_rows() const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < inputs.size(); i++) {
      for (std::string& row : rows_of(paths[i], inputs[i].key)) found.push_back(std::move(row));
    }
    return found;
  }

  // All laws of a result.
  void check(const MergedShard& merged) {
    std::vector<std::string> rows = rows_of(merged.path, merged.key), expected = input_rows();
    CHECK(merged.name.rows == static_cast<std::int64_t>(expected.size()));
    CHECK(merged.bytes == file_size(merged.path));
    CHECK(merged.key == "cpu/1970-01-02/merged/" + format_shard_name(merged.name, Precision::kMillis));
    // The stock view (or table) gives the same in the same order.
    Database db(immutable_uri(merged.path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    std::vector<std::string> columns;
    for (const Column& column : table->schema.columns) columns.push_back(quote_identifier(column.name));
    RowReader stock(db, columns, "FROM cpu");
    RowBuffer one = buffer();
    std::size_t at = 0;
    for (; stock.next(one); one.clear(), at++) {
      REQUIRE(at < rows.size());
      if (one.row_bytes(0) != rows[at]) FAIL("row " << at << " is another one through the view");
    }
    CHECK(at == rows.size());
    Statement whole = db.prepare("PRAGMA integrity_check");
    REQUIRE(whole.step());
    CHECK(whole.text(0) == "ok");
    check_sorted(rows);
    std::sort(rows.begin(), rows.end());
    std::sort(expected.begin(), expected.end());
    CHECK(rows == expected);
    struct stat found;
    REQUIRE(::stat(merged.path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    CHECK(list_directory(dir / "merge").size() == 1);  // nothing else is left
  }

  TempDir dir;
  TablePtr table;
  std::vector<MergeInput> inputs;
  std::vector<std::string> paths;
  std::size_t most_open = 0, released = 0;

 private:
  void check_sorted(const std::vector<std::string>& rows) const {
    RowBuffer two = buffer();
    for (std::size_t i = 1; i < rows.size(); i++) {
      two.clear();
      add_encoded(two, rows[i - 1].data());
      add_encoded(two, rows[i].data());
      int order = 0;
      bool same = true;
      for (int tag : table->schema.tags()) {
        if (order == 0) order = compare_cells(two.cell(0, tag), two.cell(1, tag));
        same &= two.cell(0, tag).type == two.cell(1, tag).type;
      }
      if (order > 0 || (order == 0 && same && two.cell(0, 0).integer > two.cell(1, 0).integer)) FAIL("row " << i << " is out of order");
    }
  }
  int shards_ = 0;
};

}  // namespace

TEST_CASE("shard_merger: rows of many small files, late and overlapping ones and duplicates, are the same by type and bits, in order") {
  Archive archive(mixed_table());
  std::mt19937 random(7);
  for (int file = 0; file < 40; file++) {
    RowBuffer rows = archive.buffer();
    const std::int64_t begin = kDay + file / 4 * 1'000'000;
    for (int i = 0; i < 300; i++) {
      add_mixed(rows, random, i % 50 == 0 ? kDay + 5 : begin + i / 3 * 1000, static_cast<int>(random() % 20));
      if (i % 70 == 0) add_encoded(rows, std::string(rows.row_bytes(rows.rows() - 1)).data());  // a duplicate
    }
    archive.seal(rows);
  }
  SUBCASE("in one step") { archive.check(archive.merge()); }
  SUBCASE("in many levels") {
    archive.check(archive.merge(3));
    CHECK(archive.most_open <= 3);
  }
  SUBCASE("two at a time") { archive.check(archive.merge(2)); }
  CHECK(archive.released == archive.inputs.size());
}

TEST_CASE("shard_merger: series of many chunks are cut evenly into about 1,024 rows, and the file is smaller than its inputs") {
  Archive archive(table_of({{"ts", "INTEGER", false, false, "", ""},
                            {"host", "TEXT", true, false, "", ""},
                            {"usage", "REAL", false, false, "", ""},
                            {"note", "TEXT", false, false, "", ""}}));
  std::mt19937 random(3);
  std::uint64_t bytes = 0;
  constexpr int kFiles = 60, kEach = 400;
  for (int file = 0; file < kFiles; file++) {
    RowBuffer rows = archive.buffer();
    for (int i = 0; i < kEach; i++) {
      for (int host = 0; host < 2; host++) {
        rows.begin_row();
        rows.add_integer(kDay + (file * kEach + i) * 1000);
        rows.add_text("web" + std::to_string(host));
        rows.add_real(static_cast<double>(random() % 1000) / 100);
        rows.add_text(i % 100 ? "fine" : "note " + std::to_string(random() % 10));
      }
    }
    archive.seal(rows);
    bytes += archive.inputs.back().bytes;
  }
  MergedShard merged = archive.merge();
  archive.check(merged);
  CHECK(merged.bytes * 2 < bytes);
  Database db(immutable_uri(merged.path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  Statement chunks = db.prepare("SELECT min(n), max(n), sum(n) FROM cpu_chunk");
  REQUIRE(chunks.step());
  CHECK(chunks.int64(0) >= 900);
  CHECK(chunks.int64(1) <= 1500);
  CHECK(chunks.int64(2) == 2 * kFiles * kEach);
}

TEST_CASE("shard_merger: plain files, and rows that are better plain, make a plain file") {
  Archive archive(mixed_table());
  std::mt19937 random(11);
  for (int file = 0; file < 5; file++) {
    RowBuffer rows = archive.buffer();
    for (int series = 0; series < 20; series += 5) add_mixed(rows, random, kDay + file, series);
    archive.plain(rows);
  }
  MergedShard merged = archive.merge();
  archive.check(merged);
  // Of many series with a row or two each nothing packs.
  Archive sparse(mixed_table());
  for (int file = 0; file < 2; file++) {
    RowBuffer rows = sparse.buffer();
    for (int i = 0; i < 3000; i++) {
      rows.begin_row();
      rows.add_integer(kDay + i);
      rows.add_text("session " + std::to_string(file * 2000 + i));
      rows.add_integer(i);
      rows.add_null();
      rows.add_real(0.5);
      rows.add_text("x");
    }
    sparse.seal(rows);
  }
  merged = sparse.merge();
  sparse.check(merged);
  Database db(immutable_uri(merged.path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  Statement format = db.prepare("PRAGMA user_version");
  REQUIRE(format.step());
  CHECK(format.int64(0) == kFormatRows);
}

TEST_CASE("shard_merger: series whose tags are equal and not the same stay apart, in whatever order the files have them") {
  Archive archive(mixed_table());
  for (int file = 0; file < 2; file++) {
    RowBuffer rows = archive.buffer();
    for (int part = 0; part < 2; part++) {
      for (int i = 0; i < 3; i++) {
        rows.begin_row();
        rows.add_integer(kDay + i);
        rows.add_text("a");
        rows.add_integer(i);
        part == file ? rows.add_integer(1) : rows.add_real(1.0);
        rows.add_real(0.5);
        rows.add_null();
      }
    }
    archive.plain(rows);
  }
  archive.check(archive.merge());
}

TEST_CASE("shard_merger: an input that is not what its name or the format says is refused by name") {
  Archive archive(mixed_table());
  std::mt19937 random(5);
  RowBuffer rows = archive.buffer();
  add_mixed(rows, random, kDay + 5, 0);
  archive.plain(rows);
  auto refused = [&](const char* why) {
    try {
      archive.merge();
      FAIL("it was merged");
    } catch (const Error& e) {
      CHECK(e.code() == Code::kCorrupt);
      CHECK(std::string(e.what()).find(why) != std::string::npos);
      CHECK(std::string(e.what()).find(archive.inputs.back().key) != std::string::npos);
    }
  };
  SUBCASE("rows out of the order of time") {
    add_mixed(rows, random, kDay + 4, 0);
    archive.plain(rows);
    refused("not in the order of time");
  }
  SUBCASE("rows out of the order of tags") {
    rows.clear();
    add_mixed(rows, random, kDay + 4, 3);
    add_mixed(rows, random, kDay + 5, 2);
    archive.plain(rows);
    refused("not in the order of their tags");
  }
  SUBCASE("rows that the name does not tell of") {
    archive.plain(rows);
    Database db(archive.paths.back(), SQLITE_OPEN_READWRITE);
    db.exec("INSERT INTO cpu SELECT * FROM cpu");
    db.close();
    refused("holds more rows than its name says");
  }
  SUBCASE("a row that is missing") {
    add_mixed(rows, random, kDay + 6, 0);
    archive.plain(rows);
    Database db(archive.paths.back(), SQLITE_OPEN_READWRITE);
    db.exec("DELETE FROM cpu WHERE rowid=1");
    db.close();
    refused("not what its name says");
  }
}

TEST_CASE("shard_merger: an interrupt ends it at once") {
  Archive archive(mixed_table());
  std::mt19937 random(5);
  RowBuffer rows = archive.buffer();
  for (int i = 0; i < 100; i++) add_mixed(rows, random, kDay + i, i % 20);
  archive.seal(rows);
  int left = 10;
  auto check = [&left] {
    if (left-- == 0) throw Error(Code::kInterrupted, "interrupted");
  };
  ShardMerger merger(archive.table, "1970-01-02", {archive.dir / "merge", "host", kMergeFanIn, check});
  CHECK_THROWS_AS(merger.merge(archive.inputs, archive), Error);
  CHECK(left == -1);
}
