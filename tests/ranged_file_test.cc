// Tests of RangedFile: which requests it makes, what it pins, and what it leaves behind when one fails.
#include "vfs/ranged_file.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <limits>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/memory_store.h"
#include "tests/support/rounds.h"

using ts::AheadBytes;
using ts::Code;
using ts::RangedFile;
using ts_test::MemoryStore;

namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kBlock = 64 * kKiB;
constexpr char kKey[] = "cpu/x.sqlite";

// Bytes that differ wherever one looks.
std::string noise(std::uint64_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (std::uint64_t at = 0; at < size; at += 8) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, std::min<std::uint64_t>(8, size - at));
  }
  return bytes;
}

// A store with one object, and the object's bytes.
struct World {
  explicit World(std::uint64_t size) : bytes(noise(size)), etag(store->overwrite(kKey, bytes)) {}

  // As listed, or with nothing known.
  std::unique_ptr<RangedFile> listed() { return std::make_unique<RangedFile>(store, kKey, etag, bytes.size()); }
  std::unique_ptr<RangedFile> unlisted() { return std::make_unique<RangedFile>(store, kKey, "", 0); }

  // True if that range reads as what was stored.
  bool same(RangedFile& file, std::uint64_t offset, std::size_t length) const {
    std::string into(length, '?');
    into.resize(file.read(offset, into.data(), length));
    return into == (offset < bytes.size() ? bytes.substr(offset, length) : "");
  }
  std::vector<std::uint64_t> lengths() const {
    std::vector<std::uint64_t> all;
    for (const auto& request : store->log()) all.push_back(request.length);
    return all;
  }

  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  std::string bytes;
  std::string etag;
};

// The Error of a read, as code and text.
struct Failure {
  bool thrown = false;
  Code code = Code::kIo;
  std::string text;
};

Failure failure_of(RangedFile& file, std::uint64_t offset, const ts::Cancel* cancel = nullptr) {
  char byte = 0;
  try {
    file.read(offset, &byte, 1, cancel);
  } catch (const ts::Error& e) {
    return {true, e.code(), e.what()};
  }
  return {};
}

// Distorts answers: a store that lies, or a proxy that cuts them off.
class LyingStore : public MemoryStore {
 public:
  ts::Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                      const ts::Cancel* cancel) override {
    ts::Range range = MemoryStore::get_range(key, etag, offset, length, cancel);
    if (distort) distort(range);
    return range;
  }
  std::function<void(ts::Range&)> distort;
};

// A gate that requests wait at.
class Gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void arrive_and_wait() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_for(int arrived) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= arrived; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

struct Switch : ts::Cancel {
  bool cancelled() const override {
    ++asked;
    return on;
  }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override {
    charged_requests += requests;
    charged_bytes += bytes;
  }
  mutable std::atomic<std::uint64_t> asked{0};
  mutable std::atomic<std::uint64_t> charged_requests{0};
  mutable std::atomic<std::uint64_t> charged_bytes{0};
  std::atomic<bool> on{false};
};

}  // namespace

TEST_CASE("ranged_file: a file of known size up to 4 MiB is one GET, wherever reading begins") {
  for (const std::uint64_t size : {std::uint64_t{1}, kBlock, 3 * kMiB, 4 * kMiB}) {
    World world(size);
    const auto file = world.listed();
    CHECK(file->size() == size);
    CHECK(world.store->requests() == 0);
    CHECK(world.same(*file, size / 2, 100));
    CHECK(world.same(*file, 0, size));
    CHECK(world.store->requests() == 1);
    CHECK(world.store->bytes_read() == size);
  }
}

TEST_CASE("ranged_file: a file of unknown size is one GET up to 256 KiB, two up to 4 MiB") {
  for (const auto& [size, gets] : {std::pair{std::uint64_t{1}, 1U}, {256 * kKiB, 1U}, {256 * kKiB + 1, 2U}, {4 * kMiB, 2U}}) {
    World world(size);
    const auto file = world.unlisted();
    CHECK(file->size() == size);
    CHECK(world.store->requests() == 1);
    CHECK(world.same(*file, size / 2, 100));
    CHECK(world.same(*file, 0, size));
    CHECK(world.store->requests() == gets);
    CHECK(world.store->bytes_read() == size);
  }
}

