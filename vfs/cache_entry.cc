// The files of one cached object: created by link, filled by pwrite, replaced by rename.
#include "vfs/cache_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "ext/base/digest.h"
#include "ext/base/error.h"
#include "ext/base/failpoint.h"
#include "ext/base/file.h"

namespace ts {
namespace {

constexpr std::string_view kMagic = "tscache2";
constexpr std::size_t kHash = 32;
constexpr std::size_t kHeader = 8 + 8 + kHash + kHash;

std::string number(std::uint64_t value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); }

off_t digest_offset(std::uint64_t block) { return static_cast<off_t>(kHeader + block * kHash); }

// As many bytes as there are.
std::size_t read_at(int fd, char* into, std::size_t length, off_t offset) {
  std::size_t have = 0;
  while (have < length) {
    ssize_t n = ::pread(fd, into + have, length - have, offset + static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
  }
  return have;
}

void write_at(int fd, std::string_view bytes, off_t offset, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw_errno("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += n;
  }
}

// A file of that content beside `path`, under a name of its own until it is linked or renamed; removed with the object.
struct Temporary {
  Temporary(const std::string& beside, std::string_view bytes) : path(beside + "." + hex(random_bytes(8)) + ".tmp") {
    try {
      write_file(path, bytes, Sync::kNo);
    } catch (const Error&) {
      ::unlink(path.c_str());
      throw;
    }
  }
  ~Temporary() { ::unlink(path.c_str()); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  const std::string path;
};

}  // namespace

CacheEntry::CacheEntry(const std::string& directory, std::string_view identity)
    : identity_(sha256(identity)),
      directory_(directory),
      index_path_(directory + "/" + hex(identity_) + ".index"),
      data_path_(directory + "/" + hex(identity_) + ".data") {}

void CacheEntry::close_files() noexcept {
  if (index_ >= 0) ::close(index_);
  if (data_ >= 0) ::close(data_);
  index_ = data_ = -1;
}

std::string CacheEntry::header(std::uint64_t object_size) const {
  std::string text = std::string(kMagic) + number(object_size) + identity_;
  return text + sha256(text);
}

bool CacheEntry::header_is_good(std::uint64_t& object_size) const {
  char there[kHeader];
  if (read_at(index_, there, kHeader, 0) != kHeader) return false;
  std::memcpy(&object_size, there + kMagic.size(), sizeof object_size);
  return std::string_view(there, kHeader) == header(object_size);
}

std::optional<std::uint64_t> CacheEntry::open() {
  index_ = ::open(index_path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (index_ < 0) return std::nullopt;
  std::uint64_t object_size = 0;
  if (!header_is_good(object_size)) {
    close_files();
    ::unlink(index_path_.c_str());
    return std::nullopt;
  }
  ::futimens(index_, nullptr);
  data_ = ::open(data_path_.c_str(), O_RDONLY | O_CLOEXEC);  // without it all blocks are missing
  return object_size;
}

std::vector<bool> CacheEntry::read(std::uint64_t first, std::uint64_t last, char* into, std::size_t length) const {
  std::vector<bool> good(last - first);
  std::string wanted(good.size() * kHash, '\0');
  read_at(index_, wanted.data(), wanted.size(), digest_offset(first));
  if (data_ < 0 || wanted.find_first_not_of('\0') == std::string::npos) return good;
  length = read_at(data_, into, length, static_cast<off_t>(first * kBlockBytes));
  const std::string there = digests(first, {into, length});
  for (std::size_t i = 0; i < good.size() && i * kHash < there.size(); i++) {
    good[i] = std::memcmp(there.data() + i * kHash, wanted.data() + i * kHash, kHash) == 0;
  }
  return good;
}

std::string CacheEntry::digests(std::uint64_t first, std::string_view bytes) const {
  std::string all, one = identity_ + number(0);
  const std::size_t head = one.size();
  for (; !bytes.empty(); first++) {
    const std::string_view block = bytes.substr(0, kBlockBytes);
    one.resize(head);
    one.replace(kHash, sizeof first, number(first));
    one += block;
    all += sha256(one);
    bytes.remove_prefix(block.size());
  }
  return all;
}

void CacheEntry::open_for_writing(std::uint64_t object_size) {
  close_files();
  make_directories(directory_);
  std::uint64_t there = 0;
  for (int tries = 0; index_ < 0; tries++) {
    index_ = ::open(index_path_.c_str(), O_RDWR | O_CLOEXEC);
    if (index_ >= 0 && header_is_good(there) && there == object_size) break;
    if (index_ >= 0) ::unlink(index_path_.c_str());
    close_files();
    if (tries == 3) throw_errno("cannot keep", index_path_);
    Temporary fresh(index_path_, header(object_size));
    TS_FAILPOINT("cache.index_written");
    // Never over an index that another writer has begun to fill.
    if (::link(fresh.path.c_str(), index_path_.c_str()) != 0 && errno != EEXIST) throw_errno("cannot link", index_path_);
    TS_FAILPOINT("cache.index_linked");
  }
  data_ = ::open(data_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (data_ < 0) throw_errno("cannot open", data_path_);
  writable_ = true;
}

void CacheEntry::write(std::uint64_t object_size, std::uint64_t first, std::string_view bytes) {
  if (!writable_) open_for_writing(object_size);
  const std::string marks = digests(first, bytes);
  write_at(data_, bytes, static_cast<off_t>(first * kBlockBytes), data_path_);
  TS_FAILPOINT("cache.bytes_written");
  write_at(index_, marks, digest_offset(first), index_path_);
  TS_FAILPOINT("cache.digests_written");
}

void CacheEntry::adopt(const std::string& path) {
  make_directories(directory_);
  std::string index;
  {
    const MappedFile file(path);
    index = header(file.bytes().size()) + digests(0, file.bytes());
  }
  const Temporary fresh(index_path_, index);
  TS_FAILPOINT("cache.adopt_begun");
  // First the bytes: an index that knows them already is as true as the new one.
  if (::rename(path.c_str(), data_path_.c_str()) != 0) throw_errno("cannot rename", path);
  TS_FAILPOINT("cache.adopt_data");
  if (::rename(fresh.path.c_str(), index_path_.c_str()) != 0) throw_errno("cannot rename", fresh.path);
  TS_FAILPOINT("cache.adopt_index");
}

}  // namespace ts
