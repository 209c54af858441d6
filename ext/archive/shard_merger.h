// ShardMerger: many sealed files of one partition become one, with the same rows, in memory that does not grow with them.
//
// Laws: the rows of the result are those of the inputs, by type and bits, duplicates included, sorted by tags and time: each input is
// checked against its name as it is read, and the result is read back and its digest (rows_digest.h) compared with the sum of theirs,
// through all levels. Rows that do not pack exactly are stored plain. Inputs are merged at most `fan_in` at a time, in as many levels as
// that takes; on the disk there are the intermediate files of one level, the inputs of one step, and what it writes.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ext/archive/merge_lane.h"

namespace ts {

constexpr std::size_t kMergeFanIn = 64;

// A shard to be merged: its name in the archive, and what a listing tells of it.
struct MergeInput {
  std::string key, etag;
  std::uint64_t bytes = 0;
  ShardName name;
};

// Brings inputs to this machine.
class MergeFiles {
 public:
  virtual ~MergeFiles() = default;
  // Whole, in the order of inputs[begin..end).
  virtual std::vector<LocalShard> bring(const std::vector<MergeInput>& inputs, std::size_t begin, std::size_t end) = 0;
  virtual void release(const LocalShard& shard) = 0;  // it is not needed any more
};

struct MergedShard {
  std::string path, key;  // `key`: in <partition>/merged/
  std::uint64_t bytes = 0;
  ShardName name;
};

struct MergeOptions {
  std::string directory;        // of temporary files and of the result; exists
  std::string writer;           // in the name of the result
  std::size_t fan_in = kMergeFanIn;
  std::function<void()> check;  // called often; what it throws ends the merge
};

class ShardMerger {
 public:
  ShardMerger(TablePtr table, std::string partition, MergeOptions options);
  // `inputs`: at least one, of the partition; neighbours in time where there are many.
  MergedShard merge(const std::vector<MergeInput>& inputs, MergeFiles& files);

 private:
  LocalShard local(ShardName name) const;
  std::size_t fan_in(const std::vector<MergeInput>& inputs) const;
  LocalShard merge_step(const std::vector<LocalShard>& inputs, RowsDigest& digest, const RowsDigest* expected);
  bool pack(const std::vector<LocalShard>& inputs, const LocalShard& out, RowsDigest& digest, const RowsDigest* expected,
            std::size_t& plain_bytes);
  void write_plain(const std::vector<LocalShard>& inputs, const LocalShard& out, RowsDigest& digest, std::size_t bytes);
  RowsDigest read_back(const LocalShard& shard) const;

  const TablePtr table_;
  const std::string partition_;
  const MergeOptions options_;
};

}  // namespace ts
