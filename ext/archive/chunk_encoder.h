// ChunkEncoder: rows of one series as a packed chunk (format version 2), and what the chunks of a file need between them.
#pragma once
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/packed_layout.h"
#include "ext/archive/row_buffer.h"

namespace ts {

constexpr std::size_t kWholeSeries = 1500;  // a series with fewer rows is one chunk
constexpr std::size_t kChunkRows = 1024;    // otherwise about so many

// Each distinct value that does not pack as a number, in the order of first use; ids count from 1.
class ValueTable {
 public:
  enum class Bytes { kStay, kCopy };  // text and blobs that are added outlive the table, or it has to keep them
  explicit ValueTable(Bytes bytes = Bytes::kStay) : bytes_(bytes) {}
  std::int64_t id_of(const Cell& cell);
  // Those that have the ids first_id() and following.
  const std::vector<Cell>& values() const { return values_; }
  std::int64_t first_id() const { return first_id_; }
  std::size_t memory_bytes() const { return values_.size() * (sizeof(Cell) + sizeof(std::string) + 8) + copied_; }
  // They get new ids from here on, where they are used again.
  void forget();

 private:
  void grow();
  const Bytes bytes_;
  std::int64_t first_id_ = 1;
  std::vector<Cell> values_;
  std::deque<std::string> copies_;
  std::size_t copied_ = 0;            // bytes of them
  std::vector<std::uint32_t> slots_;  // open addressing; 0: free, else a place in values_, from 1
};

struct EncodedChunk {
  std::int64_t first = 0;  // number of its first row in the file, from 0
  std::int64_t rows = 0, t0 = 0, t1 = 0;
  std::size_t bytes = 0;  // about
  std::vector<OwnedPacked> columns;
};

class ChunkEncoder {
 public:
  // Both outlive the encoder.
  ChunkEncoder(const TableDef& table, ValueTable& values);

  // `rows`: of one series, in the order of time, encoded as in a RowBuffer.
  EncodedChunk encode(const std::vector<const char*>& rows, std::int64_t first);
  // A series is complete: `row` is one of its `rows`.
  void end_series(const char* row, std::size_t rows);
  // About so many rows a chunk. The first chunks of series that are cut tell how wide rows are.
  std::size_t chunk_rows() const { return chunk_rows_; }
  void learn(const EncodedChunk& chunk);

  const std::vector<Presence>& presence() const { return presence_; }
  const std::set<int>& exponents() const { return exponents_; }
  bool null_tags() const { return null_tags_; }
  std::int64_t most_rows() const { return most_rows_; }  // of a chunk
  std::size_t packed_bytes() const { return packed_bytes_; }
  std::size_t chunk_bytes() const { return chunk_bytes_; }  // of those
  std::size_t plain_bytes() const { return plain_bytes_; }
  // A value that the value table holds once more.
  void count_value(const Cell& value);

 private:
  struct Collected {  // one column of one chunk, before it is packed
    int classes = 0;
    std::vector<std::int64_t> words;  // integers, bits of reals
    std::vector<std::uint8_t> types, nulls;
    std::vector<std::string_view> bytes;  // of text and blobs
  };
  void collect(const std::vector<const char*>& rows);
  OwnedPacked pack_column(Collected& column);
  OwnedPacked pack_reals(Collected& column, const std::uint8_t* nulls);
  OwnedPacked pack_values(Collected& column, const std::uint8_t* nulls);

  const TableDef& table_;
  ValueTable& values_;
  std::vector<int> columns_;  // value columns of the schema
  std::vector<int> slot_;     // by column of the schema: index in columns_, or -1 for a tag
  std::vector<int> tags_;
  std::size_t time_slot_ = 0;
  std::vector<Presence> presence_;
  std::vector<Collected> collected_;
  std::set<int> exponents_;
  bool null_tags_ = false;
  std::size_t chunk_rows_ = kChunkRows;
  std::int64_t most_rows_ = 0;
  std::size_t packed_bytes_ = 0, chunk_bytes_ = 0, plain_bytes_ = 0;
};

}  // namespace ts
