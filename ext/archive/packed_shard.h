// PackedShard: the tables of a shard of format version 2, checked when it is opened, and its series. Bytes are hostile.
//
// It speaks of the table's columns, wherever the file has them: one that the file lacks is NULL in every chunk.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ext/archive/column_map.h"
#include "ext/archive/packed_layout.h"
#include "ext/archive/scan.h"
#include "vfs/ranged_file.h"

namespace ts {

// Where a shard's bytes come from when that is far away; a file of null: from here.
struct RemoteBytes {
  RangedFile* file = nullptr;
  const Cancel* cancel = nullptr;
};

// What is in the file, by its own schema.
class PackedShard {
 public:
  // Throws kCorrupt naming `object` when the tables are not those of a packed shard of this table.
  PackedShard(Database& db, TablePtr table, ColumnMapPtr columns, std::string object, RemoteBytes remote = {});
  // The same of a file that has the table's columns.
  PackedShard(Database& db, const TablePtr& table, std::string object, RemoteBytes remote = {})
      : PackedShard(db, table, same_columns(table), std::move(object), remote) {}

  struct Part {  // a column of the chunk table
    std::string name;
    int value;  // index in value_columns()
    PackedPart part;
  };
  struct Series {
    std::int64_t first_chunk = 0, last_chunk = 0, t0 = 0, t1 = 0;
    std::vector<OwnedValue> tags;  // those the plan looks at, by plan.columns; others are NULL
  };

  Database& db() const { return db_; }
  const TableDef& table() const { return *table_; }
  const TablePtr& table_ptr() const { return table_; }
  const ColumnMap& columns() const { return *columns_; }
  const std::string& object() const { return object_; }
  const PackedNames& names() const { return names_; }
  const std::vector<int>& value_columns() const { return value_columns_; }
  const std::vector<Part>& parts() const { return parts_; }
  const RemoteBytes& remote() const { return remote_; }
  std::uint64_t chunk_root() const { return chunk_root_; }  // its page, unchecked
  bool has_values() const { return has_values_; }
  [[noreturn]] void refuse(const std::string& why) const;

  // The series that the plan's time and tag conditions leave, in the file's order.
  std::vector<Series> series(const ScanPlan& plan) const;
  std::vector<std::int64_t> first_chunks() const;  // of all series, ascending

 private:
  void read_chunk_columns();
  void check_series_columns();

  Database& db_;
  TablePtr table_;
  ColumnMapPtr columns_;
  std::string object_;
  PackedNames names_;
  std::vector<int> value_columns_;
  std::vector<Part> parts_;
  RemoteBytes remote_;
  std::uint64_t chunk_root_ = 0;
  bool has_values_ = false;
};

}  // namespace ts
