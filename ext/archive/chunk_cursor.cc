// Reading a chunk's row, and decoding its columns.
#include "ext/archive/chunk_cursor.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ts {

Cell DecodedColumn::cell(std::size_t row) const {
  const OwnedValue* owned = &constant;
  Cell cell;
  if (form != Form::kConstant) {
    if (is_null(row)) return cell;
    if (form == Form::kInteger || form == Form::kReal) {
      cell.type = form == Form::kInteger ? SQLITE_INTEGER : SQLITE_FLOAT;
      form == Form::kInteger ? void(cell.integer = integers[row]) : void(cell.real = reals[row]);
      return cell;
    }
    owned = &values[static_cast<std::size_t>(integers[row])];
  }
  return owned->cell();
}

ChunkCursor::ChunkCursor(const PackedShard& shard, const std::vector<int>& columns, Direction direction)
    : shard_(shard), direction_(direction), slot_(shard.table().schema.columns.size(), -1) {
  const Schema& schema = shard.table().schema;
  auto want = [&](int column) {
    int& slot = slot_[static_cast<std::size_t>(column)];
    if (schema.columns[static_cast<std::size_t>(column)].tag || slot >= 0) return;
    slot = static_cast<int>(wanted_.size());
    wanted_.push_back(column);
  };
  want(schema.time_column);
  for (int column : columns) want(column);
  packed_.resize(wanted_.size());
  null_codes_.resize(wanted_.size());
  std::string sql = "SELECT id, n, t0, t1";
  for (const PackedShard::Part& part : shard.parts()) {
    int slot = slot_[static_cast<std::size_t>(shard.value_columns()[static_cast<std::size_t>(part.value)])];
    if (slot < 0) continue;
    selected_.push_back({part.part, static_cast<std::size_t>(slot)});
    sql += ", " + quote_identifier(part.name);
  }
  select_ =
      shard.db().prepare(sql + " FROM main." + quote_identifier(shard.names().chunk) +
                         " WHERE id BETWEEN ?1 AND ?2 AND t1>=?3 AND t0<=?4 ORDER BY id" + (direction == Direction::kUp ? "" : " DESC"));
}

void ChunkCursor::seek(std::int64_t first_chunk, std::int64_t last_chunk, std::int64_t from, std::int64_t to) {
  ended_ = false;
  last_id_ = direction_ == Direction::kUp ? last_chunk : first_chunk;
  select_.reset();
  select_.bind(1, first_chunk).bind(2, last_chunk).bind(3, from).bind(4, to);
}

bool ChunkCursor::next() {
  if (ended_ || !select_.step()) return false;
  read_row();
  ended_ = id_ == last_id_;
  return true;
}

void ChunkCursor::read_row() {
  id_ = select_.int64(0);
  std::int64_t rows = select_.int64(1);
  t0_ = select_.int64(2);
  t1_ = select_.int64(3);
  if (rows < 1 || rows > static_cast<std::int64_t>(kMaxChunkRows) || id_ < 1) shard_.refuse("a chunk has an impossible number of rows");
  rows_ = static_cast<std::size_t>(rows);
  for (std::size_t w = 0; w < wanted_.size(); w++) {
    packed_[w] = PackedColumn();
    packed_[w].all_null = !shard_.columns().holds(wanted_[w]);
    if (wanted_[w] == shard_.table().schema.time_column) packed_[w].base = t0_;
  }
  sqlite3_stmt* row = select_.get();
  int at = 4;
  for (const Selected& selected : selected_) {
    PackedColumn& column = packed_[selected.slot];
    auto small = [&] { return static_cast<int>(std::clamp<std::int64_t>(sqlite3_column_int64(row, at), -1, 1000)); };
    auto blob = [&] {
      const void* bytes = sqlite3_column_blob(row, at);
      return bytes ? std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(row, at)))
                   : std::string_view();
    };
    switch (selected.part) {
      case kBase:
        column.base = sqlite3_column_int64(row, at);
        column.all_null = column.base == 0 && sqlite3_column_type(row, at) == SQLITE_NULL;
        break;
      case kSlope: column.slope = sqlite3_column_int64(row, at); break;
      case kScale:
        switch (sqlite3_column_type(row, at)) {
          case SQLITE_NULL: break;
          case SQLITE_FLOAT:
            column.kind = PackedKind::kDecimal;
            column.scale = sqlite3_column_double(row, at);
            break;
          default: {
            std::string kind = select_.text(at);
            if (kind != "ieee" && kind != "value") shard_.refuse("a chunk has a kind of values that this version does not know");
            column.kind = kind == "ieee" ? PackedKind::kIeee : PackedKind::kValue;
          }
        }
        break;
      case kNull:
        column.nullable = sqlite3_column_type(row, at) != SQLITE_NULL;
        null_codes_[selected.slot] = sqlite3_column_int64(row, at);
        break;
      case kStep: column.step = small(); break;
      case kMiniBits: column.mini_bits = small(); break;
      case kMini: column.mini = blob(); break;
      case kBits: column.bits = small(); break;
      default: column.data = blob();
    }
    at++;
  }
  for (std::size_t w = 0; w < wanted_.size(); w++) {
    const PackedColumn& column = packed_[w];
    if (const char* fault = packed_fault(column, rows_)) {
      throw Error(Code::kCorrupt, "shard: damaged chunk in " + shard_.object() + ": " + fault);
    }
    if (column.nullable && null_codes_[w] != (column.bits == 64 ? -1 : (std::int64_t{1} << column.bits) - 1)) {
      shard_.refuse("a chunk has a code for NULL that no packed shard has");
    }
  }
}

