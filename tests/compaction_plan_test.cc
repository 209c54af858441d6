// Tests of the choice of files to merge.
#include "ext/archive/compaction_plan.h"

#include <doctest/doctest.h>

#include <numeric>
#include <random>

using namespace ts;

using Groups = std::vector<std::vector<std::size_t>>;

TEST_CASE("compaction_plan: small neighbours are merged up to the target, and large files are left alone") {
  CHECK(plan_compaction({}, 100).empty());
  CHECK(plan_compaction({10}, 100).empty());
  CHECK(plan_compaction({10, 10}, 100) == Groups{{0, 1}});
  CHECK(plan_compaction({40, 40, 40, 40}, 100) == Groups{{0, 1}, {2, 3}});
  CHECK(plan_compaction({50, 10, 90, 10}, 100) == Groups{{1, 3}});
  CHECK(plan_compaction({50, 50}, 100).empty());
}

TEST_CASE("compaction_plan: one late file does not make a large one be written anew") {
  CHECK(plan_compaction({45, 1}, 100).empty());
  CHECK(plan_compaction({45, 1, 1, 1}, 100) == Groups{{1, 2, 3}});
  CHECK(plan_compaction({45, 20, 20, 6}, 100) == Groups{{0, 1, 2, 3}});
}

TEST_CASE("compaction_plan: whatever comes, it ends with few files, and each byte was written a few times only") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; round++) {
    const std::uint64_t target = 1000 + random() % 100'000;
    std::vector<std::uint64_t> files;
    std::uint64_t arrived = 0, written = 0;
    for (int day = 0; day < 30; day++) {
      for (std::uint64_t n = random() % 20; n > 0; n--) {
        files.insert(files.begin() + static_cast<std::ptrdiff_t>(random() % (files.size() + 1)), 1 + random() % 500);
        arrived += files.empty() ? 0 : 500;
      }
      for (Groups groups; !(groups = plan_compaction(files, target)).empty();) {
        const std::vector<std::size_t>& group = groups.front();
        std::uint64_t sum = 0, largest = 0;
        for (std::size_t file : group) sum += files[file], largest = std::max(largest, files[file]);
        REQUIRE(group.size() > 1);
        CHECK(largest < target / 2);
        CHECK(largest * 2 <= sum);
        CHECK(sum <= target);
        for (auto file = group.rbegin(); file != group.rend(); ++file) files.erase(files.begin() + static_cast<std::ptrdiff_t>(*file));
        files.insert(files.begin() + static_cast<std::ptrdiff_t>(group.front()), sum);
        written += sum;
      }
    }
    const std::uint64_t all = std::accumulate(files.begin(), files.end(), std::uint64_t{0});
    // What is left are files of about the target and, below it, each more than twice the next: as many as the target has bits.
    CHECK(files.size() <= all * 2 / target + 20 + 20);
    CHECK(written <= (arrived + 500) * 17);
  }
}
