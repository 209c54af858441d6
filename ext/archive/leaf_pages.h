// Which leaf pages of a rowid table hold given rowids, by its interior pages that are in memory: what to fetch in advance.
//
// Bytes are hostile: a page that is damaged or lies gives other pages or none, within fixed limits. The answer only chooses
// what is fetched; rows always come from SQLite.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ts {

struct RowidRange {
  std::int64_t first = INT64_MIN, last = INT64_MAX;  // both included
};
struct LeafPage {
  std::uint64_t page = 0;  // from 1
  std::int64_t last = 0;   // no rowid of the page is greater
};
// The page's bytes into `bytes`; false: it is not in memory, and is taken for a leaf.
using PageInMemory = std::function<bool(std::uint64_t page, std::string& bytes)>;

// In the order of the rowids. `wanted` ascends and does not overlap. Empty: nothing is known.
std::vector<LeafPage> leaf_pages(std::uint64_t root, std::uint64_t page_count, const std::vector<RowidRange>& wanted,
                                 const PageInMemory& in_memory);

}  // namespace ts
