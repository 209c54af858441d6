// The SQL aggregate lttb(value, ts, n): the n samples that keep the look of a line, as JSON [[ts, value], ...].
//
// Largest-Triangle-Three-Buckets: S. Steinarsson, Downsampling Time Series for Visual Representation, University of Iceland, 2013.
#pragma once
#include <vector>

#include "ext/base/sqlite.h"
#include "sql/sample_folds.h"

namespace ts {

// Which of the samples, ordered by ts, are kept: the first, the last, and of each of n - 2 buckets between the one that makes the
// largest triangle with the one chosen before and the average of the bucket behind; the first of equals. All where there are no more.
// REQUIRES: n is at least 2.
std::vector<std::size_t> lttb(Samples samples, std::size_t n);

int register_lttb(sqlite3* db);

}  // namespace ts
