// Encoding rows chunk by chunk, and writing the tables of a packed shard.
#include "ext/archive/packed_writer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "ext/base/page_checksum.h"

namespace ts {
namespace {

constexpr std::size_t kWholeSeries = 1500;  // a series with fewer rows is one chunk
constexpr std::size_t kChunkRows = 1024;    // otherwise about so many,
constexpr std::size_t kChunkBytes = 8000;   // or what takes about so many bytes: what does not fill a page is lost
constexpr std::size_t kFewestRows = 256;    // but so many

// Bytes beside the packed values: what both forms are compared by.
constexpr std::size_t kRowOverhead = 8;      // of a record: lengths, rowid, cell pointer
constexpr std::size_t kChunkOverhead = 24;   // id, n, t0, t1 and the record's own
constexpr std::size_t kColumnOverhead = 8;   // widths and base of one column of a chunk
constexpr std::size_t kSeriesOverhead = 28;  // first and last chunk, t0, t1
constexpr std::size_t kValueOverhead = 9;

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

int class_bit(int type) {
  switch (type) {
    case SQLITE_INTEGER: return kSawInteger;
    case SQLITE_FLOAT: return kSawReal;
    case SQLITE_TEXT: return kSawText;
    case SQLITE_BLOB: return kSawBlob;
    default: return kSawNull;
  }
}

std::uint64_t word_of(const Cell& cell) {
  return cell.type == SQLITE_FLOAT ? std::bit_cast<std::uint64_t>(cell.real) : static_cast<std::uint64_t>(cell.integer);
}

bool same_value(const Cell& a, const Cell& b) {
  if (a.type != b.type) return false;
  if (a.type == SQLITE_TEXT || a.type == SQLITE_BLOB) return a.bytes == b.bytes;
  return word_of(a) == word_of(b);
}

std::size_t hash_of(const Cell& cell) {
  std::size_t hash = cell.type == SQLITE_TEXT || cell.type == SQLITE_BLOB ? std::hash<std::string_view>()(cell.bytes)
                                                                          : static_cast<std::size_t>(word_of(cell));
  return (hash + static_cast<std::size_t>(cell.type)) * 0x9E3779B97F4A7C15ull >> 7;
}

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

// ---------------------------------------------------------------- values

void ValueTable::grow() {
  std::vector<std::uint32_t> slots(std::max<std::size_t>(1024, slots_.size() * 2), 0);
  for (std::uint32_t id = 1; id <= values_.size(); id++) {
    std::size_t at = hash_of(values_[id - 1]) & (slots.size() - 1);
    while (slots[at]) at = (at + 1) & (slots.size() - 1);
    slots[at] = id;
  }
  slots_ = std::move(slots);
}

std::int64_t ValueTable::id_of(const Cell& cell) {
  if (values_.size() * 2 >= slots_.size()) grow();
  std::size_t at = hash_of(cell) & (slots_.size() - 1);
  for (; slots_[at]; at = (at + 1) & (slots_.size() - 1)) {
    if (same_value(values_[slots_[at] - 1], cell)) return slots_[at];
  }
  values_.push_back(cell);
  slots_[at] = static_cast<std::uint32_t>(values_.size());
  return slots_[at];
}

// ---------------------------------------------------------------- encoding

PackedWriter::PackedWriter(const TableDef& table, const SealedPiece& piece)
    : table_(table), piece_(piece), columns_(value_columns(table.schema)), slot_(table.schema.columns.size(), -1) {
  for (std::size_t s = 0; s < columns_.size(); s++) {
    slot_[static_cast<std::size_t>(columns_[s])] = static_cast<int>(s);
    if (columns_[s] == table.schema.time_column) time_slot_ = s;
  }
  presence_.resize(columns_.size());
  collected_.resize(columns_.size());
  constexpr std::size_t kSparse = 4;  // rows of a series: fewer never pay
  if (piece.order.size() < piece.series_end.size() * kSparse && piece.series_end.size() > 64) {
    possible_ = false;
    return;
  }
  std::size_t begin = 0, chunk_rows = kChunkRows;
  for (std::uint32_t end : piece.series_end) {
    series_chunk_.push_back(chunks_.size());
    std::size_t rows = end - begin, parts = rows < kWholeSeries ? 1 : (rows + chunk_rows - 1) / chunk_rows;
    for (std::size_t p = 0; p < parts; p++) encode(begin + rows * p / parts, begin + rows * (p + 1) / parts);
    if (parts > 1 && chunk_rows == kChunkRows) {  // the first series that is cut tells how wide rows are
      const Chunk& first = chunks_[series_chunk_.back()];
      std::size_t rows_that_fit = kChunkBytes * static_cast<std::size_t>(first.rows) / first.bytes;
      chunk_rows = std::clamp(rows_that_fit, kFewestRows, kChunkRows);
    }
    packed_bytes_ += kSeriesOverhead;
    for (int tag : table.schema.tags()) {
      Cell cell = piece.rows->cell(piece.order[begin], tag);
      null_tags_ |= cell.type == SQLITE_NULL;
      packed_bytes_ += plain_bytes(cell);
      plain_bytes_ += rows * plain_bytes(cell);
    }
    begin = end;
  }
  series_chunk_.push_back(chunks_.size());
  plain_bytes_ += piece.order.size() * kRowOverhead;
  for (const Cell& value : values_.values()) packed_bytes_ += plain_bytes(value) + kValueOverhead;
  possible_ = can_be_packed(table, presence_);
}

void PackedWriter::collect(std::size_t begin, std::size_t end) {
  std::size_t count = end - begin;
  for (Collected& column : collected_) {
    column.classes = 0;
    column.words.resize(count);
    column.types.resize(count);
    column.bytes.resize(count);
  }
  // Rows lie anywhere in memory, so some are asked for ahead: lines of 64 bytes each.
  constexpr std::size_t kAhead = 8, kLine = 64;
  row_at_.resize(count);
  for (std::size_t i = 0; i < count; i++) row_at_[i] = piece_.rows->row(piece_.order[begin + i]);
  for (std::size_t i = 0; i < count; i++) {
    const char* ahead = row_at_[std::min(i + kAhead, count - 1)];
    for (std::size_t line = 0; line < 3; line++) __builtin_prefetch(ahead + line * kLine);
    const char* at = row_at_[i];
    for (int slot : slot_) {
      if (slot < 0) {
        RowBuffer::skip(at);
        continue;
      }
      Collected& column = collected_[static_cast<std::size_t>(slot)];
      int type = *at;
      column.classes |= class_bit(type);
      column.types[i] = static_cast<std::uint8_t>(type);
      if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        std::int64_t word;
        std::memcpy(&word, at + 1, 8);
        at += 9;
        column.words[i] = word;
        plain_bytes_ += type == SQLITE_FLOAT ? 9 : plain_bytes(word);
      } else {
        Cell cell = RowBuffer::read(at);
        column.bytes[i] = cell.bytes;
        column.words[i] = 0;
        plain_bytes_ += plain_bytes(cell);
      }
    }
  }
}

void PackedWriter::encode(std::size_t begin, std::size_t end) {
  collect(begin, end);
  Chunk chunk;
  chunk.first = static_cast<std::int64_t>(begin);
  chunk.rows = static_cast<std::int64_t>(end - begin);
  chunk.t0 = collected_[time_slot_].words.front();
  chunk.t1 = collected_[time_slot_].words.back();
  chunk.columns.reserve(columns_.size());
  chunk.bytes = kChunkOverhead;
  for (std::size_t s = 0; s < columns_.size(); s++) {
    chunk.columns.push_back(pack_column(collected_[s]));
    const OwnedPacked& packed = chunk.columns.back();
    presence_[s].add(packed, s == time_slot_, chunk.t0);
    presence_[s].of_class &= cast_keeps(table_.schema.columns[static_cast<std::size_t>(columns_[s])].type, collected_[s].classes);
    chunk.bytes += packed.size() + kColumnOverhead;
  }
  packed_bytes_ += chunk.bytes;
  chunks_.push_back(std::move(chunk));
}

OwnedPacked PackedWriter::pack_column(Collected& column) {
  const std::uint8_t* nulls = nullptr;
  if (column.classes & kSawNull) {
    column.nulls.resize(column.types.size());
    for (std::size_t i = 0; i < column.types.size(); i++) column.nulls[i] = column.types[i] == SQLITE_NULL;
    nulls = column.nulls.data();
  }
  int classes = column.classes & ~kSawNull;
  if (classes == 0 || classes == kSawInteger) {
    if (auto packed = pack(column.words.data(), nulls, column.words.size())) return std::move(*packed);
  }
  if (classes == kSawReal) return pack_reals(column, nulls);
  return pack_values(column, nulls);
}

OwnedPacked PackedWriter::pack_reals(Collected& column, const std::uint8_t* nulls) {
  std::size_t count = column.words.size();
  std::vector<double> reals(count);
  for (std::size_t i = 0; i < count; i++) reals[i] = std::bit_cast<double>(column.words[i]);
  std::vector<std::int64_t> integers(count);
  if (auto digits = decimal_digits(reals.data(), nulls, count, integers.data())) {
    OwnedPacked packed = *pack(integers.data(), nulls, count);  // within 53 bits: always possible
    packed.kind = PackedKind::kDecimal;
    packed.scale = power_of_ten(*digits);
    return packed;
  }
  OwnedPacked packed = *pack(column.words.data(), nulls, count);  // all bits set are a NaN, which SQLite never stores
  packed.kind = PackedKind::kIeee;
  // Few distinct doubles are cheaper as ids of values.
  std::unordered_set<std::int64_t> distinct;
  constexpr std::size_t kValueBytes = 9 + kValueOverhead;
  for (std::size_t i = 0; i < count && distinct.size() * kValueBytes < packed.size(); i++) {
    if (!nulls || !nulls[i]) distinct.insert(column.words[i]);
  }
  std::size_t index_bytes = count * static_cast<std::size_t>(std::bit_width(distinct.size())) / 8;
  if (distinct.size() * kValueBytes + index_bytes < packed.size()) return pack_values(column, nulls);
  for (std::size_t i = 0; i < count; i++) {
    if (!nulls || !nulls[i]) exponents_.insert(static_cast<int>(static_cast<std::uint64_t>(column.words[i]) >> 52 & 2047));
  }
  return packed;
}

OwnedPacked PackedWriter::pack_values(Collected& column, const std::uint8_t* nulls) {
  std::vector<std::int64_t> ids(column.words.size());
  for (std::size_t i = 0; i < ids.size(); i++) {
    if (nulls && nulls[i]) continue;
    Cell cell;
    cell.type = column.types[i];
    cell.integer = column.words[i];
    cell.real = std::bit_cast<double>(column.words[i]);
    cell.bytes = column.bytes[i];
    ids[i] = values_.id_of(cell);
  }
  OwnedPacked packed = *pack(ids.data(), nulls, ids.size());
  packed.kind = PackedKind::kValue;
  return packed;
}

// ---------------------------------------------------------------- writing

// What the chunk's row takes in a page of the chunk table, exactly (https://sqlite.org/fileformat2.html, section 2.1).
std::size_t PackedWriter::record_bytes(const Chunk& chunk) const {
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
int PackedWriter::page_size() const {
  constexpr std::size_t kTables = 6;  // each has a page of its own at least
  constexpr std::size_t kHead = 8 + kPageChecksumBytes;    // bytes of a page that are no row's
  constexpr std::size_t kWhole = 35 + kPageChecksumBytes;  // a record that leaves fewer than so many of a page lies in several
  constexpr std::size_t kLargest = 65536;
  std::size_t best = kLargest, best_bytes = SIZE_MAX, chunk_bytes = 0;
  std::vector<std::size_t> records;
  for (const Chunk& chunk : chunks_) {
    chunk_bytes += chunk.bytes;
    records.push_back(record_bytes(chunk));
  }
  for (std::size_t page = packed_bytes_ < (1u << 20) ? 4096 : 16384; page <= kLargest; page *= 2) {
    std::size_t pages = kTables + (packed_bytes_ - chunk_bytes) / page, left = 0, room = page - kHead;
    bool whole = true;
    for (std::size_t record : records) {
      whole &= record <= page - kWhole;
      if (record > left) {
        pages += 1 + record / room;
        left = room;
      }
      left -= std::min(left, record);
    }
    if (!whole && page != kLargest) continue;  // a chunk shall not lie in pieces all over the file
    // A larger page must be worth it: whoever wants one chunk reads a page.
    if (pages * page + pages * page / 50 < best_bytes) {
      best = page;
      best_bytes = pages * page;
    }
  }
  return static_cast<int>(best);
}

void PackedWriter::write(Database& db, const std::function<void()>& meta) const {
  PackedNames names(table_);
  // All roots and the view first, so that they lie in the file's first pages.
  for (const std::string& sql : packed_tables_sql(table_, presence_, null_tags_)) db.exec(sql);
  meta();
  write_series(db);
  std::int64_t most = 0;
  for (const Chunk& chunk : chunks_) most = std::max(most, chunk.rows);
  db.exec("WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(most - 1) + ") INSERT INTO main." +
          quote_identifier(names.number) + " SELECT i FROM n");
  if (!exponents_.empty()) {
    Statement insert = db.prepare(insert_sql(names.power, 2));
    for (int e : exponents_) {
      Cell power;
      power.type = SQLITE_FLOAT;
      power.real = e == 2047 ? std::numeric_limits<double>::infinity() : std::ldexp(1.0, e == 0 ? -1074 : e - 1075);
      insert.bind(1, static_cast<std::int64_t>(e));
      bind_cell(insert.get(), 2, power);
      insert.run();
    }
  }
  write_chunks(db);
  if (values_.values().empty()) return;
  Statement insert = db.prepare(insert_sql(names.value, 2));
  std::int64_t id = 1;
  for (const Cell& value : values_.values()) {
    insert.bind(1, id++);
    bind_cell(insert.get(), 2, value);
    insert.run();
  }
}

void PackedWriter::write_series(Database& db) const {
  std::vector<int> tags = table_.schema.tags();
  int tag_count = static_cast<int>(tags.size());
  Statement insert = db.prepare(insert_sql(PackedNames(table_).series, tag_count + 4));
  for (std::size_t s = 0; s + 1 < series_chunk_.size(); s++) {
    const Chunk &first = chunks_[series_chunk_[s]], &last = chunks_[series_chunk_[s + 1] - 1];
    std::uint32_t row = piece_.order[static_cast<std::size_t>(first.first)];
    for (int t = 0; t < tag_count; t++) bind_cell(insert.get(), t + 1, piece_.rows->cell(row, tags[static_cast<std::size_t>(t)]));
    insert.bind(tag_count + 1, first.first + 1).bind(tag_count + 2, last.first + 1);
    insert.bind(tag_count + 3, first.t0).bind(tag_count + 4, last.t1);
    insert.run();
  }
}

void PackedWriter::write_chunks(Database& db) const {
  struct Field {
    std::size_t column;
    int part;
  };
  std::vector<Field> fields;
  for (std::size_t c = 0; c < presence_.size(); c++) {
    for (int p = 0; p < kPackedParts; p++) {
      if (presence_[c].part[p]) fields.push_back({c, p});
    }
  }
  Statement insert = db.prepare(insert_sql(PackedNames(table_).chunk, 4 + static_cast<int>(fields.size())));
  for (const Chunk& chunk : chunks_) {
    insert.bind(1, chunk.first + 1).bind(2, chunk.rows).bind(3, chunk.t0).bind(4, chunk.t1);
    int index = 5;
    for (const Field& field : fields) bind_cell(insert.get(), index++, part_cell(chunk.columns[field.column].view(), field.part));
    insert.run();
  }
}

}  // namespace ts
