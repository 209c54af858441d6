// Bytes of sketches, little-endian, written and read with each length checked. Pure.
#pragma once
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace ts {

template <class Word>
void append_word(std::string& out, Word word) {
  for (std::size_t i = 0; i < sizeof word; ++i) out.push_back(static_cast<char>(word >> (8 * i) & 0xff));
}
inline void append_real(std::string& out, double real) { append_word(out, std::bit_cast<std::uint64_t>(real)); }

// REQUIRES: bytes.size() >= sizeof(Word).
template <class Word>
Word take_word(std::string_view& bytes) {
  Word word = 0;
  for (std::size_t i = sizeof word; i-- > 0;) {
    word = static_cast<Word>((sizeof word > 1 ? word << 8 : 0) | static_cast<unsigned char>(bytes[i]));
  }
  bytes.remove_prefix(sizeof word);
  return word;
}
inline double take_real(std::string_view& bytes) { return std::bit_cast<double>(take_word<std::uint64_t>(bytes)); }

}  // namespace ts
