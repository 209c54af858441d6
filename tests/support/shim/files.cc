// File calls below one directory: the n-th fails, or all are written down in the order in which they took effect.
//
// A recording holds what tests/python/power_loss.py needs to build the directory as a loss of power at any point may leave it:
// opens, writes with their bytes, syncs, names. Writes into a shared map of a *.mark file are found by comparing it at each event.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/support/shim/shim.h"

namespace {

// tests/python/shim.py names them too.
enum Kind : unsigned { kOpen = 1, kCreate = 2, kRead = 4, kWrite = 8, kSync = 16, kName = 32, kRemove = 64, kMap = 128, kLock = 256 };

constexpr int kDescriptors = 8192;
constexpr int kMaps = 256;
constexpr std::size_t kMarkBytes = 64;  // what a mark uses of its page

char root[1024];
std::atomic<bool> failing{false};
std::atomic<int> fail_at{0}, calls{0}, failed{0};
std::atomic<unsigned> fail_kinds{0};
int fail_errno = 0;
bool fail_lasts = false;

std::atomic<const char*> names[kDescriptors];  // of what is open below the root; never freed

struct Map {
  unsigned char* at;
  unsigned char seen[kMarkBytes];
};
Map maps[kMaps];
int log_fd = -1;
pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

bool below_root(const char* path) { return root[0] && path && std::strncmp(path, root, std::strlen(root)) == 0; }

const char* name_of(int fd) { return fd >= 0 && fd < kDescriptors ? names[fd].load() : nullptr; }

void set_name(int fd, const char* path) {
  if (fd >= 0 && fd < kDescriptors) names[fd] = path ? ::strdup(path) : nullptr;
}

// True when this call is to fail; errno says how.
bool fails(unsigned kind, const char* what, const char* path) {
  if (!failing.load(std::memory_order_relaxed) || !path || !(kind & fail_kinds)) return false;
  const int call = ++calls;
  if (call < fail_at || (call > fail_at && !fail_lasts)) return false;
  if (failed++ == 0) {
    char text[512];
    ::snprintf(text, sizeof text, "%s %s", what, path + std::strlen(root));
    shim::remember_failure(text);
  }
  errno = fail_errno;
  return true;
}

// Holds the order of events; nothing while no recording runs.
class Recorded {
 public:
  Recorded() {
    if (log_fd < 0) return;
    ::pthread_mutex_lock(&log_mutex);
    locked_ = true;
    compare_maps();
  }
  ~Recorded() {
    if (!locked_) return;
    const int error = errno;
    ::pthread_mutex_unlock(&log_mutex);
    errno = error;
  }
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;
  bool on() const { return locked_; }

  void event(const std::string& line, const void* bytes = nullptr, std::size_t count = 0) const {
    const shim::Ours own;
    static const auto real = reinterpret_cast<ssize_t (*)(int, const void*, std::size_t)>(shim::next("write"));
    std::string out = line + "\n";
    if (bytes) out.append(static_cast<const char*>(bytes), count);
    for (std::size_t done = 0; done < out.size();) {
      const ssize_t n = real(log_fd, out.data() + done, out.size() - done);
      if (n <= 0) ::_exit(99);  // a test cannot go on without its record
      done += static_cast<std::size_t>(n);
    }
  }

