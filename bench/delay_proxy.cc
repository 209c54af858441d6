// One thread, select, and a queue of chunks with their due time for each direction of each connection.
#include "bench/delay_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace ts_bench {
namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::steady_clock;

constexpr std::size_t kQueueBytes = 64 << 20;  // of one direction; beyond it the sender waits, as a window would make it

struct Chunk {
  Time due;
  std::string bytes;  // empty: the sender has closed its side
  int depth = 0;      // in the chain of round trips
};

// From one socket to the other one of a connection.
struct Direction {
  int from = -1, to = -1;
  std::deque<Chunk> queue;
  std::size_t queued = 0, sent = 0;    // bytes in the queue; of its first chunk, bytes that are gone
  bool ended = false, closed = false;  // nothing more to read; told so to the other side
};

struct Connection {
  Direction up, down;   // to the server, to the client
  Time open;            // when the client could know that it is connected
  int depth = 0;        // of the handshake, then of the newest request
  bool asking = false;  // the newest bytes were the client's
  bool broken = false;
};

int tcp_socket() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || fd >= FD_SETSIZE) throw std::runtime_error("delay proxy: no socket");
  return fd;
}

sockaddr_in loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

void never_wait(int fd) {
  int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

struct DelayProxy::Impl {
  Impl(int target, int one_way_ms) : target_port(target), delay(one_way_ms) {
    listener = tcp_socket();
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, generic, size) != 0 || ::listen(listener, 256) != 0 || ::getsockname(listener, generic, &size) != 0 ||
        ::pipe2(stop, O_CLOEXEC) != 0) {
      throw std::runtime_error("delay proxy: cannot listen");
    }
    port = ntohs(address.sin_port);
    never_wait(listener);
    thread = std::thread([this] { run(); });
  }

  ~Impl() {
    ::close(stop[1]);
    thread.join();
    for (Connection& connection : connections) close_both(connection);
    ::close(stop[0]);
    ::close(listener);
  }

  static void close_both(const Connection& connection) {
    ::close(connection.up.from);
    ::close(connection.up.to);
  }

  void run() {
    for (;;) {
      fd_set readable, writable;
      FD_ZERO(&readable);
      FD_ZERO(&writable);
      FD_SET(stop[0], &readable);
      FD_SET(listener, &readable);
      int last = std::max(stop[0], listener);
      std::optional<Time> next;
      Time now = steady_clock::now();
      for (const Connection& connection : connections) {
        for (const Direction* way : {&connection.up, &connection.down}) {
          if (!way->ended && way->queued < kQueueBytes) FD_SET(way->from, &readable);
          if (!way->queue.empty()) {
            Time due = way->queue.front().due;
            if (due <= now) FD_SET(way->to, &writable);
            if (due > now && (!next || due < *next)) next = due;
          }
          last = std::max({last, way->from, way->to});
        }
      }
      timespec wait = {};
      if (next) {
        auto nanoseconds = std::chrono::nanoseconds(*next - now).count();
        wait.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
        wait.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
      }
      if (::pselect(last + 1, &readable, &writable, nullptr, next ? &wait : nullptr, nullptr) < 0) {
        if (errno == EINTR) continue;
        return;  // the bench's requests fail then, and say so
      }
      if (FD_ISSET(stop[0], &readable)) return;
      for (Connection& connection : connections) {
        if (FD_ISSET(connection.up.from, &readable)) receive(connection, connection.up);
        if (FD_ISSET(connection.down.from, &readable)) receive(connection, connection.down);
        deliver(connection, connection.up);
        deliver(connection, connection.down);
      }
      connections.remove_if([](const Connection& connection) {
        bool over = connection.broken || (connection.up.closed && connection.down.closed);
        if (over) close_both(connection);
        return over;
      });
      if (FD_ISSET(listener, &readable)) accept_all();
    }
  }

  void accept_all() {
    for (int client; (client = ::accept(listener, nullptr, nullptr)) >= 0;) {
      int server = tcp_socket();
      sockaddr_in address = loopback(target_port);
      if (client >= FD_SETSIZE || ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
        continue;
      }
      for (int fd : {client, server}) never_wait(fd);
      std::lock_guard lock(mutex);
      Connection connection;
      connection.up = {client, server, {}};
      connection.down = {server, client, {}};
      connection.open = steady_clock::now() + 2 * delay;
      connection.depth = arrived + 1;
      traffic.connections++;
      connections.push_back(std::move(connection));
    }
  }

  void receive(Connection& connection, Direction& way) {
    ssize_t n = ::recv(way.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0) {
      connection.broken = errno != EAGAIN && errno != EINTR;
      return;
    }
    bool request = &way == &connection.up;
    Time sent = steady_clock::now();
    if (request) sent = std::max(sent, connection.open);
    if (request && n > 0 && !connection.asking) {
      std::lock_guard lock(mutex);
      connection.depth = std::max(arrived, connection.depth) + 1;
      connection.asking = true;
    }
    if (!request && n > 0) connection.asking = false;
    way.queue.push_back({sent + delay, std::string(buffer.data(), static_cast<std::size_t>(n)), connection.depth});
    way.queued += static_cast<std::size_t>(n);
    way.ended = n == 0;
  }

  // What is due and what the socket takes.
  void deliver(Connection& connection, Direction& way) {
    for (Time now = steady_clock::now(); !connection.broken && !way.queue.empty() && way.queue.front().due <= now;) {
      Chunk& chunk = way.queue.front();
      if (chunk.bytes.empty()) {
        ::shutdown(way.to, SHUT_WR);
        way.closed = true;
        way.queue.pop_front();
        continue;
      }
      if (&way == &connection.down) {  // counted first: a client that has the bytes may ask for the count at once
        std::lock_guard lock(mutex);
        arrived = std::max(arrived, chunk.depth);
        traffic.round_trips = arrived;
      }
      ssize_t n = ::send(way.to, chunk.bytes.data() + way.sent, chunk.bytes.size() - way.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) {
        connection.broken = errno != EAGAIN && errno != EINTR;
        return;
      }
      way.sent += static_cast<std::size_t>(n);
      way.queued -= static_cast<std::size_t>(n);
      if (way.sent < chunk.bytes.size()) return;
      way.sent = 0;
      way.queue.pop_front();
    }
  }

  const int target_port;
  const std::chrono::milliseconds delay;
  int listener = -1, port = 0;
  int stop[2] = {-1, -1};
  std::list<Connection> connections;  // of the thread
  std::array<char, 256 << 10> buffer;
  std::mutex mutex;
  Traffic traffic;  // guarded by mutex
  int arrived = 0;  // guarded by mutex: depth of the deepest answer that arrived
  std::thread thread;
};

DelayProxy::DelayProxy(int target_port, int one_way_ms) : impl_(std::make_unique<Impl>(target_port, one_way_ms)) {}

DelayProxy::~DelayProxy() = default;

int DelayProxy::port() const { return impl_->port; }

DelayProxy::Traffic DelayProxy::take_traffic() {
  std::lock_guard lock(impl_->mutex);
  Traffic taken = impl_->traffic;
  impl_->traffic = {};
  impl_->arrived = 0;
  return taken;
}

}  // namespace ts_bench
