// A strict reader of the one form that a series of samples has.
#include "sql/sample_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ext/base/error.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

class Reader {
 public:
  Reader(std::string_view json, const std::string& label) : json_(json), label_(label) {}

  std::vector<Sample> samples() {
    std::vector<Sample> found;
    expect('[');
    if (!next_is(']')) {
      do {
        found.push_back(sample());
      } while (next_is(','));
      expect(']');
    }
    skip_blanks();
    if (at_ != json_.size()) bad();
    return found;
  }

 private:
  Sample sample() {
    Sample sample;
    expect('[');
    number(sample.ts);
    expect(',');
    number(sample.value);
    expect(']');
    if (!std::isfinite(sample.value)) bad();
    return sample;
  }
  void skip_blanks() { at_ = std::min(json_.find_first_not_of(" \t\r\n", at_), json_.size()); }
  bool next_is(char c) {
    skip_blanks();
    if (at_ == json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!next_is(c)) bad();
  }
  template <class Number>
  void number(Number& number) {
    skip_blanks();
    if (at_ < json_.size() && json_[at_] == 'n') bad("; a sample is NULL: leave it out, or interpolate it");
    const auto [end, fault] = std::from_chars(json_.data() + at_, json_.data() + json_.size(), number);
    if (fault != std::errc()) bad();
    at_ = static_cast<std::size_t>(end - json_.data());
  }
  [[noreturn]] void bad(const std::string& hint = "; write [[ts, value], ...], as json_group_array(json_array(ts, value)) makes it") const {
    throw Error(Code::kBadInput, label_ + ": no samples begin at \"" + excerpt(json_.substr(at_), 40) + "\"" + hint);
  }

  std::string_view json_;
  const std::string& label_;
  std::size_t at_ = 0;
};

}  // namespace

void append_sample(std::string& json, std::int64_t ts, double value) {
  json += (json.back() == '[' ? "[" : ",[") + std::to_string(ts) + ",";
  char digits[32];  // the shortest that read back as the same double
  if (std::isinf(value)) {
    json += value > 0 ? "9e999" : "-9e999";
  } else {
    json.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  json += ']';
}

std::vector<Sample> parse_samples(std::string_view json, const std::string& label) { return Reader(json, label).samples(); }

}  // namespace ts
