// Local files: directories of mode 0700, files of mode 0600, fsync, byte locks, memory maps.
//
// Byte locks are record locks of an open file description where the system has them: two copies of this code in one
// process see each other's. The kernel drops them when the process dies, and a forked child closes the descriptor
// (base/fork.h). Elsewhere they are the process's own, which is why a LockFile is never closed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ts {

void make_directories(const std::string& path);       // like mkdir -p, mode 0700; those that are made survive power loss
bool file_exists(const std::string& path);
std::uint64_t file_size(const std::string& path);      // 0 when it is not there
void remove_file(const std::string& path);             // one that is not there is no error
void sync_file(const std::string& path);
void sync_directory(const std::string& path);
enum class Sync { kYes, kNo };
void write_file(const std::string& path, std::string_view bytes, Sync sync = Sync::kYes);  // creates or replaces
std::vector<std::string> list_directory(const std::string& path);  // names, without . and ..
std::uint64_t directory_bytes(const std::string& path);            // sum of its files' sizes
std::string real_path(const std::string& path);                    // one name for a directory, however it was reached
std::string immutable_uri(const std::string& path);                // for sqlite3_open_v2: '?', '#' and '%' in it escaped
std::string host_name();
std::string random_bytes(std::size_t count);
// The value of an environment variable, or "" when it is not set.
std::string environment(const char* name);

[[noreturn]] void throw_errno(const std::string& what, const std::string& path);

// The lock bytes of a spool, one per open shard. Thread-safe. Never destroyed (see above).
class LockFile {
 public:
  explicit LockFile(const std::string& path);
  bool try_lock(std::int64_t byte);          // true: ours now (also when it was)
  void unlock(std::int64_t byte) noexcept;
  bool held_by_other(std::int64_t byte) const;  // by another process or LockFile

 private:
  int fd_;
  std::string path_;
};

// A file's bytes, read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const noexcept { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// How often this process forked away from its parent since the library was loaded: state that belongs to a parent
// carries the number it was made under, and a child that sees another number makes its own.
std::uint64_t fork_generation() noexcept;

}  // namespace ts
