// Rollup declarations: two arguments by position, one option, and the names that the columns get.
#include "ext/table/rollup_declaration.h"

#include <map>

#include "ext/base/error.h"
#include "ext/base/affinity.h"
#include "ext/base/sql_tokens.h"
#include "ext/base/utf8.h"

namespace ts {
namespace {

using Tokens = std::vector<Token>;

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, "timeseries_rollup: " + message); }

bool is_name(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kName || token.kind == TokenKind::kString;
}

void parse_base(RollupDeclaration& declaration, std::string_view arg, const Tokens& tokens) {
  bool dotted = tokens.size() == 3 && is_name(tokens[0]) && is_symbol(tokens[1], '.') && is_name(tokens[2]);
  if (!dotted && !(tokens.size() == 1 && is_name(tokens[0]))) {
    bad(in_quotes(excerpt(arg)) + " names no table; write one as in timeseries_rollup(cpu, '1 hour')");
  }
  if (dotted) declaration.schema = tokens[0].text;
  declaration.table = tokens.back().text;
}

std::string parse_width(std::string_view arg, const Tokens& tokens) {
  if (tokens.size() == 1 && is_name(tokens[0])) return tokens[0].text;
  return std::string(arg.substr(tokens[0].begin, tokens.back().end - tokens[0].begin));
}

// 'host, region', or a list of names in a string's place.
std::vector<std::string> parse_by(std::string_view list) {
  std::vector<std::string> names;
  const Tokens tokens = sql_tokens(list);
  for (std::size_t i = 0; i < tokens.size(); i += 2) {
    bool last = i + 1 == tokens.size();
    if (!is_name(tokens[i]) || (!last && !is_symbol(tokens[i + 1], ',')) || i + 2 == tokens.size()) {
      bad("by: " + in_quotes(excerpt(list)) + " is no list of tags; write one as in by='host, region'");
    }
    for (const std::string& name : names) {
      if (same_word(name, tokens[i].text)) bad("by: " + in_quotes(excerpt(name)) + " is named twice; leave one out");
    }
    names.push_back(tokens[i].text);
  }
  return names;
}

void parse_option(RollupDeclaration& declaration, std::string_view arg, const Tokens& tokens) {
  if (!same_word(tokens[0].text, "by")) bad("unknown option " + in_quotes(excerpt(tokens[0].text)) + "; the only one is by='tag, tag'");
  if (declaration.by) bad("by: given twice; leave one out");
  bool text = tokens.size() == 3 && (tokens[2].kind == TokenKind::kString || tokens[2].kind == TokenKind::kName);
  if (tokens.size() == 2) bad("by: has no value; write by='host', or by='' for no tags");
  declaration.by = parse_by(text ? std::string_view(tokens[2].text) : arg.substr(tokens[2].begin));
}

// Names of the tags, as a value of by: 'host, region'.
std::string listed(const Schema& schema, const std::vector<int>& columns) {
  std::string names;
  for (int c : columns) names += (names.empty() ? "" : ", ") + schema.columns[static_cast<std::size_t>(c)].name;
  return names;
}

std::vector<int> tags_of(const RollupDeclaration& declaration, const Schema& schema, const std::string& base) {
  if (!declaration.by) return schema.tags();
  const std::string known = schema.tags().empty() ? "it has none, write by=''" : "its tags are " + listed(schema, schema.tags());
  std::vector<int> tags;
  for (const std::string& name : *declaration.by) {
    int found = -1;
    for (std::size_t c = 0; c < schema.columns.size(); c++) {
      if (same_word(schema.columns[c].name, name)) found = static_cast<int>(c);
    }
    if (found < 0) bad("by: " + base + " has no column " + in_quotes(excerpt(name)) + "; " + known);
    if (!schema.columns[static_cast<std::size_t>(found)].tag)
      bad("by: " + in_quotes(excerpt(name)) + " is no tag of " + base + "; " + known);
    tags.push_back(found);
  }
  return tags;
}

struct Statistic {
  RollupKind kind;
  const char* suffix;
};
constexpr Statistic kStatistics[] = {{RollupKind::kCount, "count"}, {RollupKind::kSum, "sum"}, {RollupKind::kMin, "min"},
                                     {RollupKind::kMax, "max"},     {RollupKind::kAvg, "avg"}, {RollupKind::kFirst, "first"},
                                     {RollupKind::kLast, "last"}};

