// DelayProxy of the benchmarks: it changes no byte, takes at least the time it says, and counts chains of round trips.
#include "bench/delay_proxy.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

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

TEST_CASE("delay_proxy: two requests that follow one that connects ahead wait for a round trip less, and no request more is made") {
  for (const int ahead : {0, 2}) {
    std::mutex mutex;
    std::condition_variable changed;
    int together = 0;
    ts_test::Responder responder([&](const ts_test::Request& request) {
      ts_test::Reply reply;
      reply.body = request.target;
      if (request.target == "/list") return reply;
      std::unique_lock lock(mutex);  // both are under way before one is answered: they cannot share a connection
      together++;
      changed.notify_all();
      changed.wait_for(lock, std::chrono::seconds(20), [&] { return together == 2; });
      return reply;
    });
    ts_bench::DelayProxy proxy(responder.port(), kOneWayMs);
    ts::HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(proxy.port()) + "/list";
    request.max_body = 100;
    request.connect_ahead = ahead;
    CHECK(ts::http_send(request, nullptr).body == "/list");
    request.connect_ahead = 0;
    std::thread other([&, other_request = request]() mutable {
      other_request.url.replace(other_request.url.size() - 4, 4, "b");
      CHECK(ts::http_send(other_request, nullptr).body == "/b");
    });
    request.url.replace(request.url.size() - 4, 4, "a");
    CHECK(ts::http_send(request, nullptr).body == "/a");
    other.join();
    CHECK(responder.requests().size() == 3);
    const ts_bench::DelayProxy::Traffic traffic = proxy.take_traffic();
    CHECK(traffic.round_trips == (ahead ? 3 : 4));
    CHECK(traffic.connections == (ahead ? 3 : 2));
  }
}
