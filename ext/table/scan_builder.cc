// ScanBuilder: bounds on the time, exact for every class of value, and filters that let too many rows through rather than too few.
#include "ext/table/scan_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ext/base/affinity.h"
#include "ext/table/time_value.h"

namespace ts {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr std::size_t kMaxMembers = 1000;  // of an IN that shards answer; a longer one is SQLite's work

template <class Body>
void for_each(sqlite3_value* list, Body&& body) {
  sqlite3_value* value = nullptr;
  int rc = sqlite3_vtab_in_first(list, &value);
  for (; rc == SQLITE_OK && value; rc = sqlite3_vtab_in_next(list, &value)) body(value);
  if (rc == SQLITE_NOMEM) throw std::bad_alloc();
  if (rc != SQLITE_OK && rc != SQLITE_DONE)
    throw Error(Code::kIo, std::string("timeseries: cannot read an IN list: ") + sqlite3_errstr(rc));
}

}  // namespace

void ScanBuilder::term(const PlanTerm& term, sqlite3_value* value) {
  if (term.column == table_.schema.time_column) {
    term.op == "in" ? time_in(value) : time_compared(term.op, value);
  } else {
    compared(term, value);
  }
}

void ScanBuilder::time_compared(const std::string& op, sqlite3_value* value) {
  if (op == "null") {
    plan_.empty = true;
    return;
  }
  check_compared(table_, value);
  if (op == "<>") {
    exact_ = false;
    return;
  }
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return bound(op, sqlite3_value_int64(value));
    case SQLITE_FLOAT: return real_bound(op, sqlite3_value_double(value));
    case SQLITE_BLOB:  // every number sorts before every blob
      plan_.empty = plan_.empty || op == "=" || op[0] == '>';
      return;
    default: plan_.empty = true;  // no comparison with NULL is true
  }
}

void ScanBuilder::bound(const std::string& op, std::int64_t value) {
  if (op == "=" || op == ">=") plan_.from = std::max(plan_.from, value);
  if (op == "=" || op == "<=") plan_.to = std::min(plan_.to, value);
  if (op == ">") value == INT64_MAX ? void(plan_.empty = true) : void(plan_.from = std::max(plan_.from, value + 1));
  if (op == "<") value == INT64_MIN ? void(plan_.empty = true) : void(plan_.to = std::min(plan_.to, value - 1));
}

void ScanBuilder::real_bound(const std::string& op, double value) {
  if (value >= kTwoTo63 || value < -kTwoTo63) {
    bool above = value > 0, less = op == "<" || op == "<=", greater = op[0] == '>';
    if (op == "=" || (above ? greater : less)) plan_.empty = true;
    return;
  }
  double floor = std::floor(value);
  std::int64_t whole = static_cast<std::int64_t>(floor);
  if (floor == value) return bound(op, whole);
  if (op == "=") plan_.empty = true;
  if (op[0] == '>') bound(">", whole);              // ts > 1.5 and ts >= 1.5: from 2 on
  if (op == "<" || op == "<=") bound("<=", whole);  // ts < 1.5: up to 1
}

void ScanBuilder::time_in(sqlite3_value* list) {
  std::vector<OwnedValue> members;
  std::int64_t least = INT64_MAX, most = INT64_MIN;
  for_each(list, [&](sqlite3_value* value) {
    check_compared(table_, value);
    OwnedValue owned = OwnedValue::of(value);
    if (owned.type == SQLITE_FLOAT && owned.real == std::floor(owned.real) && owned.real >= -kTwoTo63 && owned.real < kTwoTo63) {
      owned.type = SQLITE_INTEGER;
      owned.integer = static_cast<std::int64_t>(owned.real);
    }
    if (owned.type != SQLITE_INTEGER) return;
    least = std::min(least, owned.integer);
    most = std::max(most, owned.integer);
    members.push_back(std::move(owned));
  });
  if (members.empty()) {
    plan_.empty = true;
    return;
  }
  plan_.from = std::max(plan_.from, least);
  plan_.to = std::min(plan_.to, most);
  add_members(table_.schema.time_column, std::move(members), "");
}

void ScanBuilder::compared(const PlanTerm& term, sqlite3_value* value) {
  if (!term.has_operand()) {
    plan_.filters.push_back({term.column, "IS NULL", {}, ""});
    return;
  }
  Affinity affinity = affinity_of(table_.schema.columns[static_cast<std::size_t>(term.column)].type);
  // Of another class than the column, a value might be converted by SQLite: then it alone decides.
  auto same_class = [&](int type) {
    return affinity == Affinity::kText ? type == SQLITE_TEXT : type == SQLITE_INTEGER || type == SQLITE_FLOAT;
  };
  if (term.op == "in") {
    std::vector<OwnedValue> members;
    bool all = true;
    for_each(value, [&](sqlite3_value* member) {
      OwnedValue owned = OwnedValue::of(member);
      if (owned.type == SQLITE_NULL) return;
      all = all && same_class(owned.type);
      members.push_back(std::move(owned));
    });
    if (members.empty()) {
      plan_.empty = true;
    } else if (all) {
      add_members(term.column, std::move(members), term.collation);
    } else {
      exact_ = false;
    }
    return;
  }
  int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL) {
    plan_.empty = true;
  } else if (same_class(type)) {
    plan_.filters.push_back({term.column, term.op, {OwnedValue::of(value)}, term.collation});
  } else {
    exact_ = false;
  }
}

void ScanBuilder::add_members(int column, std::vector<OwnedValue> members, const std::string& collation) {
  if (members.size() > kMaxMembers) {
    exact_ = false;
    return;
  }
  plan_.filters.push_back({column, "IN", std::move(members), collation});
}

}  // namespace ts
