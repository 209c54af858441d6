// Columns of a chunk by the class of their values; values that are no numbers by their ids.
#include "ext/archive/chunk_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_set>

#include "ext/archive/packed_tables.h"

namespace ts {
namespace {

constexpr std::size_t kChunkBytes = 8000;  // of a chunk of wide rows, about: what does not fill a page is lost
constexpr std::size_t kFewestRows = 256;   // but so many rows

// Bytes beside the packed values: what both forms are compared by.
constexpr std::size_t kRowOverhead = 8;      // of a record: lengths, rowid, cell pointer
constexpr std::size_t kChunkOverhead = 24;   // id, n, t0, t1 and the record's own
constexpr std::size_t kColumnOverhead = 8;   // widths and base of one column of a chunk
constexpr std::size_t kSeriesOverhead = 28;  // first and last chunk, t0, t1
constexpr std::size_t kValueOverhead = 9;

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

}  // namespace

// ---------------------------------------------------------------- values

void ValueTable::grow() {
  std::vector<std::uint32_t> slots(std::max<std::size_t>(1024, slots_.size() * 2), 0);
  for (std::uint32_t place = 1; place <= values_.size(); place++) {
    std::size_t at = hash_of(values_[place - 1]) & (slots.size() - 1);
    while (slots[at]) at = (at + 1) & (slots.size() - 1);
    slots[at] = place;
  }
  slots_ = std::move(slots);
}

std::int64_t ValueTable::id_of(const Cell& cell) {
  if (values_.size() * 2 >= slots_.size()) grow();
  std::size_t at = hash_of(cell) & (slots_.size() - 1);
  for (; slots_[at]; at = (at + 1) & (slots_.size() - 1)) {
    if (same_value(values_[slots_[at] - 1], cell)) return first_id_ + slots_[at] - 1;
  }
  values_.push_back(cell);
  if (bytes_ == Bytes::kCopy && !cell.bytes.empty()) {
    values_.back().bytes = copies_.emplace_back(cell.bytes);
    copied_ += cell.bytes.size();
  }
  slots_[at] = static_cast<std::uint32_t>(values_.size());
  return first_id_ + slots_[at] - 1;
}

void ValueTable::forget() {
  first_id_ += static_cast<std::int64_t>(values_.size());
  values_.clear();
  copies_.clear();
  slots_.clear();
  copied_ = 0;
}

// ---------------------------------------------------------------- encoding

ChunkEncoder::ChunkEncoder(const TableDef& table, ValueTable& values)
    : table_(table),
      values_(values),
      columns_(value_columns(table.schema)),
      slot_(table.schema.columns.size(), -1),
      tags_(table.schema.tags()),
      presence_(columns_.size()),
      collected_(columns_.size()) {
  for (std::size_t s = 0; s < columns_.size(); s++) {
    slot_[static_cast<std::size_t>(columns_[s])] = static_cast<int>(s);
    if (columns_[s] == table.schema.time_column) time_slot_ = s;
  }
}

void ChunkEncoder::collect(const std::vector<const char*>& rows) {
  std::size_t count = rows.size();
  for (Collected& column : collected_) {
    column.classes = 0;
    column.words.resize(count);
    column.types.resize(count);
    column.bytes.resize(count);
  }
  // Rows lie anywhere in memory, so some are asked for ahead: lines of 64 bytes each.
  constexpr std::size_t kAhead = 8, kLine = 64;
  for (std::size_t i = 0; i < count; i++) {
    const char* ahead = rows[std::min(i + kAhead, count - 1)];
    for (std::size_t line = 0; line < 3; line++) __builtin_prefetch(ahead + line * kLine);
    const char* at = rows[i];
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
        plain_bytes_ += type == SQLITE_FLOAT ? 9 : ts::plain_bytes(word);
      } else {
        Cell cell = RowBuffer::read(at);
        column.bytes[i] = cell.bytes;
        column.words[i] = 0;
        plain_bytes_ += ts::plain_bytes(cell);
      }
    }
  }
}

EncodedChunk ChunkEncoder::encode(const std::vector<const char*>& rows, std::int64_t first) {
  collect(rows);
  EncodedChunk chunk;
  chunk.first = first;
  chunk.rows = static_cast<std::int64_t>(rows.size());
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
  chunk_bytes_ += chunk.bytes;
  most_rows_ = std::max(most_rows_, chunk.rows);
  return chunk;
}

void ChunkEncoder::end_series(const char* row, std::size_t rows) {
  packed_bytes_ += kSeriesOverhead;
  plain_bytes_ += rows * kRowOverhead;
  int column = 0;
  for (int tag : tags_) {
    for (; column < tag; column++) RowBuffer::skip(row);
    Cell cell = RowBuffer::read(row);
    column++;
    null_tags_ |= cell.type == SQLITE_NULL;
    packed_bytes_ += ts::plain_bytes(cell);
    plain_bytes_ += rows * ts::plain_bytes(cell);
  }
}

void ChunkEncoder::learn(const EncodedChunk& chunk) {
  if (chunk_rows_ != kChunkRows) return;
  chunk_rows_ = std::clamp(kChunkBytes * static_cast<std::size_t>(chunk.rows) / chunk.bytes, kFewestRows, kChunkRows);
}

void ChunkEncoder::count_value(const Cell& value) { packed_bytes_ += ts::plain_bytes(value) + kValueOverhead; }

OwnedPacked ChunkEncoder::pack_column(Collected& column) {
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

OwnedPacked ChunkEncoder::pack_reals(Collected& column, const std::uint8_t* nulls) {
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

OwnedPacked ChunkEncoder::pack_values(Collected& column, const std::uint8_t* nulls) {
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

}  // namespace ts
