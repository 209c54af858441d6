// InfluxDB's line protocol, one point at a time. Pure.
//
//   measurement[,tag=value...] field=value[,field=value...] [time]        # a comment
//
// Source: InfluxData, "Line protocol reference" (InfluxDB 2): a backslash before comma, equals sign or space in names and tag values,
// before a quote or backslash in a quoted string; 1i and 1u integers, 1 1.5 1e3 floats, t T true f F false, "text"; line breaks only
// in quotes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ts {

struct LinePoint {
  using Field = std::variant<std::int64_t, double, bool, std::string>;
  std::string measurement;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::pair<std::string, Field>> fields;
  std::optional<std::int64_t> time;  // as written; nanoseconds unless agreed otherwise
};

class LineProtocol {
 public:
  explicit LineProtocol(std::string_view text) : text_(text) {}
  // The next point; false: no more. Throws kBadInput with what was expected; then line() says where.
  bool next(LinePoint& point);
  std::int64_t line() const { return line_; }  // of the last point's beginning, from 1

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\n' : text_[at_]; }
  bool take(char c);
  void skip_line();
  std::string word(std::string_view ends, std::string_view escaped, const char* what);
  LinePoint::Field value();
  std::string quoted();

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 0, breaks_ = 0;  // breaks_: line breaks before at_
};

}  // namespace ts
