// PackedWriter: a piece's rows as packed chunks (format version 2), encoded in memory and written to a fresh database.
#pragma once
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "ext/archive/packed_layout.h"
#include "ext/archive/sealed_piece.h"

namespace ts {

// Each distinct value that does not pack as a number, in the order of first use; ids count from 1.
class ValueTable {
 public:
  std::int64_t id_of(const Cell& cell);
  const std::vector<Cell>& values() const { return values_; }

 private:
  void grow();
  std::vector<Cell> values_;          // their bytes lie in the RowBuffer
  std::vector<std::uint32_t> slots_;  // open addressing; 0: free, else an id
};

class PackedWriter {
 public:
  // `piece` and its rows outlive the writer.
  PackedWriter(const TableDef& table, const SealedPiece& piece);

  // False where plain rows take fewer bytes (series of few rows), or SQLite's limits leave no room for the columns.
  bool worthwhile() const { return possible_ && packed_bytes_ < plain_bytes_; }
  // The page size with which the file is smallest: a page holds whole chunks, and what is left of it is lost.
  int page_size() const;

  // Tables, then `meta` to fill timeseries_meta, then rows, in an open transaction.
  void write(Database& db, const std::function<void()>& meta) const;

 private:
  struct Chunk {
    std::int64_t first = 0;  // position of its first row
    std::int64_t rows = 0, t0 = 0, t1 = 0;
    std::size_t bytes = 0;  // about
    std::vector<OwnedPacked> columns;
  };
  struct Collected {  // one column of one chunk, before it is packed
    int classes = 0;
    std::vector<std::int64_t> words;  // integers, bits of reals
    std::vector<std::uint8_t> types, nulls;
    std::vector<std::string_view> bytes;  // of text and blobs
  };
  void encode(std::size_t begin, std::size_t end);
  void collect(std::size_t begin, std::size_t end);
  OwnedPacked pack_column(Collected& column);
  OwnedPacked pack_reals(Collected& column, const std::uint8_t* nulls);
  OwnedPacked pack_values(Collected& column, const std::uint8_t* nulls);
  std::size_t record_bytes(const Chunk& chunk) const;
  void write_series(Database& db) const;
  void write_chunks(Database& db) const;

  const TableDef& table_;
  const SealedPiece& piece_;
  std::vector<int> columns_;  // value columns of the schema
  std::vector<int> slot_;     // by column of the schema: index in columns_, or -1 for a tag
  std::size_t time_slot_ = 0;
  std::vector<Presence> presence_;
  std::vector<Collected> collected_;
  std::vector<const char*> row_at_;  // of the chunk that is collected
  std::vector<Chunk> chunks_;
  std::vector<std::size_t> series_chunk_;  // for each series the index of its first chunk, and one more at the end
  ValueTable values_;
  std::set<int> exponents_;
  bool null_tags_ = false, possible_ = true;
  std::size_t packed_bytes_ = 0, plain_bytes_ = 0;
};

}  // namespace ts
