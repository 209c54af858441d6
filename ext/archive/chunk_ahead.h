// ChunkAhead: fetches the pages of chunks that a scan is about to read, in parallel and a bounded number of bytes ahead of it.
//
// A chunk is one row with all its columns, and a page holds whole chunks: what is saved is pages of other series, not columns.
#pragma once
#include <vector>

#include "ext/archive/leaf_pages.h"
#include "ext/archive/packed_shard.h"

namespace ts {

// The pages of chunks in a file that is far away.
class ChunkPages {
 public:
  ChunkPages() = default;
  explicit ChunkPages(const PackedShard& shard);
  explicit operator bool() const { return page_bytes_ > 0; }
  std::uint64_t page_bytes() const { return page_bytes_; }
  const RemoteBytes& remote() const { return remote_; }
  // As leaf_pages().
  std::vector<LeafPage> of(const std::vector<RowidRange>& wanted) const;

 private:
  RemoteBytes remote_;
  std::uint64_t root_ = 0, page_bytes_ = 0;  // 0: it is near, or nothing is known
};

class ChunkAhead {
 public:
  ChunkAhead() = default;  // nothing to do
  // `wanted`: ids of chunks, ascending. Without effect where the shard is no remote file, or one that a single GET brings.
  ChunkAhead(const PackedShard& shard, const std::vector<RowidRange>& wanted);
  // All of it lies within the bound: the scan may read in any order.
  bool fits() const { return leaves_.size() <= window_; }
  // The scan has come to this chunk and goes on upwards; INT64_MIN: it begins.
  void reached(std::int64_t id);

 private:
  ChunkPages pages_;
  std::size_t window_ = 0;  // in pages
  std::vector<LeafPage> leaves_;
  std::size_t done_ = 0, sent_ = 0;  // in leaves_
};

// Fetches what lies before the first chunk, as far as the head has not brought it: the directory of very many series.
void fetch_directory(const PackedShard& shard);

// Ids of the chunks of `series`.
std::vector<RowidRange> chunk_ids(const std::vector<PackedShard::Series>& series);

}  // namespace ts