 private:
  void compare_maps() const {
    for (int i = 0; i < kMaps; i++) {
      if (!maps[i].at || std::memcmp(maps[i].at, maps[i].seen, kMarkBytes) == 0) continue;
      std::memcpy(maps[i].seen, maps[i].at, kMarkBytes);
      event("m " + std::to_string(i) + " " + std::to_string(kMarkBytes), maps[i].seen, kMarkBytes);
    }
  }
  bool locked_ = false;
};

template <class Function>
Function real_of(const char* name) {
  return reinterpret_cast<Function>(shim::next(name));
}

unsigned open_kind(int flags) { return (flags & (O_CREAT | O_WRONLY | O_RDWR)) ? kOpen | kCreate : kOpen; }

int opened(int fd, int flags, const char* path, bool existed, const Recorded& record) {
  const bool ours = below_root(path);
  if (fd >= 0) set_name(fd, ours ? path : nullptr);
  if (fd < 0 || !ours || !record.on()) return fd;
  record.event("O " + std::to_string(fd) + " " + (existed ? "0 " : "1 ") + path);
  if (flags & O_TRUNC) record.event("T " + std::to_string(fd) + " 0");
  return fd;
}

// Relative to a directory that is open below the root.
std::string full_path(int directory, const char* path) {
  const shim::Ours own;
  const char* above = path[0] == '/' ? nullptr : name_of(directory);
  return above ? std::string(above) + "/" + path : path;
}

template <class Call>
int open_through(const char* what, const std::string& path, int flags, Call&& call) {
  if (!below_root(path.c_str())) {
    const int fd = call();
    if (fd >= 0) set_name(fd, nullptr);
    return fd;
  }
  if (fails(open_kind(flags), what, path.c_str())) return -1;
  const Recorded record;
  const bool existed = !record.on() || ::access(path.c_str(), F_OK) == 0;
  return opened(call(), flags, path.c_str(), existed, record);
}

mode_t mode_of(int flags, va_list list) { return flags & O_CREAT ? static_cast<mode_t>(va_arg(list, int)) : 0; }

ssize_t written(int fd, const void* bytes, ssize_t count, off_t at, const Recorded& record) {
  if (count > 0 && record.on()) {
    record.event("W " + std::to_string(fd) + " " + std::to_string(at) + " " + std::to_string(count), bytes,
                 static_cast<std::size_t>(count));
  }
  return count;
}

template <class Call>
int synced(int fd, const char* what, Call&& call) {
  const char* path = name_of(fd);
  if (fails(kSync, what, path)) return -1;
  if (!path) return call();
  const Recorded record;
  const int rc = call();
  if (rc == 0 && record.on()) record.event("S " + std::to_string(fd));
  return rc;
}

template <class Call>
int named(unsigned kind, const char* what, const std::string& from, const std::string& to, const char* event, Call&& call) {
  const std::string& ours = below_root(from.c_str()) ? from : to;
  if (!below_root(ours.c_str())) return call();
  if (fails(kind, what, ours.c_str())) return -1;
  const Recorded record;
  const int rc = call();
  if (rc == 0 && record.on()) record.event(std::string(event) + " " + from + (to.empty() ? "" : " " + to));
  return rc;
}

template <class Call>
void* mapped(int fd, int protection, int flags, std::size_t length, Call&& call) {
  const char* path = name_of(fd);
  if (!path) return call();
  if (fails(kMap, "mmap", path)) return MAP_FAILED;
  const Recorded record;
  void* at = call();
  const std::size_t size = std::strlen(path);
  const bool mark = size > 5 && std::strcmp(path + size - 5, ".mark") == 0;
  if (at == MAP_FAILED || !record.on() || !mark || !(flags & MAP_SHARED) || !(protection & PROT_WRITE) || length < kMarkBytes) return at;
  for (int i = 0; i < kMaps; i++) {
    if (maps[i].at) continue;
    maps[i].at = static_cast<unsigned char*>(at);
    std::memcpy(maps[i].seen, at, kMarkBytes);
    record.event("M " + std::to_string(i) + " " + std::to_string(fd));
    return at;
  }
  ::_exit(98);  // more marks than a test may have
}

}  // namespace

// ---------------------------------------------------------------- what Python calls

SHIM_EXPORT void shim_files(const char* directory) { std::strncpy(root, directory, sizeof root - 1); }

// The n-th call of these kinds from now on fails with `error`, and those after it too if `lasts`.
SHIM_EXPORT void shim_fail_file(int n, int error, int lasts, unsigned kinds) {
  fail_at = n;
  fail_errno = error;
  fail_lasts = lasts != 0;
  fail_kinds = kinds;
  calls = failed = 0;
  failing = true;
}
SHIM_EXPORT void shim_fail_no_file() { failing = false; }
SHIM_EXPORT int shim_file_calls() { return calls; }
SHIM_EXPORT int shim_files_failed() { return failed; }

SHIM_EXPORT void shim_record(const char* path) {
  static const auto real = real_of<int (*)(const char*, int, ...)>("open");
  log_fd = ::fcntl(real(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), F_DUPFD_CLOEXEC, 900);
}
SHIM_EXPORT void shim_note(const char* text) {
  const Recorded record;
  if (record.on()) record.event(std::string("N ") + text);
}

