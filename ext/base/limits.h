// Limits that the test build may lower.
#pragma once
#include <cstddef>

namespace ts {

// Keys per page of a LIST: 1,000, the most that S3 gives. In the test build TIMESERIES_LIST_PAGE decides.
std::size_t list_page_size();

}  // namespace ts
