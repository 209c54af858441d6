// PackedShard: reading a shard of format version 2. Chunks come in the order of the file: series by series, then time.
//
// Bytes are hostile: the tables are checked when the shard is opened, each chunk before it is decoded. A plan's
// conditions let too many rows through, never too few, but for the time, which is answered exactly.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/packed_layout.h"
#include "ext/archive/scan.h"

namespace ts {

// One column of some rows of a chunk.
struct DecodedColumn {
  enum class Form { kConstant, kInteger, kReal, kValue };
  Form form = Form::kConstant;
  OwnedValue constant;                 // kConstant: in every row
  std::vector<std::int64_t> integers;  // kInteger; kValue: indexes in `values`
  std::vector<double> reals;           // kReal
  std::vector<std::uint8_t> nulls;     // 1: NULL; empty: there is none
  std::vector<OwnedValue> values;      // kValue: each distinct one

  bool is_null(std::size_t row) const { return !nulls.empty() && nulls[row]; }
  Cell cell(std::size_t row) const;  // valid as long as the column
};

// Rows of one chunk that a plan asks for.
struct DecodedChunk {
  std::int64_t first = 0;              // ordinal of times[0]
  std::vector<std::int64_t> times;     // ascending
  std::vector<DecodedColumn> columns;  // of the plan's columns
  std::vector<std::uint32_t> rows;     // those that passed the filters: indexes in `times`
};

// What is in the file, by its own schema.
class PackedShard {
 public:
  // Throws kCorrupt naming `object` when the tables are not those of a packed shard of this table.
  PackedShard(Database& db, TablePtr table, std::string object);

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
  const std::string& object() const { return object_; }
  const PackedNames& names() const { return names_; }
  const std::vector<int>& value_columns() const { return value_columns_; }
  const std::vector<Part>& parts() const { return parts_; }
  bool has_values() const { return has_values_; }
  [[noreturn]] void refuse(const std::string& why) const;

  // The series that the plan's time and tag conditions leave, in the file's order.
  std::vector<Series> series(const ScanPlan& plan) const;

 private:
  void read_chunk_columns();
  void check_series_columns();

  Database& db_;
  TablePtr table_;
  std::string object_;
  PackedNames names_;
  std::vector<int> value_columns_;
  std::vector<Part> parts_;
  bool has_values_ = false;
};

// A cursor over chunks: what the chunk's row says, and its columns decoded as far as they are asked for.
class ChunkCursor {
 public:
  enum class Direction { kUp, kDown };
  // `columns`: of the schema; those that are value columns are selected, with the time.
  ChunkCursor(const PackedShard& shard, const std::vector<int>& columns, Direction direction = Direction::kUp);

  void seek(std::int64_t first_chunk, std::int64_t last_chunk, std::int64_t from, std::int64_t to);
  bool next();

  std::int64_t id() const { return id_; }  // ordinal of its first row, from 1
  std::size_t rows() const { return rows_; }
  std::int64_t t0() const { return t0_; }
  std::int64_t t1() const { return t1_; }

  // A value column of the chunk, checked. Valid until next().
  const PackedColumn& packed(int column) const;
  // Ascending, within t0..t1.
  void times(std::vector<std::int64_t>& out) const;
  // Rows begin..end of a value column.
  void decode(int column, std::size_t begin, std::size_t end, DecodedColumn& out);

 private:
  void read_row();
  void load_values(DecodedColumn& out);

  const PackedShard& shard_;
  Statement select_, value_;
  std::vector<int> slot_;    // by column of the schema: index in packed_, or -1
  std::vector<int> wanted_;  // columns of packed_
  struct Selected {
    PackedPart part;
    std::size_t slot;
  };
  std::vector<Selected> selected_;  // columns of select_ from the fifth on
  std::vector<PackedColumn> packed_;
  std::vector<std::int64_t> null_codes_;  // of packed_, as the row says
  std::int64_t id_ = 0, t0_ = 0, t1_ = 0;
  std::size_t rows_ = 0;
};

// Turns rows of a cursor's chunk into those that a plan asks for.
class ChunkDecoder {
 public:
  ChunkDecoder(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan);
  // What a cursor must bring along.
  const std::vector<int>& columns() const { return columns_; }
  // False: by its directory, no row of the chunk passes.
  bool may_pass(const ChunkCursor& cursor) const;
  // Rows begin..end of the chunk, without those outside of the plan's time. `tags`: of its series. False: none is left.
  bool decode(ChunkCursor& cursor, const std::vector<OwnedValue>* tags, std::size_t begin, std::size_t end, DecodedChunk& out);

 private:
  const PackedShard& shard_;
  std::shared_ptr<const ScanPlan> plan_;
  std::vector<int> columns_;
};

// What a plan asks of a shard, chunk by chunk in the file's order.
class ChunkScan {
 public:
  ChunkScan(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan);
  bool next(DecodedChunk& out);  // false: no more. `out.rows` is never empty

 private:
  bool to_next_chunk();

  const PackedShard& shard_;
  std::shared_ptr<const ScanPlan> plan_;
  ChunkDecoder decoder_;
  ChunkCursor cursor_;
  std::vector<PackedShard::Series> series_;
  std::size_t at_ = 0;  // in series_
  bool by_series_ = false, seeked_ = false;
};

// All rows of a shard with all columns of its schema, chunk by chunk: for whoever compares or copies it.
class PackedRows {
 public:
  explicit PackedRows(const PackedShard& shard);
  bool next(RowBuffer& rows);  // replaces what is in `rows`; false: no more

 private:
  std::vector<int> slots_;  // by column of the schema: index in the plan; -1: the time
  std::shared_ptr<ScanPlan> plan_;
  ChunkScan scan_;
  DecodedChunk chunk_;
};

// Rows of `column` that may pass the filter stay in `rows`.
void apply_filter(const Filter& filter, const Column& declared, const DecodedColumn& column, std::vector<std::uint32_t>& rows);

}  // namespace ts
