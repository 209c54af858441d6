// Patterns are compiled once a statement by RE2, in which a pattern from a stranger can neither hang a query nor fill the memory.
#include "sql/regexp_functions.h"

#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "ext/base/utf8.h"
#include "sql/function_support.h"

namespace ts {
namespace {

using re2::RE2;
using re2::StringPiece;
using Arguments = std::span<sqlite3_value*>;

constexpr std::size_t kMaxPatternBytes = 65'536;   // parsing takes a hundred times as much memory
constexpr std::int64_t kMaxProgramBytes = 8 << 20;  // RE2's own default

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, message); }

StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const StringPiece& piece) { return {piece.data(), piece.size()}; }

RE2::Options options(RE2::Options::Encoding encoding) {
  RE2::Options options;
  options.set_log_errors(false);  // nothing is printed
  options.set_max_mem(kMaxProgramBytes);
  options.set_encoding(encoding);
  return options;
}

std::unique_ptr<RE2> compile(std::string_view pattern, const std::string& function) {
  if (pattern.size() > kMaxPatternBytes) bad(function + ": the pattern is longer than " + std::to_string(kMaxPatternBytes) + " bytes");
  auto made = std::make_unique<RE2>(piece(pattern), options(RE2::Options::EncodingUTF8));
  if (!made->ok()) bad(function + ": the pattern \"" + excerpt(pattern) + "\" is no RE2 expression: " + excerpt(made->error()));
  return made;
}

void destroy_pattern(void* pattern) { delete static_cast<RE2*>(pattern); }

// Hands the compiled pattern of an argument to `use`, and keeps it as long as SQLite says that the argument is constant.
template <class Use>
void with_pattern(sqlite3_context* context, Arguments arguments, int index, const char* function, Use use) {
  if (const void* kept = sqlite3_get_auxdata(context, index)) return use(*static_cast<const RE2*>(kept));
  std::unique_ptr<RE2> made = compile(text_value(arguments[static_cast<std::size_t>(index)]), function);
  use(*made);
  sqlite3_set_auxdata(context, index, made.release(), destroy_pattern);
}

void regexp(sqlite3_context* context, Arguments arguments) {
  with_pattern(context, arguments, 0, "regexp", [&](const RE2& pattern) {
    const std::string_view text = text_value(arguments[1]);
    sqlite3_result_int(context, pattern.Match(piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0));
  });
}

// The group that argument 2 names by number or name; 0, the whole match, without one.
std::size_t group_of(const RE2& pattern, Arguments arguments, const std::string& function) {
  if (arguments.size() < 3) return 0;
  sqlite3_value* group = arguments[2];
  if (sqlite3_value_type(group) == SQLITE_INTEGER) {
    const std::int64_t number = sqlite3_value_int64(group);
    if (number >= 0 && number <= pattern.NumberOfCapturingGroups()) return static_cast<std::size_t>(number);
  } else {
    const auto found = pattern.NamedCapturingGroups().find(std::string(text_value(group)));
    if (found != pattern.NamedCapturingGroups().end()) return static_cast<std::size_t>(found->second);
  }
  bad(function + ": the pattern has no group " + shown_value(group));
}

// Calls `found` with the groups of each match, left to right, without overlap, until it returns false.
template <class Found>
void for_each_match(const RE2& pattern, std::string_view text, std::size_t groups, Found found) {
  std::vector<StringPiece> match(groups + 1);
  for (std::size_t at = 0; at <= text.size();) {
    if (!pattern.Match(piece(text), at, text.size(), RE2::UNANCHORED, match.data(), static_cast<int>(match.size()))) return;
    if (!found(match)) return;
    const auto begin = static_cast<std::size_t>(match[0].data() - text.data());
    at = begin + match[0].size();
    if (match[0].empty()) at += std::max<std::size_t>(utf8_length(text, at), 1);
  }
}

void regexp_extract(sqlite3_context* context, Arguments arguments) {
  with_pattern(context, arguments, 1, "regexp_extract", [&](const RE2& pattern) {
    const std::size_t group = group_of(pattern, arguments, "regexp_extract");
    for_each_match(pattern, text_value(arguments[0]), group, [&](const std::vector<StringPiece>& match) {
      if (match[group].data()) result_text(context, view(match[group]));
      return false;
    });
  });
}

void regexp_extract_all(sqlite3_context* context, Arguments arguments) {
  with_pattern(context, arguments, 1, "regexp_extract_all", [&](const RE2& pattern) {
    const std::size_t group = group_of(pattern, arguments, "regexp_extract_all");
    std::string json = "[";
    for_each_match(pattern, text_value(arguments[0]), group, [&](const std::vector<StringPiece>& match) {
      if (json.size() > 1) json += ',';
      match[group].data() ? append_json_text(json, view(match[group])) : void(json += "null");
      return true;
    });
    result_json(context, json + "]");
  });
}

void regexp_replace(sqlite3_context* context, Arguments arguments) {
  const std::string_view text = text_value(arguments[0]), replacement = text_value(arguments[2]);
  const bool all = arguments.size() == 4;
  if (all && text_value(arguments[3]) != "g") {
    bad("regexp_replace: " + shown_value(arguments[3]) + " is no option; write 'g' to replace all");
  }
  const auto limit = static_cast<std::size_t>(sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1));
  with_pattern(context, arguments, 1, "regexp_replace", [&](const RE2& pattern) {
    std::string fault, out;
    if (!pattern.CheckRewriteString(piece(replacement), &fault)) bad("regexp_replace: the replacement is none: " + excerpt(fault));
    const auto groups = static_cast<std::size_t>(RE2::MaxSubmatch(piece(replacement)));
    std::size_t copied = 0;
    for_each_match(pattern, text, groups, [&](const std::vector<StringPiece>& match) {
      const auto begin = static_cast<std::size_t>(match[0].data() - text.data());
      if (match[0].empty() && begin < copied) return true;
      out += text.substr(copied, begin - copied);
      pattern.Rewrite(&out, piece(replacement), match.data(), static_cast<int>(match.size()));
      copied = begin + match[0].size();
      return all && out.size() <= limit;
    });
    out += text.substr(copied);
    result_text(context, out);  // SQLite refuses what is longer than its limit
  });
}

