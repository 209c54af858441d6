// The SQL functions for sketches: small blobs that stand for many values, and that merge.
//
//   approx_count_distinct(x)                                      an INTEGER
//   hyperloglog(x)   tdigest(value)   rollup(sketch)              blobs
//   distinct_count(hyperloglog)   approx_percentile(p, tdigest)   what they say; no aggregates
//
// Blobs may come from anywhere: each is checked before it is used. No window functions: what a sketch took in cannot be taken out.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_sketches(sqlite3* db);

}  // namespace ts
