// An archive in memory that writers, mergers, sweepers, expiry and readers use at once: at each request of one, others may act.
//
// Files hold numbers for rows, by the ids of their names. A seed decides the order, but for which of several requests that are made side by
// side comes first; the parties act one at a time.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ext/archive/catalogue.h"
#include "ext/archive/expiry.h"
#include "tests/support/memory_store.h"
#include "tests/support/spool_fixture.h"

namespace ts_test {

class ArchiveWorld {
 public:
  static constexpr std::int64_t kDay = 86'400'000, kT0 = 1'795'392'000'000;  // 2026-11-23
  ArchiveWorld(unsigned seed, std::size_t page_size, int days);

  void act();   // something, by somebody
  void read();  // throws std::logic_error where a row is missing, doubled or back
  void write();
  void merge();   // some files of a day
  void sweep();
  void expire();  // a day
  void upload_again();  // of a shard, as by a writer that got no answer

  int reads = 0, merges = 0, lost_commits = 0, removed = 0, expired = 0, again = 0, planned_again = 0, depth_reached = 0;
  MemoryStore& store() { return *store_; }
  std::size_t rows_written() const { return static_cast<std::size_t>(next_row_); }

 private:
  using Rows = std::set<int>;
  std::string day_name(int day) const;
  ts::ShardName new_name(int day, std::int64_t rows);
  void nest();

  std::recursive_mutex acting_;  // records and parts of a listing are asked for by several threads: one at a time lets others act
  std::mt19937 random_;
  ts::TablePtr table_ = small_table();
  std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
  TempDir dir_;
  std::shared_ptr<ts::Spool> spool_ = ts::Spool::open(spool_config(dir_));
  ts::SpoolView view_{spool_};
  const int days_;
  std::int64_t now_ms_ = kT0 + 100 * kDay;
  int next_row_ = 0, next_name_ = 0, depth_ = 0;
  std::map<std::string, Rows> rows_of_;           // by id
  std::map<std::string, std::string> uploaded_;   // shards: key by id
  std::vector<Rows> acknowledged_, expired_;      // by day
  std::vector<int> expiring_;                     // by day: what is stored meanwhile may go or stay
};

}  // namespace ts_test
