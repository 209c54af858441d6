// The target of shard files: any bytes as an object of the archive, through the whole read path, in every order.
#include <algorithm>

#include "ext/archive/shard_files.h"
#include "ext/archive/verify.h"
#include "ext/base/page_checksum.h"
#include "tests/fuzz/targets.h"
#include "tests/support/memory_store.h"

using namespace ts;

namespace ts_fuzz {
namespace {

// What the files of tests/data are: see tests/support/make_stored_example.py.
TablePtr stored_table() {
  static const TablePtr table = make_table_def(
      "cpu load", schema_from_json(R"json({"format":1,"precision":"ms","partition":"day","time":"ts","columns":[
    {"name":"ts","type":"INTEGER"},{"name":"host","type":"TEXT","tag":true},{"name":"region","type":"TEXT","tag":true,"collate":"NOCASE"},
    {"name":"usage","type":"REAL"},{"name":"n","type":"INTEGER","not_null":true},{"name":"note","type":"TEXT"},
    {"name":"price","type":"DECIMAL(10,2)"},{"name":"raw","type":"BLOB"},{"name":"any","type":""},
    {"name":"group","type":"TEXT","collate":"RTRIM"}]})json",
                                   "the target"));
  return table;
}

// Right checksums, as whoever makes a file has them: else every mutation would end at the first page.
std::string stamped(std::string_view bytes) {
  std::string file(bytes);
  if (!has_page_checksums(file)) return file;
  const std::size_t page = page_bytes_of(file);
  for (std::size_t at = 0; at + page <= file.size(); at += page) stamp_page(file.data() + at, page);
  return file;
}

// The name that the file's own meta asks for, as far as it can be read: else every file would end there.
std::string key_of(std::string_view bytes) {
  std::int64_t start = 0, end = 0, rows = 1;
  const TableDef& table = *stored_table();
  try {
    sqlite3* raw = nullptr;
    int rc = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE, nullptr);
    struct Close {
      sqlite3* db;
      ~Close() { sqlite3_close(db); }
    } close{raw};
    auto size = static_cast<sqlite3_int64>(bytes.size());
    auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(bytes.size() + 1));
    if (!copy) return "";
    std::copy(bytes.begin(), bytes.end(), copy);
    constexpr unsigned kOwned = SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY;
    if (rc == SQLITE_OK) rc = sqlite3_deserialize(raw, "main", copy, size, size, kOwned);
    if (rc != SQLITE_OK) return "";
    auto number = [&](const char* key) {
      Statement get(raw, "SELECT value FROM timeseries_meta WHERE key='" + std::string(key) + "'");
      return get.step() ? get.int64(0) : 0;
    };
    start = number("start"), end = number("end"), rows = number("rows");
    const ShardName name{start, end, std::max<std::int64_t>(rows, 1), "example", "01M886JKD70XTAHH3V4MVP5F35"};
    return table.directory + "/" + partition_name(start, table.schema.precision, table.schema.partition) + "/" +
           format_shard_name(name, table.schema.precision);
  } catch (const Error&) {
    return "";
  }
}

void read_in_order(ShardFile& file, Order order) {
  auto plan = std::make_shared<ScanPlan>();
  plan->order = order;
  for (int c = 1; c < static_cast<int>(stored_table()->schema.columns.size()); c++) plan->columns.push_back(c);
  if (order == Order::kTimeDescending) {
    OwnedValue zero;
    zero.type = SQLITE_INTEGER;
    plan->filters = {{4, ">", {zero}, ""}};
  }
  auto source = file.batches(plan);
  for (BatchSource::State state = BatchSource::State::kMore; state != BatchSource::State::kEnd;) state = source->next().state;
}

}  // namespace

void run_shards(std::string_view bytes) {
  const std::string file = stamped(bytes);
  std::string key = key_of(file);
  if (key.empty()) {
    key = "cpu%20load/2026-11-23/20261123T000000.000Z_20261123T004950.000Z_322rows_example_01M886JKD70XTAHH3V4MVP5F35.sqlite";
  }
  auto store = std::make_shared<ts_test::MemoryStore>();
  Verdict verdict;
  verdict.object = {key, file.size(), store->overwrite(key, file)};
  verdict.listed = classify_key(key, *stored_table());
  const ShardName& name = verdict.listed.name;
  for (Order order : {Order::kNone, Order::kTimeAscending, Order::kTimeDescending}) {
    try {
      ShardFile shard(store, stored_table(), {key, verdict.object.etag, "", file.size(), name.start, name.end, name.rows}, nullptr);
      read_in_order(shard, order);
    } catch (const Error&) {
      // A sentence.
    }
  }
  verify_shard(store, stored_table(), verdict, nullptr);
  hold((verdict.state == std::string_view("ok")) == verdict.problem.empty(), "what is not ok has a problem");
}

}  // namespace ts_fuzz
