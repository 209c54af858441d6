// CachingStore: which blocks a read needs, which of them are fetched, and how the directory stays within its limit.
#include "vfs/caching_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "ext/base/failpoint.h"
#include "ext/base/file.h"
#include "vfs/cache_entry.h"

namespace ts {
namespace {

constexpr std::uint64_t kBlock = CacheEntry::kBlockBytes;
// What is there already is fetched again between two missing blocks that are no further apart: less than a request costs.
constexpr std::uint64_t kJoinBlocks = (256 << 10) / kBlock;
constexpr std::size_t kNameChars = 64;  // of an entry: a SHA-256 in hex

// Blocks [first, last) that are missing, counted from the read's first one.
struct Gap {
  std::size_t first, last;
};

std::vector<Gap> gaps_of(const std::vector<bool>& good) {
  std::vector<Gap> gaps;
  for (std::size_t i = 0; i < good.size(); i++) {
    if (good[i]) continue;
    if (gaps.empty() || i - gaps.back().last > kJoinBlocks) gaps.push_back({i, i});
    gaps.back().last = i + 1;
  }
  return gaps;
}

// The shared count of what the directory holds. It is held for a few system calls; whoever holds it longer is a stopped process, and
// is not waited for.
class Usage {
 public:
  explicit Usage(const std::string& directory) : fd_(::open((directory + "/usage").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    for (int tries = 0; fd_ >= 0 && !held_ && tries < 100; tries++) {
      if (tries) std::this_thread::sleep_for(std::chrono::microseconds(100));
      held_ = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    }
  }
  ~Usage() {
    if (fd_ >= 0) ::close(fd_);
  }
  Usage(const Usage&) = delete;
  Usage& operator=(const Usage&) = delete;

  bool held() const { return held_; }
  std::optional<std::uint64_t> get() const {
    std::uint64_t bytes = 0;
    if (!held_ || ::pread(fd_, &bytes, sizeof bytes, 0) != sizeof bytes) return std::nullopt;
    return bytes;
  }
  void set(std::uint64_t bytes) const {
    if (held_ && ::pwrite(fd_, &bytes, sizeof bytes, 0) != sizeof bytes) return;  // a disk that is full: counted by looking
  }

 private:
  int fd_;
  bool held_ = false;
};

}  // namespace

CachingStore::CachingStore(std::shared_ptr<Store> inner, std::string identity, std::string directory, std::uint64_t limit_bytes)
    : inner_(std::move(inner)), identity_(std::move(identity)), directory_(std::move(directory)), limit_(limit_bytes) {}

std::string CachingStore::identity_of(std::string_view key, std::string_view etag) const {
  return identity_ + "\n" + std::string(key) + "\n" + std::string(etag);
}

Range CachingStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                              const Cancel* cancel) {
  constexpr std::uint64_t kFar = 1ull << 62;  // beyond any object; sums of two stay below 2^64
  if (etag.empty() || length == 0 || offset >= kFar || length >= kFar) return inner_->get_range(key, etag, offset, length, cancel);
  CacheEntry entry(directory_, identity_of(key, etag));
  const std::optional<std::uint64_t> size = entry.open();
  const std::uint64_t first = offset / kBlock, begin = first * kBlock;
  std::uint64_t last = (offset + length + kBlock - 1) / kBlock;
  Range range;
  if (!size) {
    range = inner_->get_range(key, etag, begin, (last - first) * kBlock, cancel);
    keep(entry, range.object_size, first, range.bytes);
  } else {
    range.object_size = *size;
    range.etag = etag;
    last = std::min(last, (*size + kBlock - 1) / kBlock);
    std::vector<Gap> gaps;
    if (first < last) {
      range.bytes.resize(std::min(last * kBlock, *size) - begin);
      gaps = gaps_of(entry.read(first, last, range.bytes.data(), range.bytes.size()));
    }
    if (gaps.empty() && cancel) cancel->cache_hit();
    for (const Gap& gap : gaps) {
      const std::size_t at = gap.first * kBlock, count = std::min(gap.last * kBlock, range.bytes.size()) - at;
      Range part = inner_->get_range(key, etag, begin + at, count, cancel);
      // An answer that does not fit what is known of the object is the caller's to judge, as it came.
      if (part.object_size != *size || part.bytes.size() != count) return inner_->get_range(key, etag, offset, length, cancel);
      std::memcpy(range.bytes.data() + at, part.bytes.data(), count);
      keep(entry, *size, first + gap.first, part.bytes);
    }
  }
  const std::size_t skip = std::min<std::size_t>(offset - begin, range.bytes.size());
  if (skip || range.bytes.size() > length) range.bytes = range.bytes.substr(skip, length);
  return range;
}

void CachingStore::keep(CacheEntry& entry, std::uint64_t object_size, std::uint64_t first, std::string_view bytes) noexcept {
  try {
    const std::uint64_t begin = first * kBlock;
    // Whole blocks, or to the object's very end.
    if (begin + bytes.size() != object_size) bytes = bytes.substr(0, bytes.size() / kBlock * kBlock);
    if (bytes.empty() || begin + bytes.size() > object_size || bytes.size() > limit_) return;
    entry.write(object_size, first, bytes);
    account(bytes.size());
  } catch (...) {
    // No memory, no directory or a full disk: the answer is there without a cache.
  }
}

bool CachingStore::adopt(std::string_view key, std::string_view etag, const std::string& path) noexcept {
  try {
    const std::uint64_t bytes = file_size(path);
    if (etag.empty() || bytes == 0 || bytes > limit_) return false;
    CacheEntry(directory_, identity_of(key, etag)).adopt(path);
    account(bytes);
    return true;
  } catch (...) {
    return false;
  }
}

void CachingStore::account(std::uint64_t bytes) {
  added_ += bytes;
  std::uint64_t now = 0;
  {
    const Usage usage(directory_);
    if (!usage.held()) return;                                        // the next one counts it too
    now = usage.get().value_or(UINT64_MAX / 2) + added_.exchange(0);  // not known: more than any limit
    usage.set(now);
  }
  if (now > limit_) evict();
}

void CachingStore::evict() {
  std::lock_guard lock(evicting_);
  const std::optional<std::uint64_t> before = Usage(directory_).get();
  if (before && *before <= limit_) return;  // another thread has just done it
  struct Found {
    std::int64_t used_ns = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> paths;  // the index first: without it the rest is nothing
  };
  std::map<std::string, Found> entries;
  std::uint64_t sum = 0;
  for (const std::string& name : list_directory(directory_)) {
    struct stat found;
    const std::string path = directory_ + "/" + name;
    if (name.find('.') != kNameChars || ::stat(path.c_str(), &found) != 0) continue;
    Found& entry = entries[name.substr(0, kNameChars)];
    const bool index = name.ends_with(".index");
#ifdef __APPLE__
    const timespec& used = found.st_mtimespec;
#else
    const timespec& used = found.st_mtim;
#endif
    if (index || entry.used_ns == 0) entry.used_ns = static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
    entry.paths.insert(index ? entry.paths.begin() : entry.paths.end(), path);
    entry.bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;  // holes take nothing
  }
  std::vector<const Found*> oldest_first;
  for (const auto& [name, entry] : entries) {
    oldest_first.push_back(&entry);
    sum += entry.bytes;
  }
  std::sort(oldest_first.begin(), oldest_first.end(), [](const Found* a, const Found* b) { return a->used_ns < b->used_ns; });
  const std::uint64_t target = sum > limit_ ? limit_ - limit_ / 8 : sum;
  for (const Found* entry : oldest_first) {
    if (sum <= target) break;
    for (const std::string& path : entry->paths) {
      remove_file(path);
      TS_FAILPOINT("cache.evicting");
    }
    sum -= entry->bytes;
  }
  // What others have added meanwhile may be counted twice, which brings the next look a little earlier.
  const Usage usage(directory_);
  const std::optional<std::uint64_t> now = usage.get();
  usage.set(sum + (now && before && *now > *before ? *now - *before : 0));
}

}  // namespace ts
