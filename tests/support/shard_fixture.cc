// Rows through an open shard and the sealer into memory.
#include "tests/support/shard_fixture.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "ext/archive/open_shard.h"
#include "ext/archive/sealer.h"
#include "ext/archive/shard_name.h"
#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

namespace ts_test {

using namespace ts;

SealedShards::SealedShards(int hosts, int rows_each, Partition partition) {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}};
  for (const char* name : {"a", "b", "c", "d", "e"}) schema.columns.push_back({name, "REAL", false, false, "", ""});
  schema.time_column = 0;
  schema.partition = partition;
  table_ = make_table_def("cpu", schema);

  TempDir dir;
  make_directories(dir / "open");
  make_directories(dir / "sealed");
  OpenShard::create_files(dir / "open", "a.db");
  OpenShard shard(dir / "open", "a.db", 1);
  RowBuffer rows(7);
  std::mt19937_64 random(1);
  for (int host = 0; host < hosts; host++) {
    for (int i = 0; i < rows_each; i++) {
      rows.begin_row();
      rows.add_integer(i * 10'000);
      rows.add_text("host" + std::to_string(100 + host));
      for (int c = 0; c < 5; c++) rows.add_real(std::ldexp(static_cast<double>(random()), -60));
    }
  }
  REQUIRE(shard.begin());
  shard.insert(table_, rows);
  shard.prepare();
  shard.publish(1);
  for (const SealedRow& row : seal_table(table_, {{"a.db", {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host")) {
    keys_.push_back(row.key);
    bytes_.emplace_back(MappedFile(dir / "sealed" + "/" + row.file).bytes());
  }
}

ShardRef SealedShards::store(MemoryStore& store, std::size_t index) const {
  const std::string& key = keys_[index];
  const auto name = parse_shard_name(key.substr(key.rfind('/') + 1), table_->schema.precision);
  return {key, store.overwrite(key, bytes_[index]), "", bytes_[index].size(), name->start, name->end, name->rows};
}

std::shared_ptr<ScanPlan> plan_of_hosts(const std::vector<std::string>& hosts) {
  auto plan = std::make_shared<ScanPlan>();
  plan->columns = {1, 2, 3, 4, 5, 6};
  if (hosts.empty()) return plan;
  Filter filter{1, "IN", {}, ""};
  for (const std::string& host : hosts) {
    filter.values.emplace_back();
    filter.values.back().type = SQLITE_TEXT;
    filter.values.back().bytes = host;
  }
  plan->filters.push_back(std::move(filter));
  return plan;
}

std::int64_t count_rows(BatchSource& source) {
  std::int64_t count = 0;
  for (bool more = true; more;) {
    BatchSource::Next made = source.next();
    if (made.batch) count += made.batch->size();
    more = made.state != BatchSource::State::kEnd;
  }
  return count;
}

}  // namespace ts_test
