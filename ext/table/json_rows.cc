// A JSON reader (RFC 8259) that writes straight into rows.
//
// Not nlohmann/json: it loses the text of numbers and the order and doubles of keys, and its errors have no words for what was
// expected. tests/json_rows_test.cc holds that both accept and refuse the same texts.
#include "ext/table/json_rows.h"

#include <charconv>
#include <locale>
#include <map>
#include <optional>
#include <sstream>

#include "ext/base/error.h"
#include "ext/base/sql_tokens.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

constexpr std::size_t kMaxListedColumns = 20;

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, "ts_insert: " + message); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lowercase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

// The double nearest to a JSON number; infinity if there is none, 0 if it is too small. Independent of the host's locale.
double to_double(const std::string& number) {
#if defined(__cpp_lib_to_chars)
  double value = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc()) return value;
#endif
  // Out of range in either direction, or a library without from_chars: the stream says which.
  std::istringstream in(number);
  in.imbue(std::locale::classic());
  double streamed = 0;
  in >> streamed;
  const bool huge = streamed > 1 || streamed < -1;
  return in.fail() && huge ? streamed * 2 : streamed;
}

// Names of the columns -> their indexes, without case.
class Columns {
 public:
  explicit Columns(const Schema& schema) : schema_(schema) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) indexes_.emplace(lowercase(schema.columns[i].name), i);
  }

  // `guess`: tried first, without folding; most objects name the columns in their order and spelling.
  std::optional<std::size_t> find(std::string_view key, std::size_t guess) const {
    if (guess < schema_.columns.size() && schema_.columns[guess].name == key) return guess;
    const auto found = indexes_.find(lowercase(key));
    if (found == indexes_.end()) return std::nullopt;
    return found->second;
  }

  std::string list() const {
    std::string names;
    for (std::size_t i = 0; i < schema_.columns.size() && i < kMaxListedColumns; ++i) names += (i ? ", " : "") + schema_.columns[i].name;
    if (schema_.columns.size() > kMaxListedColumns) {
      names += " and " + std::to_string(schema_.columns.size() - kMaxListedColumns) + " more";
    }
    return names;
  }

 private:
  const Schema& schema_;
  std::map<std::string, std::size_t> indexes_;
};

class Parser {
 public:
  Parser(std::string_view text, const Schema& schema, std::int64_t now) : text_(text), schema_(schema), columns_(schema), now_(now) {}

  std::vector<JsonRow> parse() {
    skip_blank();
    if (peek() == '[') {
      depth_ = 2;
      parse_array();
    } else if (peek() == '{') {
      parse_object();
    } else {
      expected("an object or an array of objects");
    }
    skip_blank();
    if (!at_end()) expected("the end of the text");
    return std::move(rows_);
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  // '\0' at the end; a NUL byte in the text is no JSON either.
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_blank() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }

  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string found() const {
    if (at_end()) return "the end of the text";
    const std::size_t length = utf8_length(text_, at_);
    if (length == 0) return "a byte that is no UTF-8";
    if (static_cast<unsigned char>(text_[at_]) < 0x20) return "a control character";
    return "'" + std::string(text_.substr(at_, length)) + "'";
  }

  [[noreturn]] void expected(const std::string& what) const {
    bad("malformed JSON at byte " + std::to_string(at_ + 1) + ": expected " + what + ", found " + found());
  }

  [[noreturn]] void bad_key(std::size_t at, const std::string& message) const { bad(message + " at byte " + std::to_string(at + 1)); }

  void parse_array() {
    ++at_;
    skip_blank();
    if (take(']')) return;
    while (true) {
      skip_blank();
      if (peek() != '{') expected("an object");
      parse_object();
      skip_blank();
      if (take(']')) return;
      if (!take(',')) expected("',' or ']' after an object");
    }
  }

