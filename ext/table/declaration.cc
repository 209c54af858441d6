// Declarations: each argument is a column or an option, told apart by the '=' after an option's name.
//
// Laws: the schema's names are unique and quotable; a type and a DEFAULT are exactly that, so they can stand in SQL text;
// what a timeseries cannot keep (constraints) is refused by name; no secret is accepted and none is part of a message.
#include "ext/table/declaration.h"

#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "ext/base/error.h"
#include "ext/base/sql_tokens.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

using Tokens = std::vector<Token>;

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, "timeseries: " + message); }

std::string lowercase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

// --- Options -------------------------------------------------------------------------------------------------------

// `label` is the option's name, or its environment twin's if the value came from there.
template <class Value>
Value one_of(std::string_view text, std::string_view label, std::initializer_list<std::pair<std::string_view, Value>> choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (same_word(text, name)) return value;
    names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
  }
  bad(std::string(label) + ": " + in_quotes(excerpt(text)) + " is none of " + names);
}

bool parse_flag(std::string_view text, std::string_view label) {
  return one_of<bool>(
      text, label,
      {{"true", true}, {"false", false}, {"1", true}, {"0", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false}});
}

struct Option {
  std::string_view name;
  void (*set)(Declaration&, std::string_view value, std::string_view label);
};

std::int64_t parse_count(std::string_view text, std::string_view label) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size() && count >= 0) return count;
  bad(std::string(label) + ": " + in_quotes(excerpt(text)) + " is no whole number");
}

void parse_slice(Declaration& declaration, std::string_view text, std::string_view label) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) bad(std::string(label) + ": " + in_quotes(excerpt(text)) + " is no slice; write '1/4' to '4/4'");
  declaration.slice = parse_count(text.substr(0, slash), label);
  declaration.slices = parse_count(text.substr(slash + 1), label);
  if (declaration.slice >= 1 && declaration.slice <= declaration.slices) return;
  bad(std::string(label) + ": " + in_quotes(excerpt(text)) + " is no slice; write '1/4' to '4/4'");
}

constexpr std::int64_t kMostStalenessMs = 3600'000;  // spool.db remembers for a day what was stored meanwhile
constexpr std::int64_t kLeastRetentionMs = 3600'000;

