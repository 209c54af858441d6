// RowsDigest: what tells whether two sets of rows are the same, by type and bits, in whatever order they come. Rows may be there twice.
//
// Two 64-bit sums of hashes: against mistakes, not against a forger. Pure.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ts {

class RowsDigest {
 public:
  // `row`: encoded as in a RowBuffer.
  void add(std::string_view row) {
    std::uint64_t a = row.size() + 0x9E3779B97F4A7C15u, b = ~a;
    while (!row.empty()) {
      std::uint64_t word = 0;
      const std::size_t taken = row.size() < 8 ? row.size() : 8;
      std::memcpy(&word, row.data(), taken);
      row.remove_prefix(taken);
      a = mixed((a ^ word) * 0xD6E8FEB86659FD93u);
      b = mixed((std::rotl(b, 23) + word) * 0xA0761D6478BD642Fu);
    }
    rows_++;
    a_ += mixed(a * 0xE7037ED1A0B428DBu);
    b_ += mixed(b * 0x8EBC6AF09C88C6E3u);
  }
  void add(const RowsDigest& other) {
    rows_ += other.rows_;
    a_ += other.a_;
    b_ += other.b_;
  }
  std::int64_t rows() const { return rows_; }
  friend bool operator==(const RowsDigest&, const RowsDigest&) = default;

 private:
  static std::uint64_t mixed(std::uint64_t word) { return word ^ (word >> 32); }
  std::int64_t rows_ = 0;
  std::uint64_t a_ = 0, b_ = 0;
};

}  // namespace ts
