// CachingStore: entries, their verification and their eviction.
#include "vfs/caching_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "ext/base/file.h"
#include "vfs/sigv4.h"

namespace ts {
namespace {

constexpr char kMagic[9] = "tscache1";
constexpr std::size_t kHash = 32;

std::string number(std::uint64_t value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); }

}  // namespace

CachingStore::CachingStore(std::shared_ptr<Store> inner, std::string identity, std::string directory, std::uint64_t limit_bytes)
    : inner_(std::move(inner)), identity_(std::move(identity)), directory_(std::move(directory)), limit_(limit_bytes) {
  make_directories(directory_);
}

Range CachingStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                              const Cancel* cancel) {
  if (etag.empty()) return inner_->get_range(key, etag, offset, length, cancel);
  std::string identity =
      identity_ + "\n" + std::string(key) + "\n" + std::string(etag) + "\n" + std::to_string(offset) + "+" + std::to_string(length);
  std::string path = directory_ + "/" + hex(sha256(identity)) + ".range";
  Range range;
  if (read_entry(path, identity, range)) {
    range.etag = etag;
    if (cancel) cancel->cache_hit();
    return range;
  }
  range = inner_->get_range(key, etag, offset, length, cancel);
  write_entry(path, identity, range);
  return range;
}

// magic | SHA-256 of what follows | object size | length of the identity | identity | bytes
bool CachingStore::read_entry(const std::string& path, const std::string& identity, Range& range) const {
  try {
    if (!file_exists(path)) return false;
    MappedFile file(path);
    std::string_view all = file.bytes();
    std::size_t head = 8 + kHash + 16 + identity.size();
    bool good = all.size() >= head && all.substr(0, 8) == kMagic && all.substr(8, kHash) == sha256(all.substr(8 + kHash));
    if (good) {
      std::uint64_t size, length;
      std::memcpy(&size, all.data() + 8 + kHash, 8);
      std::memcpy(&length, all.data() + 16 + kHash, 8);
      good = length == identity.size() && all.substr(8 + kHash + 16, length) == identity;
      if (good) {
        range.object_size = size;
        range.bytes = all.substr(head);
        ::utimes(path.c_str(), nullptr);  // used now: the last to be evicted
        return true;
      }
    }
    remove_file(path);
  } catch (const Error&) {
    // Evicted by another process, or unreadable: fetched again.
  }
  return false;
}

void CachingStore::write_entry(const std::string& path, const std::string& identity, const Range& range) noexcept {
  try {
    std::string body = number(range.object_size) + number(identity.size()) + identity + range.bytes;
    std::string temporary = path + "." + hex(random_bytes(8)) + ".tmp";
    try {
      write_file(temporary, kMagic + sha256(body) + body, Sync::kNo);
      if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("cannot rename", temporary);
    } catch (const Error&) {
      remove_file(temporary);
      return;
    }
    if ((unaccounted_ += body.size()) > limit_ / 16) evict();
  } catch (...) {
    // No memory or no directory: the answer is there without a cache.
  }
}

void CachingStore::evict() {
  std::lock_guard lock(mutex_);
  unaccounted_ = 0;
  struct Entry {
    std::int64_t used;
    std::uint64_t size;
    std::string path;
  };
  std::vector<Entry> entries;
  std::uint64_t sum = 0;
  for (const std::string& name : list_directory(directory_)) {
    std::string path = directory_ + "/" + name;
    struct stat found;
    bool ours = name.find(".range") != std::string::npos;
    if (!ours || ::stat(path.c_str(), &found) != 0) continue;
    entries.push_back({static_cast<std::int64_t>(found.st_mtime), static_cast<std::uint64_t>(found.st_size), path});
    sum += entries.back().size;
  }
  std::uint64_t target = limit_ - limit_ / 8;
  if (sum <= target) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (sum <= target) break;
    remove_file(entry.path);
    sum -= entry.size;
  }
}

}  // namespace ts
