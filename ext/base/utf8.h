// UTF-8, as far as text from outside must be checked. Pure, header only.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace ts {

// Length of the well-formed sequence that begins at `at` (no overlong form, no surrogate, at most U+10FFFF); 0: there is none.
inline std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) { return byte(i) >= low && byte(i) <= high; };
  if (at >= text.size()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

inline bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

// REQUIRES: `point` is no surrogate and at most 0x10ffff.
inline void append_utf8(std::string& text, unsigned point) {
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// The text with U+FFFD in place of each byte that is no UTF-8.
inline std::string mended_utf8(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    length == 0 ? append_utf8(out, 0xfffd) : void(out += text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return out;
}

// At most `limit` bytes of `text` for a message, cut between characters and marked with "...". Control characters (a NUL would
// end the message) and bytes that are no UTF-8 become '?'.
inline std::string excerpt(std::string_view text, std::size_t limit = 100) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (out.size() + (length == 0 ? 1 : length) > limit) return out + "...";
    if (length == 0 || static_cast<unsigned char>(text[at]) < 0x20) {
      out += '?';
    } else {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out;
}

}  // namespace ts
