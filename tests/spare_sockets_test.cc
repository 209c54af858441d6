// SpareSockets against a listening socket of the test, on a clock of the test.
#include "vfs/spare_sockets.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "tests/support/s3_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

// A server that accepts when it is told to; until then the kernel has the connections.
struct Listener {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  SocketAddress address;
  std::vector<int> accepted;

  Listener() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::listen(fd, 64) == 0);
    socklen_t length = sizeof any;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&any), &length);
    address = SocketAddress(reinterpret_cast<sockaddr*>(&any), length);
  }
  ~Listener() {
    for (int client : accepted) ::close(client);
    ::close(fd);
  }
  // Accepts all that have connected; how many.
  int accept_all() {
    int count = 0;
    for (pollfd polled{fd, POLLIN, 0}; ::poll(&polled, 1, 50) == 1; count++) accepted.push_back(::accept(fd, nullptr, nullptr));
    return count;
  }
};

struct Setup {
  Listener listener;
  FakeClock clock;
  SpareSockets spares{clock};
  Setup() { spares.remember("http://a", listener.address); }

  int take() { return spares.take(listener.address); }
};

}  // namespace

TEST_CASE("spare sockets: are connected to the origin's address, each handed out once") {
  Setup t;
  t.spares.open("http://a", 3);
  CHECK(t.listener.accept_all() == 3);
  for (int i = 0; i < 3; i++) {
    const int fd = t.take();
    REQUIRE(fd >= 0);
    CHECK(::send(fd, "x", 1, 0) == 1);
    ::close(fd);
  }
  CHECK(t.take() == -1);
}

TEST_CASE("spare sockets: those that are there are counted, and there are eight at most") {
  Setup t;
  t.spares.open("http://a", 3);
  t.spares.open("http://a", 5);
  CHECK(t.listener.accept_all() == 5);
  t.spares.open("http://a", 100);
  CHECK(t.listener.accept_all() == SpareSockets::kMost - 5);
}

TEST_CASE("spare sockets: none to an address that is not known, and none for another one") {
  Setup t;
  t.spares.open("http://b", 3);
  CHECK(t.listener.accept_all() == 0);
  t.spares.open("http://a", 1);
  CHECK(t.listener.accept_all() == 1);
  CHECK(t.spares.take(Listener().address) == -1);
  const int fd = t.take();
  CHECK(fd >= 0);
  ::close(fd);
}

TEST_CASE("spare sockets: one that the server has closed, or spoken on, is not handed out") {
  for (const bool closes : {true, false}) {
    Setup t;
    t.spares.open("http://a", 1);
    REQUIRE(t.listener.accept_all() == 1);
    if (closes) ::shutdown(t.listener.accepted[0], SHUT_RDWR);
    else REQUIRE(::send(t.listener.accepted[0], "hello", 5, 0) == 5);
    CHECK(t.take() == -1);
  }
}

TEST_CASE("spare sockets: an old one is given up, and nobody listens no more is no error") {
  Setup t;
  t.spares.open("http://a", 1);
  CHECK(t.listener.accept_all() == 1);
  t.clock.steady = SpareSockets::kMostAge_ms;
  CHECK(t.take() == -1);
  char byte = 0;
  CHECK(::recv(t.listener.accepted[0], &byte, 1, 0) == 0);  // it was closed
  {
    Listener gone;
    t.spares.remember("http://gone", gone.address);
  }
  t.spares.open("http://gone", 2);
  CHECK(t.take() == -1);
}
