// A web server's files under the ETags of an index.
#include <doctest/doctest.h>

#include "tests/support/memory_store.h"
#include "tests/support/s3_fixture.h"
#include "vfs/repinned_store.h"

using namespace ts;
using namespace ts_test;

namespace {

// A server that tells what a test wants as ETag.
struct Server : MemoryStore {
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length, const Cancel* cancel) override {
    if (pin.empty()) return MemoryStore::get_range(key, etag, offset, length, cancel);
    if (!etag.empty() && etag != pin) throw Error(Code::kChanged, "changed");
    Range range = MemoryStore::get_range(key, "", offset, length, cancel);
    range.etag = pin;
    return range;
  }
  std::string pin;
};

}  // namespace

TEST_CASE("repinned store: the first answer pins an object, and the listed ETag is what readers get") {
  auto server = std::make_shared<Server>();
  server->overwrite("cpu/a%25b", "hello");  // as a URL
  RepinnedStore store(server);
  const Range first = store.get_range("cpu/a%b", "listed", 0, 3);
  CHECK(first.bytes == "hel");
  CHECK(first.etag == "listed");
  CHECK(first.object_size == 5);
  CHECK(server->log().back().etag == "");
  store.get_range("cpu/a%b", "listed", 3, 2);
  CHECK(server->log().back().etag != "");
  server->overwrite("cpu/a%25b", "other");
  CHECK(thrown([&] { store.get_range("cpu/a%b", "listed", 0, 3); }).code == Code::kChanged);
  CHECK(store.get_range("cpu/a%b", "listed anew", 0, 3).bytes == "oth");
}

TEST_CASE("repinned store: a server that tells neither ETag nor time is refused") {
  auto server = std::make_shared<Server>();
  server->overwrite("k", "hello");
  server->pin = "time::5";
  RepinnedStore store(server);
  const Thrown error = thrown([&] { store.get_range("k", "listed", 0, 3); });
  CHECK(error.code == Code::kUnsupported);
  CHECK(error.has("sends neither ETag nor Last-Modified"));
  server->pin = "time:Mon, 01 Jan 2026 00:00:00 GMT:5";
  CHECK(store.get_range("k", "listed", 0, 3).bytes == "hel");
  server->pin = "time:Tue, 02 Jan 2026 00:00:00 GMT:5";
  CHECK(thrown([&] { store.get_range("k", "listed", 0, 3); }).code == Code::kChanged);
}

TEST_CASE("repinned store: a file that is listed and not on the server names the remedy") {
  RepinnedStore store(std::make_shared<Server>());
  const Thrown error = thrown([&] { store.get_range("cpu/a", "listed", 0, 3); });
  CHECK(error.code == Code::kChanged);
  CHECK(error.has("publish the table again with ts_publish"));
  CHECK(thrown([&] { store.get_range("cpu/a", "", 0, 3); }).code == Code::kNotFound);
}
