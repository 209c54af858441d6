// RollupCursor: one scan of a rollup. Everything is aggregated when the scan begins; then groups are handed over.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/shard_aggregate.h"
#include "ext/table/plan.h"
#include "ext/table/rollup_table.h"

namespace ts {

class RollupCursor : public sqlite3_vtab_cursor {
 public:
  explicit RollupCursor(RollupTable& table) : table_(table), statement_(table.session()) {}
  ~RollupCursor() { account(); }
  void filter(int plan_number, const char* plan_text, sqlite3_value** arguments);
  void next() noexcept;
  bool eof() const { return at_ >= order_.size(); }
  void column(sqlite3_context* context, int index);
  sqlite3_int64 rowid();

 private:
  void account() noexcept;
  std::vector<int> asked_first(const std::vector<int>& columns) const;
  void compute(const std::vector<int>& columns);
  void aggregate(Table& base, const RollupScan& scan);
  std::uint32_t group() const { return order_[at_]; }

  RollupTable& table_;
  StatementHold statement_;
  RollupShape shape_;          // of the scan
  std::shared_ptr<const ScanPlan> plan_;    // of the scan, without the columns that are computed
  std::shared_ptr<const RollupSpec> spec_;  // without measures
  std::vector<int> columns_;                // that SQLite may ask for
  std::vector<int> measures_;               // column -> measure, -1: not computed
  bool narrowed_ = false;                   // not all of columns_ are computed
  bool descending_ = false;
  std::unique_ptr<PartialAggregates> groups_;
  std::vector<std::uint32_t> order_;  // of groups_
  std::string asked_;                 // what groups_ answers: asked again in the same statement, it is not computed again
  std::size_t at_ = 0;
  std::int64_t returned_ = 0;
};

}  // namespace ts
