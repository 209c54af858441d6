// FileStore: openat from the location downwards, so that no symbolic link leads out of it.
#include "vfs/file_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "ext/base/digest.h"
#include "ext/base/file.h"
#include "vfs/url.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

namespace ts {
namespace {

constexpr std::size_t kMaxKey = 1024;       // S3's limit, so that an archive can move there
constexpr std::size_t kMaxPart = 255;       // of file systems
constexpr std::size_t kMaxDepth = 64;       // directories open at once in a listing
constexpr std::size_t kMaxWrite = 1 << 20;  // bytes between two looks at the Cancel
constexpr std::string_view kTemporary = ".tmp-";

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& what, const std::string& object) {
  const int error = errno;
  Code code = Code::kIo;
  std::string remedy;
  if (error == ENOSPC || error == EDQUOT) code = Code::kFull, remedy = "; make room there";
  if (error == EACCES || error == EPERM) code = Code::kForbidden, remedy = "; check the permissions of the directory";
  if (error == EROFS) code = Code::kReadOnly;
  if (error == ENOENT) code = Code::kNotFound;
  throw Error(code, "file store: " + what + " (" + std::strerror(error) + "): " + object + remedy);
}

void check_cancel(const Cancel* cancel, const std::string& object) {
  if (cancel && cancel->cancelled()) throw Error(Code::kInterrupted, "file store: interrupted: " + object);
}

void charge(const Cancel* cancel, std::uint64_t bytes) {
  if (cancel) cancel->charge(1, bytes);
}

// The parts of a key; throws when it is none of ours.
std::vector<std::string> split_key(std::string_view key, const std::string& object) {
  auto refuse = [&](const char* why) { throw Error(Code::kBadInput, std::string("file store: ") + why + ": " + printable(object)); };
  if (key.size() > kMaxKey) refuse("a key is longer than 1024 bytes");
  if (key.find('\0') != std::string_view::npos) refuse("a key holds a zero byte");
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= key.size();) {
    const std::size_t end = std::min(key.find('/', start), key.size());
    const std::string_view part = key.substr(start, end - start);
    if (part.empty()) refuse("a key has an empty part");
    if (part == "." || part == "..") refuse("a key has a part '.' or '..'");
    if (part.size() > kMaxPart) refuse("a part of a key is longer than 255 bytes");
    if (part.starts_with(kTemporary)) refuse("a part of a key begins with '.tmp-', which is for unfinished files");
    parts.emplace_back(part);
    start = end + 1;
  }
  return parts;
}

