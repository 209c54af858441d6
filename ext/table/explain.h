// What a query takes, told before it runs: ts_explain, and the limits max_bytes and max_requests.
#pragma once
#include "ext/archive/query_cost.h"
#include "ext/table/facts.h"
#include "ext/table/sources.h"

namespace ts {

// ts_explain(table [, from, to]): one row, see explain.cc.
FactRows explain(Session& session, const FactArguments& arguments);

// What a statement may spend is bounded by the table's options from now on: each request asks (spending.h).
void limit_spending(const Table& table, StatementSnapshot& statement);

// Before the first GET of a scan that reads all of these files to their end: throws kOverLimit where even the least that they take
// is more than the table's options allow. Where there is a cache_dir, nobody knows what comes from there, and only requests are bounded.
class CostCheck {
 public:
  CostCheck(const Table& table, const TableDef& def) : table_(table), def_(def) {}
  void add(const ShardPlace& shard, const ScanPlan& plan);
  void finish() const;

 private:
  const Table& table_;
  const TableDef& def_;
  QueryCost cost_;
};

}  // namespace ts