TEST_CASE("ranged_file: what was read once is read again without a request") {
  World world(5 * kMiB);
  const auto file = world.listed();
  CHECK(world.same(*file, 3 * kMiB, 4096));
  const std::uint64_t before = world.store->requests();
  for (int i = 0; i < 100; ++i) CHECK(world.same(*file, 3 * kMiB + 64U * static_cast<unsigned>(i), 4096));
  CHECK(world.store->requests() == before);
}

TEST_CASE("ranged_file: a scan of 20 MiB is 9 GETs, from 256 KiB doubling to 4 MiB, and no byte twice") {
  World world(20 * kMiB);
  const auto file = world.listed();
  for (std::uint64_t at = 0; at < world.bytes.size(); at += 4096) REQUIRE(world.same(*file, at, 4096));
  CHECK(world.lengths() ==
        std::vector<std::uint64_t>{256 * kKiB, 512 * kKiB, kMiB, 2 * kMiB, 4 * kMiB, 4 * kMiB, 4 * kMiB, 4 * kMiB, 256 * kKiB});
  CHECK(world.store->bytes_read() == world.bytes.size());
}

TEST_CASE("ranged_file: a scan from the end to the beginning reads ahead downwards") {
  World world(20 * kMiB);
  const auto file = world.listed();
  for (std::uint64_t at = world.bytes.size(); at > 0; at -= 4096) REQUIRE(world.same(*file, at - 4096, 4096));
  CHECK(world.store->requests() == 11);  // 64 KiB doubling to 4 MiB: 7 for the first 8128 KiB, then 3 and the rest
  CHECK(world.store->bytes_read() == world.bytes.size());
}

TEST_CASE("ranged_file: scans in turns each keep their own read-ahead") {
  World world(60 * kMiB);
  const auto file = world.listed();
  const std::uint64_t starts[] = {5 * kMiB, 25 * kMiB, 45 * kMiB};
  for (std::uint64_t at = 0; at < 8 * kMiB; at += 16 * kKiB) {
    for (const std::uint64_t start : starts) REQUIRE(world.same(*file, start + at, 16 * kKiB));
  }
  CHECK(world.store->requests() == 3 * 8);  // 64 KiB doubling to 4 MiB holds 8 MiB after 8 requests
}

TEST_CASE("ranged_file: random reads take 64 KiB each") {
  World world(60 * kMiB);
  const auto file = world.listed();
  for (const std::uint64_t at : {50, 7, 31, 12, 44, 20}) CHECK(world.same(*file, at * kMiB, 4096));
  CHECK(world.lengths() == std::vector<std::uint64_t>(6, kBlock));
}

TEST_CASE("ranged_file: a large read is one GET up to 16 MiB; few blocks that are there do not split it, many do") {
  World world(40 * kMiB);
  const auto file = world.listed();
  CHECK(world.same(*file, 2 * kMiB, 16 * kMiB));
  CHECK(world.store->requests() == 1);
  CHECK(world.same(*file, 30 * kMiB, 4096));
  world.store->reset_counts();
  CHECK(world.same(*file, 29 * kMiB, 2 * kMiB));
  CHECK(world.store->requests() == 1);
  CHECK(world.same(*file, 35 * kMiB, 5 * kBlock));
  world.store->reset_counts();
  CHECK(world.same(*file, 34 * kMiB, 2 * kMiB));
  CHECK(world.store->requests() == 2);
  CHECK(world.store->bytes_read() == 2 * kMiB - 5 * kBlock);
}

TEST_CASE("ranged_file: reads end where the object ends") {
  World world(5 * kMiB + 123);
  const auto file = world.listed();
  CHECK(world.same(*file, world.bytes.size() - 10, 4096));
  CHECK(world.same(*file, world.bytes.size(), 1));
  CHECK(world.same(*file, std::numeric_limits<std::uint64_t>::max() - 5, 100));
  CHECK(world.same(*file, 0, 0));
  CHECK(world.store->requests() == 1);
}

TEST_CASE("ranged_file: an empty object has size 0 and no bytes") {
  World world(0);
  const auto file = world.unlisted();
  CHECK(file->size() == 0);
  CHECK(world.same(*file, 0, 10));
  CHECK(world.store->requests() == 1);
}