Descriptor open_directory(int at, const char* name) {
  return Descriptor(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Descriptor open_base(const std::string& directory) { return Descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

bool is_missing(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

std::string etag_of(const struct stat& found) {
#ifdef __APPLE__
  const timespec& time = found.st_mtimespec;
#else
  const timespec& time = found.st_mtim;
#endif
  const std::int64_t ns = static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  return std::to_string(found.st_ino) + "-" + std::to_string(found.st_size) + "-" + std::to_string(ns);
}

int rename_without_replacing(int directory, const char* from, const char* to) {
#if defined(__linux__) && defined(SYS_renameat2)
  return static_cast<int>(::syscall(SYS_renameat2, directory, from, directory, to, 1u /* RENAME_NOREPLACE */));
#elif defined(__APPLE__)
  return ::renameatx_np(directory, from, directory, to, RENAME_EXCL);
#else
  (void)directory, (void)from, (void)to;
  errno = ENOSYS;
  return -1;
#endif
}

// The directories from the location to the object's own, first to last.
struct Path {
  std::vector<Descriptor> directories;
  std::string name;
  int parent() const { return directories.back().get(); }
};

// Nothing is open when a directory on the way is missing and `create` is false.
Path open_path(const std::string& base, std::vector<std::string> parts, bool create, const std::string& object) {
  Path path;
  path.name = std::move(parts.back());
  parts.pop_back();
  Descriptor at = open_base(base);
  if (!at && errno == ENOENT && create) {
    for (std::size_t end = base.find('/', 1);; end = base.find('/', end + 1)) {
      const std::string part = base.substr(0, end);
      if (::mkdir(part.c_str(), 0755) == 0) {
        const std::size_t slash = part.rfind('/');
        sync_directory(slash == 0 ? "/" : part.substr(0, slash));
      } else if (errno != EEXIST) {
        fail("cannot create the directory " + part, object);
      }
      if (end == std::string::npos) break;
    }
    at = open_base(base);
  }
  if (!at && !create && is_missing(errno)) return path;
  if (!at) fail("cannot open the directory " + base, object);
  path.directories.push_back(std::move(at));
  for (const std::string& part : parts) {
    Descriptor next = open_directory(path.parent(), part.c_str());
    if (!next && errno == ENOENT && create) {
      if (::mkdirat(path.parent(), part.c_str(), 0755) != 0 && errno != EEXIST) fail("cannot create the directory " + part, object);
      next = open_directory(path.parent(), part.c_str());
    }
    if (!next && !create && is_missing(errno)) {
      path.directories.clear();
      return path;
    }
    if (!next) fail("cannot open the directory " + part, object);
    path.directories.push_back(std::move(next));
  }
  return path;
}

// A put is durable when the entries on its whole way are: another writer may have created a directory and not yet synced.
void sync_path(const Path& path, const std::string& object) {
  for (auto directory = path.directories.rbegin(); directory != path.directories.rend(); ++directory) {
    if (::fsync(directory->get()) != 0) fail("cannot fsync a directory", object);
  }
}

struct Temporary {
  int directory;
  std::string name;
  bool exists = true;
  ~Temporary() {
    if (exists) ::unlinkat(directory, name.c_str(), 0);
  }
};

void write_all(int fd, std::string_view bytes, const Cancel* cancel, const std::string& object) {
  while (!bytes.empty()) {
    check_cancel(cancel, object);
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kMaxWrite));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write", object);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// The walk of a listing, in byte order of whole keys: a directory sorts as its name with '/' behind it.
class Walk {
 public:
  Walk(std::string_view prefix, std::string_view start_after, std::size_t limit, const std::string& place, const Cancel* cancel)
      : prefix_(prefix), start_after_(start_after), limit_(limit), place_(place), cancel_(cancel) {}

  // `above`: the key of the directory with '/' behind it, or empty for the location itself.
  void directory(const Descriptor& at, const std::string& above, std::size_t depth = 0) {
    if (depth > kMaxDepth) {
      throw Error(Code::kUnsupported, "file store: directories are nested too deeply: " + place_ + "/" + printable(above));
    }
    for (const Entry& entry : entries(at, above)) {
      if (page.more) return;
      if (!entry.directory) {
        object(at, entry.name, above + entry.name);
        continue;
      }
      const Descriptor next = open_directory(at.get(), entry.name.substr(0, entry.name.size() - 1).c_str());
      if (next) {
        directory(next, above + entry.name, depth + 1);
      } else if (!is_missing(errno)) {  // one that went meanwhile holds nothing
        fail("cannot open a directory", place_ + "/" + printable(above + entry.name));
      }
    }
  }

  ListPage page;
  std::uint64_t key_bytes = 0;

 private:
  struct Entry {
    std::string name;  // a directory's with '/' behind it
    bool directory;
  };
  struct CloseDirectory {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };

  bool wanted_object(std::string_view key) const { return key.starts_with(prefix_) && key > start_after_; }

  // False when no key below `key` (which ends in '/') can be wanted.
  bool wanted_directory(std::string_view key) const {
    const bool in_prefix = key.starts_with(prefix_) || prefix_.starts_with(key);
    return in_prefix && (key > start_after_ || start_after_.starts_with(key));
  }

  std::vector<Entry> entries(const Descriptor& at, const std::string& above) const {
    const std::string name = place_ + "/" + printable(above);
    const int copy = ::fcntl(at.get(), F_DUPFD_CLOEXEC, 0);
    std::unique_ptr<DIR, CloseDirectory> stream(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!stream) {
      const int error = errno;
      if (copy >= 0) ::close(copy);
      errno = error;
      fail("cannot read a directory", name);
    }
    std::vector<Entry> found;
    for (std::size_t seen = 0;; ++seen) {
      if (seen % 256 == 0) check_cancel(cancel_, name);
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (!entry && errno != 0) fail("cannot read a directory", name);
      if (!entry) break;
      const std::string_view part = entry->d_name;
      if (part == "." || part == ".." || part.starts_with(kTemporary)) continue;
      const std::string key = above + std::string(part);
      if (!wanted_object(key) && !wanted_directory(key + "/")) continue;
      unsigned char type = entry->d_type;
      if (type == DT_UNKNOWN) {
        struct stat status;
        if (::fstatat(at.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone
        type = S_ISDIR(status.st_mode) ? DT_DIR : S_ISREG(status.st_mode) ? DT_REG : DT_LNK;
      }
      if (type == DT_DIR && wanted_directory(key + "/")) found.push_back({std::string(part) + "/", true});
      if (type == DT_REG && wanted_object(key)) found.push_back({std::string(part), false});
    }
    std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return found;
  }

  void object(const Descriptor& at, const std::string& name, const std::string& key) {
    struct stat status;
    if (::fstatat(at.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (is_missing(errno)) return;
      fail("cannot stat", place_ + "/" + printable(key));
    }
    if (!S_ISREG(status.st_mode)) return;
    if (page.objects.size() == limit_) {
      page.more = true;
      return;
    }
    page.objects.push_back({key, static_cast<std::uint64_t>(status.st_size), etag_of(status)});
    key_bytes += key.size();
  }

  const std::string_view prefix_;
  const std::string_view start_after_;
  const std::size_t limit_;
  const std::string& place_;
  const Cancel* const cancel_;
};

}  // namespace

FileStore::FileStore(std::string directory, std::size_t page_size)
    : directory_(std::move(directory)), page_size_(std::max<std::size_t>(page_size, 1)) {}

std::string FileStore::describe() const { return "file://" + directory_; }

ListPage FileStore::list(std::string_view prefix, std::string_view start_after, const Cancel* cancel) {
  const std::string place = describe();
  check_cancel(cancel, place);
  const Admission admission(cancel, 0);
  Walk walk(prefix, start_after, page_size_, place, cancel);
  // Straight to the deepest directory that the prefix names; where there is none, there are no such keys.
  Descriptor at = open_base(directory_);
  if (!at && errno != ENOENT) fail("cannot open the directory", place);
  std::string above;
  for (std::size_t slash; at && (slash = prefix.find('/', above.size())) != std::string_view::npos;) {
    const std::string part(prefix.substr(above.size(), slash - above.size()));
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos || part.starts_with(kTemporary)) {
      at = Descriptor();
      break;
    }
    Descriptor next = open_directory(at.get(), part.c_str());
    if (!next && !is_missing(errno)) fail("cannot open a directory", place + "/" + printable(prefix));
    at = std::move(next);
    above = prefix.substr(0, slash + 1);
  }
  if (at) walk.directory(at, above);
  charge(cancel, walk.key_bytes);
  return std::move(walk.page);
}

Range FileStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length, const Cancel* cancel) {
  const std::string object = object_name(*this, key);
  check_cancel(cancel, object);
  auto missing = [&] {
    if (!etag.empty()) throw Error(Code::kChanged, "file store: the file is gone although it was listed: " + object);
    throw Error(Code::kNotFound, "file store: no such file: " + object);
  };
  const Path path = open_path(directory_, split_key(key, object), false, object);
  if (path.directories.empty()) missing();
  const Descriptor file(::openat(path.parent(), path.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && is_missing(errno)) missing();
  if (!file) fail("cannot open", object);
  struct stat found;
  if (::fstat(file.get(), &found) != 0) fail("cannot stat", object);
  if (!S_ISREG(found.st_mode)) missing();

  Range range;
  range.etag = etag_of(found);
  range.object_size = static_cast<std::uint64_t>(found.st_size);
  if (!etag.empty() && etag != range.etag) {
    throw Error(Code::kChanged, "file store: the file was changed after it was listed: " + object);
  }
  Admission admission(cancel, offset < range.object_size ? std::min(length, range.object_size - offset) : 0);
  if (offset < range.object_size) {
    range.bytes.resize(static_cast<std::size_t>(std::min(length, range.object_size - offset)));
    std::size_t got = 0;
    while (got < range.bytes.size()) {
      check_cancel(cancel, object);
      const ssize_t n = ::pread(file.get(), range.bytes.data() + got, range.bytes.size() - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("cannot read", object);
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    struct stat after;  // somebody may have written into the file while it was read
    if (::fstat(file.get(), &after) != 0) fail("cannot stat", object);
    if (got < range.bytes.size() || etag_of(after) != range.etag) {
      throw Error(Code::kChanged, "file store: the file changed while it was read: " + object);
    }
  }
  admission.came(range.bytes.size());
  charge(cancel, range.bytes.size());
  return range;
}

PutResult FileStore::put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel) {
  const std::string object = object_name(*this, key);
  check_cancel(cancel, object);
  const Path path = open_path(directory_, split_key(key, object), true, object);
  charge(cancel, 0);
  struct stat found;
  if (::fstatat(path.parent(), path.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
    sync_path(path, object);  // the writer who was first may have died before it did
    return {};
  }
  Temporary temporary{path.parent(), std::string(kTemporary) + hex(random_bytes(16))};
  const Descriptor file(::openat(path.parent(), temporary.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) {
    temporary.exists = false;
    fail("cannot create a file", object);
  }
  write_all(file.get(), bytes, cancel, object);
  if (::fsync(file.get()) != 0) fail("cannot fsync", object);
  if (::fstat(file.get(), &found) != 0) fail("cannot stat", object);
  PutResult result{true, etag_of(found)};
  if (::linkat(path.parent(), temporary.name.c_str(), path.parent(), path.name.c_str(), 0) != 0) {
    const int error = errno;
    struct stat after;
    if (::fstat(file.get(), &after) == 0 && after.st_nlink == 2) {
      // Over NFS a repeated link answers "exists" although the first one was ours.
    } else if (error == EEXIST) {
      result = {};
    } else if (rename_without_replacing(path.parent(), temporary.name.c_str(), path.name.c_str()) == 0) {
      temporary.exists = false;  // a file system without hard links
    } else if (errno == EEXIST) {
      result = {};
    } else {
      errno = error;
      fail("cannot publish a file (it needs hard links or a rename that does not replace)", object);
    }
  }
  sync_path(path, object);
  return result;
}

void FileStore::remove(std::string_view key, const Cancel* cancel) {
  const std::string object = object_name(*this, key);
  check_cancel(cancel, object);
  charge(cancel, 0);
  const Path path = open_path(directory_, split_key(key, object), false, object);
  if (path.directories.empty()) return;
  struct stat found;
  if (::fstatat(path.parent(), path.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) return;
  if (!S_ISREG(found.st_mode)) return;  // no object of ours
  if (::unlinkat(path.parent(), path.name.c_str(), 0) != 0 && errno != ENOENT) fail("cannot remove", object);
  if (::fsync(path.parent()) != 0) fail("cannot fsync a directory", object);
}

std::string file_location_directory(std::string_view location) {
  const std::string shown = printable(location);
  auto refuse = [&](const std::string& why) { throw Error(Code::kBadInput, "location: " + why + ": " + shown); };
  constexpr std::string_view kScheme = "file://";
  if (!location.starts_with(kScheme)) refuse("a directory is written file:///dir with an absolute path");
  location.remove_prefix(kScheme.size());
  if (!location.starts_with('/')) refuse("a file location has no host; write file:///dir with three slashes and an absolute path");
  std::string directory;
  for (std::size_t start = 1; start <= location.size();) {
    const std::size_t end = std::min(location.find('/', start), location.size());
    const std::string_view part = location.substr(start, end - start);
    if (part == "..") refuse("'..' is not allowed in a location; write the path out");
    if (part.size() > kMaxPart) refuse("a part of the path is longer than 255 bytes");
    if (!part.empty() && part != ".") directory.append("/").append(part);
    start = end + 1;
  }
  if (directory.empty()) refuse("the root directory cannot be an archive; name a directory below it");
  return directory;
}

}  // namespace ts