  void parse_object() {
    if ((rows_.size() + 1) * schema_.columns.size() > kMaxJsonValues) {
      bad("more than " + std::to_string(rows_.size()) + " rows of " + std::to_string(schema_.columns.size()) +
          " columns in one call; insert them in several calls");
    }
    ++at_;
    JsonRow row(schema_.columns.size());
    std::size_t guess = 0;
    skip_blank();
    for (bool more = !take('}'); more;) {
      skip_blank();
      if (peek() != '"') expected("a key in double quotes");
      const std::size_t key_at = at_;
      parse_string(key_);
      const std::size_t column = column_of(key_at, guess);
      if (!std::holds_alternative<JsonAbsent>(row[column]))
        bad_key(key_at, "key " + in_quotes(schema_.columns[column].name) + " is given twice,");
      skip_blank();
      if (!take(':')) expected("':' after a key");
      skip_blank();
      row[column] = parse_value();
      guess = column + 1;
      skip_blank();
      more = take(',');
      if (!more && !take('}')) expected("',' or '}' after a value");
    }
    JsonValue& time = row[static_cast<std::size_t>(schema_.time_column)];
    if (std::holds_alternative<JsonAbsent>(time)) time = now_;
    rows_.push_back(std::move(row));
  }

  std::size_t column_of(std::size_t key_at, std::size_t guess) const {
    const auto column = columns_.find(key_, guess);
    if (column) return *column;
    if (same_word(key_, "_file")) {
      bad_key(key_at, "key \"_file\" cannot be inserted, it names the shard a row came from; leave it out,");
    }
    bad("unknown key " + in_quotes(excerpt(key_)) + " at byte " + std::to_string(key_at + 1) + "; the columns are " + columns_.list());
  }

  JsonValue parse_value() {
    switch (peek()) {
      case '"': {
        std::string text;
        parse_string(text);
        return text;
      }
      case '{':
      case '[': {
        std::string text;
        copy_nested(text);
        return text;
      }
      case 't': parse_literal("true"); return std::int64_t{1};
      case 'f': parse_literal("false"); return std::int64_t{0};
      case 'n': parse_literal("null"); return nullptr;
      default: break;
    }
    if (peek() != '-' && !is_digit(peek())) expected("a value");
    return parse_number();
  }

  void parse_literal(std::string_view literal) {
    for (const char c : literal) {
      if (!take(c)) expected("the literal " + std::string(literal));
    }
  }

  // Leaves at_ behind the number; true if it has neither fraction nor exponent.
  bool skip_number() {
    bool whole = true;
    take('-');
    if (!take('0')) skip_digits();
    if (take('.')) {
      whole = false;
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (!take('+')) take('-');
      skip_digits();
    }
    return whole;
  }

  void skip_digits() {
    if (!is_digit(peek())) expected("a digit");
    while (is_digit(peek())) ++at_;
  }