TEST_CASE("ranged_file: the first answer pins the ETag and every later GET carries it") {
  World world(20 * kMiB);
  const auto file = world.unlisted();
  CHECK(world.same(*file, 10 * kMiB, 4096));
  CHECK(world.same(*file, 15 * kMiB, 4096));
  const auto log = world.store->log();
  REQUIRE(log.size() == 3);
  CHECK(log[0].etag.empty());
  CHECK(log[1].etag == world.etag);
  CHECK(log[2].etag == world.etag);
}

TEST_CASE("ranged_file: an object that was replaced or removed is kChanged and named") {
  World world(20 * kMiB);
  const auto file = world.listed();
  CHECK(world.same(*file, 0, 4096));
  world.store->overwrite(kKey, noise(20 * kMiB + 1));
  Failure failure = failure_of(*file, 10 * kMiB);
  CHECK(failure.code == Code::kChanged);
  CHECK(failure.text.find("s3://memory/cpu/x.sqlite") != std::string::npos);
  world.store->forget(kKey);
  CHECK(failure_of(*file, 15 * kMiB).code == Code::kChanged);
  CHECK(world.same(*file, 0, 4096));  // what is in memory is still of the pinned object
}

TEST_CASE("ranged_file: a missing object of unknown ETag is kNotFound") {
  const auto store = std::make_shared<MemoryStore>();
  RangedFile file(store, "none", "", 0);
  CHECK(failure_of(file, 0).code == Code::kNotFound);
}

TEST_CASE("ranged_file: an answer of another size or ETag is kChanged, also where the store does not notice") {
  const auto store = std::make_shared<LyingStore>();
  const std::string etag = store->overwrite(kKey, noise(20 * kMiB));
  RangedFile file(store, kKey, etag, 20 * kMiB);
  store->distort = [](ts::Range& range) { ++range.object_size; };
  CHECK(failure_of(file, 0).code == Code::kChanged);
  store->distort = [](ts::Range& range) { range.etag = "other"; };
  CHECK(failure_of(file, 0).code == Code::kChanged);
  store->distort = [](ts::Range& range) { range.etag.clear(); };
  CHECK(failure_of(file, 0).code == Code::kChanged);
  store->distort = nullptr;
  CHECK(failure_of(file, 0).thrown == false);
}

TEST_CASE("ranged_file: an answer that is too short or too long is an error and leaves nothing behind") {
  const auto store = std::make_shared<LyingStore>();
  const std::string bytes = noise(5 * kMiB);
  RangedFile file(store, kKey, store->overwrite(kKey, bytes), bytes.size());
  for (const auto& distort : std::vector<std::function<void(ts::Range&)>>{
           [](ts::Range& range) { range.bytes.resize(range.bytes.size() - 1); }, [](ts::Range& range) { range.bytes.clear(); },
           [](ts::Range& range) { range.bytes += '?'; }}) {
    store->distort = distort;
    const Failure failure = failure_of(file, 1000);
    CHECK(failure.code == Code::kUnavailable);
    CHECK(failure.text.find("s3://memory/cpu/x.sqlite") != std::string::npos);
  }
  store->distort = nullptr;
  store->reset_counts();
  std::string into(bytes.size(), '?');
  CHECK(file.read(0, into.data(), into.size()) == bytes.size());
  CHECK(into == bytes);
  CHECK(store->bytes_read() == bytes.size());
}

TEST_CASE("ranged_file: a size that no offset can reach is kCorrupt") {
  const auto store = std::make_shared<MemoryStore>();
  CHECK_THROWS_AS(RangedFile(store, kKey, "etag", std::numeric_limits<std::uint64_t>::max()), ts::Error);
}

TEST_CASE("ranged_file: without an ETag an object is read if one GET holds it, otherwise refused with a sentence") {
  const auto store = std::make_shared<LyingStore>();
  store->distort = [](ts::Range& range) { range.etag.clear(); };
  store->overwrite("small", noise(100 * kKiB));
  store->overwrite("large", noise(300 * kKiB));
  RangedFile small(store, "small", "", 0);
  CHECK(failure_of(small, 99 * kKiB).thrown == false);
  RangedFile large(store, "large", "", 0);
  const Failure failure = failure_of(large, 0);
  CHECK(failure.code == Code::kUnsupported);
  CHECK(failure.text.find("no ETag") != std::string::npos);
}

