// The read-only store over plain URLs, against a responder.
#include <doctest/doctest.h>

#include "tests/support/responder.h"
#include "tests/support/s3_fixture.h"
#include "vfs/http_store.h"

using namespace ts;
using namespace ts_test;

namespace {

Reply ranged(const ts_test::Request& request, const std::string& bytes, std::vector<std::pair<std::string, std::string>> headers) {
  const std::string range = request.header("range").substr(6);
  const std::size_t first = std::stoul(range), last = std::min(std::stoul(range.substr(range.find('-') + 1)), bytes.size() - 1);
  if (first >= bytes.size()) return Reply{416, {{"Content-Range", "bytes */" + std::to_string(bytes.size())}}, ""};
  headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(bytes.size()));
  return Reply{206, headers, bytes.substr(first, last - first + 1)};
}

}  // namespace

TEST_CASE("http store: ranges are read unsigned and pinned by a strong ETag") {
  Responder server([](const ts_test::Request& request) { return ranged(request, "0123456789", {{"ETag", "\"v1\""}}); });
  auto store = make_http_store(server.url() + "/dir/");
  Range range = store->get_range("x.sqlite?sig=secret", "", 2, 3);
  CHECK(range.bytes == "234");
  CHECK(range.object_size == 10);
  CHECK(range.etag == "v1");
  CHECK(store->get_range("x.sqlite", "v1", 8, 100).bytes == "89");
  CHECK(store->get_range("x.sqlite", "v1", 10, 1).bytes.empty());
  CHECK(thrown([&] { store->get_range("x.sqlite", "v0", 0, 1); }).code == Code::kChanged);
  const auto seen = server.requests();
  CHECK(seen.at(0).target == "/dir/x.sqlite?sig=secret");
  CHECK(seen.at(0).header("if-match") == "");
  CHECK(seen.at(0).header("authorization") == "");
  CHECK(seen.at(0).header("accept-encoding") == "identity");
  CHECK(seen.at(1).header("if-match") == "\"v1\"");
  CHECK(store->describe() == server.url() + "/dir");
}

TEST_CASE("http store: without a strong ETag the pin is compared with what came back") {
  std::atomic<int> version{1};
  Responder server([&](const ts_test::Request& request) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (request.target == "/weak") headers.emplace_back("ETag", "W/\"" + std::to_string(version) + "\"");
    if (request.target == "/time") headers.emplace_back("Last-Modified", "Mon, 0" + std::to_string(version) + " Jan 2026 00:00:00 GMT");
    return ranged(request, "0123456789", headers);
  });
  auto store = make_http_store(server.url());
  for (const char* key : {"weak", "time"}) {
    version = 1;
    const std::string pin = store->get_range(key, "", 0, 1).etag;
    CHECK(!pin.empty());
    CHECK(store->get_range(key, pin, 1, 1).bytes == "1");
    version = 2;
    CHECK(thrown([&] { store->get_range(key, pin, 1, 1); }).code == Code::kChanged);
  }
  for (const auto& request : server.requests()) CHECK(request.header("if-match") == "");
}

TEST_CASE("http store: what a server may answer instead is an error without the query") {
  std::atomic<int> status{200};
  Responder server([&](const ts_test::Request&) { return Reply{status, {}, "x"}; });
  auto store = make_http_store(server.url());
  for (auto [answer, code] : std::initializer_list<std::pair<int, Code>>{{200, Code::kUnsupported},
                                                                         {301, Code::kBadInput},
                                                                         {403, Code::kForbidden},
                                                                         {404, Code::kNotFound},
                                                                         {429, Code::kUnavailable},
                                                                         {500, Code::kUnavailable},
                                                                         {206, Code::kCorrupt}}) {
    status = answer;
    const Thrown error = thrown([&] { store->get_range("x?sig=secret", "", 0, 10); });
    CHECK(error.code == code);
    CHECK(error.has(server.url() + "/x"));
    CHECK(!error.has("secret"));
  }
  status = 404;
  CHECK(thrown([&] { store->get_range("x", "pin", 0, 10); }).code == Code::kChanged);
}

TEST_CASE("http store: listing and writing are unsupported, and secrets in the URL are refused") {
  auto store = make_http_store("http://127.0.0.1:1");
  CHECK(thrown([&] { store->list("", ""); }).code == Code::kUnsupported);
  CHECK(thrown([&] { store->put_if_absent("a", ""); }).code == Code::kUnsupported);
  CHECK(thrown([&] { store->remove("a"); }).code == Code::kUnsupported);
  const Thrown error = thrown([&] { make_http_store("http://u:hunter2@h/"); });
  CHECK(error.code == Code::kBadInput);
  CHECK(!error.has("hunter2"));
  CHECK(thrown([&] { make_http_store("ftp://h/"); }).code == Code::kBadInput);
  CHECK(thrown([&] { store->get_range("a", "", 0, 1); }).code == Code::kUnavailable);
}
