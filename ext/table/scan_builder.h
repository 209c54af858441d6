// Turns the words of a plan and their arguments into a ScanPlan: the time bounds and filters of a scan.
#pragma once
#include <string>
#include <vector>

#include "ext/archive/scan.h"
#include "ext/table/plan.h"

namespace ts {

class ScanBuilder {
 public:
  // `table` knows the columns that the words name; both outlive the builder.
  ScanBuilder(const TableDef& table, ScanPlan& plan) : table_(table), plan_(plan) {}

  // One word and its argument. Throws for a time compared with text or with another unit.
  void term(const PlanTerm& term, sqlite3_value* value);
  // Every condition is answered, so a LIMIT tells how many rows will be wanted (unless one is part of a row value: so it
  // stays a hint).
  bool exact() const { return exact_; }

 private:
  void time_compared(const std::string& op, sqlite3_value* value);
  void bound(const std::string& op, std::int64_t value);
  void real_bound(const std::string& op, double value);
  void time_in(sqlite3_value* list);
  void compared(const PlanTerm& term, sqlite3_value* value);
  void add_members(int column, std::vector<OwnedValue> members, const std::string& collation);

  const TableDef& table_;
  ScanPlan& plan_;
  bool exact_ = true;
};

}  // namespace ts
