// DelayProxy of the benchmarks: it changes no byte, takes at least the time it says, and counts chains of round trips.
#include "bench/delay_proxy.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/support/responder.h"
#include "vfs/http.h"

namespace {

constexpr int kOneWayMs = 20;

struct Server {
  ts_test::Responder responder{[](const ts_test::Request& request) {
    ts_test::Reply reply;
    reply.body = request.target == "/large" ? std::string(3'000'000, 'x') + "end" : request.target;
    return reply;
  }};
  ts_bench::DelayProxy proxy{responder.port(), kOneWayMs};

  // The smallest number of whole round trips that the answer may have taken: a busy machine takes longer, never shorter.
  std::int64_t trips_of(const std::string& target, std::string& body) {
    ts::HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(proxy.port()) + target;
    request.max_body = 4'000'000;
    auto began = std::chrono::steady_clock::now();
    body = ts::http_send(request, nullptr).body;
    return (std::chrono::steady_clock::now() - began) / std::chrono::milliseconds(2 * kOneWayMs);
  }
};

}  // namespace

TEST_CASE("delay_proxy: a first request on a new connection waits for two round trips, the next for one") {
  Server server;
  std::string body;
  CHECK(server.trips_of("/first", body) >= 2);
  CHECK(body == "/first");
  ts_bench::DelayProxy::Traffic traffic = server.proxy.take_traffic();
  CHECK(traffic.connections == 1);
  CHECK(traffic.round_trips == 2);
  CHECK(server.trips_of("/second", body) >= 1);
  CHECK(body == "/second");
  traffic = server.proxy.take_traffic();
  CHECK(traffic.connections == 0);
  CHECK(server.responder.connections() == 1);
}

TEST_CASE("delay_proxy: a large answer arrives whole and in order") {
  Server server;
  std::string body;
  server.trips_of("/large", body);
  CHECK(body == std::string(3'000'000, 'x') + "end");
  CHECK(server.proxy.take_traffic().round_trips == 2);
}
