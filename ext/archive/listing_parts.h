// Listing a long range in parts side by side: LIST only goes forwards, page after page, so the range of keys is cut by time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/listing.h"

namespace ts {

constexpr std::size_t kListedAtOnce = 16;  // LISTs under way: far below what a bucket takes in a second

// The range as listings that follow one another, in its order. Lists it in one page where that is enough; else parts go on by
// themselves, and whoever is done takes half of what seems to be the longest rest. A part ends where a partition does: of a partition
// that is cut, the record could be older than some of its names. `begun`: has listed part of the range's first partition.
std::vector<ListingPtr> list_in_parts(Store& store, const TablePtr& table, const SpoolState& state, const KeyRange& range,
                                      const Cancel* cancel, const ListingPtr& begun = nullptr);

// The earliest time at which a shard may begin whose key sorts after `key`. nullopt: the key is somebody else's and does not say.
std::optional<std::int64_t> time_after(const TableDef& table, std::string_view key);
// Where keys of shards that begin at `time` or later begin.
std::string key_before(const TableDef& table, std::int64_t time);

}  // namespace ts
