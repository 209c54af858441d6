// MergeLane: the rows of one sealed file in its order, series by series, as a merge takes them; each checked and counted as it comes.
//
// A file holds its rows sorted by tags and time (docs/FORMAT.md). One that does not, or whose rows are not what its name says, is an
// error that names it: a merge of it would be wrong.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/rows_digest.h"
#include "ext/archive/sealed_file.h"
#include "ext/archive/shard_rows.h"

namespace ts {

// A sealed file on this machine.
struct LocalShard {
  std::string path, key, object;  // `object`: its name for people
  ShardName name;
};

class MergeLane {
 public:
  MergeLane(const LocalShard& shard, TablePtr table, std::size_t index);

  bool ended() const { return ended_; }
  // Of the current row; not for ended lanes:
  const std::string& series() const { return series_; }  // its tags, encoded
  std::int64_t time() const { return times_[at_]; }
  std::string_view row() const { return batch_.row_bytes(at_); }

  std::size_t index() const { return index_; }
  // To the next row. False: it is of another series, or there is none.
  bool next();
  const RowsDigest& digest() const { return digest_; }  // of the rows so far
  // Checks that all rows that its name tells of have come.
  void finish() const;

 private:
  bool load();
  void find_series();
  [[noreturn]] void refuse(const std::string& why) const;

  const TablePtr table_;
  const std::vector<int> tags_;
  const std::size_t index_;
  const ShardName name_;
  const std::string object_;
  SealedFile file_;
  std::unique_ptr<PackedShard> packed_;
  std::unique_ptr<AllRows> all_;
  RowBuffer batch_;
  std::vector<std::int64_t> times_;
  std::size_t at_ = 0, series_end_ = 0;  // in the batch
  bool ended_ = false;
  std::string series_, other_;
  RowsDigest digest_;
  std::int64_t first_ = INT64_MAX, last_ = INT64_MIN;
};

// The order of encoded tags: SQLite's of their values.
int compare_series(std::string_view a, std::string_view b);

}  // namespace ts