TEST_CASE("ranged_file: a failed GET is the reader's error, and the next read asks again") {
  World world(20 * kMiB);
  const auto file = world.unlisted();
  world.store->fail_next(1, ts::Error(Code::kUnavailable, "memory: 503"));
  CHECK(failure_of(*file, 0).code == Code::kUnavailable);
  CHECK(world.same(*file, 0, 4096));
  world.store->fail_next(1, ts::Error(Code::kForbidden, "memory: 403"));
  CHECK(failure_of(*file, 10 * kMiB).code == Code::kForbidden);
  CHECK(world.same(*file, 10 * kMiB, 4096));
}

TEST_CASE("ranged_file: an exception that is no Error settles the GET as well") {
  World world(20 * kMiB);
  const auto file = world.listed();
  world.store->before([](const MemoryStore::Request&) { throw std::bad_alloc(); });
  char byte = 0;
  CHECK_THROWS_AS(file->read(0, &byte, 1), std::bad_alloc);
  world.store->before(nullptr);
  CHECK(world.same(*file, 0, 4096));
}

TEST_CASE("ranged_file: readers of one block share one GET, also its error") {
  for (const bool fails : {false, true}) {
    World world(20 * kMiB);
    const auto file = world.listed();
    Gate gate;
    std::atomic<int> started{0};
    world.store->before([&](const MemoryStore::Request&) {
      gate.arrive_and_wait();
      if (fails) throw ts::Error(Code::kUnavailable, "memory: 503");
    });
    constexpr int kReaders = 8;
    Switch patient[kReaders];
    std::vector<std::thread> readers;
    std::atomic<int> right{0};
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, i] {
        ++started;
        const Failure failure = failure_of(*file, 10 * kMiB + static_cast<std::uint64_t>(i), &patient[i]);
        right += failure.thrown == fails && (!fails || failure.code == Code::kUnavailable);
      });
    }
    gate.wait_for(1);
    // A reader that waits for another's GET asks its Cancel: then all of them are inside.
    for (bool inside = false; !inside; std::this_thread::yield()) {
      inside = true;
      for (const Switch& cancel : patient) inside = inside && cancel.asked > 0;
    }
    gate.open();
    for (std::thread& reader : readers) reader.join();
    CHECK(right == kReaders);
    CHECK(world.store->requests() == 1);
  }
}

TEST_CASE("ranged_file: a Cancel ends the wait for another reader's GET, whose interrupt is not contagious") {
  World world(20 * kMiB);
  const auto file = world.listed();
  Gate gate;
  std::atomic<bool> first{true};
  world.store->before([&](const MemoryStore::Request&) {
    if (!first.exchange(false)) return;
    gate.arrive_and_wait();
    throw ts::Error(Code::kInterrupted, "memory: interrupted");
  });
  Failure owner;
  std::thread owning([&] { owner = failure_of(*file, 10 * kMiB); });
  gate.wait_for(1);
  Switch pressed;
  pressed.on = true;
  CHECK(failure_of(*file, 10 * kMiB, &pressed).code == Code::kInterrupted);
  Switch patient;
  Failure waiter;
  std::thread waiting([&] { waiter = failure_of(*file, 10 * kMiB, &patient); });
  while (patient.asked == 0) std::this_thread::yield();
  gate.open();
  owning.join();
  waiting.join();
  CHECK(owner.code == Code::kInterrupted);
  CHECK(waiter.thrown == false);
  CHECK(world.store->requests() == 2);
}

TEST_CASE("ranged_file: a GET is charged to the Cancel of who made it") {
  World world(3 * kMiB);
  const auto file = world.listed();
  Switch payer;
  CHECK(failure_of(*file, 0, &payer).thrown == false);
  CHECK(payer.charged_requests == 1);
  CHECK(payer.charged_bytes == 3 * kMiB);
  Switch guest;
  CHECK(failure_of(*file, 0, &guest).thrown == false);
  CHECK(guest.charged_requests == 0);
}

