// SeriesDirectory: what a packed shard says of its series, in its first pages: how many rows each has, and when the first and the last
// of them is. For rollups, which need no chunk to count rows, and one chunk of a series for its first or last values.
#pragma once
#include <functional>

#include "ext/archive/aggregate.h"
#include "ext/archive/packed_shard.h"
#include "ext/archive/shard_list.h"

namespace ts {

struct SeriesDirectory {
  struct Entry {
    std::int64_t first_chunk = 0, last_chunk = 0, t0 = 0, t1 = 0, rows = 0;
  };
  RowBuffer tags;              // of each entry, in the order of the plan's columns
  std::vector<Entry> entries;  // in the file's order
};

// The series that the plan's filters leave, which are on tags; its columns are tags. What lies outside of what the shard's name says
// is an error, and so are ids that do not number its rows.
SeriesDirectory read_directory(const PackedShard& shard, const ScanPlan& plan, const ShardRef& ref);

// A series of which first or last values are wanted.
struct WantedEdges {
  std::size_t entry = 0;
  bool first = false, last = false;
};
// Adds first and last values of the spec's measures, which ask for nothing else, out of the rows that have a wanted series' first or last
// time. No rows are counted. `wanted` ascends. `tick` is called for every chunk and may throw.
void aggregate_edges(const PackedShard& shard, const SeriesDirectory& directory, const std::vector<WantedEdges>& wanted,
                     PartialAggregates& into, const std::function<void()>& tick);

}  // namespace ts
