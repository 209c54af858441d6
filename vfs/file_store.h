// FileStore: Store in a local directory, one regular file per object.
//
// Publishing is a temporary file (".tmp-...") in the object's directory, fsync, link() (or a rename that cannot replace),
// and fsync of every directory from the location down: what put_if_absent returned survives a loss of power.
// Below the location no symbolic link is followed, and only regular files are objects. The ETag is inode, size and
// modification time in ns. A location that does not exist yet is empty; the first put creates it.
#pragma once
#include <string>

#include "vfs/store.h"

namespace ts {

class FileStore : public Store {
 public:
  // `directory`: absolute, normalised. `page_size`: keys per page of a listing.
  explicit FileStore(std::string directory, std::size_t page_size = 1000);

  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) override;
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                  const Cancel* cancel = nullptr) override;
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const Cancel* cancel = nullptr) override;
  std::string describe() const override;

 private:
  const std::string directory_;
  const std::size_t page_size_;
};

// The directory of a location 'file:///dir', normalised; throws kBadInput with the remedy.
std::string file_location_directory(std::string_view location);

}  // namespace ts
