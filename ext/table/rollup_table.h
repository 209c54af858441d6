// The `timeseries_rollup` virtual table: aggregates of a timeseries table by time bucket and tags, computed where its rows lie.
//
//   CREATE VIRTUAL TABLE cpu_hourly USING timeseries_rollup(cpu, '1 hour', by='host');
//
// It stores nothing: each scan answers what the same GROUP BY over the base table would, in the statement's one snapshot.
// The base table is found anew at each use, by the rules of a view: a rollup in main sees tables of main, one in temp all.
#pragma once
#include <memory>
#include <string>

#include "ext/table/rollup_declaration.h"
#include "ext/table/timeseries_table.h"

namespace ts {

class RollupTable : public sqlite3_vtab {
 public:
  RollupTable(std::shared_ptr<Session> session, std::string schema_name, std::string sql_name, RollupDeclaration declaration);

  // Settles the columns. A later connect goes on without a base table that could give them, so that DROP TABLE works.
  void connect(bool creating);
  void declare();

  Session& session() { return *session_; }
  const std::string& sql_name() const { return sql_name_; }
  const RollupShape& shape() const { return shape_; }
  const TableDef& def() const { return def_; }  // of the rollup's own columns, for conditions on them
  std::vector<std::string> plan_names() const;
  std::string base_name() const;  // as declared

  // The table it is computed from, with the columns that were there when this one was declared. Throws kBadInput.
  Table& base();

 private:
  Table* find_base(std::string& fault);

  std::shared_ptr<Session> session_;
  std::string schema_name_, sql_name_;
  RollupDeclaration declaration_;
  RollupShape shape_;
  TableDef def_;
  TablePtr known_base_;  // whose columns have been compared
};

int register_rollup_table(sqlite3* db, const std::shared_ptr<Session>& session);

}  // namespace ts
