// The HTTP client against a server that misbehaves on demand.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/support/responder.h"
#include "tests/support/s3_fixture.h"
#include "vfs/http.h"

using namespace ts;
using namespace ts_test;

namespace {

HttpRequest get(const std::string& url, std::uint64_t max_body = 1000) {
  HttpRequest request;
  request.url = url;
  request.max_body = max_body;
  return request;
}

HttpFault fault_of(const HttpRequest& request, bool* sent = nullptr) {
  try {
    http_send(request, nullptr);
  } catch (const HttpError& error) {
    if (sent) *sent = error.sent();
    return error.fault();
  }
  FAIL("no HttpError was thrown");
  return HttpFault::kBadRequest;
}

std::int64_t elapsed_ms(const std::function<void()>& body) {
  const std::int64_t begin = Clock::system().steady_ms();
  body();
  return Clock::system().steady_ms() - begin;
}

}  // namespace

TEST_CASE("http: status, headers in lower case and body come back, and the request goes out as written") {
  Responder server([](const ts_test::Request&) { return Reply{404, {{"X-One", " a "}, {"x-two", "b"}}, "gone"}; });
  HttpRequest request = get(server.url() + "/a/./b//c%20d?x=%2F");
  request.headers = {{"X-Mine", "v"}, {"X-Empty", ""}};
  const HttpResponse response = http_send(request, nullptr);
  CHECK(response.status == 404);
  CHECK(response.header("x-one") == "a");
  CHECK(response.header("x-two") == "b");
  CHECK(response.header("absent").empty());
  CHECK(response.body == "gone");
  const ts_test::Request seen = server.requests().at(0);
  CHECK(seen.target == "/a/./b//c%20d?x=%2F");
  CHECK(seen.header("x-mine") == "v");
  CHECK(seen.headers.count("x-empty") == 1);
}

TEST_CASE("http: requests one after the other share a connection, also across threads") {
  Responder server([](const ts_test::Request&) { return Reply{200, {}, "x"}; });
  for (int i = 0; i < 5; ++i) {
    std::thread([&] { http_send(get(server.url()), nullptr); }).join();
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("http: forty threads work at once on at most 32 connections") {
  Responder server([](const ts_test::Request&) { return Reply{200, {}, "x"}; });
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) good += http_send(get(server.url()), nullptr).body == "x";
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 400);
  CHECK(server.connections() <= kMaxConnections);
}

TEST_CASE("http: PUT and POST send their body, also an empty one") {
  Responder server([](const ts_test::Request& request) { return Reply{200, {}, request.method + ":" + request.body}; });
  for (const char* method : {"PUT", "POST"}) {
    HttpRequest request = get(server.url());
    request.method = method;
    request.body = "data";
    CHECK(http_send(request, nullptr).body == std::string(method) + ":data");
    request.body = {};
    CHECK(http_send(request, nullptr).body == std::string(method) + ":");
  }
  CHECK(server.requests().at(1).header("content-length") == "0");
  CHECK(server.requests().at(0).header("expect") == "");
}

