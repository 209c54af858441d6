// RowReader: a SELECT whose rows go whole into a RowBuffer, at half the price of sqlite3_column_* for each cell.
//
// The select list is a call of an internal SQL function with the columns as arguments, which appends them.
#pragma once
#include <string>
#include <vector>

#include "ext/archive/row_buffer.h"

namespace ts {

class RowReader {
 public:
  RowReader() = default;  // no rows
  // `columns`: quoted names; `from`: "FROM ... WHERE ...". One RowReader at a time on a connection, which outlives it.
  RowReader(Database& db, const std::vector<std::string>& columns, const std::string& from);
  // Appends the next row. false: there is none.
  bool next(RowBuffer& into);

 private:
  RowBuffer** into_ = nullptr;  // belongs to the function
  Statement select_;
};

}  // namespace ts
