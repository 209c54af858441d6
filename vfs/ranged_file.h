// RangedFile: the bytes of one immutable object, read by ranges and pinned by its ETag. The layer that the VFS
// and the table share: memory blocks, small files whole, read-ahead that grows while a scan is sequential.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "vfs/store.h"

namespace ts {

class RangedFile {
 public:
  // `etag` and `size` as listed; an empty etag (size ignored): the first answer pins both.
  RangedFile(std::shared_ptr<Store> store, std::string key, std::string etag, std::uint64_t size);
  ~RangedFile();
  RangedFile(const RangedFile&) = delete;
  RangedFile& operator=(const RangedFile&) = delete;

  std::uint64_t size(const Cancel* cancel = nullptr);
  // Copies `length` bytes; returns how many there were (fewer only at the end). Throws Error. Thread-safe.
  std::size_t read(std::uint64_t offset, void* into, std::size_t length, const Cancel* cancel = nullptr);
  // The object for messages: "s3://bucket/prefix/key".
  std::string name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts
