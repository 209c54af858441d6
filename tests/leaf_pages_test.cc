// Tests of leaf_pages: the pages that SQLite's own b-tree has, and damaged pages that neither crash nor go on for ever.
#include "ext/archive/leaf_pages.h"

#include <doctest/doctest.h>

#include <random>

using ts::leaf_pages;
using ts::LeafPage;
using ts::RowidRange;

namespace {

constexpr std::size_t kPage = 512;
constexpr std::uint64_t kPages = 5;
constexpr std::uint64_t kRoot = 2;

void put(std::string& page, std::size_t at, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; i++) page[at + i] = static_cast<char>(value >> 8 * (count - 1 - i) & 255u);
}

// Page 2 is the interior root: rowids up to 100 in page 3, up to 100,000 in page 4, the rest in page 5.
std::string root_page() {
  std::string page(kPage, '\0');
  put(page, 0, 5, 1);
  put(page, 3, 2, 2);
  put(page, 8, 5, 4);
  put(page, 12, 500, 2);
  put(page, 14, 490, 2);
  put(page, 500, 3, 4);
  put(page, 504, 100, 1);
  put(page, 490, 4, 4);
  put(page, 494, 0x868d20, 3);  // 100,000 as a varint
  return page;
}

std::vector<std::uint64_t> pages_of(const std::vector<RowidRange>& wanted, std::uint64_t count = kPages) {
  std::vector<std::uint64_t> pages;
  for (const LeafPage& leaf : leaf_pages(kRoot, count, wanted, [](std::uint64_t page, std::string&bytes) {
         bytes = root_page();
         return page == kRoot;
       })) {
    pages.push_back(leaf.page);
  }
  return pages;
}

using Pages = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("leaf_pages: only pages that may hold a wanted rowid, in the order of the rowids") {
  CHECK(pages_of({{}}) == Pages{3, 4, 5});
  CHECK(pages_of({{1, 100}}) == Pages{3});
  CHECK(pages_of({{101, 101}}) == Pages{4});
  CHECK(pages_of({{100, 101}}) == Pages{3, 4});
  CHECK(pages_of({{50, 60}, {100001, 100002}}) == Pages{3, 5});
  CHECK(pages_of({}).empty());
  CHECK(pages_of({{}}, 4) == Pages{3, 4});  // page 5 is not in the file
}

TEST_CASE("leaf_pages: a root that is not in memory is taken for the leaf, and none that is outside the file") {
  const auto nothing = [](std::uint64_t, std::string&) { return false; };
  const std::vector<LeafPage> found = leaf_pages(kRoot, kPages, {{}}, nothing);
  REQUIRE(found.size() == 1);
  CHECK(found[0].page == kRoot);
  CHECK(leaf_pages(0, kPages, {{}}, nothing).empty());
  CHECK(leaf_pages(kPages + 1, kPages, {{}}, nothing).empty());
}

TEST_CASE("leaf_pages: pages that point at themselves end, within the limits") {
  std::size_t asked = 0;
  leaf_pages(kRoot, kPages, {{}}, [&](std::uint64_t, std::string& bytes) {
    asked++;
    bytes = root_page();
    put(bytes, 8, kRoot, 4);
    put(bytes, 500, kRoot, 4);
    put(bytes, 490, kRoot, 4);
    return true;
  });
  CHECK(asked <= 4096);
}

TEST_CASE("leaf_pages: whatever is in a page, the answer lies within the file") {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; round++) {
    std::size_t keep = random() % 4 ? kPage : random() % kPage;
    const std::vector<LeafPage> found = leaf_pages(random() % 7, kPages, {{}}, [&](std::uint64_t, std::string& bytes) {
      bytes = root_page();
      for (int i = 0; i < 4; i++) bytes[random() % 3 ? random() % 20 : random() % kPage] = static_cast<char>(random());
      bytes.resize(keep);
      bytes.shrink_to_fit();  // so that a read beyond the end is seen
      return true;
    });
    REQUIRE(found.size() <= (1u << 17));
    for (const LeafPage& leaf : found) REQUIRE((leaf.page >= 1 && leaf.page <= kPages));
  }
}
