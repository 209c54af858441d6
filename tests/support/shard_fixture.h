// Packed shards of random numbers, which do not pack, sealed as the product seals them: for tests of what reading them costs.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/scan.h"
#include "ext/archive/shard_files.h"
#include "tests/support/memory_store.h"

namespace ts_test {

// A row of five numbers for each host ("host100" and so on) every ten seconds, from the beginning of 1970 on. 45 bytes a row.
class SealedShards {
 public:
  SealedShards(int hosts, int rows_each, ts::Partition partition);

  const ts::TablePtr& table() const { return table_; }
  std::size_t count() const { return keys_.size(); }
  const std::string& bytes(std::size_t index = 0) const { return bytes_[index]; }
  // Puts a shard into a store.
  ts::ShardRef store(MemoryStore& store, std::size_t index = 0) const;

 private:
  ts::TablePtr table_;
  std::vector<std::string> keys_, bytes_;
};

// All columns of the rows of these hosts; empty: of all.
std::shared_ptr<ts::ScanPlan> plan_of_hosts(const std::vector<std::string>& hosts);
// Reads a source to its end; how many rows that were.
std::int64_t count_rows(ts::BatchSource& source);

}  // namespace ts_test
