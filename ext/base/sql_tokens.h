// SQL text as tokens, with SQLite's rules of quoting, and the two pieces of column grammar that are built from them. Pure.
//
// Used for the arguments of CREATE VIRTUAL TABLE, and for types and defaults that an archive's schema claims: those end
// up in SQL text, so they must be exactly a type and exactly a default.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ts {

enum class TokenKind {
  kWord,      // unquoted name or keyword
  kName,      // "name", [name] or `name`
  kString,    // 'text'
  kBlob,      // x'00'
  kNumber,    // 1, 1.5, .5, 1e5, 0x1f
  kSymbol,    // any other single byte
  kUnclosed,  // a quote without its end; always the last token
};

struct Token {
  TokenKind kind = TokenKind::kSymbol;
  std::size_t begin = 0, end = 0;  // bytes of the source
  std::string text;                // without quotes for kName and kString, else as written
};

// Comments and white space separate tokens and are left out.
std::vector<Token> sql_tokens(std::string_view sql);

// Equal without case in ASCII, which is how SQLite compares names.
bool same_word(std::string_view a, std::string_view b);

// "name", quotes doubled: an identifier in SQL and in messages.
std::string in_quotes(std::string_view name);

// True for an unquoted `word` in any case.
bool is_word(const Token& token, std::string_view word);
bool is_symbol(const Token& token, char symbol);

// Number of tokens from `at` on that are one DEFAULT value: a literal, a signed number, CURRENT_TIME and its like, or an
// expression in balanced parentheses. 0: there is none.
std::size_t default_length(const std::vector<Token>& tokens, std::size_t at);

// True for a word that ends a type because a constraint begins with it (NOT, DEFAULT, PRIMARY ...).
bool is_constraint_word(const Token& token);

// True for text that is a column's type and nothing else: plain words, at the end perhaps (20) or (10,2). No constraint, and not
// HIDDEN, which would hide the column of a virtual table. Empty text is a type too.
bool is_type_text(std::string_view text);
// True for text that is one DEFAULT value and nothing else.
bool is_default_text(std::string_view text);

}  // namespace ts
