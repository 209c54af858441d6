// xBestIndex: which comparisons the shards answer, what the rows' order is, and what it costs.
#pragma once
#include "ext/table/plan.h"
#include "ext/table/timeseries_table.h"

namespace ts {

void best_index(Table& table, sqlite3_index_info* info);

// The names a plan is written with: the columns, then `_file`.
std::vector<std::string> plan_names(const Schema& schema);

}  // namespace ts
