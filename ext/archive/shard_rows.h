// All rows of a sealed shard of either format, some at a time, with the columns of the table whose they are now (column_map.h): for
// whoever copies or verifies it.
#pragma once
#include <memory>

#include "ext/archive/chunk_scan.h"
#include "ext/archive/row_reader.h"

namespace ts {

class AllRows {
 public:
  // `packed`: null for format 1; made with the same map. All outlive it.
  AllRows(Database& db, const PackedShard* packed, const ColumnMap& map);
  bool next(RowBuffer& rows);  // replaces what is in `rows`; false: no more

 private:
  std::unique_ptr<PackedRows> packed_;
  RowReader plain_;
  bool ended_ = false;
};

}  // namespace ts
