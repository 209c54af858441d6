// The laws of vfs/store.h, held by every Store: a directory, one whose reads are hedged, and a bucket of the real S3 server.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "ext/base/digest.h"
#include "ext/base/file.h"
#include "tests/support/s3_fixture.h"
#include "vfs/file_store.h"
#include "vfs/hedging_store.h"
#include "vfs/retrying_store.h"

#ifdef __linux__
#include <sys/syscall.h>

// Every fsync of this program passes here, so that a test can see what was made durable and in which order.
namespace {
thread_local bool watch_fsync = false;  // of this thread
thread_local int fail_fsync = 0;        // the n-th from now fails
thread_local std::vector<std::string> fsynced_names;
}  // namespace

extern "C" int fsync(int fd) {
  if (watch_fsync) fsynced_names.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)).string());
  if (watch_fsync && fail_fsync > 0 && --fail_fsync == 0) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
#endif

using namespace ts;
using namespace ts_test;
namespace fs = std::filesystem;

namespace {

// One empty place per test, and stores on it.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::unique_ptr<Store> open(std::size_t page_size) const = 0;
  virtual void overwrite(const std::string& key, const std::string& bytes) const = 0;
};

class DirectoryPlace : public Place {
 public:
  DirectoryPlace() : path_((fs::temp_directory_path() / ("store-" + hex(random_bytes(8)))).string()) {}
  ~DirectoryPlace() override {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::unique_ptr<Store> open(std::size_t page_size) const override { return std::make_unique<FileStore>(path_ + "/archive", page_size); }
  void overwrite(const std::string& key, const std::string& bytes) const override {
    std::ofstream(path_ + "/archive/" + key, std::ios::binary | std::ios::trunc) << bytes;
  }

 private:
  std::string path_;
};

// Every second read waits to be called off, so that it is the second request of a hedged one that answers it.
class Dawdling : public FileStore {
 public:
  using FileStore::FileStore;
  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel) override {
    dawdle(cancel);
    return FileStore::list(prefix, start_after, cancel);
  }
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length, const Cancel* cancel) override {
    if (!etag.empty()) dawdle(cancel);
    return FileStore::get_range(key, etag, offset, length, cancel);
  }

 private:
  void dawdle(const Cancel* cancel) {
    if (reads_++ % 2 != 0) return;
    for (int i = 0; i < 1'000; i++, std::this_thread::yield()) {  // no longer: the second one may dawdle too, or fail
      if (cancel->cancelled()) throw Error(Code::kInterrupted, "dawdling: interrupted: " + describe());
    }
  }
  std::atomic<int> reads_{0};
};

class HedgedPlace : public DirectoryPlace {
 public:
  std::unique_ptr<Store> open(std::size_t page_size) const override {
    const HedgePolicy always{0, 0, 0, 1, 4};
    auto slow = std::make_shared<Dawdling>(DirectoryPlace::open(page_size)->describe().substr(7), page_size);
    return std::make_unique<HedgingStore>(std::move(slow), Clock::system(), always);
  }
};

class BucketPlace : public Place {
 public:
  BucketPlace() : server_(S3Server::get()), prefix_(server_.fresh_prefix()) {}
  std::unique_ptr<Store> open(std::size_t page_size) const override {
    return std::make_unique<RetryingStore>(server_.store(prefix_, page_size));
  }
  void overwrite(const std::string& key, const std::string& bytes) const override { server_.overwrite(prefix_, key, bytes); }

 private:
  S3Server& server_;
  std::string prefix_;
};

#define EVERY_PLACE DirectoryPlace, HedgedPlace, BucketPlace

