// The plan of a scan as a mini-language: what xBestIndex decides, idxStr carries and EXPLAIN QUERY PLAN shows. Pure.
//
// Words, separated by blanks; a name is percent-encoded outside [A-Za-z0-9_]. A word with '?' takes the next argument, and
// `:null` one that is not looked at.
//   ts>=?  ts>?  ts<=?  ts<?  ts=?            a bound on the time column
//   ts<>?                                     <> and IS NOT: looked at (text is an error), but SQLite compares
//   ts:in?                                    the members of an IN, all at once
//   host=?  usage<?  ...                      a comparison the shards answer too; @NOCASE after the name: its collation
//   host:in?  host:null
//   order:asc  order:desc                     rows come in the order of the time column
//   sorted:host,ts                            rows come sorted by these columns: the first of the tags, all of them before the time
//   limit?  offset?                           so many rows are enough, once limit and offset are added
//   columns:0,2,5                             what is read; `columns:` alone: nothing but the time
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ts {

struct PlanTerm {
  int column = -1;        // index in the schema
  std::string op;         // "=", "<>", "<", "<=", ">", ">=", "in", "null"
  std::string collation;  // empty: the column's own
  bool has_operand() const { return op != "null"; }
  bool operator==(const PlanTerm&) const = default;
};

struct Plan {
  std::vector<PlanTerm> terms;  // in the order of their arguments
  int order = 0;                // 1 ascending, -1 descending
  std::vector<int> sorted;
  bool limit = false, offset = false;
  std::vector<int> columns;
  bool operator==(const Plan&) const = default;
};

std::string encode_plan(const Plan& plan, const std::vector<std::string>& column_names);
// Throws kBadInput for a text that encode_plan did not make for these names.
Plan decode_plan(std::string_view text, const std::vector<std::string>& column_names);

}  // namespace ts
