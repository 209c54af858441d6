// RowBuffer: rows in memory, encoded one after the other. What a transaction holds before it is drained, what the
// sealer sorts, what a worker thread hands to the reader. Values keep their SQLite storage class bit for bit.
//
// Encoding of a cell: one byte of SQLITE_INTEGER/FLOAT/TEXT/BLOB/NULL, then 8 bytes, or 4 bytes of length and the bytes.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ext/base/sqlite.h"

namespace ts {

// A cell of a row in a buffer; valid until the buffer changes.
struct Cell {
  int type = SQLITE_NULL;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;
};

class RowBuffer {
 public:
  explicit RowBuffer(int columns) : columns_(columns) {}

  int columns() const { return columns_; }
  std::size_t rows() const { return offsets_.size(); }
  std::size_t bytes() const { return data_.size() + offsets_.size() * sizeof(std::uint64_t); }

  void begin_row() { offsets_.push_back(data_.size()); }
  void add_null() { data_.push_back(static_cast<char>(SQLITE_NULL)); }
  void add_integer(std::int64_t value) { add_word(SQLITE_INTEGER, &value); }
  void add_real(double value) { add_word(SQLITE_FLOAT, &value); }
  void add_text(std::string_view text) { add_bytes(SQLITE_TEXT, text); }
  void add_blob(std::string_view blob) { add_bytes(SQLITE_BLOB, blob); }
  void add_value(sqlite3_value* value);
  void add_column(sqlite3_stmt* stmt, int column);
  void add_cell(const Cell& cell);
  void append(const RowBuffer& other);
  void drop_row() { truncate(rows() - 1); }  // the row that was begun last, whole or not

  void truncate(std::size_t rows);
  void clear() { truncate(0); }

  const char* row(std::size_t index) const { return data_.data() + offsets_[index]; }
  std::string_view row_bytes(std::size_t index) const {
    std::size_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : data_.size();
    return std::string_view(data_).substr(offsets_[index], end - offsets_[index]);
  }
  Cell cell(std::size_t row, int column) const;

  // Reads the cell at `at` and moves past it.
  static Cell read(const char*& at);
  static void skip(const char*& at);
  static void result(sqlite3_context* context, const Cell& cell);

 private:
  void add_word(int type, const void* word) {
    char cell[9];
    cell[0] = static_cast<char>(type);
    std::memcpy(cell + 1, word, 8);
    data_.append(cell, 9);
  }
  void add_bytes(int type, std::string_view bytes);

  int columns_;
  std::string data_;
  std::vector<std::uint64_t> offsets_;
};

// SQLite's order of values under BINARY: NULL < numbers < text < blobs.
int compare_cells(const Cell& a, const Cell& b);

}  // namespace ts
