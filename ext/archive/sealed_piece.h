// What the sealer puts into one file: the rows of one partition, sorted by series, then time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ext/archive/row_buffer.h"

namespace ts {

struct SealedPiece {
  const RowBuffer* rows = nullptr;
  std::string partition;
  std::vector<std::uint32_t> order;       // rows of the buffer
  std::vector<std::uint32_t> series_end;  // for each series: the position in `order` after its last row
  std::size_t bytes = 0;                  // in the buffer
  std::int64_t start = 0, end = 0;        // first and last time
};

}  // namespace ts
