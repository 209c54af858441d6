// A cursor over the text; each part of a point is one function.
#include "ext/table/line_protocol.h"

#include <charconv>
#include <limits>

#include "ext/base/error.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Error(Code::kBadInput, what); }

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

bool LineProtocol::take(char c) {
  if (at_end() || text_[at_] != c) return false;
  at_++;
  return true;
}

void LineProtocol::skip_line() {
  while (!at_end() && text_[at_] != '\n') at_++;
  if (take('\n')) breaks_++;
}

// Up to one of `ends` or the line's; a backslash before one of `escaped` is dropped.
std::string LineProtocol::word(std::string_view ends, std::string_view escaped, const char* what) {
  std::string out;
  for (; !at_end() && text_[at_] != '\n' && text_[at_] != '\r' && ends.find(text_[at_]) == std::string_view::npos; at_++) {
    if (text_[at_] == '\\' && at_ + 1 < text_.size() && escaped.find(text_[at_ + 1]) != std::string_view::npos) at_++;
    out += text_[at_];
  }
  if (out.empty()) fail(std::string("there is no ") + what);
  if (!is_utf8(out) || out.find('\0') != std::string::npos) fail(std::string("the ") + what + " is no UTF-8 text: " + excerpt(out));
  return out;
}

std::string LineProtocol::quoted() {
  std::string out;
  for (;; at_++) {
    if (at_end()) fail("a quoted text is never closed");
    char c = text_[at_];
    if (c == '"') break;
    if (c == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\')) c = text_[++at_];
    if (c == '\n') breaks_++;
    out += c;
  }
  at_++;
  if (!is_utf8(out) || out.find('\0') != std::string::npos) fail("a quoted text is no UTF-8: " + excerpt(out));
  return out;
}

LinePoint::Field LineProtocol::value() {
  if (take('"')) return quoted();
  std::string text = word(", ", "", "value of a field");
  if (text == "t" || text == "T" || text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "f" || text == "F" || text == "false" || text == "False" || text == "FALSE") return false;
  std::string_view digits = std::string_view(text).substr(0, text.size() - 1);
  if (text.back() == 'i') {
    if (auto integer = number_of<std::int64_t>(digits)) return *integer;
  } else if (text.back() == 'u') {
    auto integer = number_of<std::uint64_t>(digits);
    if (integer && *integer <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return static_cast<std::int64_t>(*integer);
  } else if (text.find_first_not_of("+-.0123456789eE") == std::string::npos) {
    std::string_view plain = text;
    if (plain[0] == '+') plain.remove_prefix(1);
    if (auto real = number_of<double>(plain)) return *real;
  }
  fail("is no value of a field: " + excerpt(text) + " (1i, 1.5, true, \"text\")");
}

bool LineProtocol::next(LinePoint& point) {
  point = {};
  for (;; skip_line()) {
    if (at_end()) return false;
    while (peek() == ' ' || peek() == '\r' || peek() == '\t') at_++;
    if (at_end()) return false;
    if (peek() != '\n' && peek() != '#') break;
  }
  line_ = breaks_ + 1;
  point.measurement = word(", ", ", \\", "measurement");
  while (take(',')) {
    std::string key = word(",= ", ",= \\", "name of a tag");
    if (!take('=')) fail("tag " + excerpt(key) + " has no value");
    point.tags.emplace_back(std::move(key), word(", ", ",= \\", "value of a tag"));
  }
  if (!take(' ')) fail("there are no fields");
  while (peek() == ' ') at_++;
  do {
    std::string key = word(",= ", ",= \\", "name of a field");
    if (!take('=')) fail("field " + excerpt(key) + " has no value");
    point.fields.emplace_back(std::move(key), value());
  } while (take(','));
  while (peek() == ' ') at_++;
  if (peek() != '\n' && peek() != '\r') {
    std::string time = word(" ", "", "time");
    point.time = number_of<std::int64_t>(time);
    if (!point.time) fail("is no time: " + excerpt(time) + "; it is a whole number");
  }
  while (peek() == ' ' || peek() == '\r') at_++;
  if (peek() != '\n') fail("something follows the time");
  skip_line();
  return true;
}

}  // namespace ts
