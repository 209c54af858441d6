// A lock on a directory, and what is left of those that died.
#include "ext/base/work_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ext/base/digest.h"
#include "ext/base/file.h"

namespace ts {
namespace {

void remove_all(const std::string& path) noexcept {
  try {
    for (const std::string& name : list_directory(path)) remove_file(path + "/" + name);
    ::rmdir(path.c_str());
  } catch (...) {
    // Whoever cleans up next finds it.
  }
}

// The lock of a directory; -1: somebody else's, or it is gone.
int lock_of(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

void WorkDirectory::remove_abandoned(const std::string& parent, const std::string& kind) {
  for (const std::string& name : list_directory(parent)) {
    if (name.rfind(kind + "-", 0) != 0) continue;
    const int fd = lock_of(parent + "/" + name);
    if (fd < 0) continue;
    remove_all(parent + "/" + name);
    ::close(fd);
  }
}

WorkDirectory::WorkDirectory(const std::string& parent, const std::string& kind) {
  do {
    path_ = parent + "/" + kind + "-" + hex(random_bytes(8));
    make_directories(path_);
  } while (!hold());
}

// False: somebody took it for abandoned before it was locked.
bool WorkDirectory::hold() {
  fd_ = lock_of(path_);
  struct stat held, there;
  if (fd_ >= 0 && ::fstat(fd_, &held) == 0 && ::stat(path_.c_str(), &there) == 0 && held.st_ino == there.st_ino) return true;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  return false;
}

WorkDirectory::~WorkDirectory() {
  remove_all(path_);
  ::close(fd_);
}

}  // namespace ts
