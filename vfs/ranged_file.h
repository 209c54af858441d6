// RangedFile: the bytes of one immutable object, read by ranges and pinned by its ETag. The layer that the VFS
// and the table share: memory blocks, small files whole, read-ahead that grows while a scan is sequential.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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
  // Bytes [offset, offset + length) of a file.
  struct Span {
    std::uint64_t offset = 0, length = 0;
  };
  // Begins to fetch what is not there yet, in parallel, and returns: near spans as one GET, large ones as several. A read of
  // such bytes waits for the GET that is under way and gets its error; what is never read fails nobody. Without effect on a
  // file that one GET brings. `cancel` is used until end_prefetch() or the destructor, and never after.
  void prefetch(std::vector<Span> spans, const Cancel* cancel);
  // Calls off what is still under way: such requests end within one poll of Cancel.
  void end_prefetch();
  // Copies bytes that are in memory; false, and no request, where one of them is not.
  bool peek(std::uint64_t offset, void* into, std::size_t length);
  // The object for messages: "s3://bucket/prefix/key".
  std::string name() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with prefetches that are called off
};

}  // namespace ts
