// Limits that the test build may lower.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ts {

// Keys per page of a LIST: 1,000, the most that S3 gives. In the test build TIMESERIES_LIST_PAGE decides.
std::size_t list_page_size();

// How long a request to the store may be silent: 20 s. In the test build TIMESERIES_STALL_MS decides.
std::int64_t stall_timeout_ms();

}  // namespace ts
