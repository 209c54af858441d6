// The checksum of each page of a sealed shard, in the format of SQLite's checksum VFS (https://sqlite.org/cksumvfs.html): the last
// 8 bytes of a page hold two sums of the words before them, and byte 20 of the file says that 8 bytes of each page are reserved.
//
// It finds changed bytes, not forgers, and a page of zeros alone has a right one (docs/FORMAT.md says what follows). Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ts {

constexpr int kApplicationId = 0x54536531;  // of a shard's header
constexpr std::size_t kPageChecksumBytes = 8;
constexpr std::size_t kFileHeaderBytes = 100;

// Of a page's bytes with `bytes` of them, a power of two from 512 on: whether its last 8 are the checksum of the others.
bool page_intact(const void* page, std::size_t bytes) noexcept;
// Makes them that.
void stamp_page(void* page, std::size_t bytes) noexcept;

// The size of a page by the first 100 bytes of an SQLite file; 0: no size that SQLite knows.
std::size_t page_bytes_of(std::string_view header) noexcept;
// Whether the first 100 bytes are those of a shard whose pages carry checksums.
bool has_page_checksums(std::string_view header) noexcept;

// What is said of such a page: "page 7 is damaged (its checksum is wrong)".
std::string damaged_page_text(std::uint64_t number);
// The number of the first page whose checksum is wrong, from 1; 0: there is none, or the file carries no checksums. A last page that is
// not whole is wrong.
std::uint64_t damaged_page(std::string_view file) noexcept;

}  // namespace ts
