// The SQL functions about how values are distributed; all aggregates are window functions too.
//
//   quantile(value, p)   percentile_cont(value, p)   median(value)   mad(value)         keep 8 bytes a row
//   mode(value)                                                                         keeps one entry for each value
//   stddev_pop(value)    stddev_samp   var_pop   var_samp                               keep sums
//   covar_pop(y, x)      covar_samp   corr   regr_slope   regr_intercept   regr_r2      keep sums
//   histogram_quantile(p, le, count)   histogram_fraction(lower, upper, le, count)      keep 16 bytes a bucket
//   width_bucket(value, lower, upper, n)                                                no aggregate
//
// A row with NULL as a value is left out. The order of rows does not matter.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_distribution(sqlite3* db);

}  // namespace ts
