// HedgingStore over a store whose answers take as long as told, on a clock of the test.
#include <doctest/doctest.h>

#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/s3_fixture.h"
#include "vfs/hedging_store.h"
#include "vfs/unavailable.h"

using namespace ts;
using namespace ts_test;

namespace {

// Each read takes the next step, and answers at once when there is none.
struct ScriptedStore : Store {
  using Step = std::function<void(const Cancel*)>;
  mutable std::mutex mutex;
  std::deque<Step> steps;  // guarded by mutex, as the next
  int calls = 0, ended = 0;

  void read(const Cancel* cancel) {
    Step step;
    {
      std::lock_guard lock(mutex);
      calls++;
      if (!steps.empty()) {
        step = std::move(steps.front());
        steps.pop_front();
      }
    }
    struct End {
      ScriptedStore& store;
      const Cancel* cancel;
      ~End() {
        if (cancel) cancel->charge(1, 0);
        std::lock_guard lock(store.mutex);
        store.ended++;
      }
    } end{*this, cancel};
    if (step) step(cancel);
  }
  ListPage list(std::string_view, std::string_view, const Cancel* cancel) override {
    read(cancel);
    return {{{"k", 1, "e"}}, false};
  }
  Range get_range(std::string_view, std::string_view etag, std::uint64_t, std::uint64_t, const Cancel* cancel) override {
    read(cancel);
    return {"x", 1, std::string(etag)};
  }
  PutResult put_if_absent(std::string_view, std::string_view, const Cancel* cancel) override {
    read(cancel);
    return {true, "e"};
  }
  void remove(std::string_view, const Cancel* cancel) override { read(cancel); }
  std::string describe() const override { return "s3://bucket"; }

  int seen() const {
    std::lock_guard lock(mutex);
    return calls;
  }
  void wait_until_all_ended() const {
    for (;; std::this_thread::yield()) {
      std::lock_guard lock(mutex);
      if (ended == calls) return;
    }
  }
};

struct Setup {
  std::shared_ptr<ScriptedStore> inner = std::make_shared<ScriptedStore>();
  FakeClock clock;
  HedgingStore store;
  TestCancel cancel;

  explicit Setup(int known = 100, std::int64_t ms = 60, HedgePolicy policy = {}) : store(inner, clock, policy) {
    for (int i = 0; i < known; i++) {
      inner->steps.push_back(taking(ms));
      store.get_range("k", "e", 0, 1);
    }
    inner->calls = inner->ended = 0;
  }

  // An answer after `ms` on the test's clock, during which the Cancel is asked every 10 ms.
  ScriptedStore::Step taking(std::int64_t ms) {
    return [this, ms](const Cancel* cancel) {
      for (std::int64_t passed = 0; passed < ms; passed += 10) {
        clock.steady += 10;
        if (cancel && cancel->cancelled()) throw Error(Code::kInterrupted, "s3: interrupted: s3://bucket/k");
      }
    };
  }
  // No answer before it is called off; `each` is run between two polls.
  static ScriptedStore::Step stalled(FakeClock& clock, std::function<void()> each = [] {}) {
    return [&clock, each](const Cancel* cancel) {
      for (; !cancel->cancelled(); std::this_thread::yield()) {
        clock.steady += 10;
        each();
      }
      throw Error(Code::kInterrupted, "s3: interrupted: s3://bucket/k");
    };
  }
  // The second request of a race: not on the test's clock.
  static ScriptedStore::Step held(std::atomic<bool>& released) {
    return [&released](const Cancel* cancel) {
      for (; !released; std::this_thread::yield()) {
        if (cancel->cancelled()) throw Error(Code::kInterrupted, "s3: interrupted: s3://bucket/k");
      }
    };
  }
  static ScriptedStore::Step failing(Code code) {
    return [code](const Cancel*) {
      if (code == Code::kUnavailable) throw Unavailable("s3: busy: s3://bucket/k", false);
      throw Error(code, "s3: no: s3://bucket/k");
    };
  }

  Range get() { return store.get_range("k", "e", 0, 1, &cancel); }
  std::uint64_t requests_of_get() {
    const std::uint64_t before = cancel.requests;
    get();
    inner->wait_until_all_ended();
    std::lock_guard lock(inner->mutex);
    inner->steps.clear();
    return cancel.requests - before;
  }
};

}  // namespace

TEST_CASE("hedging store: a read that takes twice as long as nearly all is asked again, and the first answer wins") {
  Setup t;
  t.inner->steps.push_back(Setup::stalled(t.clock));
  CHECK(t.get().bytes == "x");
  t.inner->wait_until_all_ended();  // the stalled one was called off
  CHECK(t.inner->seen() == 2);
  CHECK(t.clock.steady >= 100 * 60 + 120);
}

