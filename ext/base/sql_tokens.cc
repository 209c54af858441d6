// The tokenizer follows SQLite's tokenize.c: what it would read as a name or a string is one here.
#include "ext/base/sql_tokens.h"

#include <algorithm>
#include <array>

namespace ts {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool is_name_start(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_name_char(char c) { return is_name_start(c) || is_digit(c) || c == '$'; }

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    while (skip_blank()) {
      Token token;
      token.begin = at_;
      scan(token);
      token.end = at_;
      if (token.kind != TokenKind::kName && token.kind != TokenKind::kString) {
        token.text = std::string(sql_.substr(token.begin, token.end - token.begin));
      }
      tokens.push_back(std::move(token));
    }
    return tokens;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  // False at the end of the text. An unclosed comment runs to the end, as in SQLite.
  bool skip_blank() {
    while (at_ < sql_.size()) {
      if (is_space(peek())) {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        const std::size_t end = sql_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? sql_.size() : end + 2;
      } else {
        return true;
      }
    }
    return false;
  }

  void scan(Token& token) {
    const char c = peek();
    if (c == '\'') {
      quoted(token, '\'', TokenKind::kString);
    } else if (c == '"' || c == '`') {
      quoted(token, c, TokenKind::kName);
    } else if (c == '[') {
      quoted(token, ']', TokenKind::kName);
    } else if (lower(c) == 'x' && peek(1) == '\'') {
      ++at_;
      quoted(token, '\'', TokenKind::kBlob);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      token.kind = TokenKind::kNumber;
      number();
    } else if (is_name_start(c)) {
      token.kind = TokenKind::kWord;
      while (at_ < sql_.size() && is_name_char(peek())) ++at_;
    } else {
      token.kind = TokenKind::kSymbol;
      ++at_;
    }
  }

  // A doubled end quote stands for itself, except in [...].
  void quoted(Token& token, char end, TokenKind kind) {
    token.kind = kind;
    for (++at_; at_ < sql_.size(); ++at_) {
      if (sql_[at_] == end) {
        ++at_;
        if (end == ']' || peek() != end) return;
      }
      token.text += sql_[at_];
    }
    token.kind = TokenKind::kUnclosed;
  }

  void number() {
    if (peek() == '0' && lower(peek(1)) == 'x' && is_hex(peek(2))) {
      for (at_ += 2; is_hex(peek());) ++at_;
      return;
    }
    while (is_digit(peek())) ++at_;
    if (peek() == '.') {
      for (++at_; is_digit(peek());) ++at_;
    }
    if (lower(peek()) == 'e') {
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (is_digit(peek(1 + sign))) {
        for (at_ += 1 + sign; is_digit(peek());) ++at_;
      }
    }
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

bool is_any_word(const Token& token, const std::string_view* begin, const std::string_view* end) {
  return token.kind == TokenKind::kWord && std::any_of(begin, end, [&](std::string_view word) { return same_word(token.text, word); });
}

}  // namespace

std::vector<Token> sql_tokens(std::string_view sql) { return Scanner(sql).all(); }

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string in_quotes(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

bool is_word(const Token& token, std::string_view word) { return token.kind == TokenKind::kWord && same_word(token.text, word); }

bool is_symbol(const Token& token, char symbol) { return token.kind == TokenKind::kSymbol && token.text[0] == symbol; }

std::size_t default_length(const std::vector<Token>& tokens, std::size_t at) {
  static constexpr std::array<std::string_view, 6> kLiterals = {"NULL",         "TRUE",         "FALSE",
                                                                "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"};
  if (at >= tokens.size()) return 0;
  const Token& first = tokens[at];
  if (first.kind == TokenKind::kString || first.kind == TokenKind::kBlob || first.kind == TokenKind::kNumber) return 1;
  if (is_any_word(first, kLiterals.begin(), kLiterals.end())) return 1;
  if (is_symbol(first, '+') || is_symbol(first, '-')) {
    return at + 1 < tokens.size() && tokens[at + 1].kind == TokenKind::kNumber ? 2 : 0;
  }
  if (!is_symbol(first, '(')) return 0;
  std::size_t depth = 0;
  for (std::size_t i = at; i < tokens.size(); ++i) {
    if (is_symbol(tokens[i], ';')) return 0;
    if (is_symbol(tokens[i], '(')) ++depth;
    if (is_symbol(tokens[i], ')') && --depth == 0) return i + 1 - at;
  }
  return 0;
}

bool is_constraint_word(const Token& token) {
  static constexpr std::array<std::string_view, 18> kWords = {"CONSTRAINT", "PRIMARY", "NOT",           "NULL",       "UNIQUE",    "CHECK",
                                                              "DEFAULT",    "COLLATE", "REFERENCES",    "FOREIGN",    "GENERATED", "ALWAYS",
                                                              "AS",         "ON",      "AUTOINCREMENT", "DEFERRABLE", "INITIALLY", "TAG"};
  return is_any_word(token, kWords.begin(), kWords.end());
}

bool is_type_text(std::string_view text) {
  const std::vector<Token> tokens = sql_tokens(text);
  std::size_t i = 0;
  while (i < tokens.size() && tokens[i].kind == TokenKind::kWord && !is_constraint_word(tokens[i]) && !is_word(tokens[i], "HIDDEN")) ++i;
  if (i == tokens.size()) return true;
  if (i == 0 || !is_symbol(tokens[i], '(') || !is_symbol(tokens.back(), ')')) return false;
  int numbers = 0;
  for (++i; i + 1 < tokens.size(); ++i) {
    if (numbers == 1 && is_symbol(tokens[i], ',')) ++i;
    if (is_symbol(tokens[i], '+') || is_symbol(tokens[i], '-')) ++i;
    if (i + 1 >= tokens.size() || tokens[i].kind != TokenKind::kNumber || ++numbers > 2) return false;
  }
  return numbers > 0;
}

bool is_default_text(std::string_view text) {
  const std::vector<Token> tokens = sql_tokens(text);
  return !tokens.empty() && default_length(tokens, 0) == tokens.size();
}

}  // namespace ts
