// What a statement may ask of the store.
#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "ext/archive/scan.h"
#include "tests/support/memory_store.h"

using namespace ts;

namespace {

std::string refusal(Spending& spending, std::uint64_t bytes) {
  try {
    spending.admit(bytes);
  } catch (const Error& e) {
    CHECK(e.code() == Code::kOverLimit);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("spending: without a limit everything is admitted, and counted") {
  Spending spending;
  for (int i = 0; i < 1000; i++) spending.admit(1ull << 40);
  CHECK(spending.requests() == 1000);
  CHECK(spending.bytes() == 1000ull << 40);
}

TEST_CASE("spending: the request that would pass a limit is refused with the limit, and costs nothing") {
  Spending spending;
  spending.limit(3, 100);
  spending.admit(60);
  CHECK(refusal(spending, 41) ==
        "timeseries: max_bytes is 100, of which this statement has asked for 60 and needs another 41; bound the time, ask ts_explain what "
        "a range takes, or raise the limit");
  CHECK(refusal(spending, 40) == "");
  CHECK(refusal(spending, UINT64_MAX) != "");
  CHECK(refusal(spending, 0) == "");
  CHECK(refusal(spending, 0) ==
        "timeseries: max_requests is 3, and this statement needs another request; bound the time, ask ts_explain what a range takes, or "
        "raise the limit");
  CHECK(spending.requests() == 3);
  CHECK(spending.bytes() == 100);
}

TEST_CASE("spending: of several limits the smallest counts, and 0 is none") {
  Spending spending;
  spending.limit(0, 0);
  spending.limit(5, 50);
  spending.limit(2, 70);
  spending.limit(0, 0);
  CHECK(refusal(spending, 51) != "");
  spending.admit(50);
  spending.admit(0);
  CHECK(refusal(spending, 0) != "");
}

TEST_CASE("spending: what did not come may be asked for again") {
  Spending spending;
  spending.limit(0, 100);
  spending.admit(100);
  spending.spare(70);
  CHECK(refusal(spending, 71) != "");
  CHECK(refusal(spending, 70) == "");
}

TEST_CASE("spending: threads together never pass a limit") {
  Spending spending;
  spending.limit(0, 1000);
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; i++) {
        try {
          spending.admit(3);
          admitted++;
        } catch (const Error&) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(admitted == 333);
  CHECK(spending.bytes() == 999);
}

TEST_CASE("spending: a store asks before each request, lists included, and gives back what was past an object's end") {
  ts_test::MemoryStore store;
  store.put_if_absent("k", "hello");
  store.reset_counts();
  QueryStats stats;
  StatementCancel cancel(&stats);
  cancel.spending.limit(3, 100);
  store.list("", "", &cancel);
  CHECK(store.get_range("k", "", 0, 100, &cancel).bytes == "hello");
  CHECK(cancel.spending.bytes() == 5);
  CHECK_THROWS_AS(store.get_range("k", "", 0, 96, &cancel), Error);
  store.get_range("k", "", 0, 95, &cancel);
  CHECK_THROWS_AS(store.list("", "", &cancel), Error);
  CHECK(store.requests() == 3);
}