std::vector<std::string> all_keys(Store& store, const std::string& prefix = "", std::string after = "") {
  std::vector<std::string> keys;
  for (;;) {
    ListPage page = store.list(prefix, after);
    for (const ObjectInfo& object : page.objects) keys.push_back(object.key);
    if (!page.more) return keys;
    REQUIRE(!page.objects.empty());
    after = keys.back();
  }
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE_TEMPLATE("store contract: what is put is what is read, and listed with its size and ETag", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  const PutResult put = store->put_if_absent("cpu/2026-11-23/a.sqlite", "hello");
  CHECK(put.stored);
  const ListPage page = store->list("cpu/", "");
  REQUIRE(page.objects.size() == 1);
  CHECK(!page.more);
  CHECK(page.objects[0].key == "cpu/2026-11-23/a.sqlite");
  CHECK(page.objects[0].size == 5);
  CHECK(page.objects[0].etag == put.etag);
  const Range range = store->get_range("cpu/2026-11-23/a.sqlite", page.objects[0].etag, 0, 100);
  CHECK(range.bytes == "hello");
  CHECK(range.object_size == 5);
  CHECK(range.etag == put.etag);
}

TEST_CASE_TEMPLATE("store contract: a new place is empty", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  CHECK(store->list("", "").objects.empty());
  CHECK(store->list("cpu/", "cpu/x").objects.empty());
  store->remove("cpu/nothing");
}

TEST_CASE_TEMPLATE("store contract: ranges are exact at the begin, inside, across and past the end", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  std::string bytes(3'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  const std::string etag = store->put_if_absent("big", bytes).etag;
  for (auto [offset, length] : std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{{0, 1},
                                                                                              {0, 3'000'000},
                                                                                              {0, 9'000'000},
                                                                                              {1'234'567, 700'001},
                                                                                              {2'999'999, 1},
                                                                                              {2'999'990, 100},
                                                                                              {0, UINT64_MAX},
                                                                                              {5, UINT64_MAX}}) {
    const Range range = store->get_range("big", etag, offset, length);
    CHECK(range.bytes == bytes.substr(offset, length));
    CHECK(range.object_size == bytes.size());
  }
  CHECK(store->get_range("big", etag, 3'000'000, 10).bytes.empty());
  CHECK(store->get_range("big", etag, 1ull << 40, 10).bytes.empty());
  const Range nothing = store->get_range("big", "", 7, 0);
  CHECK(nothing.bytes.empty());
  CHECK(nothing.object_size == bytes.size());
  CHECK(nothing.etag == etag);
}

TEST_CASE_TEMPLATE("store contract: an empty object can be put, listed and read", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  CHECK(store->put_if_absent("empty", "").stored);
  CHECK(store->list("", "").objects.at(0).size == 0);
  const Range range = store->get_range("empty", store->list("", "").objects.at(0).etag, 0, 10);
  CHECK(range.bytes.empty());
  CHECK(range.object_size == 0);
}

TEST_CASE_TEMPLATE("store contract: a second put changes nothing and says so", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  CHECK(store->put_if_absent("k", "first").stored);
  CHECK(!store->put_if_absent("k", "second").stored);
  CHECK(store->get_range("k", "", 0, 100).bytes == "first");
}

TEST_CASE_TEMPLATE("store contract: of sixteen writers of a key exactly one wins", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  for (int round = 0; round < 5; ++round) {
    const std::string key = "race/" + std::to_string(round);
    std::atomic<int> winners{0}, winner{-1}, errors{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] {
        try {
          if (store->put_if_absent(key, std::string(1000, static_cast<char>('a' + i))).stored) ++winners, winner = i;
        } catch (const Error&) {
          ++errors;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(errors == 0);
    CHECK(winners == 1);
    CHECK(store->get_range(key, "", 0, 2000).bytes == std::string(1000, static_cast<char>('a' + winner)));
  }
}

TEST_CASE_TEMPLATE("store contract: keys come in byte order of the whole key, each once, in pages of two", T, EVERY_PLACE) {
  T place;
  Keys keys = {"a-b", "a.b", "a/b", "a/b-c/d", "a/b.c", "a0", "a/z/1", "b/c/d/e", "b/c", "B", "_", "a/z"};
  keys.erase(std::find(keys.begin(), keys.end(), "b/c"));  // a file and a directory of one name cannot both be
  keys.erase(std::find(keys.begin(), keys.end(), "a/z"));
  auto store = place.open(2);
  for (const std::string& key : keys) store->put_if_absent(key, "x");
  std::sort(keys.begin(), keys.end());
  CHECK(all_keys(*store) == keys);
  for (const std::string prefix : {"a", "a/", "a/b", "b/c/d/", "nothing", "a/z/1", "a//", "../"}) {
    Keys wanted;
    std::copy_if(keys.begin(), keys.end(), std::back_inserter(wanted), [&](const std::string& key) { return key.starts_with(prefix); });
    CHECK(all_keys(*store, prefix) == wanted);
  }
  for (const std::string& after : keys) {
    Keys wanted(std::upper_bound(keys.begin(), keys.end(), after), keys.end());
    CHECK(all_keys(*store, "", after) == wanted);
  }
  CHECK(all_keys(*store, "a/", "a/b/") == Keys{"a/z/1"});
  CHECK(all_keys(*store, "a/", "zzz").empty());
  CHECK(all_keys(*store, "a/", "A") == Keys{"a/b", "a/b-c/d", "a/b.c", "a/z/1"});
}

TEST_CASE_TEMPLATE("store contract: a page that ends with the last key says that there is no more", T, EVERY_PLACE) {
  T place;
  auto store = place.open(2);
  for (const char* key : {"a", "b", "c", "d"}) store->put_if_absent(key, "");
  ListPage page = store->list("", "b");
  CHECK(page.objects.size() == 2);
  CHECK(!page.more);
}

TEST_CASE_TEMPLATE("store contract: odd characters in keys survive put, list, get and remove", T, EVERY_PLACE) {
  T place;
  auto store = place.open(3);
  Keys keys = {"a b",    "a+b",   "a%20b",   "a%b",         "a#b",  "a?b=c&d",  "\xC3\xA4\xE2\x82\xAC/\xF0\x9F\x98\x80",
               "a'b\"c", "a<&>b", "a;b,c=d", "~a!$()*@:[]", "a\\b", "trailing "};
  for (const std::string& key : keys) CHECK(store->put_if_absent(key, "of " + key).stored);
  std::sort(keys.begin(), keys.end());
  CHECK(all_keys(*store) == keys);
  for (const std::string& key : keys) CHECK(store->get_range(key, "", 0, 100).bytes == "of " + key);
  for (const std::string& key : keys) CHECK(all_keys(*store, key) == Keys{key});
  for (const std::string& key : keys) store->remove(key);
  CHECK(all_keys(*store).empty());
}

TEST_CASE_TEMPLATE("store contract: a pinned read of an overwritten or removed object is kChanged, an unpinned one kNotFound", T,
                   DirectoryPlace, BucketPlace) {
  T place;
  auto store = place.open(1000);
  const std::string etag = store->put_if_absent("k", "first").etag;
  place.overwrite("k", "other");
  Thrown error = thrown([&] { store->get_range("k", etag, 0, 10); });
  CHECK(error.code == Code::kChanged);
  CHECK(error.has(store->describe() + "/k"));
  CHECK(store->get_range("k", "", 0, 10).bytes == "other");
  store->remove("k");
  CHECK(thrown([&] { store->get_range("k", etag, 0, 10); }).code == Code::kChanged);
  error = thrown([&] { store->get_range("k", "", 0, 10); });
  CHECK(error.code == Code::kNotFound);
  CHECK(error.has(store->describe() + "/k"));
}

TEST_CASE_TEMPLATE("store contract: what is removed is gone, and removing it again is no error", T, EVERY_PLACE) {
  T place;
  auto store = place.open(1000);
  store->put_if_absent("a/b", "x");
  store->remove("a/b");
  store->remove("a/b");
  CHECK(all_keys(*store).empty());
  CHECK(store->put_if_absent("a/b", "y").stored);
}

TEST_CASE_TEMPLATE("store contract: a cancelled request does nothing, others are charged with what came back", T, DirectoryPlace,
                   BucketPlace) {
  T place;
  auto store = place.open(1000);
  TestCancel cancel;
  store->put_if_absent("k", "12345", &cancel);
  const std::uint64_t after_put = cancel.requests;
  CHECK(after_put == 1);
  store->get_range("k", "", 1, 3, &cancel);
  CHECK(cancel.requests == after_put + 1);
  CHECK(cancel.bytes >= 3);
  store->list("", "", &cancel);
  CHECK(cancel.requests == after_put + 2);
  cancel.stop = true;
  CHECK(thrown([&] { store->list("", "", &cancel); }).code == Code::kInterrupted);
  CHECK(thrown([&] { store->get_range("k", "", 0, 1, &cancel); }).code == Code::kInterrupted);
  CHECK(thrown([&] { store->put_if_absent("n", "x", &cancel); }).code == Code::kInterrupted);
  CHECK(thrown([&] { store->remove("k", &cancel); }).code == Code::kInterrupted);
  CHECK(cancel.requests == after_put + 2);
  CHECK(all_keys(*store) == Keys{"k"});
}

TEST_CASE("store contract: file store refuses keys that lead elsewhere") {
  DirectoryPlace place;
  auto store = place.open(1000);
  for (const std::string& key :
       Keys{std::string(""), std::string("../x"), std::string("a/../x"), std::string("/x"), std::string("a//b"), std::string("a/"),
            std::string("./a"), std::string("a\0b", 3), std::string(".tmp-1"), std::string(300, 'x')}) {
    CHECK(thrown([&] { store->put_if_absent(key, "x"); }).code == Code::kBadInput);
    CHECK(thrown([&] { store->get_range(key, "", 0, 1); }).code == Code::kBadInput);
    CHECK(thrown([&] { store->remove(key); }).code == Code::kBadInput);
  }
}

TEST_CASE("store contract: file store follows no symbolic link and lists regular files only") {
  DirectoryPlace place;
  auto store = place.open(1000);
  store->put_if_absent("real/file", "x");
  const fs::path base = store->describe().substr(7);
  std::ofstream(base.parent_path() / "outside") << "secret";
  fs::create_symlink(base.parent_path(), base / "link");
  fs::create_symlink(base.parent_path() / "outside", base / "real" / "linked");
  std::ofstream(base / "real" / ".tmp-0123") << "unfinished";
  REQUIRE(::mkfifo((base / "real" / "pipe").c_str(), 0600) == 0);
  CHECK(all_keys(*store) == Keys{"real/file"});
  CHECK(all_keys(*store, "link/").empty());
  CHECK(thrown([&] { store->get_range("link/outside", "", 0, 9); }).code == Code::kNotFound);
  CHECK(thrown([&] { store->get_range("real/linked", "", 0, 9); }).code == Code::kNotFound);
  CHECK(thrown([&] { store->get_range("real/pipe", "", 0, 9); }).code == Code::kNotFound);
  CHECK_THROWS_AS(store->put_if_absent("link/new", "x"), Error);
  CHECK(!store->put_if_absent("real/linked", "x").stored);
  CHECK(fs::file_size(base.parent_path() / "outside") == 6);
}

TEST_CASE("store contract: file store leaves no temporary file and gives modes 0644 and 0755 less the umask") {
  DirectoryPlace place;
  auto store = place.open(1000);
  const mode_t before = ::umask(027);
  store->put_if_absent("dir/file", "x");
  store->put_if_absent("dir/file", "y");
  ::umask(before);
  const fs::path base = store->describe().substr(7);
  CHECK(std::distance(fs::directory_iterator(base / "dir"), fs::directory_iterator()) == 1);
  CHECK((static_cast<unsigned>(fs::status(base / "dir" / "file").permissions()) & 0777u) == 0640u);
  CHECK((static_cast<unsigned>(fs::status(base / "dir").permissions()) & 0777u) == 0750u);
}

#ifdef __linux__
TEST_CASE("store contract: file store makes the file durable before it has a name, then every directory on its way") {
  DirectoryPlace place;
  auto store = place.open(1000);
  const std::string base = store->describe().substr(7);
  store->put_if_absent("first", "x");
  fsynced_names.clear();
  watch_fsync = true;
  store->put_if_absent("a/b/file", "x");
  watch_fsync = false;
  REQUIRE(fsynced_names.size() == 4);
  CHECK(fsynced_names[0].starts_with(base + "/a/b/.tmp-"));
  CHECK(Keys(fsynced_names.begin() + 1, fsynced_names.end()) == Keys{base + "/a/b", base + "/a", base});
  // Who finds the key taken relies on it: its writer may have died before it made the directory durable.
  fsynced_names.clear();
  watch_fsync = true;
  CHECK(!store->put_if_absent("a/b/file", "x").stored);
  watch_fsync = false;
  CHECK(fsynced_names == Keys{base + "/a/b", base + "/a", base});
}

TEST_CASE("store contract: file store publishes nothing when the disk fails, and leaves nothing behind") {
  DirectoryPlace place;
  auto store = place.open(1000);
  store->put_if_absent("dir/first", "x");
  fail_fsync = 1;
  watch_fsync = true;
  const Thrown error = thrown([&] { store->put_if_absent("dir/file", "x"); });
  watch_fsync = false;
  CHECK(error.code == Code::kIo);
  CHECK(error.has(store->describe() + "/dir/file"));
  CHECK(all_keys(*store) == Keys{"dir/first"});
  const fs::path base = store->describe().substr(7);
  CHECK(std::distance(fs::directory_iterator(base / "dir"), fs::directory_iterator()) == 1);
}
#endif

TEST_CASE("store contract: file store does not read directories outside the prefix or before the start") {
  DirectoryPlace place;
  auto store = place.open(1000);
  store->put_if_absent("a/1", "x");
  store->put_if_absent("b/1", "x");
  store->put_if_absent("c/1", "x");
  // A loop of links cannot be opened, an entry that is no directory cannot be read: whoever walks there would fail.
  const fs::path base = store->describe().substr(7);
  if (::geteuid() != 0) fs::permissions(base / "a", fs::perms::none);
  CHECK(all_keys(*store, "b/") == Keys{"b/1"});
  CHECK(all_keys(*store, "", "b") == Keys{"b/1", "c/1"});
  if (::geteuid() != 0) {
    CHECK(thrown([&] { store->list("", ""); }).code == Code::kForbidden);
    fs::permissions(base / "a", fs::perms::owner_all);
  }
}
