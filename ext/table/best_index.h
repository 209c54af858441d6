// xBestIndex: which comparisons the shards answer, what the rows' order is, and what it costs.
#pragma once
#include "ext/table/plan.h"
#include "ext/table/timeseries_table.h"

namespace ts {

void best_index(Table& table, sqlite3_index_info* info);

// Its parts, for every table that SQL compares as it does a timeseries. Of the columns, those before `comparable` may be
// compared by shards. `groups`: rows are groups of others, of which a condition must take all or none, as BINARY does not where
// NOCASE decides what is one group.
struct Conditions {
  bool others = false;          // a condition that SQLite alone answers: then a LIMIT says nothing about our rows
  int limit = -1, offset = -1;  // constraints
  int arguments = 0;            // given out so far
};
Conditions take_conditions(const Schema& schema, int comparable, bool groups, sqlite3_index_info* info, Plan& plan);
void estimate_cost(const Plan& plan, const Schema& schema, sqlite3_index_info* info);
void hand_over(Session& session, const Plan& plan, const std::vector<std::string>& names, sqlite3_index_info* info);

// The names a plan is written with: the columns, then `_file`.
std::vector<std::string> plan_names(const Schema& schema);

}  // namespace ts
