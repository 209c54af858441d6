// RangedFile: the bytes of one immutable object, read by ranges and pinned by its ETag. The layer that the VFS
// and the table share: memory blocks, small files whole, read-ahead that grows while a scan is sequential.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vfs/store.h"

namespace ts {

// How much the files of one connection have fetched in advance and nobody has read yet: what bounds their memory. Thread-safe.
class AheadBytes {
 public:
  static constexpr std::uint64_t kMost = 64 << 20;  // 24 requests of 2 MiB in flight, and some that wait to be read
  explicit AheadBytes(std::uint64_t most = kMost) : most_(most) {}
  std::uint64_t room() const {
    const std::uint64_t used = used_.load();
    return used < most_ ? most_ - used : 0;
  }
  std::uint64_t take(std::uint64_t wanted) {  // returns how much of it there was room for
    std::uint64_t used = used_.load(), taken = 0;
    do {
      taken = used < most_ ? std::min(wanted, most_ - used) : 0;
    } while (!used_.compare_exchange_weak(used, used + taken));
    return taken;
  }
  void take_regardless(std::uint64_t bytes) { used_ += bytes; }
  void give_back(std::uint64_t bytes) { used_ -= bytes; }

 private:
  const std::uint64_t most_;
  std::atomic<std::uint64_t> used_{0};
};

class RangedFile {
 public:
  // How much the first request for a file brings that is not read whole: an archive file keeps its navigation there.
  static constexpr std::uint64_t kHeadBytes = 256 << 10;
  static constexpr std::uint64_t kWholeBytes = 4 << 20;  // up to here one GET: one more round trip costs more than the bytes
  static constexpr std::uint64_t kPartBytes = 2 << 20;   // of one prefetch: a larger span goes over several connections

  // `etag` and `size` as listed; an empty etag (size ignored): the first answer pins both. `ahead` bounds what is fetched in
  // advance, together with other files; null: of this file alone.
  RangedFile(std::shared_ptr<Store> store, std::string key, std::string etag, std::uint64_t size,
             std::shared_ptr<AheadBytes> ahead = nullptr);
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
  // Files up to 4 MiB are read by one GET (the default), or as larger ones are, by ranges.
  void read_whole(bool whole);
  // Begins to fetch what is not there yet, in parallel, and returns: near spans as one GET, large ones as several equal ones. A
  // read of such bytes waits for the GET that is under way and gets its error, or makes the GET itself if nobody has begun it; what
  // is never read fails nobody. Spans for which there is no room() are left out. Of a file that is read whole all is fetched.
  // `cancel` is used until end_prefetch() or the destructor, and never after.
  void prefetch(std::vector<Span> spans, const Cancel* cancel);
  // Scans upwards are followed from now on: what comes next is fetched while a window is read. `cancel` as above.
  void follow(const Cancel* cancel);
  // How much prefetch() takes now.
  std::uint64_t room() const;
  // So much of what was read stays in memory, instead of 16 MiB, until end_prefetch(): for a reader that goes through it several times.
  void keep(std::uint64_t bytes);
  // Somebody waits for this file: the bound does not hold for it, until end_prefetch().
  void await();
  // Calls off what is still under way: such requests end within one poll of Cancel. What was fetched in advance stays, and no longer
  // counts as such.
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