  JsonValue parse_number() {
    const std::size_t begin = at_;
    const bool whole = skip_number();
    const std::string number(text_.substr(begin, at_ - begin));
    if (whole) {
      std::int64_t value = 0;
      if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc()) return value;
    }
    const double value = to_double(number);
    if (value - value != 0)
      bad("the number " + excerpt(number, 40) + " at byte " + std::to_string(begin + 1) + " is too large for a double");
    return value;
  }

  // The string at at_, unescaped, into `out`.
  void parse_string(std::string& out) {
    out.clear();
    ++at_;
    while (true) {
      std::size_t plain = at_;
      while (plain < text_.size() && is_plain(text_[plain])) ++plain;
      out.append(text_.substr(at_, plain - at_));
      at_ = plain;
      if (take('"')) return;
      if (take('\\')) {
        parse_escape(out);
        continue;
      }
      const std::size_t length = utf8_length(text_, at_);
      if (length < 2) expected(at_end() || length == 1 ? "'\"' at the end of a string" : "UTF-8 text");
      out.append(text_.substr(at_, length));
      at_ += length;
    }
  }

  static bool is_plain(char c) { return c >= ' ' && c != '"' && c != '\\' && static_cast<unsigned char>(c) < 0x80; }

  void parse_escape(std::string& out) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (take('u')) {
      append_utf8(out, parse_code_point());
      return;
    }
    const std::size_t which = at_end() ? std::string_view::npos : kEscapes.find(text_[at_]);
    if (which == std::string_view::npos) expected("one of \"\\/bfnrtu after '\\'");
    out += kMeanings[which];
    ++at_;
  }

  unsigned parse_code_point() {
    const unsigned first = parse_hex4();
    if (first < 0xd800 || first > 0xdfff) return first;
    const std::size_t second_at = at_;
    if (first < 0xdc00 && take('\\') && take('u')) {
      const unsigned second = parse_hex4();
      if (second >= 0xdc00 && second <= 0xdfff) return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    }
    at_ = second_at;
    bad("malformed JSON at byte " + std::to_string(second_at + 1) + ": half of a surrogate pair before it");
  }

  unsigned parse_hex4() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      if (is_digit(c)) {
        value = value * 16 + static_cast<unsigned>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        value = value * 16 + static_cast<unsigned>((c | 0x20) - 'a' + 10);
      } else {
        expected("four hexadecimal digits after '\\u'");
      }
    }
    return value;
  }

  void append_source(std::string& out, std::size_t begin) const { out.append(text_.substr(begin, at_ - begin)); }

  void copy_string(std::string& out) {
    const std::size_t begin = at_;
    parse_string(scratch_);
    append_source(out, begin);
  }

  // The object or array at at_, checked, into `out` without white space. Keeps its own stack: no text can exhaust ours.
  void copy_nested(std::string& out) {
    std::string open;  // the closing brackets still to come
    while (true) {
      skip_blank();
      const char c = peek();
      if (c == '{' || c == '[') {
        if (depth_ + open.size() >= kMaxJsonDepth) {
          bad("JSON at byte " + std::to_string(at_ + 1) + " is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
        }
        ++at_;
        out += c;
        open += c == '{' ? '}' : ']';
        skip_blank();
        if (peek() != open.back()) {
          if (c == '{') copy_key(out);
          continue;
        }
      } else {
        copy_scalar(out);
      }
      if (!close_finished(out, open)) return;
    }
  }

  // After a value: closes what ends here and goes to the next value. False: the outermost is closed.
  bool close_finished(std::string& out, std::string& open) {
    while (!open.empty()) {
      skip_blank();
      const char close = open.back();
      if (take(close)) {
        out += close;
        open.pop_back();
        continue;
      }
      if (!take(',')) expected(close == '}' ? "',' or '}' after a value" : "',' or ']' after a value");
      out += ',';
      if (close == '}') {
        skip_blank();
        copy_key(out);
      }
      return true;
    }
    return false;
  }

  void copy_key(std::string& out) {
    if (peek() != '"') expected("a key in double quotes");
    copy_string(out);
    skip_blank();
    if (!take(':')) expected("':' after a key");
    out += ':';
  }

  void copy_scalar(std::string& out) {
    const std::size_t begin = at_;
    switch (peek()) {
      case '"': copy_string(out); return;
      case 't': parse_literal("true"); break;
      case 'f': parse_literal("false"); break;
      case 'n': parse_literal("null"); break;
      default:
        if (peek() != '-' && !is_digit(peek())) expected("a value");
        skip_number();
    }
    append_source(out, begin);
  }

  std::string_view text_;
  const Schema& schema_;
  const Columns columns_;
  const std::int64_t now_;
  std::size_t at_ = 0;
  std::size_t depth_ = 1;  // levels that are open inside a row: the object, and the array around it
  std::string key_, scratch_;
  std::vector<JsonRow> rows_;
};

}  // namespace

std::vector<JsonRow> parse_json_rows(std::string_view text, const Schema& schema, std::int64_t now) {
  if (text.size() > kMaxJsonBytes) {
    bad("the JSON text has " + std::to_string(text.size()) + " bytes, the limit of one call is " + std::to_string(kMaxJsonBytes) +
        "; insert it in several calls");
  }
  if (schema.time_column < 0) bad("the table's columns are not known yet");
  return Parser(text, schema, now).parse();
}

}  // namespace ts
