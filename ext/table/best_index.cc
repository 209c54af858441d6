// xBestIndex. The law: what a shard is asked may let too many rows through, never too few, since SQLite checks again.
#include "ext/table/best_index.h"

#include <strings.h>

#include <algorithm>

#include "ext/base/affinity.h"

namespace ts {
namespace {

constexpr int kVersionIn = 3038000;  // sqlite3_vtab_in and sqlite3_vtab_rhs_value exist from here

struct Operator {
  int op;
  const char* text;
};
constexpr Operator kOperators[] = {
    {SQLITE_INDEX_CONSTRAINT_EQ, "="},  {SQLITE_INDEX_CONSTRAINT_GT, ">"},     {SQLITE_INDEX_CONSTRAINT_LE, "<="},
    {SQLITE_INDEX_CONSTRAINT_LT, "<"},  {SQLITE_INDEX_CONSTRAINT_GE, ">="},    {SQLITE_INDEX_CONSTRAINT_NE, "<>"},
    {SQLITE_INDEX_CONSTRAINT_IS, "is"}, {SQLITE_INDEX_CONSTRAINT_ISNOT, "<>"}, {SQLITE_INDEX_CONSTRAINT_ISNULL, "null"},
};

std::string operator_text(int op) {
  for (const Operator& known : kOperators) {
    if (known.op == op) return known.text;
  }
  return "";
}

bool all_at_once(sqlite3_index_info* info, int i) {
  if (sqlite3_libversion_number() < kVersionIn || !sqlite3_vtab_in(info, i, -1)) return false;
  sqlite3_vtab_in(info, i, 1);
  return true;
}

bool constant_text(sqlite3_index_info* info, int i) {
  sqlite3_value* value = nullptr;
  return sqlite3_libversion_number() >= kVersionIn && sqlite3_vtab_rhs_value(info, i, &value) == SQLITE_OK && value &&
         sqlite3_value_type(value) == SQLITE_TEXT;
}

// A comparison on a column that is not the time. false: only SQLite itself can answer it. <> and NOT NULL never are ours:
// SQLite (3.40.1) hands those of "t LEFT JOIN k ON t.a <> 5" to t, which must not lose a row by them.
bool push_down(const Column& column, bool groups, sqlite3_index_info* info, int i, PlanTerm& term) {
  if (!term.has_operand()) return true;
  if (term.op == "<>") return false;
  Affinity affinity = affinity_of(column.type);
  // The other side's affinity is unknown here: against a numeric one a BLOB column's text would turn into a number, and
  // so would a TEXT column's when the order matters. A constant has no affinity.
  if (affinity == Affinity::kBlob) return false;
  bool equality = term.op == "=" || term.op == "in";
  if (affinity == Affinity::kText && !equality && !constant_text(info, i)) return false;
  std::string collation = sqlite3_vtab_collation(info, i);
  std::string own = column.collate.empty() ? "BINARY" : column.collate;
  if (::strcasecmp(collation.c_str(), own.c_str()) != 0) term.collation = collation;
  if (groups && !term.collation.empty() && ::strcasecmp(own.c_str(), "BINARY") != 0) return false;
  for (const char* known : {"BINARY", "NOCASE", "RTRIM"}) {
    if (::strcasecmp(collation.c_str(), known) == 0) return true;
  }
  return false;  // a collation of the host that shards cannot call
}

}  // namespace

std::vector<std::string> plan_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  names.push_back("_file");
  return names;
}

Conditions take_conditions(const Schema& schema, int comparable, bool groups, sqlite3_index_info* info, Plan& plan) {
  Conditions taken;
  for (int i = 0; i < info->nConstraint; i++) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.op == SQLITE_INDEX_CONSTRAINT_LIMIT || constraint.op == SQLITE_INDEX_CONSTRAINT_OFFSET) {
      (constraint.op == SQLITE_INDEX_CONSTRAINT_LIMIT ? taken.limit : taken.offset) = i;
      continue;
    }
    PlanTerm term{constraint.iColumn, operator_text(constraint.op), ""};
    if (!constraint.usable || term.column < 0 || term.column >= comparable || term.op.empty()) {
      taken.others = true;
      continue;
    }
    bool is = term.op == "is";
    if (is) term.op = "=";
    if (term.op == "=" && !is && all_at_once(info, i)) term.op = "in";
    bool time = term.column == schema.time_column;
    if (is && !time) {  // IS with NULL would need another word
      taken.others = true;
      continue;
    }
    if (!time && !push_down(schema.columns[static_cast<std::size_t>(term.column)], groups, info, i, term)) {
      taken.others = true;
      continue;
    }
    // Also for IS NULL, which needs none: else SQLite believes the term unused, and would take this plan for the left table
    // of "t LEFT JOIN k ON t.a IS NULL" too.
    info->aConstraintUsage[i].argvIndex = ++taken.arguments;
    // Bounds on the time are answered exactly, so SQLite need not look again (it does where a row value or an outer
    // join asks for it).
    if (time && !is && term.op != "in" && term.op != "<>" && term.has_operand()) info->aConstraintUsage[i].omit = 1;
    plan.terms.push_back(std::move(term));
  }
  return taken;
}

void estimate_cost(const Plan& plan, const Schema& schema, sqlite3_index_info* info) {
  bool lower = false, upper = false, exact = false;
  double rows = 1e8;
  for (const PlanTerm& term : plan.terms) {
    if (term.column != schema.time_column) {
      if (term.op == "=") rows /= 20;
      if (term.op == "in") rows /= 5;
      continue;
    }
    exact |= term.op == "=" || term.op == "in";
    lower |= term.op[0] == '>';
    upper |= term.op == "<" || term.op == "<=";
  }
  if (exact) rows /= 1e6;
  if (lower) rows /= 20;
  if (upper) rows /= 20;
  info->estimatedRows = static_cast<sqlite3_int64>(std::max(1.0, rows));
  info->estimatedCost = 1000 + rows * (1 + static_cast<double>(plan.columns.size()) / 8);
}

void hand_over(Session& session, const Plan& plan, const std::vector<std::string>& names, sqlite3_index_info* info) {
  std::string text = encode_plan(plan, names);
  info->idxNum = session.plan_number(text);
  info->idxStr = sqlite3_mprintf("%s", text.c_str());
  info->needToFreeIdxStr = 1;
  if (!info->idxStr) throw std::bad_alloc();
}

namespace {

bool is_binary(const Column& column) { return column.collate.empty() || ::strcasecmp(column.collate.c_str(), "BINARY") == 0; }

// The columns that rows shall be sorted by, if shards hold them so: the first of the tags, and behind all of them the time. GROUP BY
// and DISTINCT want equal rows together, in whatever order.
std::vector<int> sorted_by(const Schema& schema, const sqlite3_index_info* info) {
  std::vector<int> tags = schema.tags(), sorted;
  int distinct = sqlite3_libversion_number() >= kVersionIn ? sqlite3_vtab_distinct(const_cast<sqlite3_index_info*>(info)) : 0;
  bool together = distinct == 1 || distinct == 2;
  std::size_t terms = static_cast<std::size_t>(info->nOrderBy);
  bool then_time = !together && terms == tags.size() + 1 && info->aOrderBy[terms - 1].iColumn == schema.time_column;
  std::size_t count = then_time ? terms - 1 : terms;
  if (count == 0 || count > tags.size()) return {};
  for (std::size_t i = 0; i < terms; i++) {
    if (info->aOrderBy[i].desc && !together) return {};
  }
  for (std::size_t i = 0; i < count; i++) {
    const Column& column = schema.columns[static_cast<std::size_t>(tags[i])];
    // Tags that are equal and written differently, 1 and 1.0, are two series, one behind the other.
    if (!is_binary(column) || (then_time && affinity_of(column.type) == Affinity::kBlob)) return {};
    auto asked = [&](std::size_t term) { return info->aOrderBy[term].iColumn == tags[i]; };
    bool found = together ? false : asked(i);
    for (std::size_t term = 0; together && term < count; term++) found |= asked(term);
    if (!found) return {};
    sorted.push_back(tags[i]);
  }
  if (then_time) sorted.push_back(schema.time_column);
  return sorted;
}

}  // namespace

void best_index(Table& table, sqlite3_index_info* info) {
  const Schema& schema = table.def()->schema;
  int columns = static_cast<int>(schema.columns.size());
  Plan plan;
  Conditions taken = take_conditions(schema, columns, false, info, plan);
  if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == schema.time_column) {
    plan.order = info->aOrderBy[0].desc ? -1 : 1;
    info->orderByConsumed = 1;
  }
  // Sorted by tags all files of the range are read side by side: not where there are thousands.
  if (info->nOrderBy > 0 && !plan.order && !table.session().large_archives().count(table.archive_key())) {
    plan.sorted = sorted_by(schema, info);
    info->orderByConsumed = !plan.sorted.empty();
  }
  bool ordered = info->nOrderBy == 0 || plan.order || !plan.sorted.empty();
  auto usable = [&](int i) { return i >= 0 && info->aConstraint[i].usable; };
  if (!taken.others && usable(taken.limit) && (taken.offset < 0 || usable(taken.offset)) && ordered) {
    plan.limit = true;
    info->aConstraintUsage[taken.limit].argvIndex = ++taken.arguments;
    if (taken.offset >= 0) {
      plan.offset = true;  // never consumed: SQLite skips the rows itself
      info->aConstraintUsage[taken.offset].argvIndex = ++taken.arguments;
    }
  }
  for (int c = 0; c <= columns; c++) {
    bool used = (info->colUsed & (1ull << std::min(c, 63))) || std::find(plan.sorted.begin(), plan.sorted.end(), c) != plan.sorted.end();
    if (c != schema.time_column && used) plan.columns.push_back(c);
  }
  estimate_cost(plan, schema, info);
  hand_over(table.session(), plan, plan_names(schema), info);
}

}  // namespace ts
