// From a scan's chunks to pages, and from pages to spans that are fetched in advance.
#include "ext/archive/chunk_ahead.h"

#include <algorithm>

namespace ts {
namespace {

constexpr std::uint64_t kAheadBytes = 16 << 20;  // of one file, where other files leave room for it
constexpr std::uint64_t kLeastBytes = 1 << 20;   // smaller GETs do not pay while more is to come
constexpr std::uint64_t kDirectoryBytes = 4 << 20;  // what lies before the first chunk is a guess, and no reason to fetch more

}  // namespace

ChunkPages::ChunkPages(const PackedShard& shard) : remote_(shard.remote()), root_(shard.chunk_root()) {
  unsigned char stored[2] = {};
  if (!remote_.file || !remote_.file->peek(16, stored, sizeof stored)) return;
  page_bytes_ = std::uint64_t{stored[0]} << 8 | stored[1];
  if (page_bytes_ == 1) page_bytes_ = 65536;
  if (page_bytes_ < 512) page_bytes_ = 0;
}

std::vector<LeafPage> ChunkPages::of(const std::vector<RowidRange>& wanted) const {
  return leaf_pages(root_, remote_.file->size() / page_bytes_, wanted, [&](std::uint64_t page, std::string& bytes) {
    bytes.resize(static_cast<std::size_t>(page_bytes_));
    // The scan needs the root anyway, wherever it lies: waiting for it here costs no more than waiting for it there.
    if (page == root_) return remote_.file->read((page - 1) * page_bytes_, bytes.data(), bytes.size(), remote_.cancel) == bytes.size();
    return remote_.file->peek((page - 1) * page_bytes_, bytes.data(), bytes.size());
  });
}

void fetch_directory(const PackedShard& shard) {
  const ChunkPages pages(shard);
  if (!pages) return;
  const std::vector<LeafPage> first = pages.of({{1, 1}});
  if (first.empty() || first[0].page == 0) return;
  pages.remote().file->prefetch({{0, std::min(kDirectoryBytes, (first[0].page - 1) * pages.page_bytes())}}, pages.remote().cancel);
}

ChunkAhead::ChunkAhead(const PackedShard& shard, const std::vector<RowidRange>& wanted) : pages_(shard) {
  if (!pages_) return;
  window_ = static_cast<std::size_t>(std::max<std::uint64_t>(1, kAheadBytes / pages_.page_bytes()));
  leaves_ = pages_.of(wanted);
}

void ChunkAhead::reached(std::int64_t id) {
  while (done_ < leaves_.size() && leaves_[done_].last < id) done_++;
  sent_ = std::max(sent_, done_);
  if (sent_ == leaves_.size() || sent_ - done_ > window_ / 2) return;  // half a window at a time, so that GETs are large
  const std::size_t last = std::min(leaves_.size(), done_ + window_);
  const RemoteBytes& remote = pages_.remote();
  const std::uint64_t page_bytes = pages_.page_bytes(), wanted = (last - sent_) * page_bytes, room = remote.file->room();
  if (room < std::min(wanted, kLeastBytes)) return;
  const std::size_t most = sent_ + static_cast<std::size_t>(std::min(wanted, room) / page_bytes);
  std::vector<RangedFile::Span> spans;
  for (; sent_ < most; sent_++) {
    spans.push_back({(leaves_[sent_].page - 1) * page_bytes, page_bytes});
  }
  remote.file->prefetch(std::move(spans), remote.cancel);
}

std::vector<RowidRange> chunk_ids(const std::vector<PackedShard::Series>& series) {
  std::vector<RowidRange> ids;
  ids.reserve(series.size());
  for (const PackedShard::Series& one : series) ids.push_back({one.first_chunk, one.last_chunk});
  return ids;
}

}  // namespace ts
