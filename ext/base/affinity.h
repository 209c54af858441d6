// SQLite's rule for the affinity of a declared type (https://sqlite.org/datatype3.html, section 3.1). Pure.
#pragma once
#include <string>

namespace ts {

enum class Affinity { kBlob, kText, kInteger, kReal, kNumeric };
Affinity affinity_of(const std::string& type);
// Compared as a number, and summed up in a rollup.
inline bool is_numeric(Affinity affinity) { return affinity >= Affinity::kInteger; }

}  // namespace ts
