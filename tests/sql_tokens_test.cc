// Tests of base/sql_tokens: what SQLite would read as a name, string or number is one, and nothing is lost between tokens.
#include "ext/base/sql_tokens.h"

#include <doctest/doctest.h>

#include <random>

using namespace ts;

namespace {

// The kinds as letters: w(ord) n(ame) s(tring) b(lob) d(igits) . for symbols, ! for an unclosed quote.
std::string kinds(std::string_view sql) {
  std::string letters;
  for (const Token& token : sql_tokens(sql)) letters += "wnsbd.!"[static_cast<int>(token.kind)];
  return letters;
}

}  // namespace

TEST_CASE("sql_tokens: names, strings, blobs, numbers and symbols are told apart") {
  CHECK(kinds("host TEXT TAG") == "www");
  CHECK(kinds("\"a b\" [c d] `e f` 'g'") == "nnns");
  CHECK(kinds("x'00' X'ff' x 'a'") == "bbws");
  CHECK(kinds("1 1.5 .5 1. 1e5 1E-5 0x1F") == "ddddddd");
  CHECK(kinds("1e 0x 5m") == "dwdwdw");
  CHECK(kinds("a=-1,(b)") == "w..d..w.");
  CHECK(kinds("a -- comment ' \" \n b /* c ' */ d") == "www");
  CHECK(kinds("a /* to the end") == "w");
  CHECK(kinds("a - - b / * c") == "w..w..w");
  CHECK(kinds("'a") == "!");
  CHECK(kinds("a [b") == "w!");
  CHECK(kinds("") == "");
}

TEST_CASE("sql_tokens: a doubled quote stands for itself, except in brackets") {
  CHECK(sql_tokens("'it''s'")[0].text == "it's");
  CHECK(sql_tokens("\"a\"\"b\"")[0].text == "a\"b");
  CHECK(sql_tokens("`a``b`")[0].text == "a`b");
  CHECK(kinds("[a]]") == "n.");
  CHECK(sql_tokens("''")[0].text.empty());
}

TEST_CASE("sql_tokens: a token knows where it stood") {
  const auto tokens = sql_tokens("  host  'x' ");
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[0].begin == 2);
  CHECK(tokens[0].end == 6);
  CHECK(tokens[1].begin == 8);
  CHECK(tokens[1].end == 11);
}

TEST_CASE("sql_tokens: any bytes become tokens in order, without overlap, within the text") {
  std::mt19937 random(11);
  const std::string alphabet = "ab1.x'\"[]`-/*\n ,()e+\xc3\xa9\0";
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string sql;
    for (unsigned n = random() % 24; n > 0; --n) sql += alphabet[random() % alphabet.size()];
    std::size_t last = 0;
    for (const Token& token : sql_tokens(sql)) {
      if (token.begin < last || token.end <= token.begin || token.end > sql.size()) ++wrong;
      last = token.end;
    }
    is_type_text(sql);
    is_default_text(sql);
  }
  CHECK(wrong == 0);
}

TEST_CASE("sql_tokens: words compare without case in ASCII only") {
  CHECK(same_word("Host", "hOST"));
  CHECK_FALSE(same_word("host", "hosts"));
  CHECK_FALSE(same_word("caf\xc3\xa9", "caf\xc3\x89"));
  CHECK(in_quotes("a\"b") == "\"a\"\"b\"");
}
