// QueryCost: what reading shards takes, as far_shard.h fetches them: known before the first GET. Pure.
#pragma once
#include <cstdint>

#include "ext/archive/far_shard.h"

namespace ts {

struct QueryCost {
  std::int64_t files = 0, rows = 0, gets = 0;
  std::uint64_t bytes = 0;
};

// A shard that is read whole takes exactly this; of one that is read head first it is the least: the head.
void add_cost(QueryCost& cost, std::uint64_t size, std::int64_t rows, Fetch how);

}  // namespace ts
