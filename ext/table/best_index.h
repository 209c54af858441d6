// xBestIndex: which comparisons the shards answer, what the rows' order is, and what it costs.
#pragma once
#include "ext/table/plan.h"
#include "ext/table/timeseries_table.h"

namespace ts {

void best_index(Table& table, sqlite3_index_info* info);

// The names a plan is written with: the columns, then `_file`.
std::vector<std::string> plan_names(const Schema& schema);

// SQLite's rule for the affinity of a declared type (https://sqlite.org/datatype3.html, section 3.1).
enum class Affinity { kBlob, kText, kNumeric };  // INTEGER and REAL compare as NUMERIC does
Affinity affinity_of(const std::string& type);

}  // namespace ts
