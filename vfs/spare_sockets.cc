// Connecting without waiting, and whether a spare connection is still good.
#include "vfs/spare_sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ts {
namespace {

constexpr std::size_t kOrigins = 64;  // remembered; a process reads from a few

int connecting(const SocketAddress& to) {
  const int fd = ::socket(to.bytes.ss_family, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  const bool set = ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
  if (set && (::connect(fd, to.get(), to.length) == 0 || errno == EINPROGRESS)) return fd;
  ::close(fd);
  return -1;
}

enum class Spareness { kGood, kNotYet, kBad };

Spareness state_of(int fd) {
  pollfd polled{fd, POLLIN | POLLOUT, 0};
  if (::poll(&polled, 1, 0) <= 0) return Spareness::kNotYet;
  int error = 0;
  socklen_t length = sizeof error;
  const bool sound = ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  return sound && polled.revents == POLLOUT ? Spareness::kGood : Spareness::kBad;
}

}  // namespace

SpareSockets::~SpareSockets() {
  for (const Spare& spare : spares_) ::close(spare.fd);
}

void SpareSockets::drop_old() {
  std::erase_if(spares_, [now = clock_.steady_ms()](const Spare& spare) {
    const bool old = now - spare.since_ms >= kMostAge_ms;
    if (old) ::close(spare.fd);
    return old;
  });
}

void SpareSockets::remember(const std::string& origin, const SocketAddress& address) {
  std::lock_guard lock(mutex_);
  if (addresses_.size() >= kOrigins && !addresses_.count(origin)) addresses_.erase(addresses_.begin());
  addresses_[origin] = address;
}

void SpareSockets::open(const std::string& origin, int count) noexcept {
  try {
    std::lock_guard lock(mutex_);
    drop_old();
    const auto known = addresses_.find(origin);
    if (known == addresses_.end() || known->second.length == 0) return;
    spares_.reserve(kMost);
    for (const Spare& spare : spares_) count -= spare.to == known->second ? 1 : 0;
    for (; count > 0 && spares_.size() < kMost; count--) {
      const int fd = connecting(known->second);
      if (fd < 0) return;
      spares_.push_back({fd, clock_.steady_ms(), known->second});
    }
  } catch (...) {
    // No memory: the requests connect for themselves.
  }
}

int SpareSockets::take(const SocketAddress& address) noexcept {
  std::lock_guard lock(mutex_);
  drop_old();
  for (auto spare = spares_.begin(); spare != spares_.end();) {
    const Spareness state = spare->to == address ? state_of(spare->fd) : Spareness::kNotYet;
    if (state == Spareness::kNotYet) {
      ++spare;
      continue;
    }
    const int fd = spare->fd;
    spare = spares_.erase(spare);
    if (state == Spareness::kGood) return fd;
    ::close(fd);
  }
  return -1;
}

}  // namespace ts