TEST_CASE("hedging store: a LIST that stalls is asked again") {
  Setup t(0);
  for (int i = 0; i < 20; i++) t.store.list("", "");
  t.inner->calls = t.inner->ended = 0;
  t.inner->steps.push_back(Setup::stalled(t.clock));
  CHECK(t.store.list("", "", &t.cancel).objects.size() == 1);
  t.inner->wait_until_all_ended();
  CHECK(t.inner->seen() == 2);
}

TEST_CASE("hedging store: below 100 ms, below twice the 95th percentile and before 16 answers nothing is asked again") {
  struct Case {
    int known;
    std::int64_t usual_ms, this_ms;
  };
  for (const Case& c : {Case{100, 10, 90}, Case{100, 60, 110}, Case{15, 60, 5'000}, Case{100, 2'000, 3'900}}) {
    Setup t(c.known, c.usual_ms);
    t.inner->steps.push_back(t.taking(c.this_ms));
    CAPTURE(c.usual_ms);
    CHECK(t.requests_of_get() == 1);
  }
}

TEST_CASE("hedging store: sizes are told apart: what is slow for a small range is not for a large one") {
  Setup t;
  for (int i = 0; i < 20; i++) {
    t.inner->steps.push_back(t.taking(900));
    t.store.get_range("k", "e", 0, 16 << 20);
  }
  t.inner->calls = t.inner->ended = 0;
  t.inner->steps.push_back(t.taking(900));
  t.store.get_range("k", "e", 0, 16 << 20, &t.cancel);
  CHECK(t.inner->seen() == 1);
  t.inner->steps.push_back(Setup::stalled(t.clock));
  CHECK(t.requests_of_get() == 2);
}

TEST_CASE("hedging store: what writes, and a read without an ETag, is never asked again") {
  Setup t;
  for (int i = 0; i < 3; i++) t.inner->steps.push_back(t.taking(10'000));
  t.store.put_if_absent("k", "x", &t.cancel);
  t.store.remove("k", &t.cancel);
  t.store.get_range("k", "", 0, 1, &t.cancel);
  CHECK(t.inner->seen() == 3);
}

TEST_CASE("hedging store: at most one read in ten is asked again, and what was saved up is four") {
  HedgePolicy policy;
  policy.factor = 0;  // slow ones shall not become what is usual
  Setup t(1'000, 60, policy);
  std::uint64_t again = 0;
  for (int i = 0; i < 40; i++) {
    t.inner->steps.push_back(t.taking(150));
    t.inner->steps.push_back(Setup::failing(Code::kUnavailable));
    again += t.requests_of_get() - 1;
  }
  // The first of the 40 finds no room to save more; one that was begun may still count as running when the next one asks.
  CHECK(again >= 4);
  CHECK(again <= 4 + 39 / 10);
}

TEST_CASE("hedging store: where more than one in twenty is slow, slow is what is usual, and nothing is asked again") {
  Setup t;
  for (int i = 0; i < 20; i++) {
    t.inner->steps.push_back(t.taking(5'000));
    t.inner->steps.push_back(Setup::failing(Code::kUnavailable));
    t.requests_of_get();
  }
  t.inner->steps.push_back(t.taking(5'000));
  CHECK(t.requests_of_get() == 1);
}

TEST_CASE("hedging store: at most four second requests are under way") {
  Setup t(1'000);
  std::atomic<bool> released{false};
  std::atomic<int> stalled{0};
  std::vector<std::thread> readers;
  {
    std::lock_guard lock(t.inner->mutex);
    // Whoever comes, first or second, waits for the test.
    for (int i = 0; i < 12; i++) {
      t.inner->steps.push_back([&](const Cancel* cancel) {
        stalled++;
        for (; !released; std::this_thread::yield()) {
          t.clock.steady += 1;
          if (cancel->cancelled()) throw Error(Code::kInterrupted, "s3: interrupted: s3://bucket/k");
        }
      });
    }
  }
  for (int i = 0; i < 6; i++) readers.emplace_back([&] { t.store.get_range("k", "e", 0, 1, nullptr); });
  while (stalled < 6 + 4) std::this_thread::yield();
  for (const std::int64_t until = t.clock.steady + 10'000; t.clock.steady < until;) std::this_thread::yield();
  CHECK(t.inner->seen() == 6 + 4);
  released = true;
  for (std::thread& reader : readers) reader.join();
  t.inner->wait_until_all_ended();
}

TEST_CASE("hedging store: the first answer counts when it comes first, and the second request is called off") {
  Setup t;
  std::atomic<bool> never{false};
  t.inner->steps.push_back(Setup::stalled(t.clock));
  // The first goes on until the second is under way, then answers.
  t.inner->steps.front() = [&](const Cancel* cancel) {
    for (; t.inner->seen() < 2; std::this_thread::yield()) {
      t.clock.steady += 10;
      CHECK_FALSE(cancel->cancelled());
    }
  };
  t.inner->steps.push_back(Setup::held(never));
  CHECK(t.get().bytes == "x");
  t.inner->wait_until_all_ended();
}

TEST_CASE("hedging store: both requests are counted, also the one that is called off, and none after the call has returned") {
  Setup t;
  std::atomic<bool> never{false};
  t.inner->steps.push_back([&](const Cancel* cancel) {
    for (; t.inner->seen() < 2; std::this_thread::yield()) {
      t.clock.steady += 10;
      cancel->cancelled();
    }
  });
  t.inner->steps.push_back(Setup::held(never));
  t.get();
  CHECK(t.cancel.requests == 2);
  t.inner->wait_until_all_ended();
  CHECK(t.cancel.requests == 2);

  t.inner->steps.push_back(Setup::stalled(t.clock));
  CHECK(t.requests_of_get() == 2);
}

TEST_CASE("hedging store: a Cancel ends both, and is not touched when the call has returned") {
  struct Touchy : TestCancel {
    std::atomic<bool> gone{false};
    mutable std::atomic<int> touched_late{0};
    bool cancelled() const override { return note(), TestCancel::cancelled(); }
    void charge(std::uint64_t r, std::uint64_t b) const override { note(), TestCancel::charge(r, b); }
    void note() const { touched_late += gone ? 1 : 0; }
  } cancel;
  Setup t;
  std::atomic<bool> never{false}, late{false};
  t.inner->steps.push_back(Setup::stalled(t.clock, [&] {
    if (t.inner->seen() == 2) cancel.stop = true;
  }));
  t.inner->steps.push_back(Setup::held(never));
  const Thrown error = thrown([&] { t.store.get_range("k", "e", 0, 1, &cancel); });
  cancel.gone = true;
  CHECK(error.code == Code::kInterrupted);
  t.inner->wait_until_all_ended();

  // A second request that does not look at its Cancel goes on for a while after the call has returned.
  cancel.gone = cancel.stop = false;
  t.inner->steps.push_back([&](const Cancel* first) {
    for (; t.inner->seen() < 4; std::this_thread::yield()) {
      t.clock.steady += 10;
      first->cancelled();
    }
  });
  t.inner->steps.push_back([&](const Cancel* second) {
    while (!late) std::this_thread::yield();
    second->cancelled();
    second->charge(1, 1);
  });
  t.store.get_range("k", "e", 0, 1, &cancel);
  cancel.gone = true;
  late = true;
  t.inner->wait_until_all_ended();
  CHECK(cancel.touched_late == 0);
}

TEST_CASE("hedging store: a second request that fails is nobody's concern") {
  for (const Code code : {Code::kUnavailable, Code::kChanged, Code::kForbidden}) {
    Setup t;
    t.inner->steps.push_back([&](const Cancel* cancel) {
      for (; t.inner->seen() < 2; std::this_thread::yield()) {
        t.clock.steady += 10;
        CHECK_FALSE(cancel->cancelled());
      }
    });
    t.inner->steps.push_back(Setup::failing(code));
    CHECK(t.get().bytes == "x");
    t.inner->wait_until_all_ended();
  }
}

TEST_CASE("hedging store: a first request that becomes unavailable waits for the second, one that is refused does not") {
  for (const bool refused : {false, true}) {
    Setup t;
    std::atomic<bool> released{!refused};
    t.inner->steps.push_back([&](const Cancel* cancel) {
      for (; t.inner->seen() < 2; std::this_thread::yield()) {
        t.clock.steady += 10;
        if (cancel->cancelled()) break;
      }
      Setup::failing(refused ? Code::kChanged : Code::kUnavailable)(cancel);
    });
    t.inner->steps.push_back(Setup::held(released));
    if (refused) CHECK(thrown([&] { t.get(); }).code == Code::kChanged);
    else CHECK(t.get().bytes == "x");
    t.inner->wait_until_all_ended();
  }
}

TEST_CASE("hedging store: a read that is being tried again is not asked again besides") {
  Setup t;
  t.inner->steps.push_back([&](const Cancel* cancel) {
    cancel->charge(1, 0);  // a try that ended
    t.taking(10'000)(cancel);
  });
  t.get();
  CHECK(t.inner->seen() == 1);
}

TEST_CASE("hedging store: of a thousand reads of which one in fifty never ends, all are answered, for twenty requests more") {
  Setup t;
  std::uint64_t requests = 0;
  for (int i = 0; i < 1'000; i++) {
    t.inner->steps.push_back(i % 50 == 7 ? Setup::stalled(t.clock) : t.taking(60));
    requests += t.requests_of_get();
  }
  CHECK(requests == 1'000 + 1'000 / 50);
}
