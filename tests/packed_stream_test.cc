// Tests of the packed stream: what it forgets on the way is not lost.
#include "ext/archive/packed_stream.h"

#include <doctest/doctest.h>

#include "ext/archive/chunk_scan.h"
#include "ext/archive/sealed_file.h"
#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

TEST_CASE("packed_stream: values that are many are remembered for a while, and each row gets its own back") {
  constexpr std::int64_t kDay = 86'400'000;
  TempDir dir;
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"text", "TEXT", false, false, "", ""}};
  schema.time_column = 0;
  const TablePtr table = make_table_def("log", schema);
  PackedStream stream(*table, dir.path());
  RowBuffer rows(2);
  constexpr int kRows = 3000, kBytes = 20'000;  // 60 MB of them: more than it remembers
  auto text = [](int i) { return std::string(kBytes - 10, 'x') + std::to_string(i % 7 ? i : 0); };
  for (int i = 0; i < kRows; i++) {
    rows.clear();
    rows.begin_row();
    rows.add_integer(kDay + i);
    rows.add_text(text(i));
    stream.add(rows.row_bytes(0));
  }
  stream.end_series();
  ShardName name{kDay, kDay + kRows - 1, kRows, "host", new_ulid()};
  std::string path = dir.path() + "/" + name.id + ".sqlite";
  {
    Database db = create_sealed(path, stream.page_size(), kFormatPacked);
    db.exec("BEGIN");
    stream.write(db, [&] { put_meta(db, *table, "1970-01-02", name, kFormatPacked); }, [] {});
    db.exec("COMMIT");
  }
  stamp_sealed(path);
  SealedFile file = open_sealed(immutable_uri(path), *table, "log/1970-01-02/" + format_shard_name(name, Precision::kMillis), path);
  PackedShard packed(file.db, table, path);
  int at = 0;
  RowBuffer found(2);
  for (PackedRows all(packed); all.next(found);) {
    for (std::size_t row = 0; row < found.rows(); row++, at++) {
      rows.clear();
      rows.begin_row();
      rows.add_integer(kDay + at);
      rows.add_text(text(at));
      CHECK(found.row_bytes(row) == rows.row_bytes(0));
    }
  }
  CHECK(at == kRows);
}