TEST_CASE("ranged_file: a file keeps at most 16 MiB in memory, those used last") {
  World world(40 * kMiB);
  const auto file = world.listed();
  CHECK(world.same(*file, 39 * kMiB, 4096));
  for (std::uint64_t at = 0; at < 36 * kMiB; at += 64 * kKiB) {
    REQUIRE(world.same(*file, at, 64 * kKiB));
    REQUIRE(world.same(*file, 39 * kMiB, 4096));  // stays, being used
  }
  world.store->reset_counts();
  CHECK(world.same(*file, 39 * kMiB, 4096));
  CHECK(world.same(*file, 30 * kMiB, 4096));
  CHECK(world.store->requests() == 0);
  CHECK(world.same(*file, 10 * kMiB, 4096));
  CHECK(world.store->requests() == 1);
}

TEST_CASE("ranged_file: many threads read the right bytes, with nothing known, faults and a cache that overflows") {
  World world(30 * kMiB + 77);
  const auto file = world.unlisted();
  std::atomic<std::uint64_t> asked{0};
  world.store->before([&](const MemoryStore::Request&) {
    if (++asked % 7 == 0) throw ts::Error(Code::kUnavailable, "memory: 503");
  });
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (unsigned seed = 0; seed < 6; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      std::uint64_t at = 0;
      for (int i = 0; i < 400; ++i) {
        at = random() % 4 ? at + 65536 : random() % world.bytes.size();
        try {
          wrong += !world.same(*file, at, 1 + random() % 200000);
        } catch (const ts::Error& e) {
          wrong += e.code() != Code::kUnavailable;
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("ranged_file: the name for messages holds neither password nor query") {
  RangedFile http(std::make_shared<MemoryStore>("https://user:pass@host/dir"), "x.sqlite?X-Amz-Signature=abc", "e", 1);
  CHECK(http.name() == "https://host/dir/x.sqlite");
  RangedFile s3(std::make_shared<MemoryStore>(), "a?b@c.sqlite", "e", 1);
  CHECK(s3.name() == "s3://memory/a?b@c.sqlite");
}

// ---- prefetch ----

TEST_CASE("ranged_file: prefetched spans are in flight side by side, large ones in parts, and are read without another request") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World world(40 * kMiB);
  const auto file = world.listed();
  Gate gate;
  world.store->before([&](const MemoryStore::Request&) { gate.arrive_and_wait(); });
  file->prefetch({{20 * kMiB, 4 * kMiB}, {5 * kMiB, 4096}, {10 * kMiB, 2 * kMiB}, {60 * kMiB, 1}}, &cancel);
  gate.wait_for(4);  // 1 + 1 + 2: none of them had an answer yet
  gate.open();
  CHECK(world.same(*file, 5 * kMiB, 4096));
  CHECK(world.same(*file, 10 * kMiB, 2 * kMiB));
  CHECK(world.same(*file, 20 * kMiB, 4 * kMiB));
  CHECK(world.store->requests() == 4);
  CHECK(world.store->bytes_read() == 6 * kMiB + kBlock);
  file->prefetch({{20 * kMiB, 4 * kMiB}}, &cancel);  // it is there
  CHECK(world.store->requests() == 4);
  for (const auto& request : world.store->log()) CHECK(request.etag == world.etag);
}

TEST_CASE("ranged_file: near spans are one prefetch; a span that reaches over the end of any number is cut") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World world(40 * kMiB + 5);
  const auto file = world.listed();
  file->prefetch({{kMiB, 1}, {kMiB + 4 * kBlock, 1}, {40 * kMiB, std::numeric_limits<std::uint64_t>::max()}}, &cancel);
  CHECK(world.same(*file, kMiB, 1));
  CHECK(world.same(*file, kMiB + 4 * kBlock, 1));
  CHECK(world.same(*file, 40 * kMiB, 5));
  CHECK(world.store->requests() == 2);
  CHECK(world.store->bytes_read() == 5 * kBlock + 5);
}

TEST_CASE("ranged_file: a prefetch that fails is the error of who waits for it, and of nobody else") {
  Switch cancel, patient;  // outlives the file, whose prefetches use it
  World world(40 * kMiB);
  const auto file = world.listed();
  Gate gate;
  world.store->before([&](const MemoryStore::Request&) {
    gate.arrive_and_wait();
    throw ts::Error(Code::kUnavailable, "memory: 503");
  });
  file->prefetch({{10 * kMiB, 1}}, &cancel);
  Failure waiter;
  std::thread waiting([&] { waiter = failure_of(*file, 10 * kMiB, &patient); });
  while (patient.asked == 0) std::this_thread::yield();
  gate.open();
  waiting.join();
  CHECK(waiter.code == Code::kUnavailable);
  CHECK(world.store->requests() == 1);
  world.store->before(nullptr);
  CHECK(world.same(*file, 10 * kMiB, 4096));
  CHECK(world.store->requests() == 2);
}

TEST_CASE("ranged_file: a prefetch that was called off never asks its Cancel again, and a later reader asks for itself") {
  World world(40 * kMiB);
  const auto file = world.listed();
  Gate gate;
  std::atomic<bool> first{true};
  world.store->before([&](const MemoryStore::Request&) {
    if (!first.exchange(false)) return;
    gate.arrive_and_wait();
    throw ts::Error(Code::kInterrupted, "memory: interrupted");
  });
  auto cancel = std::make_unique<Switch>();
  file->prefetch({{10 * kMiB, 1}}, cancel.get());
  gate.wait_for(1);
  file->end_prefetch();
  cancel.reset();
  gate.open();
  CHECK(world.same(*file, 10 * kMiB, 4096));
  CHECK(world.store->bytes_read() == kBlock);
}

TEST_CASE("ranged_file: a prefetch of an object that changed is kChanged for its reader") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World world(40 * kMiB);
  const auto file = world.listed();
  world.store->overwrite(kKey, noise(40 * kMiB + 1));
  file->prefetch({{10 * kMiB, 1}}, &cancel);
  CHECK(failure_of(*file, 10 * kMiB).code == Code::kChanged);
}

TEST_CASE("ranged_file: a file that is read whole is prefetched by one GET; what is not in memory cannot be peeked at") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World world(3 * kMiB);
  const auto file = world.listed();
  char bytes[16] = {};
  CHECK(!file->peek(0, bytes, sizeof bytes));
  CHECK(world.store->requests() == 0);
  file->prefetch({{2 * kMiB, 1}}, &cancel);
  CHECK(world.same(*file, 0, 3 * kMiB));
  CHECK(world.lengths() == std::vector<std::uint64_t>{3 * kMiB});
  REQUIRE(file->peek(100, bytes, sizeof bytes));
  CHECK(std::memcmp(bytes, world.bytes.data() + 100, sizeof bytes) == 0);
  CHECK(!file->peek(3 * kMiB - 1, bytes, sizeof bytes));
  CHECK(!file->peek(std::numeric_limits<std::uint64_t>::max(), bytes, sizeof bytes));
}

