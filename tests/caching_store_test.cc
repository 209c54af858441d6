// CachingStore: what it may answer, what it must ask again, and how it stays within its limit.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "ext/base/file.h"
#include "tests/support/memory_store.h"
#include "vfs/caching_store.h"

using ts_test::MemoryStore;

namespace {

struct Directory {
  Directory() {
    char name[] = "/tmp/ts-cache-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::vector<std::string> entries() const {
    std::vector<std::string> files;
    for (const std::string& name : ts::list_directory(path)) files.push_back(path + "/" + name);
    return files;
  }
  std::string path;
};

struct Cached {
  explicit Cached(std::uint64_t limit = 1 << 20)
      : memory(std::make_shared<MemoryStore>()), store(memory, "s3://memory@here", directory.path, limit) {}
  Directory directory;
  std::shared_ptr<MemoryStore> memory;
  ts::CachingStore store;
};

}  // namespace

TEST_CASE("caching_store: a pinned range is fetched once, also by another process's store") {
  Cached c;
  std::string etag = c.store.put_if_absent("cpu/a", "0123456789").etag;
  CHECK(c.store.get_range("cpu/a", etag, 2, 3).bytes == "234");
  ts::CachingStore other(c.memory, "s3://memory@here", c.directory.path, 1 << 20);
  ts::Range again = other.get_range("cpu/a", etag, 2, 3);
  CHECK(again.bytes == "234");
  CHECK(again.object_size == 10);
  CHECK(again.etag == etag);
  CHECK(c.memory->gets() == 1);
}

TEST_CASE("caching_store: another location, key, ETag or range is another entry") {
  Cached c;
  std::string etag = c.store.put_if_absent("cpu/a", "0123456789").etag;
  std::string other_etag = c.store.put_if_absent("cpu/b", "abcdefghij").etag;
  c.store.get_range("cpu/a", etag, 0, 4);
  CHECK(c.store.get_range("cpu/b", other_etag, 0, 4).bytes == "abcd");
  CHECK(c.store.get_range("cpu/a", etag, 0, 5).bytes == "01234");
  ts::CachingStore elsewhere(c.memory, "s3://memory@there", c.directory.path, 1 << 20);
  elsewhere.get_range("cpu/a", etag, 0, 4);
  CHECK(c.memory->gets() == 4);
  CHECK_THROWS_AS(c.store.get_range("cpu/a", "another", 0, 4), ts::Error);
}

TEST_CASE("caching_store: a read that is not pinned is never cached") {
  Cached c;
  c.store.put_if_absent("cpu/a", "0123456789");
  c.store.get_range("cpu/a", "", 0, 4);
  c.memory->overwrite("cpu/a", "changed now");
  CHECK(c.store.get_range("cpu/a", "", 0, 4).bytes == "chan");
  CHECK(c.directory.entries().empty());
}

TEST_CASE("caching_store: an entry with a changed byte anywhere is dropped and fetched again") {
  Cached c;
  std::string etag = c.store.put_if_absent("cpu/a", "0123456789").etag;
  c.store.get_range("cpu/a", etag, 0, 10);
  REQUIRE(c.directory.entries().size() == 1);
  std::string path = c.directory.entries()[0];
  std::uint64_t size = ts::file_size(path);
  for (std::uint64_t at = 0; at < size; at++) {
    std::uint64_t before = c.memory->gets();
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      char byte = static_cast<char>(file.get() ^ 1);
      file.seekp(static_cast<std::streamoff>(at));
      file.put(byte);
    }
    REQUIRE(c.store.get_range("cpu/a", etag, 0, 10).bytes == "0123456789");
    REQUIRE(c.memory->gets() == before + 1);
  }
  std::filesystem::resize_file(path, 5);
  CHECK(c.store.get_range("cpu/a", etag, 0, 10).bytes == "0123456789");
}

TEST_CASE("caching_store: it stays within its limit and drops what was used longest ago") {
  Cached c(64 << 10);
  std::string body(4000, 'x');
  for (int i = 0; i < 100; i++) {
    std::string key = "cpu/" + std::to_string(i);
    std::string etag = c.store.put_if_absent(key, body).etag;
    c.store.get_range(key, etag, 0, 4000);
    CHECK(ts::directory_bytes(c.directory.path) <= (64 << 10) + (8 << 10));
  }
}

TEST_CASE("caching_store: a directory that cannot be written costs requests, never an answer") {
  Cached c;
  std::string etag = c.store.put_if_absent("cpu/a", "0123456789").etag;
  std::filesystem::remove_all(c.directory.path);
  CHECK(c.store.get_range("cpu/a", etag, 0, 3).bytes == "012");
  CHECK(c.store.get_range("cpu/a", etag, 0, 3).bytes == "012");
  CHECK(c.memory->gets() == 2);
}
