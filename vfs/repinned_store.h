// RepinnedStore: a web server's files under the ETags of the archive that they are copies of.
//
// The server has ETags of its own, which nobody knows before the first answer. Law: all reads of an object under one listed ETag are of
// the version that the first of them met: by If-Match where the server's ETag is a strong one, else by comparing its weak ETag or its
// time and size with each answer. A server that tells none of them is refused, since a change would go unseen. (The size is compared
// with the listed one by who reads, and each page of a shard with its checksum.)
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "vfs/store.h"

namespace ts {

class RepinnedStore : public Store {
 public:
  static constexpr std::size_t kMostPins = 100'000;  // of objects used last: some 30 MB

  explicit RepinnedStore(std::shared_ptr<Store> inner) : inner_(std::move(inner)) {}

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
  struct Pin {
    std::string object, etag;  // as listed; the server's
  };
  std::string pin_of(const std::string& object);
  void pin(const std::string& object, const std::string& etag, std::string_view key);

  const std::shared_ptr<Store> inner_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::list<Pin> pins_;  // used last first
  std::unordered_map<std::string, std::list<Pin>::iterator> by_object_;
};

}  // namespace ts
