// Sizes to requests and bytes.
#include "ext/archive/query_cost.h"

#include <algorithm>

#include "vfs/ranged_file.h"

namespace ts {

void add_cost(QueryCost& cost, std::uint64_t size, std::int64_t rows, Fetch how) {
  const bool whole = how == Fetch::kWhole;
  const std::uint64_t bytes = whole ? size : std::min(size, RangedFile::kHeadBytes);
  const bool one_get = !whole || size <= RangedFile::kWholeBytes;
  cost.files++;
  cost.rows += rows;
  cost.gets += one_get ? 1 : static_cast<std::int64_t>((size + RangedFile::kPartBytes - 1) / RangedFile::kPartBytes);
  cost.bytes += bytes;
}

}  // namespace ts
