// Looking through a partition as it lies in the store, and removing what does not count any more.
//
// Law: nothing is removed but what the partition's record declares dead, which is for ever. What no record speaks of, a merged file of a
// merge that came to nothing, is declared dead first, by the next record: then whoever would still name it loses its commit.
// A dead file goes when its grace is over, and only when all live files of the record were seen in the store. So a sweep may stop, or
// stand still for any time, between any two steps.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ext/archive/partition_commit.h"

namespace ts {

// What lies in a partition, and the record that is no older than the shards' names.
struct PartitionFiles {
  struct File {
    ObjectInfo object;
    ShardName name;
  };
  MergeRecord record;
  std::vector<File> shards;  // dead ones too
  std::vector<File> merged;  // of merged/: live, dead and unnamed

  // The files that count, live merged ones as they were listed; throws kCorrupt where one of those is not there.
  std::vector<File> counting(const Store& store, const TableDef& table) const;
};

// Throws kTooNew, kCorrupt as a query would.
PartitionFiles list_partition(Store& store, const TableDef& table, const std::string& partition, const Cancel* cancel);

struct Swept {
  std::int64_t files = 0;
  std::uint64_t bytes = 0;
};

// Removes dead files of a partition whose grace is over at `now_ms`, and what merges left that began before now_ms - unnamed_ms.
Swept sweep_partition(Store& store, const TableDef& table, PartitionCommits& commits, const std::string& partition, std::int64_t now_ms,
                      std::int64_t unnamed_ms, const Cancel* cancel);

// How old a merged file is at least that no record names, before it is taken for left behind: longer than a merge takes.
constexpr std::int64_t kUnnamedMs = 24 * 3600 * 1000;

}  // namespace ts
