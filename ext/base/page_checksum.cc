// The sums, and where the header says that they are there.
#include "ext/base/page_checksum.h"

#include <bit>
#include <cstring>

namespace ts {
namespace {

constexpr std::size_t kPageSizeAt = 16, kReservedAt = 20, kApplicationIdAt = 68;
constexpr std::size_t kLargestPage = 65536, kSmallestPage = 512;

std::uint32_t little_endian(const unsigned char* at) {
  std::uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return std::endian::native == std::endian::little ? word : __builtin_bswap32(word);
}

void put_little_endian(unsigned char* at, std::uint32_t word) {
  if (std::endian::native != std::endian::little) word = __builtin_bswap32(word);
  std::memcpy(at, &word, sizeof word);
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

struct Sums {
  std::uint32_t first = 0, second = 0;
};

Sums sums_of(const unsigned char* page, std::size_t bytes) {
  Sums sums;
  for (const unsigned char *at = page, *end = page + bytes - kPageChecksumBytes; at < end; at += 8) {
    sums.first += little_endian(at) + sums.second;
    sums.second += little_endian(at + 4) + sums.first;
  }
  return sums;
}

}  // namespace

bool page_intact(const void* page, std::size_t bytes) noexcept {
  const auto* at = static_cast<const unsigned char*>(page);
  const Sums sums = sums_of(at, bytes);
  const unsigned char* stored = at + bytes - kPageChecksumBytes;
  return little_endian(stored) == sums.first && little_endian(stored + 4) == sums.second;
}

void stamp_page(void* page, std::size_t bytes) noexcept {
  auto* at = static_cast<unsigned char*>(page);
  const Sums sums = sums_of(at, bytes);
  put_little_endian(at + bytes - kPageChecksumBytes, sums.first);
  put_little_endian(at + bytes - kPageChecksumBytes + 4, sums.second);
}

std::size_t page_bytes_of(std::string_view header) noexcept {
  if (header.size() < kFileHeaderBytes) return 0;
  const std::size_t stored = std::size_t{byte_at(header, kPageSizeAt)} << 8 | byte_at(header, kPageSizeAt + 1);
  const std::size_t bytes = stored == 1 ? kLargestPage : stored;
  return bytes >= kSmallestPage && std::has_single_bit(bytes) ? bytes : 0;
}

bool has_page_checksums(std::string_view header) noexcept {
  if (page_bytes_of(header) == 0 || byte_at(header, kReservedAt) != kPageChecksumBytes) return false;
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; i++) id = id << 8 | byte_at(header, kApplicationIdAt + i);
  return id == static_cast<std::uint32_t>(kApplicationId);
}

std::string damaged_page_text(std::uint64_t number) { return "page " + std::to_string(number) + " is damaged (its checksum is wrong)"; }

std::uint64_t damaged_page(std::string_view file) noexcept {
  if (!has_page_checksums(file)) return 0;
  const std::size_t bytes = page_bytes_of(file);
  std::uint64_t number = 1;
  for (std::size_t at = 0; at < file.size(); at += bytes, number++) {
    if (file.size() - at < bytes || !page_intact(file.data() + at, bytes)) return number;
  }
  return 0;
}

}  // namespace ts