TEST_CASE("ranged_file: a small file that is not to be read whole is read by ranges") {
  World world(3 * kMiB);
  const auto file = world.listed();
  file->read_whole(false);
  CHECK(world.same(*file, 0, 100));
  CHECK(world.same(*file, 2 * kMiB, 100));
  CHECK(world.lengths() == std::vector<std::uint64_t>{256 * kKiB, kBlock});
  file->read_whole(true);
  CHECK(world.same(*file, 0, 3 * kMiB));
  CHECK(world.store->requests() == 3);
  CHECK(world.store->bytes_read() == 3 * kMiB + kBlock);  // one block that was there does not split the GET
}

TEST_CASE("ranged_file: what was fetched in advance counts until it is read, fails or is called off, and no more is fetched than that") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World world(40 * kMiB);
  const auto ahead = std::make_shared<AheadBytes>(3 * kMiB);
  auto file = std::make_unique<RangedFile>(world.store, kKey, world.etag, world.bytes.size(), ahead);
  file->prefetch({{10 * kMiB, 5 * kMiB}}, &cancel);
  CHECK(ahead->room() == 0);
  file->prefetch({{20 * kMiB, 1}}, &cancel);
  CHECK(world.same(*file, 10 * kMiB, 2 * kMiB));
  CHECK(ahead->room() == 2 * kMiB);
  CHECK(world.same(*file, 10 * kMiB, 3 * kMiB));
  CHECK(world.store->bytes_read() == 3 * kMiB);
  CHECK(ahead->room() == 3 * kMiB);

  world.store->fail_next(1, ts::Error(Code::kUnavailable, "memory: 503"));
  file->prefetch({{30 * kMiB, 1}}, &cancel);
  while (ahead->room() < 3 * kMiB) std::this_thread::yield();

  file->prefetch({{35 * kMiB, kMiB}}, &cancel);
  file->end_prefetch();
  while (ahead->room() < 3 * kMiB) std::this_thread::yield();

  file->prefetch({{38 * kMiB, kMiB}}, &cancel);
  file.reset();
  while (ahead->room() < 3 * kMiB) std::this_thread::yield();
}