constexpr Option kOptions[] = {
    {"location", [](Declaration& d, std::string_view value, std::string_view) { d.store.location = value; }},
    {"table", [](Declaration& d, std::string_view value, std::string_view) { d.table = value; }},
    {"spool", [](Declaration& d, std::string_view value, std::string_view) { d.spool = value; }},
    {"precision",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.schema.precision = one_of<Precision>(
           value, label, {{"s", Precision::kSeconds}, {"ms", Precision::kMillis}, {"us", Precision::kMicros}, {"ns", Precision::kNanos}});
       d.precision_given = true;
     }},
    {"partition",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.schema.partition =
           one_of<Partition>(value, label, {{"hour", Partition::kHour}, {"day", Partition::kDay}, {"month", Partition::kMonth}});
       d.partition_given = true;
     }},
    {"flush_size",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.flush_size = parse_size(value, label);
       if (d.flush_size == 0) bad(std::string(label) + ": must be at least one byte; the default is '64MB'");
     }},
    {"flush_interval",
     [](Declaration& d, std::string_view value, std::string_view label) { d.flush_interval_ms = parse_duration(value, label); }},
    {"flush_timeout",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.flush_timeout_ms = parse_duration(value, label);
       if (d.flush_timeout_ms == 0) bad(std::string(label) + ": must be at least 1ms; the default is '15s'");
     }},
    {"spool_limit",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.spool_limit = parse_size(value, label);
       // Below this, the files of one writer and one insert would not fit.
       if (d.spool_limit > 0 && d.spool_limit < 1 << 20) bad(std::string(label) + ": must be at least 1MB, or 0 for no limit");
     }},
    {"durability",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.durability = one_of<Durability>(value, label, {{"normal", Durability::kNormal}, {"full", Durability::kFull}});
     }},
    {"cache_dir", [](Declaration& d, std::string_view value, std::string_view) { d.cache_dir = value; }},
    {"cache_size", [](Declaration& d, std::string_view value, std::string_view label) { d.cache_size = parse_size(value, label); }},
    {"max_staleness",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.max_staleness_ms = parse_duration(value, label);
       if (d.max_staleness_ms > kMostStalenessMs) bad(std::string(label) + ": must be at most 1h, and 0 for a fresh listing each time");
     }},
    {"compact_grace",
     [](Declaration& d, std::string_view value, std::string_view label) { d.compact_grace_ms = parse_duration(value, label); }},
    {"retention",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.retention_ms = parse_duration(value, label);
       // A slip of the unit would take everything.
       if (d.retention_ms > 0 && d.retention_ms < kLeastRetentionMs) bad(std::string(label) + ": must be at least 1h, or 0 for ever");
     }},
    {"flush_on_close",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.flush_on_close = one_of<FlushOnClose>(
           value, label, {{"due", FlushOnClose::kDue}, {"always", FlushOnClose::kAlways}, {"never", FlushOnClose::kNever}});
     }},
    {"compact",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.compact_auto = one_of<bool>(value, label, {{"off", false}, {"auto", true}});
     }},
    {"compact_interval",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.compact_interval_ms = parse_duration(value, label);
       if (d.compact_interval_ms == 0) bad(std::string(label) + ": must be at least 1ms; the default is '10m'");
     }},
    {"compact_target",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.compact_target = parse_size(value, label);
       // A file is stored by one PUT, and rows that turn out not to pack take several times what was packed before.
       constexpr std::uint64_t kLeast = 1 << 20, kMost = 1 << 30;
       if (d.compact_target >= kLeast && d.compact_target <= kMost) return;
       bad(std::string(label) + ": must be from 1MB to 1GB; the default is '256MB'");
     }},
    {"endpoint", [](Declaration& d, std::string_view value, std::string_view) { d.store.endpoint = value; }},
    {"region", [](Declaration& d, std::string_view value, std::string_view) { d.store.region = value; }},
    {"profile", [](Declaration& d, std::string_view value, std::string_view) { d.store.profile = value; }},
    {"anonymous", [](Declaration& d, std::string_view value, std::string_view label) { d.store.anonymous = parse_flag(value, label); }},
    {"hedge", [](Declaration& d, std::string_view value, std::string_view label) { d.store.hedge = parse_flag(value, label); }},
    {"snapshot", [](Declaration& d, std::string_view value, std::string_view) { d.store.snapshot = value; }},
    {"slice", [](Declaration& d, std::string_view value, std::string_view label) { parse_slice(d, value, label); }},
    {"max_bytes",
     [](Declaration& d, std::string_view value, std::string_view label) {
       d.max_bytes = parse_size(value, label);
       // The first statement reads the archive's schema, which may be so long.
       if (d.max_bytes > 0 && d.max_bytes < 1 << 20) bad(std::string(label) + ": must be at least 1MB, or 0 for no limit");
     }},
    {"max_requests",
     [](Declaration& d, std::string_view value, std::string_view label) { d.max_requests = parse_count(value, label); }},
    {"prices", [](Declaration& d, std::string_view value, std::string_view label) { d.prices = parse_prices(value, label); }},
    {"link", [](Declaration& d, std::string_view value, std::string_view label) { d.link = parse_link(value, label); }},
};

const Option* find_option(std::string_view name) {
  for (const Option& option : kOptions) {
    if (same_word(option.name, name)) return &option;
  }
  return nullptr;
}

std::string option_names() {
  std::string names;
  for (const Option& option : kOptions) names += (names.empty() ? "" : ", ") + std::string(option.name);
  return names;
}

std::string twin_of(std::string_view option) {
  std::string twin = "TIMESERIES_";
  for (const char c : option) twin += c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  return twin;
}

[[noreturn]] void refuse_secret(std::string_view option) {
  bad(excerpt(option) +
      ": secrets do not belong in SQL text (it is stored in sqlite_schema); use the environment (AWS_ACCESS_KEY_ID, "
      "AWS_SECRET_ACCESS_KEY) or a profile");
}

