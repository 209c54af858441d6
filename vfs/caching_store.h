// CachingStore: another Store, whose pinned ranges are kept on local disk. Shared by processes; never serves a wrong object.
//
// Only reads with an ETag are cached, since only those bytes can never change. Each object has an entry of verified blocks
// (vfs/cache_entry.h), so that any range is answered from what any others have brought, and only what is missing is fetched.
// Eviction is LRU by object. What the directory holds is counted in its file `usage`, which all processes share; the directory is
// looked through only when that passes the limit, and then an eighth of it is freed.
// A cache that cannot be written or read (disk full, read-only, no directory) costs requests, never an answer.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "vfs/store.h"

namespace ts {

class CacheEntry;

class CachingStore : public Store {
 public:
  // `identity` is the normalised location: two archives never share an entry. `directory` is made when it is not there.
  CachingStore(std::shared_ptr<Store> inner, std::string identity, std::string directory, std::uint64_t limit_bytes);

  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) override {
    return inner_->list(prefix, start_after, cancel);
  }
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                  const Cancel* cancel = nullptr) override;
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) override {
    return inner_->put_if_absent(key, bytes, cancel);
  }
  void remove(std::string_view key, const Cancel* cancel = nullptr) override { inner_->remove(key, cancel); }
  bool adopt(std::string_view key, std::string_view etag, const std::string& path) noexcept override;
  std::string describe() const override { return inner_->describe(); }

 private:
  std::string identity_of(std::string_view key, std::string_view etag) const;
  void keep(CacheEntry& entry, std::uint64_t object_size, std::uint64_t first, std::string_view bytes) noexcept;
  void account(std::uint64_t bytes);
  void evict();

  const std::shared_ptr<Store> inner_;
  const std::string identity_, directory_;
  const std::uint64_t limit_;
  std::mutex evicting_;                  // one thread looks through the directory
  std::atomic<std::uint64_t> added_{0};  // bytes that are not in `usage` yet
};

}  // namespace ts
