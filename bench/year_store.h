// A Store of a year's names: S3's laws, a million objects of which most are a name and a size, and some have bytes. It counts.
//
// Objects are given behind its back (give()), or put as anybody puts them. One that has no bytes can be listed and removed, not read.
// Thread-safe.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "vfs/store.h"

namespace ts_bench {

class YearStore : public ts::Store {
 public:
  ts::ListPage list(std::string_view prefix, std::string_view start_after, const ts::Cancel* cancel = nullptr) override;
  ts::Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                      const ts::Cancel* cancel = nullptr) override;
  ts::PutResult put_if_absent(std::string_view key, std::string_view bytes, const ts::Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const ts::Cancel* cancel = nullptr) override;
  std::string describe() const override { return "s3://year"; }

  void give(std::string key, std::uint64_t size);
  std::size_t objects() const;
  std::uint64_t bytes() const;
  std::uint64_t requests() const { return requests_; }

 private:
  struct Object {
    std::uint64_t size = 0, number = 0;  // the latter is its ETag
    std::shared_ptr<const std::string> bytes;
  };
  mutable std::mutex mutex_;  // guards objects_, numbers_
  std::map<std::string, Object, std::less<>> objects_;
  std::uint64_t numbers_ = 0;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace ts_bench
