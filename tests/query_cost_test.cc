// What reading a shard takes, by its size.
#include <doctest/doctest.h>

#include "ext/archive/query_cost.h"

using namespace ts;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

QueryCost cost_of(std::uint64_t size, Fetch how) {
  QueryCost cost;
  add_cost(cost, size, 7, how);
  return cost;
}

}  // namespace

TEST_CASE("query cost: a file of up to 4 MiB is one GET, a larger one as many as it has 2 MiB") {
  for (auto [size, gets] : {std::pair<std::uint64_t, int>{1, 1}, {4 * kMiB, 1}, {4 * kMiB + 1, 3}, {6 * kMiB, 3}, {20 * kMiB + 1, 11}}) {
    const QueryCost cost = cost_of(size, Fetch::kWhole);
    CHECK(cost.gets == gets);
    CHECK(cost.bytes == size);
    CHECK(cost.files == 1);
    CHECK(cost.rows == 7);
  }
}

TEST_CASE("query cost: the least of a file that is read head first is its head") {
  CHECK(cost_of(20 * kMiB, Fetch::kHeadFirst).gets == 1);
  CHECK(cost_of(20 * kMiB, Fetch::kHeadFirst).bytes == kMiB / 4);
}

TEST_CASE("query cost: files add up") {
  QueryCost cost;
  add_cost(cost, 10, 1, Fetch::kWhole);
  add_cost(cost, 5 * kMiB, 2, Fetch::kWhole);
  CHECK(cost.files == 2);
  CHECK(cost.rows == 3);
  CHECK(cost.gets == 4);
  CHECK(cost.bytes == 5 * kMiB + 10);
}
