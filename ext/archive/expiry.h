// Expiry: whole partitions that ended before a time leave the archive, oldest first.
//
// A record without live files declares all names of a partition dead, and from that moment no query sees them; their files are removed
// when the grace is over. The record stays: a shard whose upload is repeated later is dead when it appears. A shard that is stored later
// under a new name counts until the next expiry. What has not been stored yet is not looked at.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ext/archive/partition_sweep.h"

namespace ts {

// A partition of an archive that a time lies behind.
struct OldPartition {
  std::string name;
  std::int64_t files = 0, rows = 0;  // that count
  std::uint64_t bytes = 0;
  std::int64_t removed = 0;          // files taken from the store
};

class Expiry {
 public:
  // `what` in errors: "ts_expire". `grace_ms`: how long files stay after they have expired, for those who read them.
  Expiry(Store& store, const TableDef& table, std::string what, std::int64_t grace_ms)
      : store_(store), table_(table), commits_(store, table, std::move(what)), grace_ms_(grace_ms) {}

  // The partitions that end at `before` or earlier and have files, dead or not, oldest first; at most `most`.
  std::vector<std::string> old_partitions(std::int64_t before, std::size_t most, const Cancel* cancel);
  // What would go.
  OldPartition look(const std::string& partition, const Cancel* cancel);
  // Declares all of it dead, and removes what is due at `now_ms`.
  OldPartition expire(const std::string& partition, std::int64_t now_ms, const Cancel* cancel);

 private:
  OldPartition count(const std::string& partition, const PartitionFiles& files);

  Store& store_;
  const TableDef& table_;
  PartitionCommits commits_;
  const std::int64_t grace_ms_;
};

}  // namespace ts
