// CachingStore: another Store, whose pinned ranges are kept on local disk. Shared by processes; never serves a wrong object.
//
// Only reads with an ETag are cached, since only those bytes can never change. An entry is one file: what it belongs to
// (location, key, ETag, range), a SHA-256, and the bytes. It appears whole by rename, is checked at every use, and a bad
// one is dropped and fetched again. Eviction is LRU by the files' times, when the sum of their sizes passes the limit.
// A cache that cannot be written (disk full, read-only) costs requests, never an answer.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "vfs/store.h"

namespace ts {

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
  std::string describe() const override { return inner_->describe(); }

 private:
  bool read_entry(const std::string& path, const std::string& identity, Range& range) const;
  void write_entry(const std::string& path, const std::string& identity, const Range& range) noexcept;
  void evict();

  const std::shared_ptr<Store> inner_;
  const std::string identity_, directory_;
  const std::uint64_t limit_;
  std::mutex mutex_;                           // guards eviction
  std::atomic<std::uint64_t> unaccounted_{0};  // bytes written since the directory was last summed up
};

}  // namespace ts
