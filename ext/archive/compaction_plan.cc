// Runs of small neighbours.
#include "ext/archive/compaction_plan.h"

#include <algorithm>
#include <numeric>

namespace ts {
namespace {

// Leaves out the largest as long as it is more than all the others.
void drop_large(std::vector<std::size_t>& files, const std::vector<std::uint64_t>& bytes) {
  std::uint64_t sum = 0;
  for (std::size_t file : files) sum += bytes[file];
  while (files.size() > 1) {
    auto largest = std::max_element(files.begin(), files.end(), [&](std::size_t a, std::size_t b) { return bytes[a] < bytes[b]; });
    if (bytes[*largest] * 2 <= sum) return;
    sum -= bytes[*largest];
    files.erase(largest);
  }
  files.clear();
}

}  // namespace

std::vector<std::vector<std::size_t>> plan_compaction(const std::vector<std::uint64_t>& bytes, std::uint64_t target) {
  std::vector<std::size_t> small;
  for (std::size_t file = 0; file < bytes.size(); file++) {
    if (bytes[file] < target / 2) small.push_back(file);
  }
  drop_large(small, bytes);
  std::vector<std::vector<std::size_t>> groups;
  std::uint64_t sum = 0;
  for (std::size_t file : small) {
    if (groups.empty() || sum + bytes[file] > target) {
      groups.emplace_back();
      sum = 0;
    }
    groups.back().push_back(file);
    sum += bytes[file];
  }
  for (auto& group : groups) drop_large(group, bytes);
  std::erase_if(groups, [](const auto& group) { return group.empty(); });
  return groups;
}

}  // namespace ts
