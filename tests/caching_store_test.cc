// CachingStore: what it may answer, what it must ask again, and how it stays within its limit.
#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ext/base/file.h"
#include "tests/support/memory_store.h"
#include "vfs/cache_entry.h"
#include "vfs/caching_store.h"

using ts_test::MemoryStore;

namespace {

constexpr std::uint64_t kBlock = ts::CacheEntry::kBlockBytes;

// Bytes of which no two blocks are equal.
std::string numbered(std::uint64_t size) {
  std::string all;
  for (std::uint64_t i = 0; all.size() < size; i++) all += std::to_string(i) + ' ';
  return all.substr(0, size);
}

void flip(const std::string& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

// What the files take on disk: a file of an entry may have holes.
std::uint64_t allocated(const std::string& directory) {
  std::uint64_t sum = 0;
  for (const std::string& name : ts::list_directory(directory)) {
    struct stat found;
    if (::stat((directory + "/" + name).c_str(), &found) == 0) sum += static_cast<std::uint64_t>(found.st_blocks) * 512;
  }
  return sum;
}

struct Directory {
  Directory() {
    char name[] = "/tmp/ts-cache-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  // The one file of an entry that ends so.
  std::string entry(const std::string& kind) const {
    std::vector<std::string> found;
    for (const std::string& name : ts::list_directory(path)) {
      if (name.ends_with(kind)) found.push_back(path + "/" + name);
    }
    REQUIRE(found.size() == 1);
    return found[0];
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

TEST_CASE("caching_store: another location, key or ETag is another entry") {
  Cached c;
  std::string etag = c.store.put_if_absent("cpu/a", "0123456789").etag;
  std::string other_etag = c.store.put_if_absent("cpu/b", "abcdefghij").etag;
  c.store.get_range("cpu/a", etag, 0, 4);
  CHECK(c.store.get_range("cpu/b", other_etag, 0, 4).bytes == "abcd");
  auto there = std::make_shared<MemoryStore>();
  std::string there_etag = there->put_if_absent("cpu/a", "9876543210").etag;
  ts::CachingStore elsewhere(there, "s3://memory@there", c.directory.path, 1 << 20);
  CHECK(elsewhere.get_range("cpu/a", there_etag, 0, 4).bytes == "9876");
  CHECK(there->gets() == 1);
  CHECK(c.store.get_range("cpu/a", etag, 0, 4).bytes == "0123");
  CHECK(c.memory->gets() == 2);
  CHECK_THROWS_AS(c.store.get_range("cpu/a", "another", 0, 4), ts::Error);
}

TEST_CASE("caching_store: any range is answered from what others have brought, and only what is missing is fetched") {
  Cached c(64 << 20);
  const std::string body = numbered(40 * kBlock + 123);
  std::string etag = c.memory->put_if_absent("cpu/a", body).etag;
  auto read = [&](std::uint64_t offset, std::uint64_t length) {
    c.memory->reset_counts();
    ts::Range range = c.store.get_range("cpu/a", etag, offset, length);
    REQUIRE(range.bytes == body.substr(std::min<std::uint64_t>(offset, body.size()), length));
    CHECK(range.object_size == body.size());
    CHECK(range.etag == etag);
    return c.memory->log();
  };
  CHECK(read(5 * kBlock + 7, 2 * kBlock).size() == 1);
  CHECK(read(5 * kBlock, 3 * kBlock).empty());
  CHECK(read(6 * kBlock + 1, 1).empty());
  auto overlap = read(7 * kBlock, 3 * kBlock);  // [7, 8) is there
  REQUIRE(overlap.size() == 1);
  CHECK(overlap[0].offset == 8 * kBlock);
  CHECK(overlap[0].length == 2 * kBlock);
  auto around = read(4 * kBlock, 7 * kBlock);  // the missing 4 and 10 are one request: what lies between is less than another costs
  REQUIRE(around.size() == 1);
  CHECK(around[0].length == 7 * kBlock);
  auto far = read(0, body.size());
  REQUIRE(far.size() == 1);
  CHECK(read(39 * kBlock, 10 * kBlock).empty());  // over the end
  CHECK(read(body.size() + 5, 10).empty());       // past the end
  CHECK(read(0, 1ull << 63).size() == 1);         // longer than any object: not the cache's
  std::string other = c.memory->put_if_absent("cpu/b", body).etag;
  c.memory->reset_counts();
  c.store.get_range("cpu/b", other, 0, kBlock);
  c.store.get_range("cpu/b", other, 35 * kBlock, kBlock);
  c.memory->reset_counts();
  CHECK(c.store.get_range("cpu/b", other, 0, 36 * kBlock).bytes == body.substr(0, 36 * kBlock));
  CHECK(c.memory->gets() == 1);
  CHECK(c.memory->bytes_read() == 34 * kBlock);
}

TEST_CASE("caching_store: blocks far apart are asked for by themselves") {
  Cached c(64 << 20);
  const std::string body = numbered(60 * kBlock);
  std::string etag = c.memory->put_if_absent("cpu/a", body).etag;
  c.store.get_range("cpu/a", etag, 2 * kBlock, 50 * kBlock);
  c.memory->reset_counts();
  CHECK(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
  CHECK(c.memory->gets() == 2);
  CHECK(c.memory->bytes_read() == 10 * kBlock);
}

TEST_CASE("caching_store: threads that read one new object at once leave every block in the entry") {
  Cached c(64 << 20);
  const std::string body = numbered(64 * kBlock);
  std::string etag = c.memory->put_if_absent("cpu/a", body).etag;
  ts::CachingStore other(c.memory, "s3://memory@here", c.directory.path, 64 << 20);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (std::uint64_t i = 0; i < 16; i++) {
    threads.emplace_back([&, i] {
      ts::Store& store = i % 2 ? static_cast<ts::Store&>(other) : c.store;
      std::uint64_t at = i / 2 * 8 * kBlock;  // two of them read the same blocks
      if (store.get_range("cpu/a", etag, at, 8 * kBlock).bytes != body.substr(at, 8 * kBlock)) wrong++;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  c.memory->reset_counts();
  CHECK(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
  CHECK(c.memory->gets() == 0);
}

TEST_CASE("caching_store: a read that is not pinned is never cached") {
  Cached c;
  c.store.put_if_absent("cpu/a", "0123456789");
  c.store.get_range("cpu/a", "", 0, 4);
  c.memory->overwrite("cpu/a", "changed now");
  CHECK(c.store.get_range("cpu/a", "", 0, 4).bytes == "chan");
  CHECK(ts::list_directory(c.directory.path).empty());
}

TEST_CASE("caching_store: an entry with a changed byte anywhere is dropped and fetched again") {
  Cached c;
  const std::string body = numbered(2 * kBlock + 100);
  std::string etag = c.memory->put_if_absent("cpu/a", body).etag;
  c.store.get_range("cpu/a", etag, 0, body.size());
  for (const char* kind : {".index", ".data"}) {
    CAPTURE(kind);
    std::string path = c.directory.entry(kind);
    std::uint64_t size = ts::file_size(path);
    // Each byte of the index; of the data the ends of its blocks, and bytes within them.
    for (std::uint64_t at = 0; at < size; at += path.ends_with(".index") || size - at < 4 ? 1 : 1023) {
      CAPTURE(at);
      flip(path, at);
      c.memory->reset_counts();
      REQUIRE(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
      REQUIRE(c.memory->gets() == 1);
      REQUIRE(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
      REQUIRE(c.memory->gets() == 1);
    }
    for (std::uint64_t left : {std::uint64_t{0}, std::uint64_t{5}, size / 2, size - 1}) {
      CAPTURE(left);
      std::filesystem::resize_file(path, left);
      c.memory->reset_counts();
      REQUIRE(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
      REQUIRE(c.memory->gets() == 1);
      REQUIRE(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
      REQUIRE(c.memory->gets() == 1);
    }
    std::filesystem::remove(path);
    REQUIRE(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
    REQUIRE(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
    CHECK(c.memory->gets() == 2);
  }
}

TEST_CASE("caching_store: an entry in another one's place is not believed") {
  Cached c;
  std::string a = c.memory->put_if_absent("cpu/a", numbered(kBlock)).etag,
              b = c.memory->put_if_absent("cpu/b", std::string(kBlock, 'b')).etag;
  c.store.get_range("cpu/a", a, 0, kBlock);
  std::string index = c.directory.entry(".index"), data = c.directory.entry(".data");
  std::filesystem::rename(index, c.directory.path + "/index");
  std::filesystem::rename(data, c.directory.path + "/data");
  c.store.get_range("cpu/b", b, 0, kBlock);
  std::filesystem::rename(c.directory.path + "/data", c.directory.entry(".data"));
  CHECK(c.store.get_range("cpu/b", b, 0, kBlock).bytes == std::string(kBlock, 'b'));
  std::filesystem::rename(c.directory.path + "/index", c.directory.entry(".index"));
  CHECK(c.store.get_range("cpu/b", b, 0, kBlock).bytes == std::string(kBlock, 'b'));
  CHECK(c.memory->gets() == 4);
}

TEST_CASE("caching_store: it stays within its limit and drops what was used longest ago") {
  constexpr std::uint64_t kLimit = 1 << 20;
  Cached c(kLimit);
  const std::string body = numbered(4 * kBlock);
  std::string first = c.memory->put_if_absent("cpu/first", body).etag;
  c.store.get_range("cpu/first", first, 0, body.size());
  for (int i = 0; i < 100; i++) {
    // A new store each time: what several processes write counts for all of them.
    ts::CachingStore store(c.memory, "s3://memory@here", c.directory.path, kLimit);
    std::string key = "cpu/" + std::to_string(i);
    std::string etag = c.memory->put_if_absent(key, body).etag;
    CHECK(store.get_range(key, etag, 0, body.size()).bytes == body);
    CHECK(allocated(c.directory.path) <= kLimit + body.size() + 4096 * 4);
    c.memory->reset_counts();
    store.get_range("cpu/first", first, 0, body.size());
    CHECK(c.memory->gets() == 0);  // used all the time, so it stays
  }
  CHECK(allocated(c.directory.path) > kLimit / 2);
}

TEST_CASE("caching_store: a damaged or missing count of the directory is made anew") {
  constexpr std::uint64_t kLimit = 1 << 20;
  Cached c(kLimit);
  const std::string body = numbered(4 * kBlock);
  for (int i = 0; i < 60; i++) {
    if (i % 20 == 10) std::filesystem::remove(c.directory.path + "/usage");
    if (i % 20 == 0) ts::write_file(c.directory.path + "/usage", "\xff\xff\xff\xff\xff\xff\xff\x7f");
    std::string key = "cpu/" + std::to_string(i);
    std::string etag = c.memory->put_if_absent(key, body).etag;
    c.store.get_range(key, etag, 0, body.size());
    CHECK(allocated(c.directory.path) <= kLimit + body.size() + 4096 * 4);
  }
}

TEST_CASE("caching_store: a file that was stored becomes the entry without a copy and without a request") {
  Cached c(64 << 20);
  const std::string body = numbered(10 * kBlock + 77);
  std::string etag = c.memory->put_if_absent("cpu/a", body).etag;
  std::string path = c.directory.path + "/sealed.sqlite";
  for (bool known_in_part : {true, false}) {
    if (known_in_part) c.store.get_range("cpu/a", etag, 3 * kBlock, 10);
    ts::write_file(path, body);
    c.memory->reset_counts();
    CHECK(c.store.adopt("cpu/a", etag, path));
    CHECK(!ts::file_exists(path));
    CHECK(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
    CHECK(c.memory->requests() == 0);
    std::filesystem::remove(c.directory.entry(".index"));
    std::filesystem::remove(c.directory.entry(".data"));
  }
}

TEST_CASE("caching_store: a file that cannot become an entry stays where it is") {
  Cached c(8 * kBlock);
  std::string path = c.directory.path + "/sealed.sqlite";
  ts::write_file(path, numbered(9 * kBlock));
  CHECK(!c.store.adopt("cpu/a", "etag", path));  // larger than the limit
  ts::write_file(path, numbered(kBlock));
  CHECK(!c.store.adopt("cpu/a", "", path));  // not known to be the object
  CHECK(!c.store.adopt("cpu/a", "etag", path + ".not-there"));
  ts::CachingStore nowhere(c.memory, "s3://memory@here", path + "/cache", 1 << 20);
  CHECK(!nowhere.adopt("cpu/a", "etag", path));
  CHECK(!c.memory->adopt("cpu/a", "etag", path));  // a store without a cache
  CHECK(ts::file_size(path) == kBlock);
}

TEST_CASE("caching_store: a directory that cannot be written costs requests, never an answer") {
  Cached c;
  std::string etag = c.memory->put_if_absent("cpu/a", "0123456789").etag;
  std::string file = c.directory.path + "/file";
  ts::write_file(file, "");
  ts::CachingStore store(c.memory, "s3://memory@here", file + "/cache", 1 << 20);
  CHECK(store.get_range("cpu/a", etag, 0, 3).bytes == "012");
  CHECK(store.get_range("cpu/a", etag, 0, 3).bytes == "012");
  CHECK(c.memory->gets() == 2);
}

TEST_CASE("caching_store: a disk that takes no more bytes costs requests, never an answer") {
  Cached c;
  const std::string body = numbered(4 * kBlock);
  std::string etag = c.memory->put_if_absent("cpu/a", body).etag;
  rlimit before, small;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  small = before;
  small.rlim_cur = kBlock + kBlock / 2;  // the data file ends within its second block, as on a full disk
  auto handler = ::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string first = c.store.get_range("cpu/a", etag, 0, body.size()).bytes,
              second = c.store.get_range("cpu/a", etag, 0, body.size()).bytes;
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(first == body);
  CHECK(second == body);
  CHECK(c.memory->gets() == 2);
  CHECK(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
  CHECK(c.store.get_range("cpu/a", etag, 0, body.size()).bytes == body);
  CHECK(c.memory->gets() == 3);  // with room again it fills
}