// What varies between two lines of one log statement; of a quoted text only its beginning. Without groups, which cost six times as
// much: what a match is, its characters tell.
constexpr char kVariable[] =
    R"re((?i)"|\B')re"
    R"re(|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)re"
    R"re(|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?\b)re"
    R"re(|\b\d\d?/[a-z]{3}/\d{4}(?::\d\d:\d\d:\d\d(?: [+-]\d{4})?)?\b|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b)re"
    R"re(|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b)re"
    R"re(|\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5}::[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5}\b)re"
    R"re(|\b0x[0-9a-f]+\b|\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b)re"
    R"re(|\d{8,}\.\d+|\b[0-9a-f]{8,}\b|\d+(?:\.\d+)?(?:e[+-]?\d+\b)?)re";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A match with digits in the form's places of '0' and its other characters as they are; '#' is any.
bool has_form(std::string_view match, std::string_view form) {
  if (match.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '#' && (form[i] == '0' ? !is_digit(match[i]) : match[i] != form[i])) return false;
  }
  return true;
}

// A run of digits and letters up to f is a number, an id, or a word of only letters.
std::string_view placeholder_of_run(std::string_view run) {
  const auto digits = static_cast<std::size_t>(std::count_if(run.begin(), run.end(), is_digit));
  return digits == run.size() ? "<num>" : digits == 0 ? run : "<hex>";
}

// REQUIRES: a match of kVariable that is no quote.
std::string_view placeholder(std::string_view match) {
  const auto has = [&](char c) { return match.find(c) != std::string_view::npos; };
  if (has('/') || has_form(match, "0000-00-00")) return "<time>";
  if (has(':')) {
    const bool clock = has_form(match, "00:00:00") && (match.size() == 8 || match[8] == '.' || match[8] == ',');
    const bool hardware = match.size() == 17 && has_form(match, "##:##:##:##:##:##") && match.find("::") == std::string_view::npos;
    return clock ? "<time>" : hardware ? "<hex>" : "<ip>";
  }
  if (match.size() == 36 && has_form(match, "########-")) return "<uuid>";
  if (has_form(match, "##-##-") || (match.size() > 2 && (match[1] | 0x20) == 'x')) return "<hex>";
  if (std::count(match.begin(), match.end(), '.') == 3) return "<ip>";
  const auto is_hex = [](char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); };
  return match.size() >= 8 && std::all_of(match.begin(), match.end(), is_hex) ? placeholder_of_run(match) : "<num>";
}

// Finds where quoted texts end. One that does not end is looked for once for each kind, so that time stays linear.
class Quotes {
 public:
  explicit Quotes(std::string_view text) : text_(text) {}

  // The end of the quoted text that begins at `at`; `at` + 1: it has none, and the quote stands for itself.
  std::size_t end(std::size_t at) {
    bool& endless = text_[at] == '"' ? endless_double_ : endless_single_;
    for (std::size_t i = at + 1; !endless && i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == text_[at]) {
        return i + 1;
      }
    }
    endless = true;
    return at + 1;
  }

 private:
  std::string_view text_;
  bool endless_double_ = false, endless_single_ = false;
};

// {"name": 5}: the names of JSON members are what lines of one statement share.
bool is_member_name(std::string_view text, std::size_t end) {
  while (end < text.size() && text[end] == ' ') ++end;
  return end < text.size() && text[end] == ':';
}

std::string log_pattern_of(std::string_view text) {
  static const RE2 variable(kVariable, options(RE2::Options::EncodingLatin1));  // any bytes
  Quotes quotes(text);
  std::string out;
  std::size_t at = 0;
  for (StringPiece found; variable.Match(piece(text), at, text.size(), RE2::UNANCHORED, &found, 1);) {
    const auto begin = static_cast<std::size_t>(found.data() - text.data());
    out += text.substr(at, begin - at);
    at = begin + found.size();
    if (text[begin] == '"' || text[begin] == '\'') {
      at = quotes.end(begin);
      const std::string_view quoted = text.substr(begin, at - begin);
      out += quoted.size() == 1 || is_member_name(text, at) ? quoted : "<text>";
    } else {
      out += placeholder(view(found));
    }
  }
  return out += text.substr(at);
}

void log_pattern(sqlite3_context* context, Arguments arguments) { result_text(context, log_pattern_of(text_value(arguments[0]))); }

constexpr PureFunction kFunctions[] = {
    {"regexp", 2, xPure<regexp>},
    {"regexp_extract", 2, xPure<regexp_extract>},
    {"regexp_extract", 3, xPure<regexp_extract>},
    {"regexp_extract_all", 2, xPure<regexp_extract_all>, true},
    {"regexp_extract_all", 3, xPure<regexp_extract_all>, true},
    {"regexp_replace", 3, xPure<regexp_replace>},
    {"regexp_replace", 4, xPure<regexp_replace>},
    {"log_pattern", 1, xPure<log_pattern>},
};

}  // namespace

int register_regexp_functions(sqlite3* db) {
  return guard([&] { register_pure(db, kFunctions); }, [](const char*) {});
}

}  // namespace ts
