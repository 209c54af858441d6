// Aggregating a packed shard: chunks decoded into runs, and as little of them as the asked statistics need.
#pragma once
#include <functional>

#include "ext/archive/aggregate.h"
#include "ext/archive/chunk_cursor.h"

namespace ts {

// Adds the shard's rows that `plan` asks for (its columns are the spec's tags, then its measures; its filters are on tags). `tick`
// is called for every chunk and may throw. Times outside [first, last] are an error. Returns the number of rows.
std::int64_t aggregate_packed(const PackedShard& shard, const ScanPlan& plan, std::int64_t first, std::int64_t last,
                              PartialAggregates& into, const std::function<void()>& tick);

}  // namespace ts
