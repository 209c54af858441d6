// ts_unpack: a shard's rows as a file of plain rows, for heavy use with stock SQLite.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace ts {

// Writes the rows of the shard `source` (of either format) to the new file `target`, a shard of format 1, and returns their number.
// `target` appears whole or not at all. `check` is called now and then and may throw. Throws kNotFound where there is no source,
// kBadInput where the target exists, kCorrupt where the source is no shard.
std::int64_t unpack_shard(const std::string& source, const std::string& target, const std::function<void()>& check);

}  // namespace ts