// Counts are integers and averages reals; the others are what the column holds.
Column statistic_column(const Column& column, const Statistic& statistic) {
  Column out;
  out.name = column.name + "_" + statistic.suffix;
  switch (statistic.kind) {
    case RollupKind::kCount: out.type = "INTEGER"; break;
    case RollupKind::kAvg: out.type = "REAL"; break;
    case RollupKind::kSum: out.type = column.type; break;
    default: out.type = column.type, out.collate = column.collate;
  }
  return out;
}

}  // namespace

RollupDeclaration parse_rollup(const std::vector<std::string_view>& args) {
  RollupDeclaration declaration;
  std::size_t position = 0;
  for (const std::string_view arg : args) {
    if (!is_utf8(arg) || arg.find('\0') != std::string_view::npos) bad("the arguments are no UTF-8 text");
    const Tokens tokens = sql_tokens(arg);
    if (tokens.empty()) continue;
    if (tokens.back().kind == TokenKind::kUnclosed) bad("a quote is not closed: " + excerpt(arg));
    if (tokens.size() > 1 && is_symbol(tokens[1], '=')) {
      parse_option(declaration, arg, tokens);
    } else if (position == 0) {
      parse_base(declaration, arg, tokens);
      position++;
    } else if (position == 1) {
      declaration.width = parse_width(arg, tokens);
      position++;
    } else {
      bad(in_quotes(excerpt(arg)) + " is not understood; the arguments are a table, a width and perhaps by='tag, tag'");
    }
  }
  if (position == 0) bad("name a timeseries table and a width, as in timeseries_rollup(cpu, '1 hour')");
  if (position == 1) bad("the width is missing; write it behind the table, as in timeseries_rollup(cpu, '1 hour')");
  return declaration;
}

RollupShape shape_rollup(const RollupDeclaration& declaration, const Schema& schema, const std::string& base, const std::string& rollup) {
  RollupShape shape;
  shape.bucket = parse_time_bucket(declaration.width, schema.precision, "timeseries_rollup");
  shape.schema.precision = schema.precision;
  shape.schema.partition = schema.partition;
  shape.schema.time_column = 0;
  const std::vector<int> tags = tags_of(declaration, schema, base);
  shape.tags = static_cast<int>(tags.size());
  struct Origin {
    std::string words;
    int tag;
  };
  std::map<std::string, Origin> names;  // in lower case: what each column is
  auto add = [&](Column column, RollupKind kind, int source, const std::string& words) {
    std::string lower;
    for (char c : column.name) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    int tag = kind == RollupKind::kTag ? source : -1;
    auto [known, fresh] = names.try_emplace(lower, Origin{words, tag});
    if (!fresh) {
      std::vector<int> others;
      for (int t : tags) {
        if (t != tag && t != known->second.tag) others.push_back(t);
      }
      bad("two columns of " + rollup + " would be called " + in_quotes(column.name) + ": " + known->second.words + " and " + words +
          "; leave the tag out with by='" + listed(schema, others) + "'");
    }
    column.tag = kind == RollupKind::kTag;
    shape.schema.columns.push_back(std::move(column));
    shape.columns.push_back({kind, source});
  };
  Column bucket, rows;
  bucket.name = "ts", bucket.type = "INTEGER";
  add(bucket, RollupKind::kBucket, -1, "the bucket's start");
  for (int t : tags) {
    const Column& column = schema.columns[static_cast<std::size_t>(t)];
    Column tag;
    tag.name = column.name, tag.type = column.type, tag.collate = column.collate;
    add(tag, RollupKind::kTag, t, "the tag of " + base);
  }
  rows.name = "rows", rows.type = "INTEGER";
  add(rows, RollupKind::kRows, -1, "the number of rows");
  for (std::size_t c = 0; c < schema.columns.size(); c++) {
    const Column& column = schema.columns[c];
    if (column.tag || static_cast<int>(c) == schema.time_column || !is_numeric(affinity_of(column.type))) continue;
    for (const Statistic& statistic : kStatistics) {
      add(statistic_column(column, statistic), statistic.kind, static_cast<int>(c),
          std::string("the ") + statistic.suffix + " of " + in_quotes(column.name));
    }
  }
  return shape;
}

bool RollupShape::same_columns(const RollupShape& other) const {
  if (schema.precision != other.schema.precision || columns.size() != other.columns.size()) return false;
  for (std::size_t c = 0; c < columns.size(); c++) {
    const Column &a = schema.columns[c], &b = other.schema.columns[c];
    if (columns[c].kind != other.columns[c].kind || a.name != b.name || a.type != b.type || !same_word(a.collate, b.collate)) return false;
  }
  return true;
}

}  // namespace ts