TEST_CASE("http: redirects are not followed") {
  Responder server([](const ts_test::Request&) { return Reply{301, {{"Location", "/other"}}, ""}; });
  CHECK(http_send(get(server.url()), nullptr).status == 301);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("http: a body longer than asked for is an error, and that of another status is cut off") {
  Responder server([](const ts_test::Request& request) {
    return Reply{request.target == "/200" ? 200 : 500, {}, std::string(1'000'000, 'x')};
  });
  CHECK(fault_of(get(server.url() + "/200", 999'999)) == HttpFault::kTooLong);
  CHECK(http_send(get(server.url() + "/200", 1'000'000), nullptr).body.size() == 1'000'000);
  const HttpResponse error = http_send(get(server.url() + "/500", 10), nullptr);
  CHECK(error.status == 500);
  CHECK(error.body.size() == kMaxErrorBody);
}

TEST_CASE("http: a body that ends early and a connection that drops are lost connections") {
  Responder server([](const ts_test::Request& request) {
    Reply reply{200, {}, "abc"};
    if (request.target == "/short") reply.content_length = 10;
    if (request.target == "/drop") reply.drop = true;
    return reply;
  });
  bool sent = false;
  CHECK(fault_of(get(server.url() + "/short"), &sent) == HttpFault::kLost);
  CHECK(sent);
  CHECK(fault_of(get(server.url() + "/drop"), &sent) == HttpFault::kLost);
  CHECK(sent);
}

TEST_CASE("http: a request marked once is not sent again when a kept connection turns out dead") {
  std::atomic<int> bodies{0};
  Responder server([&](const ts_test::Request& request) {
    Reply reply{200, {}, "x"};
    if (request.method == "PUT") ++bodies, reply.drop = true;
    return reply;
  });
  http_send(get(server.url()), nullptr);
  HttpRequest request = get(server.url());
  request.method = "PUT";
  request.body = "data";
  request.once = true;
  bool sent = false;
  CHECK(fault_of(request, &sent) == HttpFault::kLost);
  CHECK(sent);
  CHECK(bodies == 1);
}

TEST_CASE("http: a refused connection, an unknown host and a server without TLS are told apart") {
  int port;
  {
    Responder gone([](const ts_test::Request&) { return Reply{}; });
    port = gone.port();
  }
  bool sent = true;
  CHECK(fault_of(get("http://127.0.0.1:" + std::to_string(port)), &sent) == HttpFault::kConnect);
  CHECK(!sent);
  CHECK(thrown([&] { http_send(get("http://127.0.0.1:" + std::to_string(port)), nullptr); }).has("connection refused by 127.0.0.1"));
  CHECK(fault_of(get("http://no-such-host.invalid/"), &sent) == HttpFault::kDns);
  CHECK(!sent);
  Responder plain([](const ts_test::Request&) { return Reply{}; });
  CHECK(fault_of(get("https://" + plain.authority())) == HttpFault::kTls);
}

TEST_CASE("http: silence ends a request, single bytes keep it alive as long as they come fast enough") {
  Responder server([](const ts_test::Request& request) {
    Reply reply{200, {}, "abcdefgh"};
    if (request.target == "/silent") reply.stall_before = true;
    if (request.target == "/half") reply.stall_after = true, reply.content_length = 100;
    if (request.target == "/drip") reply.drip_ms = 60;
    return reply;
  });
  for (const char* path : {"/silent", "/half"}) {
    HttpRequest request = get(server.url() + path);
    request.stall_timeout_ms = 200;
    bool sent = false;
    const std::int64_t ms = elapsed_ms([&] { CHECK(fault_of(request, &sent) == HttpFault::kStalled); });
    CHECK(sent);
    CHECK(ms >= 190);
    CHECK(ms < 2'000);
  }
  HttpRequest request = get(server.url() + "/drip");  // 480 ms in all
  request.stall_timeout_ms = 300;
  request.least_bytes_per_s = 1;
  CHECK(http_send(request, nullptr).body == "abcdefgh");
  request.least_bytes_per_s = 1024;
  CHECK(fault_of(request) == HttpFault::kStalled);
}

TEST_CASE("http: a cancel is polled at least every 50 ms, ends a silent request within 100 ms and is charged for it") {
  Responder server([](const ts_test::Request&) {
    Reply reply;
    reply.stall_before = true;
    return reply;
  });
  struct Counting : TestCancel {
    mutable std::atomic<int> polls{0};
    bool cancelled() const override { return ++polls, TestCancel::cancelled(); }
  };
  Counting patient;
  HttpRequest request = get(server.url());
  request.stall_timeout_ms = 1'000;
  CHECK(thrown([&] { http_send(request, &patient); }).code == Code::kUnavailable);
  CHECK(patient.polls >= 12);  // 50 are due; the machine may be busy

  std::int64_t best = 1'000;
  for (int attempt = 0; attempt < 3 && best >= 100; ++attempt) {
    TestCancel cancel;
    const std::size_t seen = server.requests().size();
    std::atomic<std::int64_t> stopped{0};
    std::thread stopper([&] {
      while (server.requests().size() == seen) std::this_thread::yield();
      stopped = Clock::system().steady_ms();
      cancel.stop = true;
    });
    CHECK(thrown([&] { http_send(get(server.url()), &cancel); }).code == Code::kInterrupted);
    const std::int64_t ended = Clock::system().steady_ms();
    stopper.join();
    best = std::min(best, ended - stopped);
    CHECK(cancel.requests == 1);
  }
  CHECK(best < 100);
}

TEST_CASE("http: a server that takes no connection is given up after the connect timeout, and nothing was sent") {
  // A listener whose queue is full lets the kernel drop further handshakes.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 0) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::vector<int> queue;
  for (int i = 0; i < 4; ++i) {
    queue.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(queue.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  HttpRequest request = get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  request.connect_timeout_ms = 300;
  bool sent = true;
  const std::int64_t ms = elapsed_ms([&] { CHECK(fault_of(request, &sent) == HttpFault::kConnect); });
  CHECK(!sent);
  CHECK(ms >= 290);
  CHECK(thrown([&] { http_send(request, nullptr); }).has("within 1 s"));
  for (int fd : queue) ::close(fd);
  ::close(listener);
}

TEST_CASE("http: each request is charged once with the bytes of its body") {
  Responder server([](const ts_test::Request&) { return Reply{200, {}, std::string(500, 'x')}; });
  TestCancel cancel;
  http_send(get(server.url()), &cancel);
  http_send(get(server.url()), &cancel);
  CHECK(cancel.requests == 2);
  CHECK(cancel.bytes == 1000);
}

TEST_CASE("http: a line break in a header never goes out") {
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers = {{"X", "a\r\nEvil: b"}};
  CHECK(fault_of(request) == HttpFault::kBadRequest);
  request.headers = {{"X\r\nEvil", "b"}};
  CHECK(fault_of(request) == HttpFault::kBadRequest);
}

TEST_CASE("http: a child of fork uses connections of its own") {
  Responder server([](const ts_test::Request&) { return Reply{200, {}, "x"}; });
  http_send(get(server.url()), nullptr);
  REQUIRE(server.connections() == 1);
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = http_send(get(server.url()), nullptr).body == "x";
    } catch (...) {
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(server.connections() == 2);
  CHECK(http_send(get(server.url()), nullptr).body == "x");
  CHECK(server.connections() == 2);
}

TEST_CASE("http: a 206 is taken only when it is exactly the range asked for") {
  auto check = [](const std::string& range, std::size_t bytes, std::uint64_t offset, std::uint64_t length,
                  const std::string& encoding = "") {
    HttpResponse response{206, {{"content-range", range}}, std::string(bytes, 'x')};
    if (!encoding.empty()) response.headers.emplace_back("content-encoding", encoding);
    std::string why;
    const auto size = check_partial_content(response, offset, length, why);
    CHECK(size.has_value() == why.empty());
    return size.value_or(0);
  };
  CHECK(check("bytes 0-9/100", 10, 0, 10) == 100);
  CHECK(check("bytes 90-99/100", 10, 90, 50) == 100);
  CHECK(check("bytes 0-99/100", 100, 0, UINT64_MAX) == 100);
  CHECK(check("bytes 0-9/100", 10, 0, 10, "identity") == 100);
  for (const char* wrong :
       {"", "bytes", "bytes 0-9", "bytes 0-9/*", "bytes 1-10/100", "bytes 0-8/100", "bytes 0-10/100", "bytes 0-9/5", "bytes 0-9/0",
        "items 0-9/100", "bytes -9/100", "bytes 0-9/100x", "bytes 0-9/18446744073709551615", "bytes 0-99999999999999999999/100"}) {
    CAPTURE(wrong);
    CHECK(check(wrong, 10, 0, 10) == 0);
  }
  CHECK(check("bytes 0-9/100", 9, 0, 10) == 0);
  CHECK(check("bytes 0-9/100", 10, 0, 10, "gzip") == 0);
}
