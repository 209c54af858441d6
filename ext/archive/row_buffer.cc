// Rows in memory: encoding, reading back, comparing.
#include "ext/archive/row_buffer.h"

#include <algorithm>

namespace ts {

void RowBuffer::grow(std::size_t bytes) {
  constexpr std::size_t kLeast = 256;
  std::size_t capacity = std::max({kLeast, capacity_ * 2, size_ + bytes});
  char* data = static_cast<char*>(std::realloc(data_.get(), capacity));
  if (!data) throw std::bad_alloc();
  static_cast<void>(data_.release());  // realloc has freed or kept it
  data_.reset(data);
  capacity_ = capacity;
}

void RowBuffer::add_bytes(int type, std::string_view bytes) {
  std::uint32_t length = static_cast<std::uint32_t>(bytes.size());  // SQLite's own limit is 2^31-1
  char* at = room(5 + bytes.size());
  *at = static_cast<char>(type);
  std::memcpy(at + 1, &length, 4);
  if (!bytes.empty()) std::memcpy(at + 5, bytes.data(), bytes.size());
}

static std::string_view bytes_of(const void* data, int length) {
  return data ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(length)) : std::string_view();
}

void RowBuffer::add_values(sqlite3_value** values, int count) {
  constexpr std::size_t kFixed = 9;  // bytes of the largest cell that is neither text nor blob
  char* at = reserve(kFixed * static_cast<std::size_t>(count));
  for (int i = 0; i < count; i++) {
    int type = sqlite3_value_type(values[i]);
    if (type == SQLITE_INTEGER) {
      std::int64_t integer = sqlite3_value_int64(values[i]);
      at = put_word(at, type, &integer);
    } else if (type == SQLITE_FLOAT) {
      double real = sqlite3_value_double(values[i]);
      at = put_word(at, type, &real);
    } else if (type == SQLITE_NULL) {
      *at++ = static_cast<char>(SQLITE_NULL);
    } else {
      size_ = static_cast<std::size_t>(at - data_.get());
      // sqlite3_value_bytes makes a text UTF-8. sqlite3_value_text would copy a bound one in order to put a NUL behind it.
      int length = sqlite3_value_bytes(values[i]);
      const void* bytes = length || type == SQLITE_BLOB ? sqlite3_value_blob(values[i]) : sqlite3_value_text(values[i]);
      if (!bytes && (length || type == SQLITE_TEXT)) throw std::bad_alloc();
      add_bytes(type, bytes_of(bytes, length));
      at = reserve(kFixed * static_cast<std::size_t>(count - i));
    }
  }
  size_ = static_cast<std::size_t>(at - data_.get());
}

void RowBuffer::add_column(sqlite3_stmt* stmt, int column) {
  switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER: return add_integer(sqlite3_column_int64(stmt, column));
    case SQLITE_FLOAT: return add_real(sqlite3_column_double(stmt, column));
    case SQLITE_TEXT: {
      const void* text = sqlite3_column_text(stmt, column);
      return add_text(bytes_of(text, sqlite3_column_bytes(stmt, column)));
    }
    case SQLITE_BLOB: {
      const void* blob = sqlite3_column_blob(stmt, column);
      return add_blob(bytes_of(blob, sqlite3_column_bytes(stmt, column)));
    }
    default: return add_null();
  }
}

void RowBuffer::add_cell(const Cell& cell) {
  switch (cell.type) {
    case SQLITE_INTEGER: return add_integer(cell.integer);
    case SQLITE_FLOAT: return add_real(cell.real);
    case SQLITE_TEXT: return add_text(cell.bytes);
    case SQLITE_BLOB: return add_blob(cell.bytes);
    default: return add_null();
  }
}

void RowBuffer::append(const RowBuffer& other) {
  std::uint64_t base = size_;
  if (other.size_) std::memcpy(room(other.size_), other.data_.get(), other.size_);
  for (std::uint64_t offset : other.offsets_) offsets_.push_back(base + offset);
}

void RowBuffer::truncate(std::size_t rows) {
  if (rows >= offsets_.size()) return;
  size_ = offsets_[rows];
  offsets_.resize(rows);
}

Cell RowBuffer::read(const char*& at) {
  Cell cell;
  cell.type = *at++;
  switch (cell.type) {
    case SQLITE_INTEGER:
      std::memcpy(&cell.integer, at, 8);
      at += 8;
      break;
    case SQLITE_FLOAT:
      std::memcpy(&cell.real, at, 8);
      at += 8;
      break;
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
      std::uint32_t length;
      std::memcpy(&length, at, 4);
      cell.bytes = std::string_view(at + 4, length);
      at += 4 + length;
      break;
    }
    default: break;
  }
  return cell;
}

void RowBuffer::skip(const char*& at) {
  int type = *at++;
  if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
    at += 8;
  } else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
    std::uint32_t length;
    std::memcpy(&length, at, 4);
    at += 4 + length;
  }
}

Cell RowBuffer::cell(std::size_t row_index, int column) const {
  const char* at = row(row_index);
  for (int i = 0; i < column; i++) skip(at);
  return read(at);
}

void RowBuffer::result(sqlite3_context* context, const Cell& cell) {
  switch (cell.type) {
    case SQLITE_INTEGER: return sqlite3_result_int64(context, cell.integer);
    case SQLITE_FLOAT: return sqlite3_result_double(context, cell.real);
    case SQLITE_TEXT: return sqlite3_result_text64(context, cell.bytes.data(), cell.bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    case SQLITE_BLOB: return sqlite3_result_blob64(context, cell.bytes.data(), cell.bytes.size(), SQLITE_TRANSIENT);
    default: return sqlite3_result_null(context);
  }
}

namespace {

int rank(int type) {
  switch (type) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT: return 1;
    case SQLITE_TEXT: return 2;
    case SQLITE_BLOB: return 3;
    default: return 0;
  }
}

// long double holds every int64 and every double exactly on x86-64; elsewhere the sort order of such a mix may tie,
// which costs order inside a shard, never a row.
int compare_numbers(const Cell& a, const Cell& b) {
  if (a.type == SQLITE_INTEGER && b.type == SQLITE_INTEGER) return a.integer < b.integer ? -1 : a.integer > b.integer;
  long double x = a.type == SQLITE_INTEGER ? static_cast<long double>(a.integer) : static_cast<long double>(a.real);
  long double y = b.type == SQLITE_INTEGER ? static_cast<long double>(b.integer) : static_cast<long double>(b.real);
  return x < y ? -1 : x > y;
}

}  // namespace

int compare_cells(const Cell& a, const Cell& b) {
  if (int order = rank(a.type) - rank(b.type)) return order;
  if (rank(a.type) == 0) return 0;
  if (rank(a.type) == 1) return compare_numbers(a, b);
  int order = a.bytes.compare(b.bytes);
  return order;
}

}  // namespace ts
