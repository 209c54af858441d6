// RetryingStore over a store that fails as told, on a clock of the test.
#include <doctest/doctest.h>

#include <deque>

#include "tests/support/s3_fixture.h"
#include "vfs/retrying_store.h"
#include "vfs/unavailable.h"

using namespace ts;
using namespace ts_test;

namespace {

// Each call takes the next step: an error to throw, or nothing: it works on one object.
struct ScriptedStore : Store {
  std::deque<std::function<void()>> steps;
  std::function<void()> on_get;
  int calls = 0;
  std::string stored;
  bool taken = false;

  void step() {
    ++calls;
    if (steps.empty()) return;
    auto next = std::move(steps.front());
    steps.pop_front();
    if (next) next();
  }
  ListPage list(std::string_view, std::string_view, const Cancel*) override {
    step();
    return {{{"k", 1, "e"}}, false};
  }
  Range get_range(std::string_view, std::string_view, std::uint64_t, std::uint64_t, const Cancel*) override {
    if (on_get) on_get();
    step();
    return {stored, stored.size(), "etag"};
  }
  PutResult put_if_absent(std::string_view, std::string_view bytes, const Cancel*) override {
    step();
    if (taken) return {};
    taken = true;
    stored = bytes;
    return {true, "etag"};
  }
  void remove(std::string_view, const Cancel*) override { step(); }
  std::string describe() const override { return "s3://bucket"; }
};

std::function<void()> unavailable(bool unknown = false, std::int64_t retry_after_ms = 0) {
  return [=] { throw Unavailable("s3: busy: s3://bucket/k", unknown, retry_after_ms); };
}

std::function<void()> error(Code code) {
  return [=] { throw Error(code, "s3: no: s3://bucket/k"); };
}

struct Setup {
  std::shared_ptr<ScriptedStore> inner = std::make_shared<ScriptedStore>();
  FakeClock clock;
  double random = 0.5;
  RetryingStore store{inner, clock, {}, [this] { return random; }};
};

}  // namespace

TEST_CASE("retrying store: reads are tried four times, and the last error says how often and how long") {
  Setup t;
  for (int i = 0; i < 4; ++i) t.inner->steps.push_back(unavailable());
  const Thrown got = thrown([&] { t.store.get_range("k", "", 0, 1); });
  CHECK(got.code == Code::kUnavailable);
  CHECK(t.inner->calls == 4);
  // Half of 250, 1000 and 4000 ms.
  CHECK(got.message == "s3: busy: s3://bucket/k (4 tries in 2.6 s)");
}

TEST_CASE("retrying store: puts are tried three times") {
  Setup t;
  for (int i = 0; i < 3; ++i) t.inner->steps.push_back(unavailable());
  CHECK(thrown([&] { t.store.put_if_absent("k", "x"); }).has("3 tries in"));
  CHECK(t.inner->calls == 3);
}

TEST_CASE("retrying store: lists and removes recover") {
  Setup t;
  t.inner->steps = {unavailable(), nullptr, unavailable(), unavailable(), nullptr};
  CHECK(t.store.list("", "").objects.size() == 1);
  t.store.remove("k");
  CHECK(t.inner->calls == 5);
}

TEST_CASE("retrying store: only kUnavailable is tried again") {
  for (Code code :
       {Code::kNotFound, Code::kChanged, Code::kForbidden, Code::kCorrupt, Code::kUnsupported, Code::kInterrupted, Code::kBadInput}) {
    Setup t;
    t.inner->steps.push_back(error(code));
    CHECK(thrown([&] { t.store.get_range("k", "", 0, 1); }).code == code);
    CHECK(t.inner->calls == 1);
  }
}

TEST_CASE("retrying store: the sleep is random below a ceiling that grows fourfold up to the cap") {
  Setup t;
  t.random = 0.999999;
  for (int i = 0; i < 4; ++i) t.inner->steps.push_back(unavailable());
  CHECK_THROWS_AS(t.store.list("", ""), Error);
  CHECK(t.clock.steady >= 250 + 1000 + 4000 - 5);
  CHECK(t.clock.steady <= 250 + 1000 + 4000);
  Setup none;
  none.random = 0;
  for (int i = 0; i < 4; ++i) none.inner->steps.push_back(unavailable());
  CHECK_THROWS_AS(none.store.list("", ""), Error);
  CHECK(none.clock.steady == 0);
}

TEST_CASE("retrying store: Retry-After is respected up to five seconds") {
  Setup t;
  t.inner->steps = {unavailable(false, 2'000), nullptr};
  t.store.list("", "");
  CHECK(t.clock.steady == 2'000);
  Setup long_wait;
  long_wait.inner->steps = {unavailable(false, 3'600'000), nullptr};
  long_wait.store.list("", "");
  CHECK(long_wait.clock.steady == 5'000);
}

TEST_CASE("retrying store: after ten seconds no further try begins, but there are always two") {
  Setup t;
  auto slow = [&] {
    t.clock.sleep_ms(20'000);
    unavailable()();
  };
  t.inner->steps = {slow, slow, slow, slow};
  CHECK(thrown([&] { t.store.list("", ""); }).has("2 tries in 40.1 s"));
  CHECK(t.inner->calls == 2);
}

TEST_CASE("retrying store: a cancel ends the sleep within a slice of 20 ms") {
  Setup t;
  t.inner->steps = {unavailable(false, 5'000), nullptr};
  struct StopLater : Cancel {
    FakeClock& clock;
    explicit StopLater(FakeClock& c) : clock(c) {}
    bool cancelled() const override { return clock.steady >= 120; }
  } cancel(t.clock);
  const Thrown got = thrown([&] { t.store.list("", "", &cancel); });
  CHECK(got.code == Code::kInterrupted);
  CHECK(t.clock.steady == 120);
  CHECK(t.clock.longest_sleep == 20);
  CHECK(t.inner->calls == 1);
}

TEST_CASE("retrying store: after a put whose answer was lost, a taken key with our bytes is our success") {
  Setup t;
  t.inner->steps = {[&] {
    t.inner->taken = true;
    t.inner->stored = "mine";
    unavailable(true)();
  }};
  const PutResult put = t.store.put_if_absent("k", "mine");
  CHECK(put.stored);
  CHECK(put.etag == "etag");
  CHECK(t.inner->calls == 3);
}

TEST_CASE("retrying store: after a put whose answer was lost, a taken key with other bytes is not ours") {
  Setup t;
  t.inner->taken = true;
  for (const char* other : {"other", "min", "mine+"}) {
    t.inner->stored = other;
    t.inner->steps = {unavailable(true)};
    CHECK(!t.store.put_if_absent("k", "mine").stored);
  }
}

TEST_CASE("retrying store: where reading is forbidden a taken key after a lost answer is ours, otherwise not") {
  Setup t;
  t.inner->taken = true;
  t.inner->on_get = error(Code::kForbidden);
  t.inner->steps = {unavailable(true)};
  CHECK(t.store.put_if_absent("k", "mine").stored);
  t.inner->steps = {unavailable(false)};
  CHECK(!t.store.put_if_absent("k", "mine").stored);
  t.inner->steps = {};
  CHECK(!t.store.put_if_absent("k", "mine").stored);
}

TEST_CASE("retrying store: a taken key is not read when no answer was lost") {
  Setup t;
  t.inner->taken = true;
  t.inner->steps = {unavailable(false)};
  CHECK(!t.store.put_if_absent("k", "mine").stored);
  CHECK(t.inner->calls == 2);
}