bool is_secret_name(std::string_view name) {
  const std::string lower = lowercase(name);
  for (const char* part : {"secret", "password", "passwd", "token", "credential", "access_key", "accesskey", "api_key", "private_key"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return lower == "key" || lower == "key_id" || lower == "keyid";
}

// 'https://user:password@host', 's3://key:secret@bucket'
bool has_userinfo(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || same_word(url.substr(0, scheme), "file")) return false;
  const std::string_view authority = url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - (scheme + 3));
  if (authority.find('@') != std::string_view::npos) return true;
  // A secret that holds a '/' seems to end the authority: "key:se" is no host and port.
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.front() == '[' || url.find('@', scheme + 3) == std::string_view::npos) return false;
  return authority.find_first_not_of("0123456789", colon + 1) != std::string_view::npos;
}

// A number and the unit behind it: "64 MB". The number is whole and fits 63 bits.
struct Quantity {
  std::uint64_t number = 0;
  std::string unit;  // lower case
};

std::optional<Quantity> parse_quantity(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  Quantity quantity;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  quantity.unit = lowercase(text);
  return quantity;
}

// number * factor if it fits 63 bits.
std::optional<std::int64_t> scaled(std::uint64_t number, std::int64_t factor) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (number > static_cast<std::uint64_t>(kMax / factor)) return std::nullopt;
  return static_cast<std::int64_t>(number) * factor;
}

// The text after '=': one string, or bare words and numbers as they stand.
std::string option_value(std::string_view arg, const Tokens& tokens, std::string_view name) {
  const std::string example = "write " + std::string(name) + "='...'";
  if (tokens.size() == 2) bad(std::string(name) + ": has no value; " + example);
  const Token& first = tokens[2];
  if (tokens.size() == 3 && (first.kind == TokenKind::kString || first.kind == TokenKind::kName)) {
    if (first.text.empty()) bad(std::string(name) + ": is empty; " + example + " or leave it out");
    return first.text;
  }
  for (std::size_t i = 2; i < tokens.size(); ++i) {
    const bool sign = i == 2 && tokens.size() > 3 && is_symbol(first, '-');
    if (!sign && tokens[i].kind != TokenKind::kWord && tokens[i].kind != TokenKind::kNumber) {
      bad(std::string(name) + ": its value must be one quoted string, a number or a word; " + example);
    }
  }
  return std::string(arg.substr(first.begin, tokens.back().end - first.begin));
}

void parse_option(Declaration& declaration, std::string_view arg, const Tokens& tokens, std::set<std::string_view>& given) {
  const std::string& written = tokens[0].text;
  if (is_secret_name(written)) refuse_secret(written);
  const Option* option = find_option(written);
  if (!option) bad("unknown option " + in_quotes(excerpt(written)) + "; the options are " + option_names());
  if (!given.insert(option->name).second) bad(std::string(option->name) + ": given twice; leave one out");
  const std::string value = option_value(arg, tokens, option->name);
  if ((option->name == "location" || option->name == "endpoint") && has_userinfo(value)) refuse_secret(option->name);
  option->set(declaration, value, option->name);
}

void read_environment(Declaration& declaration, const std::map<std::string, std::string>& environment,
                      const std::set<std::string_view>& given) {
  for (const Option& option : kOptions) {
    if (given.count(option.name)) continue;
    const auto twin = environment.find(twin_of(option.name));
    if (twin == environment.end() || twin->second.empty()) continue;
    option.set(declaration, twin->second, twin->first);
  }
}

// --- Columns -------------------------------------------------------------------------------------------------------

struct Refusal {
  std::string_view word, name, sentence;
};

