// Encoding and decoding the plan's words.
#include "ext/table/plan.h"

#include <array>
#include <cctype>
#include <charconv>

#include "ext/base/error.h"

namespace ts {
namespace {

constexpr std::array<std::string_view, 6> kComparisons = {"<>", "<=", ">=", "=", "<", ">"};  // two characters first

std::string encode_name(std::string_view name) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  if (name == "columns") return "%63olumns";  // words of the language
  if (name == "sorted") return "%73orted";
  std::string out;
  for (unsigned char c : name) {
    if (std::isalnum(c) || c == '_') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

[[noreturn]] void unknown(std::string_view word) {
  throw Error(Code::kBadInput, "timeseries: not a plan of this table: " + std::string(word));
}

int find_column(std::string_view encoded, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); i++) {
    if (encode_name(names[i]) == encoded) return static_cast<int>(i);
  }
  unknown(encoded);
}

int number(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) unknown(text);
  return value;
}

PlanTerm decode_term(std::string_view word, const std::vector<std::string>& names) {
  PlanTerm term;
  std::size_t name_end = word.find_first_of("@:=<>");
  if (name_end == std::string_view::npos) unknown(word);
  std::string_view rest = word.substr(name_end);
  term.column = find_column(word.substr(0, name_end), names);
  if (rest[0] == '@') {
    std::size_t end = rest.find_first_of(":=<>");
    if (end == std::string_view::npos) unknown(word);
    term.collation = rest.substr(1, end - 1);
    rest = rest.substr(end);
  }
  if (rest == ":null") {
    term.op = "null";
    return term;
  }
  if (rest.empty() || rest.back() != '?') unknown(word);
  rest.remove_suffix(1);
  if (rest == ":in") {
    term.op = "in";
    return term;
  }
  for (std::string_view op : kComparisons) {
    if (rest == op) {
      term.op = op;
      return term;
    }
  }
  unknown(word);
}

}  // namespace

std::string encode_plan(const Plan& plan, const std::vector<std::string>& names) {
  std::string out;
  for (const PlanTerm& term : plan.terms) {
    out += encode_name(names[static_cast<std::size_t>(term.column)]);
    if (!term.collation.empty()) out += "@" + term.collation;
    bool word = term.op == "in" || !term.has_operand();
    out += (word ? ":" : "") + term.op + (term.has_operand() ? "? " : " ");
  }
  if (plan.order) out += plan.order > 0 ? "order:asc " : "order:desc ";
  for (std::size_t i = 0; i < plan.sorted.size(); i++) {
    out += (i ? "," : "sorted:") + encode_name(names[static_cast<std::size_t>(plan.sorted[i])]);
  }
  if (!plan.sorted.empty()) out += " ";
  if (plan.limit) out += "limit? ";
  if (plan.offset) out += "offset? ";
  out += "columns:";
  for (std::size_t i = 0; i < plan.columns.size(); i++) out += (i ? "," : "") + std::to_string(plan.columns[i]);
  return out;
}

Plan decode_plan(std::string_view text, const std::vector<std::string>& names) {
  Plan plan;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size() < text.size() ? word.size() + 1 : text.size());
    if (word == "order:asc") {
      plan.order = 1;
    } else if (word == "order:desc") {
      plan.order = -1;
    } else if (word == "limit?") {
      plan.limit = true;
    } else if (word == "offset?") {
      plan.offset = true;
    } else if (word.substr(0, 7) == "sorted:") {
      for (std::string_view list = word.substr(7); !list.empty();) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(one.size() < list.size() ? one.size() + 1 : list.size());
        plan.sorted.push_back(find_column(one, names));
      }
    } else if (word.substr(0, 8) == "columns:") {
      std::string_view list = word.substr(8);
      while (!list.empty()) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(one.size() < list.size() ? one.size() + 1 : list.size());
        int column = number(one);
        if (column < 0 || column >= static_cast<int>(names.size())) unknown(word);
        plan.columns.push_back(column);
      }
    } else {
      plan.terms.push_back(decode_term(word, names));
    }
  }
  return plan;
}

}  // namespace ts
