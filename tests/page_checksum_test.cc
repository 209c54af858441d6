// The checksum of pages: the one of SQLite's checksum VFS, on every sealed file, and no change of a byte goes by.
#include "ext/base/page_checksum.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace ts;

namespace {

// The first 100 bytes of a shard of pages of 512 bytes.
std::string header(int reserved = 8) {
  std::string bytes(kFileHeaderBytes, '\0');
  bytes.replace(0, 15, "SQLite format 3");
  bytes[16] = 2;
  bytes[20] = static_cast<char>(reserved);
  bytes.replace(68, 4, "TSe1");
  return bytes;
}

std::string file_of_pages(int pages) {
  std::mt19937 random(1);
  std::string bytes = header();
  while (bytes.size() < static_cast<std::size_t>(pages) * 512) bytes += static_cast<char>(random());
  for (int i = 0; i < pages; i++) stamp_page(bytes.data() + 512 * i, 512);
  return bytes;
}

}  // namespace

TEST_CASE("page checksum: it is the two sums of SQLite's checksum VFS") {
  std::string page(512, '\0');
  page[0] = 1;  // a = 1, b = 1; then each step of zeros is a += b, b += a: Fibonacci's numbers, two at a time
  stamp_page(page.data(), page.size());
  std::uint32_t a = 1, b = 1;
  for (int i = 1; i < 63; i++) b += a += b;
  for (int i = 0; i < 4; i++) {
    CHECK(static_cast<unsigned char>(page[504 + i]) == (a >> 8 * i & 255));
    CHECK(static_cast<unsigned char>(page[508 + i]) == (b >> 8 * i & 255));
  }
  CHECK(page_intact(page.data(), page.size()));
}

TEST_CASE("page checksum: any changed bit of any page is found, and the page named") {
  std::string file = file_of_pages(3);
  CHECK(damaged_page(file) == 0);
  for (std::size_t at = 0; at < file.size(); at++) {
    if (at >= 16 && at < 21) continue;  // with another size of pages or none it is another file
    if (at >= 68 && at < 72) continue;
    for (int bit = 0; bit < 8; bit++) {
      file[at] = static_cast<char>(file[at] ^ 1 << bit);
      if (damaged_page(file) != at / 512 + 1) FAIL("unseen: byte ", at, " bit ", bit);
      file[at] = static_cast<char>(file[at] ^ 1 << bit);
    }
  }
  CHECK(damaged_page(file.substr(0, file.size() - 1)) == 3);
}

TEST_CASE("page checksum: only a shard that says so carries them") {
  CHECK(has_page_checksums(header()));
  CHECK_FALSE(has_page_checksums(header(0)));
  CHECK_FALSE(has_page_checksums(header(12)));
  std::string foreign = header();
  foreign[68] = 'X';
  CHECK_FALSE(has_page_checksums(foreign));
  CHECK_FALSE(has_page_checksums(header().substr(0, 99)));
  std::string old = header(0) + std::string(1000, 'x');
  CHECK(damaged_page(old) == 0);
}

TEST_CASE("page checksum: a size of pages that SQLite does not know is none") {
  std::string bytes = header();
  struct Case {
    int high, low;
    std::size_t bytes;
  };
  for (const Case& c : {Case{2, 0, 512}, {16, 0, 4096}, {128, 0, 32768}, {0, 1, 65536}, {1, 0, 0}, {3, 0, 0}, {0, 0, 0}}) {
    bytes[16] = static_cast<char>(c.high);
    bytes[17] = static_cast<char>(c.low);
    CHECK(page_bytes_of(bytes) == c.bytes);
  }
}