// What a table of SQLite may have and a timeseries refuses, and why.
constexpr Refusal kRefusals[] = {
    {"CONSTRAINT", "CONSTRAINT", "a timeseries keeps NOT NULL, DEFAULT and COLLATE only; leave the constraint and its name out"},
    {"PRIMARY", "PRIMARY KEY", "duplicate rows are rows in a timeseries; leave it out and mark what identifies a series with TAG"},
    {"UNIQUE", "UNIQUE", "duplicate rows are rows in a timeseries; leave it out and mark what identifies a series with TAG"},
    {"CHECK", "CHECK", "rows of other writers are not checked against it; leave it out and check before the insert"},
    {"REFERENCES", "REFERENCES", "files in an archive cannot follow changes of another table; leave it out and join in the query"},
    {"FOREIGN", "FOREIGN KEY", "files in an archive cannot follow changes of another table; leave it out and join in the query"},
    {"GENERATED", "GENERATED", "a timeseries stores what is inserted; leave the column out and compute it in a view"},
    {"ALWAYS", "GENERATED ALWAYS", "a timeseries stores what is inserted; leave the column out and compute it in a view"},
    {"AS", "AS (a generated column)", "a timeseries stores what is inserted; leave the column out and compute it in a view"},
    {"ON", "ON CONFLICT", "a row that breaks a rule is always an error; leave it out"},
    {"AUTOINCREMENT", "AUTOINCREMENT", "a timeseries has no row numbers to keep; leave it out"},
    {"DEFERRABLE", "DEFERRABLE", "a timeseries has no foreign keys; leave it out"},
    {"INITIALLY", "DEFERRABLE", "a timeseries has no foreign keys; leave it out"},
    {"HIDDEN", "HIDDEN", "every column of a timeseries is visible; leave it out"},
};

const Refusal* find_refusal(const Token& token) {
  for (const Refusal& refusal : kRefusals) {
    if (is_word(token, refusal.word)) return &refusal;
  }
  return nullptr;
}

void refuse_table_constraint(const Token& first) {
  for (const std::string_view word : {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}) {
    if (!is_word(first, word)) continue;
    const Refusal& refusal = *find_refusal(first);
    bad(std::string(refusal.name) + " is not supported: " + std::string(refusal.sentence));
  }
}

// One column definition, read from left to right.
class ColumnParser {
 public:
  ColumnParser(std::string_view arg, const Tokens& tokens) : arg_(arg), tokens_(tokens) {}

