// PlainWriter: a sealed file of plain rows (format version 1), filled some rows at a time.
#pragma once
#include <string>

#include "ext/archive/buffer_table.h"
#include "ext/archive/sealed_file.h"

namespace ts {

class PlainWriter {
 public:
  // `bytes`: of the rows, about: the size of the pages follows from it. `table` outlives it.
  PlainWriter(const std::string& path, const TableDef& table, const std::string& partition, const ShardName& name, std::size_t bytes);
  void add(const RowBuffer& rows);
  void finish();  // the file is complete

 private:
  const std::string path_;
  BufferView view_;
  Database db_;
  Statement insert_;
};

}  // namespace ts
