// The three fork handlers: before, in the parent, in the child.
#include "ext/base/fork.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <forward_list>
#include <mutex>
#include <set>

namespace ts {
namespace {

// SQLite's file format names these bytes: the shared range of a database file, and the sign of life in its -shm.
constexpr off_t kSharedFirst = 0x40000002;
constexpr off_t kSharedBytes = 510;
constexpr off_t kShmAliveByte = 128;

using Names = std::pair<std::string, std::string>;

struct State {
  pthread_rwlock_t gate;
  std::mutex mutex;  // guards what follows
  std::set<const Names*> files;
  std::forward_list<int*> descriptors;
};

void make_gate(State& state) {
  pthread_rwlockattr_t attributes;
  ::pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__
  // A fork must not wait for ever behind threads that take turns.
  ::pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
  ::pthread_rwlock_init(&state.gate, &attributes);
  ::pthread_rwlockattr_destroy(&attributes);
}

State& state();

// The descriptor is never closed: closing any descriptor of a file drops every lock that the process has on it.
void lock_shared(const std::string& path, off_t start, off_t length) {
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  struct flock lock = {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  ::fcntl(fd, F_SETLK, &lock);
}

void before_fork() {
  ::pthread_rwlock_wrlock(&state().gate);
  state().mutex.lock();
}

void in_parent() {
  state().mutex.unlock();
  ::pthread_rwlock_unlock(&state().gate);
}

void in_child() {
  State& s = state();
  for (int* fd : s.descriptors) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
  s.descriptors.clear();
  for (const Names* names : s.files) {  // they stay in the set: a child of the child needs them too
    lock_shared(names->first, kSharedFirst, kSharedBytes);
    lock_shared(names->second, kShmAliveByte, 1);
  }
  s.mutex.unlock();
  make_gate(s);
}

State& state() {
  static State* const only = [] {
    auto* made = new State;
    make_gate(*made);
    ::pthread_atfork(before_fork, in_parent, in_child);
    return made;
  }();
  return *only;
}

}  // namespace

ForkHold::ForkHold() { ::pthread_rwlock_rdlock(&state().gate); }
ForkHold::~ForkHold() { ::pthread_rwlock_unlock(&state().gate); }

ForkedFile::ForkedFile(const std::string& path) : names_(new Names(path, path + "-shm")) {
  std::lock_guard lock(state().mutex);
  state().files.insert(names_);
}

ForkedFile::~ForkedFile() {
  {
    std::lock_guard lock(state().mutex);
    state().files.erase(names_);
  }
  delete names_;
}

void close_in_child(int* fd) {
  std::lock_guard lock(state().mutex);
  state().descriptors.push_front(fd);
}

}  // namespace ts