  // `is_time` becomes true for the TIMESTAMP column.
  Column parse(bool& is_time) {
    column_.name = tokens_[0].text;
    if (const auto fault = column_name_fault(column_.name)) bad(named() + ": the name " + *fault + "; choose another name");
    for (at_ = 1; at_ < tokens_.size();) parse_part();
    is_time = finish_time();
    if (!is_type_text(column_.type)) fail(in_quotes(excerpt(column_.type)) + " is no type; write words, as in VARCHAR(20)");
    return std::move(column_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { bad(named() + ": " + message); }

  std::string named() const { return "column " + in_quotes(excerpt(column_.name)); }
  bool next_is(std::string_view word) const { return at_ + 1 < tokens_.size() && is_word(tokens_[at_ + 1], word); }

  std::string source(std::size_t first, std::size_t count) const {
    return std::string(arg_.substr(tokens_[first].begin, tokens_[first + count - 1].end - tokens_[first].begin));
  }

  void once(bool already, const char* what) const {
    if (already) fail(std::string(what) + " is given twice; leave one out");
  }

  void parse_part() {
    const Token& token = tokens_[at_];
    if (const Refusal* refusal = find_refusal(token)) {
      fail(std::string(refusal->name) + " is not supported: " + std::string(refusal->sentence));
    }
    if (is_word(token, "TAG")) {
      once(column_.tag, "TAG");
      column_.tag = true;
      ++at_;
    } else if (is_word(token, "NOT")) {
      if (!next_is("NULL")) fail("NOT must be followed by NULL");
      column_.not_null = true;
      constrained_ = true;
      at_ += 2;
    } else if (is_word(token, "NULL")) {
      nullable_ = constrained_ = true;  // as in SQLite: what holds anyway
      ++at_;
    } else if (is_word(token, "DEFAULT")) {
      parse_default();
    } else if (is_word(token, "COLLATE")) {
      parse_collate();
    } else {
      parse_type();
    }
  }

  void parse_default() {
    once(!column_.default_sql.empty(), "DEFAULT");
    const std::size_t count = default_length(tokens_, at_ + 1);
    if (count == 0) fail("DEFAULT must be a literal or an expression in parentheses, as in DEFAULT 'none' or DEFAULT (1 + 1)");
    column_.default_sql = source(at_ + 1, count);
    constrained_ = true;
    at_ += 1 + count;
  }

  void parse_collate() {
    once(!column_.collate.empty(), "COLLATE");
    const std::string name = at_ + 1 < tokens_.size() ? tokens_[at_ + 1].text : std::string();
    if (!is_stock_collation(name)) {
      fail("COLLATE must be BINARY, NOCASE or RTRIM: the files are read by any SQLite, which has no other");
    }
    column_.collate = name;
    constrained_ = true;
    at_ += 2;
  }

  // The type: words, perhaps with (20) or (10,2). It stands in one piece, before the constraints; TAG may come first.
  void parse_type() {
    const Token& first = tokens_[at_];
    if (first.kind == TokenKind::kUnclosed) fail("a quote is not closed");
    if (first.kind != TokenKind::kWord || constrained_ || !column_.type.empty()) {
      fail(in_quotes(excerpt(first.text)) +
           " is not understood here; a column is: name type [TAG] [NOT NULL] [DEFAULT value] [COLLATE name]");
    }
    for (bool open = false; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      if (!open && (is_constraint_word(token) || is_word(token, "HIDDEN"))) break;
      const bool spaced = !column_.type.empty() && tokens_[at_ - 1].end != token.begin;
      column_.type += (spaced ? " " : "") + token.text;
      if (is_symbol(token, '(')) open = true;
      if (is_symbol(token, ')')) open = false;
    }
  }

  bool finish_time() {
    if (!same_word(std::string_view(column_.type).substr(0, 9), "TIMESTAMP")) return false;
    if (column_.type.size() != 9) {
      fail("write TIMESTAMP alone: it is an INTEGER in UTC, and its unit is the option precision='s', 'ms', 'us' or 'ns'");
    }
    if (column_.tag) fail("a TIMESTAMP cannot be a TAG: tags name a series, the time orders it; leave TAG out");
    if (nullable_) fail("a TIMESTAMP is never NULL; leave NULL out");
    if (!column_.default_sql.empty()) {
      fail("a TIMESTAMP takes no DEFAULT: the writer states the time, and ts_insert with JSON takes now; leave DEFAULT out");
    }
    if (!column_.collate.empty()) fail("a TIMESTAMP is an INTEGER and takes no COLLATE; leave it out");
    column_.type = "INTEGER";
    return true;
  }

  std::string_view arg_;
  const Tokens& tokens_;
  std::size_t at_ = 0;
  bool constrained_ = false;  // a constraint was seen: no type may follow
  bool nullable_ = false;
  Column column_;
};

void parse_column(Schema& schema, std::string_view arg, const Tokens& tokens, std::set<std::string>& names) {
  refuse_table_constraint(tokens[0]);
  if (tokens[0].kind != TokenKind::kWord && tokens[0].kind != TokenKind::kName && tokens[0].kind != TokenKind::kString) {
    bad(in_quotes(excerpt(arg)) +
        " is neither a column nor an option; write a column as: host TEXT TAG, and an option as: flush_size='64MB'");
  }
  bool is_time = false;
  Column column = ColumnParser(arg, tokens).parse(is_time);
  if (!names.insert(lowercase(column.name)).second) bad("column " + in_quotes(column.name) + " is declared twice; rename one");
  if (is_time && schema.time_column >= 0) {
    bad("columns " + in_quotes(schema.columns[static_cast<std::size_t>(schema.time_column)].name) + " and " + in_quotes(column.name) +
        " are both TIMESTAMP; a timeseries has exactly one, declare the other INTEGER");
  }
  if (schema.columns.size() == kMaxColumns) bad("more than " + std::to_string(kMaxColumns) + " columns; split the table");
  if (is_time) schema.time_column = static_cast<int>(schema.columns.size());
  schema.columns.push_back(std::move(column));
}

void require_time(const Schema& schema) {
  if (schema.empty() || schema.time_column >= 0) return;
  std::string names;
  for (const Column& column : schema.columns) names += (names.empty() ? "" : ", ") + in_quotes(column.name);
  bad("no column is TIMESTAMP (there are " + excerpt(names) + "); declare the time, as in: ts TIMESTAMP");
}

}  // namespace

std::uint64_t parse_size(std::string_view text, std::string_view option) {
  const auto quantity = parse_quantity(text);
  int shift = -1;
  if (quantity) {
    static constexpr std::string_view kPrefixes = "kmgt";
    const std::string_view unit = quantity->unit;
    const std::string_view rest = unit.substr(unit.empty() ? 0 : 1);
    const std::size_t prefix = unit.empty() ? std::string_view::npos : kPrefixes.find(unit[0]);
    if (unit.empty() || unit == "b") shift = 0;
    if (prefix != std::string_view::npos && (rest.empty() || rest == "b" || rest == "ib")) shift = 10 * (static_cast<int>(prefix) + 1);
  }
  if (shift < 0) {
    bad(std::string(option) + ": " + in_quotes(excerpt(text)) +
        " is no size; write a whole number of bytes, kB, MB, GB or TB, as in '64MB'");
  }
  const auto bytes = scaled(quantity->number, std::int64_t{1} << shift);
  if (!bytes) bad(std::string(option) + ": " + in_quotes(excerpt(text)) + " is too large; the limit is 8388607TB");
  return static_cast<std::uint64_t>(*bytes);
}

std::int64_t parse_duration(std::string_view text, std::string_view option) {
  const auto quantity = parse_quantity(text);
  std::int64_t unit_ms = 0;
  if (quantity) {
    const std::string_view unit = quantity->unit;
    const auto is = [&](std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) {
        if (unit == name) return true;
      }
      return false;
    };
    if (is({"ms", "millisecond", "milliseconds"}) || (unit.empty() && quantity->number == 0)) unit_ms = 1;
    if (is({"s", "sec", "second", "seconds"})) unit_ms = 1'000;
    if (is({"m", "min", "minute", "minutes"})) unit_ms = 60'000;
    if (is({"h", "hour", "hours"})) unit_ms = 3'600'000;
    if (is({"d", "day", "days"})) unit_ms = 86'400'000;
  }
  if (unit_ms == 0) {
    bad(std::string(option) + ": " + in_quotes(excerpt(text)) +
        " is no duration; write a whole number with ms, s, m, h or days, as in '5m'");
  }
  constexpr std::int64_t kMaxMs = 36'500ll * 86'400'000;  // far below the int64 limit, so that deadlines can be added up
  const auto ms = scaled(quantity->number, unit_ms);
  if (!ms || *ms > kMaxMs) bad(std::string(option) + ": " + in_quotes(excerpt(text)) + " is too long; the limit is 36500 days");
  return *ms;
}

