// ChunkCursor: the chunks of a packed shard in the order of the file, series by series, then time; each checked before a value of it
// is decoded.
#pragma once
#include <cstdint>
#include <vector>

#include "ext/archive/packed_shard.h"

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
  const Direction direction_;
  std::int64_t last_id_ = 0;  // what was sought has no chunk after it: SQLite would read the next page to find that out
  bool ended_ = false;
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

}  // namespace ts