TEST_CASE("ranged_file: no bound holds for a file that somebody waits for, and what nobody has read stays in memory") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World world(60 * kMiB);
  const auto ahead = std::make_shared<AheadBytes>(kMiB);
  RangedFile file(world.store, kKey, world.etag, world.bytes.size(), ahead);
  file.await();
  file.prefetch({{10 * kMiB, 20 * kMiB}}, &cancel);
  CHECK(ahead->room() == 0);
  for (std::uint64_t at = 10 * kMiB; at < 30 * kMiB; at += kBlock) REQUIRE(world.same(file, at, kBlock));
  CHECK(world.store->bytes_read() == 20 * kMiB);
  CHECK(ahead->room() == kMiB);
}

TEST_CASE("ranged_file: what a reader asks to be kept is read again without a request, until it ends") {
  World world(40 * kMiB);
  const auto file = world.listed();
  file->keep(40 * kMiB);
  for (int turn = 0; turn < 2; ++turn) {
    for (std::uint64_t at = 0; at < 40 * kMiB; at += kBlock) REQUIRE(world.same(*file, at, kBlock));
  }
  CHECK(world.store->bytes_read() == 40 * kMiB);
  file->end_prefetch();
  CHECK(world.same(*file, 0, kBlock));
  CHECK(world.store->bytes_read() > 40 * kMiB);
}

TEST_CASE("ranged_file: a reader makes a GET itself that was prefetched and that no thread has come to") {
  Switch cancel;  // outlives the file, whose prefetches use it
  World stalled(60 * kMiB), world(40 * kMiB);
  const auto gate = std::make_shared<Gate>();  // threads leave it after the test
  stalled.store->before([gate](const MemoryStore::Request&) { gate->arrive_and_wait(); });
  const auto slow = stalled.listed();
  const auto file = world.listed();
  std::vector<RangedFile::Span> many;
  for (std::uint64_t at = 1; at < 41; ++at) many.push_back({at * kMiB, 1});  // more than there are threads
  slow->prefetch(many, &cancel);
  gate->wait_for(24);
  file->prefetch({{10 * kMiB, kMiB}}, &cancel);
  CHECK(world.same(*file, 10 * kMiB, kMiB));
  CHECK(world.store->requests() == 1);
  gate->open();
}

// ---- scans that are followed ----

TEST_CASE("ranged_file: a scan of 20 MiB that is followed takes four round trips, and no byte twice") {
  World world(20 * kMiB);
  const auto file = world.listed();
  file->follow(nullptr);
  // 256 KiB; 512 KiB; 1 MiB and the next four in two parts; the next eight and what is left in four parts each.
  const ts_test::Rounds rounds(*world.store, {1, 1, 3, 8});
  for (std::uint64_t at = 0; at < world.bytes.size(); at += 4096) REQUIRE(world.same(*file, at, 4096));
  CHECK(rounds.left() == 0);
  CHECK(world.store->requests() == 13);
  CHECK(world.store->bytes_read() == world.bytes.size());
}

TEST_CASE("ranged_file: random reads are not followed") {
  World world(60 * kMiB);
  const auto file = world.listed();
  file->follow(nullptr);
  for (const std::uint64_t at : {50, 7, 31, 12, 44, 20}) CHECK(world.same(*file, at * kMiB, 4096));
  CHECK(world.lengths() == std::vector<std::uint64_t>(6, kBlock));
}
