// Session: waiting for work on several workers at once.
#include "ext/table/session.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/sqlite_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

struct Fixture {
  Database db = open_memory();
  Session session{db.get()};
  QueryStats stats;
  StatementCancel cancel{&stats};
};

}  // namespace

TEST_CASE("session: tasks that are waited for together run side by side") {
  Fixture f;
  std::mutex mutex;
  std::condition_variable changed;
  int arrived = 0, met = 0;
  auto meet = [&] {  // comes to an end only when the other one has begun
    std::unique_lock lock(mutex);
    arrived++;
    changed.notify_all();
    met += changed.wait_for(lock, std::chrono::seconds(60), [&] { return arrived == 2; });
  };
  f.session.wait_for(f.cancel, {meet, meet});
  CHECK(met == 2);
}

TEST_CASE("session: of several errors the first task's is thrown, and only when all tasks have ended") {
  Fixture f;
  std::mutex mutex;
  std::condition_variable changed;
  bool second_failed = false, first_ended = false;
  auto first = [&] {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(60), [&] { return second_failed; });
    first_ended = true;
    throw Error(Code::kBadInput, "first");
  };
  auto second = [&] {
    std::lock_guard lock(mutex);
    second_failed = true;
    changed.notify_all();
    throw Error(Code::kIo, "second");
  };
  CHECK_THROWS_WITH_AS(f.session.wait_for(f.cancel, {first, second}), "first", Error);
  CHECK(first_ended);
  CHECK(second_failed);
}

TEST_CASE("session: an interrupt stops every task that is waited for") {
  Fixture f;
  std::atomic<int> stopped{0};
  // A running statement: sqlite3_interrupt without one has no effect.
  Statement running = f.db.prepare("SELECT 1 UNION ALL SELECT 2");
  REQUIRE(running.step());
  auto until_cancelled = [&] {
    sqlite3_interrupt(f.db.get());
    for (int i = 0; i < 6000 && !f.cancel.cancelled(); i++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stopped += f.cancel.cancelled();
  };
  CHECK_THROWS_WITH_AS(f.session.wait_for(f.cancel, {until_cancelled, until_cancelled}), "interrupted", Error);
  CHECK(stopped == 2);
}
