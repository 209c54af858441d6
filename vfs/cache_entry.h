// CacheEntry: the blocks of one immutable object that are kept on local disk, each verified by its digest at every use.
//
// Two files. NAME.data is the object, with holes where blocks are missing; whole, it is the object's file byte for byte. NAME.index
// is: magic | object size | SHA-256 of the identity | SHA-256 of what precedes, then 32 bytes for each block: the SHA-256 of
// identity, number and bytes, or zeros. NAME is the identity's hash.
//
// Laws: a block's digest is written after its bytes, and all writers of an entry write the same bytes, so threads and processes need
// no lock, and one that dies at any instruction leaves a block that is good, missing, or seen to be bad. A bad one is written again.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ts {

class CacheEntry {
 public:
  // A page of any archive file that is not read whole, or a fraction of it: planned ranges need no rounding.
  static constexpr std::uint64_t kBlockBytes = 16 << 10;

  // In a directory that need not be there. `identity` says whose bytes they are: location, key and ETag.
  CacheEntry(const std::string& directory, std::string_view identity);
  ~CacheEntry() { close_files(); }
  CacheEntry(const CacheEntry&) = delete;
  CacheEntry& operator=(const CacheEntry&) = delete;

  // The object's size, when there is an entry; it counts as used now.
  std::optional<std::uint64_t> open();
  // Blocks [first, last) to `into`, which holds `length` bytes: all of them, but where the object ends. Tells which are good. After open().
  std::vector<bool> read(std::uint64_t first, std::uint64_t last, char* into, std::size_t length) const;
  // Whole blocks from `first` on, or up to the object's end. Throws where the disk does not take them.
  void write(std::uint64_t object_size, std::uint64_t first, std::string_view bytes);
  // Makes a file that holds the object's bytes the entry, by rename: no second copy. Throws where that cannot be.
  void adopt(const std::string& path);

 private:
  void open_for_writing(std::uint64_t object_size);
  bool header_is_good(std::uint64_t& object_size) const;
  std::string header(std::uint64_t object_size) const;
  std::string digests(std::uint64_t first, std::string_view bytes) const;
  void close_files() noexcept;

  const std::string identity_;  // its hash
  const std::string directory_, index_path_, data_path_;
  int index_ = -1, data_ = -1;
  bool writable_ = false;
};

}  // namespace ts