// ---------------------------------------------------------------- what the process calls

#define SHIM_OPEN(name)                                                                     \
  SHIM_EXPORT int name(const char* path, int flags, ...) {                                  \
    static const auto real = real_of<int (*)(const char*, int, ...)>(#name);                \
    va_list list;                                                                           \
    va_start(list, flags);                                                                  \
    const mode_t mode = mode_of(flags, list);                                               \
    va_end(list);                                                                           \
    const shim::Ours own;                                                                   \
    return open_through("open", path, flags, [&] { return real(path, flags, mode); });      \
  }
SHIM_OPEN(open)
SHIM_OPEN(open64)

#define SHIM_OPENAT(name)                                                                                                   \
  SHIM_EXPORT int name(int directory, const char* path, int flags, ...) {                                                   \
    static const auto real = real_of<int (*)(int, const char*, int, ...)>(#name);                                           \
    va_list list;                                                                                                           \
    va_start(list, flags);                                                                                                  \
    const mode_t mode = mode_of(flags, list);                                                                               \
    va_end(list);                                                                                                           \
    const shim::Ours own;                                                                                                   \
    return open_through("open", full_path(directory, path), flags, [&] { return real(directory, path, flags, mode); });     \
  }
SHIM_OPENAT(openat)
SHIM_OPENAT(openat64)

SHIM_EXPORT int close(int fd) {
  static const auto real = real_of<int (*)(int)>("close");
  if (name_of(fd)) set_name(fd, nullptr);
  return real(fd);
}

SHIM_EXPORT ssize_t read(int fd, void* bytes, std::size_t count) {
  static const auto real = real_of<ssize_t (*)(int, void*, std::size_t)>("read");
  return fails(kRead, "read", name_of(fd)) ? -1 : real(fd, bytes, count);
}

#define SHIM_PREAD(name, offset)                                                            \
  SHIM_EXPORT ssize_t name(int fd, void* bytes, std::size_t count, offset at) {             \
    static const auto real = real_of<ssize_t (*)(int, void*, std::size_t, offset)>(#name);  \
    return fails(kRead, "pread", name_of(fd)) ? -1 : real(fd, bytes, count, at);            \
  }
SHIM_PREAD(pread, off_t)
SHIM_PREAD(pread64, off64_t)

SHIM_EXPORT ssize_t write(int fd, const void* bytes, std::size_t count) {
  static const auto real = real_of<ssize_t (*)(int, const void*, std::size_t)>("write");
  const char* path = name_of(fd);
  if (fails(kWrite, "write", path)) return -1;
  if (!path) return real(fd, bytes, count);
  const Recorded record;
  const off_t at = record.on() ? ::lseek(fd, 0, SEEK_CUR) : 0;
  return written(fd, bytes, real(fd, bytes, count), at, record);
}

#define SHIM_PWRITE(name, offset)                                                                \
  SHIM_EXPORT ssize_t name(int fd, const void* bytes, std::size_t count, offset at) {            \
    static const auto real = real_of<ssize_t (*)(int, const void*, std::size_t, offset)>(#name); \
    const char* path = name_of(fd);                                                              \
    if (fails(kWrite, "pwrite", path)) return -1;                                                \
    if (!path) return real(fd, bytes, count, at);                                                \
    const Recorded record;                                                                       \
    return written(fd, bytes, real(fd, bytes, count, at), at, record);                           \
  }
SHIM_PWRITE(pwrite, off_t)
SHIM_PWRITE(pwrite64, off64_t)

#define SHIM_TRUNCATE(name, offset)                                                              \
  SHIM_EXPORT int name(int fd, offset size) {                                                    \
    static const auto real = real_of<int (*)(int, offset)>(#name);                               \
    const char* path = name_of(fd);                                                              \
    if (fails(kWrite, "ftruncate", path)) return -1;                                             \
    if (!path) return real(fd, size);                                                            \
    const Recorded record;                                                                       \
    const int rc = real(fd, size);                                                               \
    if (rc == 0 && record.on()) record.event("T " + std::to_string(fd) + " " + std::to_string(size)); \
    return rc;                                                                                   \
  }
SHIM_TRUNCATE(ftruncate, off_t)
SHIM_TRUNCATE(ftruncate64, off64_t)

#define SHIM_SYNC(name)                                       \
  SHIM_EXPORT int name(int fd) {                              \
    static const auto real = real_of<int (*)(int)>(#name);    \
    return synced(fd, #name, [&] { return real(fd); });       \
  }
SHIM_SYNC(fsync)
SHIM_SYNC(fdatasync)

SHIM_EXPORT int rename(const char* from, const char* to) {
  static const auto real = real_of<int (*)(const char*, const char*)>("rename");
  const shim::Ours own;
  return named(kName, "rename", from, to, "R", [&] { return real(from, to); });
}
SHIM_EXPORT int link(const char* from, const char* to) {
  static const auto real = real_of<int (*)(const char*, const char*)>("link");
  const shim::Ours own;
  return named(kName, "link", from, to, "L", [&] { return real(from, to); });
}
SHIM_EXPORT int linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) {
  static const auto real = real_of<int (*)(int, const char*, int, const char*, int)>("linkat");
  const shim::Ours own;
  return named(kName, "link", full_path(from_directory, from), full_path(to_directory, to), "L",
               [&] { return real(from_directory, from, to_directory, to, flags); });
}
SHIM_EXPORT int unlink(const char* path) {
  static const auto real = real_of<int (*)(const char*)>("unlink");
  const shim::Ours own;
  return named(kRemove, "unlink", path, "", "U", [&] { return real(path); });
}
SHIM_EXPORT int unlinkat(int directory, const char* path, int flags) {
  static const auto real = real_of<int (*)(int, const char*, int)>("unlinkat");
  const shim::Ours own;
  return named(kRemove, "unlink", full_path(directory, path), "", "U", [&] { return real(directory, path, flags); });
}
SHIM_EXPORT int mkdir(const char* path, mode_t mode) {
  static const auto real = real_of<int (*)(const char*, mode_t)>("mkdir");
  const shim::Ours own;
  return named(kName | kCreate, "mkdir", path, "", "D", [&] { return real(path, mode); });
}
SHIM_EXPORT int mkdirat(int directory, const char* path, mode_t mode) {
  static const auto real = real_of<int (*)(int, const char*, mode_t)>("mkdirat");
  const shim::Ours own;
  return named(kName | kCreate, "mkdir", full_path(directory, path), "", "D", [&] { return real(directory, path, mode); });
}

#define SHIM_MMAP(name, offset)                                                                                      \
  SHIM_EXPORT void* name(void* hint, std::size_t length, int protection, int flags, int fd, offset at) {             \
    static const auto real = real_of<void* (*)(void*, std::size_t, int, int, int, offset)>(#name);                   \
    return mapped(fd, protection, flags, length, [&] { return real(hint, length, protection, flags, fd, at); });     \
  }
SHIM_MMAP(mmap, off_t)
SHIM_MMAP(mmap64, off64_t)

SHIM_EXPORT int munmap(void* at, std::size_t length) {
  static const auto real = real_of<int (*)(void*, std::size_t)>("munmap");
  if (log_fd < 0) return real(at, length);
  const Recorded record;
  for (Map& map : maps) {
    if (map.at == at) map.at = nullptr;
  }
  return real(at, length);
}

#define SHIM_FCNTL(name)                                                              \
  SHIM_EXPORT int name(int fd, int command, ...) {                                    \
    static const auto real = real_of<int (*)(int, int, ...)>(#name);                  \
    va_list list;                                                                     \
    va_start(list, command);                                                          \
    void* argument = va_arg(list, void*);                                             \
    va_end(list);                                                                     \
    const bool locks = command == F_SETLK || command == F_OFD_SETLK;                  \
    if (locks && static_cast<struct flock*>(argument)->l_type != F_UNLCK &&           \
        fails(kLock, "fcntl lock", name_of(fd))) {                                    \
      return -1;                                                                      \
    }                                                                                 \
    return real(fd, command, argument);                                               \
  }
SHIM_FCNTL(fcntl)
SHIM_FCNTL(fcntl64)
