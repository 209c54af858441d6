// Conditions on a chunk's columns. The law: too many rows may pass, never too few, since SQLite looks again.
#pragma once
#include <cstdint>
#include <vector>

#include "ext/archive/chunk_cursor.h"

namespace ts {

// False: by the widths alone, no row of such a column passes.
bool chunk_may_pass(const Filter& filter, const PackedColumn& column, std::size_t rows);

// Rows of `column` that may pass the filter stay in `rows`.
void apply_filter(const Filter& filter, const Column& declared, const DecodedColumn& column, std::vector<std::uint32_t>& rows);

}  // namespace ts
