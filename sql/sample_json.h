// Samples as JSON, [[ts, value], ...], as the grids return them: written, and read back.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sql/sample_folds.h"

namespace ts {

// ',[ts,value]', without the comma behind '['. JSON knows no infinity: 9e999 is read back as one.
void append_sample(std::string& json, std::int64_t ts, double value);

// Throws kBadInput, beginning with `label`, for what is no array of pairs of a whole number and a finite number.
std::vector<Sample> parse_samples(std::string_view json, const std::string& label);

}  // namespace ts
