// Local files: the system calls, each checked.
#include "ext/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ext/base/clock.h"
#include "ext/base/error.h"
#include "ext/base/fork.h"

namespace ts {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int open_or_throw(const std::string& path, int flags, mode_t mode = 0600) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) throw_errno("cannot open", path);
  return fd;
}

std::atomic<std::uint64_t> generation{0};
// Registered when the library is loaded, before any state exists that a fork could tear.
const bool registered = [] {
  ::pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1); });
  return true;
}();

}  // namespace

std::uint64_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed) + (registered ? 0 : 1); }

void throw_errno(const std::string& what, const std::string& path) {
  int error = errno;
  Code code = Code::kIo;
  if (error == ENOSPC || error == EDQUOT) code = Code::kFull;
  if (error == EROFS || error == EACCES || error == EPERM) code = Code::kReadOnly;
  if (error == ENOENT) code = Code::kNotFound;
  const char* remedy = "";
  if (code == Code::kFull) remedy = "; make room there";
  if (error == EACCES || error == EPERM) remedy = "; check the permissions there";
  throw Error(code, "file: " + what + ": " + path + ": " + std::strerror(error) + remedy);
}

void make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) == 0) {
      std::size_t slash = part.rfind('/');
      sync_directory(slash == std::string::npos ? "." : part.substr(0, std::max<std::size_t>(1, slash)));
    } else if (errno != EEXIST) {
      int error = errno;
      struct stat found;
      if (::stat(part.c_str(), &found) != 0) {
        errno = error;
        throw_errno("cannot create directory", part);
      }
    }
    if (end == std::string::npos) break;
  }
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) throw_errno("cannot create directory", path);
  if (!S_ISDIR(found.st_mode)) throw Error(Code::kIo, "file: not a directory: " + path);
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::uint64_t file_size(const std::string& path) {
  struct stat found;
  return ::stat(path.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno("cannot remove", path);
}

void sync_file(const std::string& path) {
  Descriptor fd(open_or_throw(path, O_RDONLY));
  if (::fsync(fd.get()) != 0) throw_errno("cannot fsync", path);
}

void sync_directory(const std::string& path) {
  Descriptor fd(open_or_throw(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) throw_errno("cannot fsync", path);
}

void write_file(const std::string& path, std::string_view bytes, Sync sync) {
  Descriptor fd(open_or_throw(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
  while (!bytes.empty()) {
    ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (sync == Sync::kYes && ::fsync(fd.get()) != 0) throw_errno("cannot fsync", path);
}

std::vector<std::string> list_directory(const std::string& path) {
  DIR* dir = ::opendir(path.c_str());
  if (!dir) throw_errno("cannot read directory", path);
  std::vector<std::string> names;
  while (dirent* entry = ::readdir(dir)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  ::closedir(dir);
  return names;
}

std::uint64_t directory_bytes(const std::string& path) {
  std::uint64_t sum = 0;
  for (const std::string& name : list_directory(path)) sum += file_size(path + "/" + name);
  return sum;
}

std::string real_path(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (!real) throw_errno("cannot resolve", path);
  std::string out = real;
  ::free(real);
  return out;
}

std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      char escaped[4];
      ::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
      uri += escaped;
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "host";
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    ssize_t n = ::getrandom(out.data() + got, count - got, 0);
    if (n > 0) got += static_cast<std::size_t>(n);
    if (n < 0 && errno != EINTR) throw_errno("cannot read", "getrandom");
  }
  return out;
}

std::string environment(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

#ifdef F_OFD_SETLK
constexpr int kSetLock = F_OFD_SETLK, kGetLock = F_OFD_GETLK;
#else
constexpr int kSetLock = F_SETLK, kGetLock = F_GETLK;
#endif

LockFile::LockFile(const std::string& path) : fd_(open_or_throw(path, O_RDWR | O_CREAT)), path_(path) { close_in_child(&fd_); }

static struct flock lock_of(std::int64_t byte, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

bool LockFile::try_lock(std::int64_t byte) {
  struct flock lock = lock_of(byte, F_WRLCK);
  if (::fcntl(fd_, kSetLock, &lock) == 0) return true;
  if (errno == EACCES || errno == EAGAIN) return false;
  throw_errno("cannot lock", path_);
}

void LockFile::unlock(std::int64_t byte) noexcept {
  struct flock lock = lock_of(byte, F_UNLCK);
  ::fcntl(fd_, kSetLock, &lock);
}

bool LockFile::held_by_other(std::int64_t byte) const {
  struct flock lock = lock_of(byte, F_WRLCK);
  if (::fcntl(fd_, kGetLock, &lock) != 0) throw_errno("cannot ask for a lock", path_);
  return lock.l_type != F_UNLCK;
}

MappedFile::MappedFile(const std::string& path) {
  Descriptor fd(open_or_throw(path, O_RDONLY | O_NOFOLLOW));
  struct stat found;
  if (::fstat(fd.get(), &found) != 0) throw_errno("cannot stat", path);
  size_ = static_cast<std::size_t>(found.st_size);
  if (size_ == 0) return;
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    throw_errno("cannot map", path);
  }
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

}  // namespace ts