const PackedColumn& ChunkCursor::packed(int column) const {
  return packed_[static_cast<std::size_t>(slot_[static_cast<std::size_t>(column)])];
}

void ChunkCursor::times(std::vector<std::int64_t>& out) const {
  const PackedColumn& column = packed(shard_.table().schema.time_column);
  if (column.all_null || column.nullable || column.kind != PackedKind::kInteger) shard_.refuse("a row without a time");
  out.resize(rows_);
  unpack(column, 0, rows_, out.data(), nullptr);
  if (out.front() != t0_ || out.back() != t1_ || !std::is_sorted(out.begin(), out.end())) {
    shard_.refuse("the times of a chunk are not what its directory says");
  }
}

void ChunkCursor::decode(int column_index, std::size_t begin, std::size_t end, DecodedColumn& out) {
  const PackedColumn& column = packed(column_index);
  std::size_t count = end - begin;
  out.nulls.clear();
  out.values.clear();
  if (column.all_null) {
    out.form = DecodedColumn::Form::kConstant;
    out.constant = OwnedValue();
    return;
  }
  out.integers.resize(count);
  if (column.nullable) out.nulls.resize(count);
  unpack(column, begin, end, out.integers.data(), out.nulls.data());
  switch (column.kind) {
    case PackedKind::kInteger: out.form = DecodedColumn::Form::kInteger; break;
    case PackedKind::kDecimal:
      out.form = DecodedColumn::Form::kReal;
      out.reals.resize(count);
      to_reals(out.integers.data(), count, column.scale, out.reals.data());
      break;
    case PackedKind::kIeee:
      out.form = DecodedColumn::Form::kReal;
      out.reals.resize(count);
      for (std::size_t i = 0; i < count; i++) {
        out.reals[i] = std::bit_cast<double>(out.integers[i]);
        if (std::isnan(out.reals[i]) && !out.is_null(i)) shard_.refuse("a number that is none");
      }
      break;
    case PackedKind::kValue:
      out.form = DecodedColumn::Form::kValue;
      load_values(out);
      break;
  }
}

// Ids of values become indexes of `out.values`.
void ChunkCursor::load_values(DecodedColumn& out) {
  if (!shard_.has_values()) shard_.refuse("lacks the table of values that a chunk needs");
  if (!value_) {
    value_ =
        shard_.db().prepare("SELECT id, v FROM main." + quote_identifier(shard_.names().value) + " WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
  }
  std::vector<std::int64_t> ids;
  ids.reserve(out.integers.size());
  for (std::size_t i = 0; i < out.integers.size(); i++) {
    if (out.is_null(i)) {
      out.integers[i] = 0;
    } else {
      ids.push_back(out.integers[i]);
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  // Ids that lie together come in one go; a few in between that are not wanted cost less than another search.
  constexpr std::uint64_t kGap = 8;
  out.values.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && static_cast<std::uint64_t>(ids[last + 1]) - static_cast<std::uint64_t>(ids[last]) <= kGap) last++;
    value_.reset();
    value_.bind(1, ids[i]).bind(2, ids[last]);
    while (i <= last && value_.step()) {
      if (value_.int64(0) != ids[i]) continue;
      out.values.push_back(OwnedValue::of(sqlite3_column_value(value_.get(), 1)));
      i++;
    }
    if (i <= last) shard_.refuse("lacks a value that a chunk needs");
  }
  value_.reset();
  for (std::size_t i = 0; i < out.integers.size(); i++) {
    if (!out.is_null(i)) out.integers[i] = std::lower_bound(ids.begin(), ids.end(), out.integers[i]) - ids.begin();
  }
}

}  // namespace ts
