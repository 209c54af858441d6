// SpareSockets: TCP connections opened in advance to an address that is about to get many requests at once, while it answers one.
//
// So the first of those requests do not wait a round trip for a handshake each. connect() is begun and nobody waits for it. A spare one
// is handed out once, to the very address, when it is connected, has heard nothing (its server closed it, or is none that waits to be
// asked) and is younger than kMostAge_ms. No request is made on it: a server that is not asked more sees a connection come and go.
#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ext/base/clock.h"

namespace ts {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t length = 0;

  SocketAddress() = default;
  SocketAddress(const sockaddr* address, socklen_t size) : length(size <= sizeof bytes ? size : 0) {
    std::memcpy(&bytes, address, length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  bool operator==(const SocketAddress& other) const { return length == other.length && std::memcmp(&bytes, &other.bytes, length) == 0; }
};

class SpareSockets {
 public:
  static constexpr int kMost = 8;                     // in all: what is not used is little to a server
  static constexpr std::int64_t kMostAge_ms = 5'000;  // servers give up connections that say nothing

  explicit SpareSockets(Clock& clock = Clock::system()) : clock_(clock) {}
  ~SpareSockets();
  SpareSockets(const SpareSockets&) = delete;
  SpareSockets& operator=(const SpareSockets&) = delete;

  // `origin` was last connected to at this address.
  void remember(const std::string& origin, const SocketAddress& address);
  // Begins to connect until `count` spare ones to the origin's address are there; none where that is not known.
  void open(const std::string& origin, int count) noexcept;
  // A connected socket that blocks no more, or -1. It is the caller's.
  int take(const SocketAddress& address) noexcept;

 private:
  struct Spare {
    int fd = -1;
    std::int64_t since_ms = 0;
    SocketAddress to;
  };
  void drop_old();  // with mutex_ held

  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, SocketAddress> addresses_;  // guarded by mutex_, as the next
  std::vector<Spare> spares_;
};

}  // namespace ts
