// EncodedRows: rows as a RowBuffer encodes them, taken over byte by byte, to be read where they lie.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/row_buffer.h"

namespace ts {

class EncodedRows {
 public:
  void add(std::string_view row) {
    offsets_.push_back(data_.size());
    data_.append(row);
  }
  std::size_t rows() const { return offsets_.size(); }
  std::size_t bytes() const { return data_.size() + offsets_.size() * sizeof(std::size_t); }
  const char* row(std::size_t index) const { return data_.data() + offsets_[index]; }
  std::string_view row_bytes(std::size_t index) const {
    const std::size_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : data_.size();
    return std::string_view(data_).substr(offsets_[index], end - offsets_[index]);
  }
  void clear() {
    data_.clear();
    offsets_.clear();
  }
  void drop_first(std::size_t rows) {
    if (rows == offsets_.size()) return clear();
    const std::size_t bytes = offsets_[rows];
    data_.erase(0, bytes);
    offsets_.erase(offsets_.begin(), offsets_.begin() + static_cast<std::ptrdiff_t>(rows));
    for (std::size_t& offset : offsets_) offset -= bytes;
  }

 private:
  std::string data_;
  std::vector<std::size_t> offsets_;
};

// Appends a row, encoded, cell by cell.
inline void add_encoded(RowBuffer& rows, const char* row) {
  rows.begin_row();
  for (int column = 0; column < rows.columns(); column++) rows.add_cell(RowBuffer::read(row));
}

// `out` becomes these cells of an encoded row; `columns` ascend.
inline void encoded_cells(const char* row, const std::vector<int>& columns, std::string& out) {
  out.clear();
  int column = 0;
  for (int wanted : columns) {
    for (; column < wanted; column++) RowBuffer::skip(row);
    const char* begin = row;
    RowBuffer::skip(row);
    column++;
    out.append(begin, row);
  }
}

}  // namespace ts
