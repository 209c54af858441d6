// Tests of base/utf8: exactly the well-formed sequences of Unicode's table 3-7.
#include "ext/base/utf8.h"

#include <doctest/doctest.h>

using namespace ts;

TEST_CASE("utf8: every code point but the surrogates is written and read, in one sequence") {
  int wrong = 0;
  for (unsigned point = 0; point <= 0x10ffff; ++point) {
    std::string text;
    append_utf8(text, point);
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (utf8_length(text, 0) != (surrogate ? 0 : text.size())) ++wrong;
    if (is_utf8(text.substr(0, text.size() - 1)) && text.size() > 1) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("utf8: of all texts of two bytes, and three from a sample, only the well-formed are taken") {
  int two = 0, three = 0;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char text[] = {static_cast<char>(a), static_cast<char>(b)};
      if (utf8_length({text, 2}, 0) == 2) ++two;
      const char longer[] = {static_cast<char>(a), static_cast<char>(b), '\xbf'};
      if (utf8_length({longer, 3}, 0) == 3) ++three;
    }
  }
  CHECK(two == 0x800 - 0x80);
  CHECK(three == (0x10000 - 0x800 - 0x800) / 64);
}

TEST_CASE("utf8: overlong forms, surrogates, points above 10FFFF and cut sequences are refused") {
  for (const char* text : {"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80",
                           "\xc3", "\xe2\x82", "\xf0\x9f\x98", "a\xff"}) {
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(is_utf8("caf\xc3\xa9 \xe2\x98\x83 \xf0\x9f\x98\x80"));
  CHECK(utf8_length("", 0) == 0);
}

TEST_CASE("utf8: an excerpt is cut between characters and fit for a message") {
  CHECK(excerpt("host") == "host");
  CHECK(excerpt(std::string(101, 'x')) == std::string(100, 'x') + "...");
  CHECK(excerpt("ab\xc3\xa9", 3) == "ab...");
  CHECK(excerpt("ab\xc3\xa9", 4) == "ab\xc3\xa9");
  CHECK(excerpt(std::string_view("a\0b\n\xff", 5)) == "a?b??");
}
