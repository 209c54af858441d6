// RowBuffer: rows in memory, encoded one after the other. What a transaction holds before it is drained, what the
// sealer sorts, what a worker thread hands to the reader. Values keep their SQLite storage class bit for bit.
//
// Encoding of a cell: one byte of SQLITE_INTEGER/FLOAT/TEXT/BLOB/NULL, then 8 bytes, or 4 bytes of length and the bytes.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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
  RowBuffer(RowBuffer&& other) noexcept
      : columns_(other.columns_),
        data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        offsets_(std::move(other.offsets_)) {}

  int columns() const { return columns_; }
  std::size_t rows() const { return offsets_.size(); }
  std::size_t bytes() const { return size_ + offsets_.size() * sizeof(std::uint64_t); }

  void begin_row() { offsets_.push_back(size_); }
  void add_null() { *room(1) = static_cast<char>(SQLITE_NULL); }
  void add_integer(std::int64_t value) { add_word(SQLITE_INTEGER, &value); }
  void add_real(double value) { add_word(SQLITE_FLOAT, &value); }
  void add_text(std::string_view text) { add_bytes(SQLITE_TEXT, text); }
  void add_blob(std::string_view blob) { add_bytes(SQLITE_BLOB, blob); }
  void add_values(sqlite3_value** values, int count);
  void add_column(sqlite3_stmt* stmt, int column);
  void add_cell(const Cell& cell);
  void append(const RowBuffer& other);
  void drop_row() { truncate(rows() - 1); }  // the row that was begun last, whole or not

  void truncate(std::size_t rows);
  void clear() { truncate(0); }

  const char* row(std::size_t index) const { return data_.get() + offsets_[index]; }
  std::string_view row_bytes(std::size_t index) const {
    std::size_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : size_;
    return std::string_view(row(index), end - offsets_[index]);
  }
  Cell cell(std::size_t row, int column) const;

  // Reads the cell at `at` and moves past it.
  static Cell read(const char*& at);
  static void skip(const char*& at);
  static void result(sqlite3_context* context, const Cell& cell);

 private:
  struct Free {
    void operator()(char* data) const noexcept { std::free(data); }
  };
  // Where `bytes` more may be written, which only then are part of it.
  char* reserve(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return data_.get() + size_;
  }
  char* room(std::size_t bytes) {
    char* at = reserve(bytes);
    size_ += bytes;
    return at;
  }
  void grow(std::size_t bytes);
  static char* put_word(char* at, int type, const void* word) {
    *at = static_cast<char>(type);
    std::memcpy(at + 1, word, 8);
    return at + 9;
  }
  void add_word(int type, const void* word) { put_word(room(9), type, word); }
  void add_bytes(int type, std::string_view bytes);

  int columns_;
  std::unique_ptr<char, Free> data_;  // from malloc: realloc moves a large block without copying it
  std::size_t size_ = 0, capacity_ = 0;
  std::vector<std::uint64_t> offsets_;
};

// SQLite's order of values under BINARY: NULL < numbers < text < blobs.
int compare_cells(const Cell& a, const Cell& b);

}  // namespace ts
