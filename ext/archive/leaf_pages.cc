// The walk from a table's root down (https://sqlite.org/fileformat2.html, section 1.6).
#include "ext/archive/leaf_pages.h"

#include <algorithm>

namespace ts {
namespace {

constexpr unsigned kInteriorTable = 5;
constexpr std::size_t kHeader = 12, kFileHeader = 100;  // the latter precedes the header of page 1
constexpr int kMostLevels = 20;                         // SQLite's own limit
constexpr std::size_t kMostInterior = 4096;             // what pages that point at each other may cost
constexpr std::size_t kMostLeaves = 1u << 17;           // 2 GB at 16 KiB

class Walk {
 public:
  Walk(std::uint64_t page_count, const std::vector<RowidRange>& wanted, const PageInMemory& in_memory)
      : page_count_(page_count), wanted_(wanted), in_memory_(in_memory) {}

  // Rowids of the subtree lie in first..last, says the level above.
  void visit(std::uint64_t page, std::int64_t first, std::int64_t last, int level) {
    if (page == 0 || page > page_count_ || !is_wanted(first, last) || leaves.size() >= kMostLeaves) return;
    std::string bytes;
    const std::size_t at = page == 1 ? kFileHeader : 0;
    bool interior = level < kMostLevels && interior_ < kMostInterior && in_memory_(page, bytes) && bytes.size() >= at + kHeader &&
                    number(bytes, at, 1) == kInteriorTable;
    if (!interior) return leaves.push_back({page, last});
    interior_++;
    const std::uint64_t cells = number(bytes, at + 3, 2);
    for (std::uint64_t c = 0; c < cells; c++) {
      const std::size_t pointer = at + kHeader + 2 * static_cast<std::size_t>(c);
      if (pointer + 2 > bytes.size()) return;
      const std::size_t cell = static_cast<std::size_t>(number(bytes, pointer, 2));
      std::int64_t key = 0;
      if (cell + 4 > bytes.size() || !varint(bytes, cell + 4, key)) return;
      if (key < first || key > last) return;  // keys ascend
      visit(number(bytes, cell, 4), first, key, level + 1);
      if (key == last) return;
      first = key + 1;
    }
    visit(number(bytes, at + 8, 4), first, last, level + 1);
  }

  std::vector<LeafPage> leaves;

 private:
  bool is_wanted(std::int64_t first, std::int64_t last) const {
    auto found = std::lower_bound(wanted_.begin(), wanted_.end(), first, [](const RowidRange& r, std::int64_t id) { return r.last < id; });
    return found != wanted_.end() && found->first <= last;
  }

  static std::uint64_t number(const std::string& bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; i++) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  }

  static bool varint(const std::string& bytes, std::size_t at, std::int64_t& value) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 9 && at + i < bytes.size(); i++) {
      const auto byte = static_cast<unsigned char>(bytes[at + i]);
      sum = i == 8 ? sum << 8 | byte : sum << 7 | (byte & 127u);
      value = static_cast<std::int64_t>(sum);
      if (i == 8 || byte < 128) return true;
    }
    return false;
  }

  const std::uint64_t page_count_;
  const std::vector<RowidRange>& wanted_;
  const PageInMemory& in_memory_;
  std::size_t interior_ = 0;
};

}  // namespace

std::vector<LeafPage> leaf_pages(std::uint64_t root, std::uint64_t page_count, const std::vector<RowidRange>& wanted,
                                 const PageInMemory& in_memory) {
  Walk walk(page_count, wanted, in_memory);
  walk.visit(root, INT64_MIN, INT64_MAX, 0);
  return std::move(walk.leaves);
}

}  // namespace ts