Column parse_column_declaration(std::string_view text) {
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) bad("the column is no UTF-8 text");
  const Tokens tokens = sql_tokens(text);
  if (tokens.empty()) bad("there is no column; write one as: host TEXT TAG");
  Schema schema;
  std::set<std::string> names;
  parse_column(schema, text, tokens, names);
  if (schema.time_column >= 0) {
    bad("column " + in_quotes(schema.columns[0].name) + ": a timeseries has exactly one TIMESTAMP already; declare the other INTEGER");
  }
  return schema.columns[0];
}

Declaration parse_declaration(const std::vector<std::string_view>& args, const std::map<std::string, std::string>& environment) {
  Declaration declaration;
  std::set<std::string> columns;
  std::set<std::string_view> options;
  for (const std::string_view arg : args) {
    if (!is_utf8(arg) || arg.find('\0') != std::string_view::npos) bad("the arguments are no UTF-8 text");
    const Tokens tokens = sql_tokens(arg);
    if (tokens.empty()) continue;
    const bool has_name = tokens[0].kind == TokenKind::kWord || tokens[0].kind == TokenKind::kName;
    if (has_name && tokens.size() > 1 && is_symbol(tokens[1], '=')) {
      parse_option(declaration, arg, tokens, options);
    } else {
      parse_column(declaration.schema, arg, tokens, columns);
    }
  }
  require_time(declaration.schema);
  read_environment(declaration, environment, options);
  if (declaration.slices > 0 && declaration.store.snapshot.empty()) {
    bad("slice is of a snapshot, so that slices fit together; take one with ts_snapshot and write snapshot='...'");
  }
  if (declaration.store.location.empty()) {
    bad("location is missing; say where the files are, as in location='s3://bucket/prefix' or location='file:///var/lib/metrics'");
  }
  return declaration;
}

}  // namespace ts
