// Records, pages and statements of a packed shard's tables.
#include "ext/archive/packed_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ext/base/page_checksum.h"

namespace ts {

std::size_t plain_bytes(std::int64_t integer) {
  static constexpr std::uint8_t kBytes[65] = {2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4,
                                              4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                              7, 7, 7, 7, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
  auto magnitude = static_cast<std::uint64_t>(integer ^ (integer >> 63));  // without the bit of the sign
  return static_cast<std::uint64_t>(integer) <= 1 ? 1 : kBytes[std::bit_width(magnitude)];
}

std::size_t plain_bytes(const Cell& cell) {
  switch (cell.type) {
    case SQLITE_INTEGER: return plain_bytes(cell.integer);
    case SQLITE_FLOAT: return 9;
    case SQLITE_TEXT:
    case SQLITE_BLOB: return cell.bytes.size() + (cell.bytes.size() < 58 ? 1 : 2);
    default: return 1;
  }
}

namespace {

constexpr std::size_t kLargestPage = 65536;

void bind_cell(sqlite3_stmt* stmt, int index, const Cell& cell) {
  int rc = SQLITE_OK;
  switch (cell.type) {
    case SQLITE_INTEGER: rc = sqlite3_bind_int64(stmt, index, cell.integer); break;
    case SQLITE_FLOAT: rc = sqlite3_bind_double(stmt, index, cell.real); break;
    case SQLITE_TEXT: rc = sqlite3_bind_text64(stmt, index, cell.bytes.data(), cell.bytes.size(), SQLITE_STATIC, SQLITE_UTF8); break;
    case SQLITE_BLOB:
      rc = cell.bytes.empty() ? sqlite3_bind_zeroblob(stmt, index, 0)
                              : sqlite3_bind_blob64(stmt, index, cell.bytes.data(), cell.bytes.size(), SQLITE_STATIC);
      break;
    default: rc = sqlite3_bind_null(stmt, index);
  }
  if (rc != SQLITE_OK) throw_sqlite(sqlite3_db_handle(stmt), rc, "cannot bind a parameter");
}

Cell integer_cell(std::int64_t value) {
  Cell cell;
  cell.type = SQLITE_INTEGER;
  cell.integer = value;
  return cell;
}

Cell blob_cell(std::string_view bytes) {
  Cell cell;
  cell.type = SQLITE_BLOB;
  cell.bytes = bytes;
  return cell;
}

Cell scale_cell(const PackedColumn& column) {
  Cell cell;
  if (column.all_null || column.kind == PackedKind::kInteger) return cell;
  cell.type = column.kind == PackedKind::kDecimal ? SQLITE_FLOAT : SQLITE_TEXT;
  cell.real = column.scale;
  cell.bytes = column.kind == PackedKind::kIeee ? "ieee" : "value";
  return cell;
}

Cell part_cell(const PackedColumn& column, int part) {
  switch (part) {
    case kBase: return column.all_null ? Cell() : integer_cell(column.base);
    case kSlope: return integer_cell(column.slope);
    case kScale: return scale_cell(column);
    case kNull:
      if (!column.nullable || column.all_null) return Cell();
      return integer_cell(column.bits == 64 ? -1 : (std::int64_t{1} << column.bits) - 1);
    case kStep: return integer_cell(column.step);
    case kMiniBits: return integer_cell(column.mini_bits);
    case kMini: return blob_cell(column.mini);
    case kBits: return integer_cell(column.bits);
    default: return blob_cell(column.data);
  }
}

std::string insert_sql(const std::string& table, int columns) {
  std::string sql = "INSERT INTO main." + quote_identifier(table) + " VALUES(";
  for (int i = 1; i <= columns; i++) sql += (i > 1 ? ",?" : "?") + std::to_string(i);
  return sql + ")";
}

}  // namespace

// ---------------------------------------------------------------- pages

// What the chunk's row takes in a page of the chunk table, exactly (https://sqlite.org/fileformat2.html, section 2.1).
std::size_t PageChoice::record_bytes(const EncodedChunk& chunk) const {
  auto varint = [](std::uint64_t value) {
    return static_cast<std::size_t>(std::max(1, (static_cast<int>(std::bit_width(value)) + 6) / 7));
  };
  std::size_t header = 1, body = 0;  // the id is no part of the record but for a type
  auto add = [&](const Cell& cell) {
    bool bytes = cell.type == SQLITE_TEXT || cell.type == SQLITE_BLOB;
    header += bytes ? varint(cell.bytes.size() * 2 + 13) : 1;
    body += bytes ? cell.bytes.size() : plain_bytes(cell) - 1;
  };
  for (std::int64_t number : {chunk.rows, chunk.t0, chunk.t1}) add(integer_cell(number));
  for (std::size_t c = 0; c < presence_.size(); c++) {
    const PackedColumn column = chunk.columns[c].view();
    for (int p = 0; p < kPackedParts; p++) {
      if (presence_[c].part[p]) add(part_cell(column, p));
    }
  }
  std::size_t record = header + varint(header + 2) + body;
  constexpr std::size_t kCellPointer = 2;
  return record + varint(record) + varint(static_cast<std::uint64_t>(chunk.first + 1)) + kCellPointer;
}

// From about 1 MB on at least 16 KiB, so that all navigation lies in the first pages (DESIGN section 3).
PageChoice::PageChoice(const ChunkEncoder& encoder) : presence_(encoder.presence()) {
  constexpr std::size_t kTables = 6;  // each has a page of its own at least
  for (std::size_t page = encoder.packed_bytes() < (1u << 20) ? 4096 : 16384; page <= kLargestPage; page *= 2) {
    candidates_.push_back({page, kTables + (encoder.packed_bytes() - encoder.chunk_bytes()) / page});
  }
}

void PageChoice::add(const EncodedChunk& chunk) {
  constexpr std::size_t kHead = 8 + kPageChecksumBytes;    // bytes of a page that are no row's
  constexpr std::size_t kWhole = 35 + kPageChecksumBytes;  // a record that leaves fewer than so many of a page lies in several
  const std::size_t record = record_bytes(chunk);
  for (Candidate& candidate : candidates_) {
    candidate.whole &= record <= candidate.page - kWhole;
    if (record > candidate.left) {
      candidate.pages += 1 + record / (candidate.page - kHead);
      candidate.left = candidate.page - kHead;
    }
    candidate.left -= std::min(candidate.left, record);
  }
}

int PageChoice::best() const {
  std::size_t best = kLargestPage, best_bytes = SIZE_MAX;
  for (const Candidate& candidate : candidates_) {
    if (!candidate.whole && candidate.page != kLargestPage) continue;  // a chunk shall not lie in pieces all over the file
    // A larger page must be worth it: whoever wants one chunk reads a page.
    const std::size_t bytes = candidate.pages * candidate.page;
    if (bytes + bytes / 50 >= best_bytes) continue;
    best = candidate.page;
    best_bytes = bytes;
  }
  return static_cast<int>(best);
}

// ---------------------------------------------------------------- tables

PackedTables::PackedTables(Database& db, const TableDef& table, const ChunkEncoder& encoder, const std::function<void()>& meta)
    : db_(db), encoder_(encoder), names_(table), tag_count_(static_cast<int>(table.schema.tags().size())) {
  const std::vector<Presence>& presence = encoder.presence();
  // All roots and the view first, so that they lie in the file's first pages.
  for (const std::string& sql : packed_tables_sql(table, presence, encoder.null_tags())) db.exec(sql);
  meta();
  bool values = false;
  for (std::size_t c = 0; c < presence.size(); c++) {
    for (int p = 0; p < kPackedParts; p++) {
      if (presence[c].part[p]) fields_.push_back({c, p});
    }
    values |= presence[c].kind[static_cast<int>(PackedKind::kValue)];
  }
  series_ = db.prepare(insert_sql(names_.series, tag_count_ + 4));
  chunk_ = db.prepare(insert_sql(names_.chunk, 4 + static_cast<int>(fields_.size())));
  if (values) value_ = db.prepare(insert_sql(names_.value, 2));
}

void PackedTables::series(const std::vector<Cell>& tags, std::int64_t first, std::int64_t last, std::int64_t t0, std::int64_t t1) {
  for (int t = 0; t < tag_count_; t++) bind_cell(series_.get(), t + 1, tags[static_cast<std::size_t>(t)]);
  series_.bind(tag_count_ + 1, first + 1).bind(tag_count_ + 2, last + 1).bind(tag_count_ + 3, t0).bind(tag_count_ + 4, t1);
  series_.run();
}

// What the view alone needs: numbers of rows, factors of exponents.
void PackedTables::end_series() {
  db_.exec("WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(encoder_.most_rows() - 1) +
           ") INSERT INTO main." + quote_identifier(names_.number) + " SELECT i FROM n");
  if (encoder_.exponents().empty()) return;
  Statement insert = db_.prepare(insert_sql(names_.power, 2));
  for (int e : encoder_.exponents()) {
    Cell power;
    power.type = SQLITE_FLOAT;
    power.real = e == 2047 ? std::numeric_limits<double>::infinity() : std::ldexp(1.0, e == 0 ? -1074 : e - 1075);
    insert.bind(1, static_cast<std::int64_t>(e));
    bind_cell(insert.get(), 2, power);
    insert.run();
  }
}

void PackedTables::chunk(const EncodedChunk& chunk) {
  chunk_.bind(1, chunk.first + 1).bind(2, chunk.rows).bind(3, chunk.t0).bind(4, chunk.t1);
  int index = 5;
  for (const Field& field : fields_) bind_cell(chunk_.get(), index++, part_cell(chunk.columns[field.column].view(), field.part));
  chunk_.run();
}

void PackedTables::value(std::int64_t id, const Cell& value) {
  value_.bind(1, id);
  bind_cell(value_.get(), 2, value);
  value_.run();
}

}  // namespace ts
