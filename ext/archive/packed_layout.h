// The SQL of a packed shard: names of its tables, their columns, and the view that decodes them with stock SQL. Pure.
//
// docs/FORMAT.md explains the form. A column of the chunk table that would hold its default in every chunk is left out, so
// a Presence says for each value column what the shard's chunks need; writer, reader and view agree by it.
#pragma once
#include <string>
#include <vector>

#include "ext/archive/packed_column.h"
#include "ext/archive/table_def.h"

namespace ts {

// The parts of a packed column, as suffixes of names in the chunk table.
enum PackedPart { kBase, kSlope, kScale, kNull, kStep, kMiniBits, kMini, kBits, kData, kPackedParts };
const char* part_suffix(PackedPart part);  // "_base"
const char* part_type(PackedPart part);

// What the chunks of a shard hold of one value column.
struct Presence {
  bool part[kPackedParts] = {};
  bool kind[4] = {};                                  // by PackedKind
  int least_bits = 64, most_bits = 0, most_mini = 0;  // of chunks that are not all NULL
  bool of_class = true;                               // every value has the class that a CAST to the column's affinity keeps

  void add(const PackedColumn& column, bool is_time, std::int64_t t0);
};

// A value's classes, as bits: what a column held.
enum ClassBit { kSawNull = 1, kSawInteger = 2, kSawReal = 4, kSawText = 8, kSawBlob = 16 };
// True where CAST to the type's affinity changes no such value.
bool cast_keeps(const std::string& type, int classes);

struct PackedNames {
  explicit PackedNames(const TableDef& table);
  std::string series, chunk, number, value, power, series_index;  // of tables and of the index, not quoted
  std::vector<std::string> series_fields;                         // first_chunk, last_chunk, t0, t1, or what is free beside the tags
};

std::vector<int> value_columns(const Schema& schema);  // those that are no tags: with the time

// A table of the name "sqlite" would need tables that SQLite reserves, and a chunk table has at most 2,000 columns.
bool can_be_packed(const TableDef& table, const std::vector<Presence>& columns);

// Statements that make the tables, in the order in which their first pages shall lie, and the view last.
// `presence`: of value_columns, in their order. `null_tags`: a tag of the shard is NULL, which no primary key takes.
std::vector<std::string> packed_tables_sql(const TableDef& table, const std::vector<Presence>& presence, bool null_tags);
std::string packed_view_sql(const TableDef& table, const std::vector<Presence>& presence);

}  // namespace ts
