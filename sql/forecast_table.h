// The table-valued function forecast(samples, horizon, season [, alpha, beta, gamma]): Holt-Winters, with columns ts, value, lower, upper.
//
// samples is JSON [[ts, value], ...] of one distance in time, in any order, as the grids and json_group_array return it. The hidden
// columns alpha, beta and gamma show the factors that were used, given or fitted.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_forecast_table(sqlite3* db);

}  // namespace ts
