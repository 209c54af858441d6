// Checking the tables of a packed shard, reading its series and chunks, and decoding columns.
#include "ext/archive/packed_shard.h"

#include <strings.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "ext/base/sql_tokens.h"

namespace ts {
namespace {

using Wide = __int128;

bool same_text(const std::string& a, const std::string& b) { return ::strcasecmp(a.c_str(), b.c_str()) == 0; }

}  // namespace

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
  cell.type = owned->type;
  cell.integer = owned->integer;
  cell.real = owned->real;
  cell.bytes = owned->bytes;
  return cell;
}

// ---------------------------------------------------------------- the file's tables

PackedShard::PackedShard(Database& db, TablePtr table, std::string object)
    : db_(db), table_(std::move(table)), object_(std::move(object)), names_(*table_), value_columns_(ts::value_columns(table_->schema)) {
  // Ordinary tables only, and the view, which is for others: it is never run here.
  Statement entries =
      db_.prepare("SELECT type, name, rootpage, coalesce(sql,'') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  bool series = false, chunk = false, meta = false;
  while (entries.step()) {
    std::string type = entries.text(0), name = entries.text(1);
    bool stored = entries.int64(2) > 0;
    auto is_table = [&](const std::string& wanted) { return type == "table" && stored && same_text(name, wanted); };
    series |= is_table(names_.series);
    chunk |= is_table(names_.chunk);
    meta |= is_table("timeseries_meta");
    has_values_ |= is_table(names_.value);
    bool known = is_table(names_.series) || is_table(names_.chunk) || is_table("timeseries_meta") || is_table(names_.value) ||
                 is_table(names_.number) || is_table(names_.power) || (type == "view" && same_text(name, table_->name)) ||
                 (type == "index" && stored && same_text(name, names_.series_index));
    if (!known) refuse(std::string("holds ") + (type == "index" ? "an " : "a ") + type + " that no packed shard has, " + in_quotes(name));
  }
  if (!series || !chunk || !meta) refuse("does not hold the tables of a packed shard");
  check_series_columns();
  read_chunk_columns();
}

void PackedShard::refuse(const std::string& why) const { throw Error(Code::kCorrupt, "shard: " + why + ": " + object_); }

void PackedShard::check_series_columns() {
  std::vector<std::string> wanted;
  for (int tag : table_->schema.tags()) wanted.push_back(table_->schema.columns[static_cast<std::size_t>(tag)].name);
  wanted.insert(wanted.end(), names_.series_fields.begin(), names_.series_fields.end());
  Statement info = db_.prepare("PRAGMA main.table_xinfo(" + quote_identifier(names_.series) + ")");
  std::size_t at = 0;
  for (; info.step(); at++) {
    if (at >= wanted.size() || !same_text(info.text(1), wanted[at]) || info.int64(6) != 0)
      refuse("its series table is not what its schema says");
  }
  if (at != wanted.size()) refuse("its series table is not what its schema says");
}

void PackedShard::read_chunk_columns() {
  static const char* const kFixed[] = {"id", "n", "t0", "t1"};
  Statement info = db_.prepare("PRAGMA main.table_xinfo(" + quote_identifier(names_.chunk) + ")");
  std::size_t at = 0, value = 0;
  int part = 0;
  for (; info.step(); at++) {
    std::string name = info.text(1);
    bool good = info.int64(6) == 0;
    if (at < 4) {
      good &= same_text(name, kFixed[at]) && (info.int64(5) == 1) == (at == 0);
    } else {
      // In the order of the schema's columns and of their parts; those that were not needed are left out.
      bool found = false;
      while (!found && value < value_columns_.size()) {
        const std::string& column = table_->schema.columns[static_cast<std::size_t>(value_columns_[value])].name;
        found = same_text(name, column + part_suffix(static_cast<PackedPart>(part)));
        if (found) parts_.push_back({name, static_cast<int>(value), static_cast<PackedPart>(part)});
        if (++part == kPackedParts) part = 0, value++;
      }
      good &= found;
    }
    if (!good) refuse("its chunk table has a column that its schema does not explain, " + in_quotes(name));
  }
  if (at < 4) refuse("its chunk table is not that of a packed shard");
}

std::vector<PackedShard::Series> PackedShard::series(const ScanPlan& plan) const {
  const Schema& schema = table_->schema;
  auto is_tag = [&](int column) { return schema.columns[static_cast<std::size_t>(column)].tag; };
  std::string sql = "SELECT ";
  for (const std::string& field : names_.series_fields) sql += field + ",";
  for (int column : plan.columns)
    sql += (is_tag(column) ? quote_identifier(schema.columns[static_cast<std::size_t>(column)].name) : "NULL") + ",";
  sql.back() = ' ';
  sql +=
      "FROM main." + quote_identifier(names_.series) + " WHERE " + names_.series_fields[3] + ">=?1 AND " + names_.series_fields[2] + "<=?2";
  for (const Filter& filter : plan.filters) {
    if (is_tag(filter.column)) sql += filter_sql(*table_, filter);
  }
  Statement select = db_.prepare(sql);
  select.bind(1, plan.from).bind(2, plan.to);
  int index = 2;
  for (const Filter& filter : plan.filters) {
    if (!is_tag(filter.column)) continue;
    for (const OwnedValue& value : filter.values) value.bind(select.get(), ++index);
  }
  std::vector<Series> found;
  while (select.step()) {
    Series one{select.int64(0), select.int64(1), select.int64(2), select.int64(3), {}};
    one.tags.reserve(plan.columns.size());
    for (std::size_t i = 0; i < plan.columns.size(); i++) {
      one.tags.push_back(OwnedValue::of(sqlite3_column_value(select.get(), static_cast<int>(i) + 4)));
    }
    found.push_back(std::move(one));
  }
  std::sort(found.begin(), found.end(), [](const Series& a, const Series& b) { return a.first_chunk < b.first_chunk; });
  for (std::size_t i = 0; i < found.size(); i++) {
    if (found[i].first_chunk > found[i].last_chunk || (i && found[i].first_chunk <= found[i - 1].last_chunk)) {
      refuse("its series overlap");
    }
  }
  return found;
}

// ---------------------------------------------------------------- chunks

ChunkCursor::ChunkCursor(const PackedShard& shard, const std::vector<int>& columns, Direction direction)
    : shard_(shard), slot_(shard.table().schema.columns.size(), -1) {
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
  select_.reset();
  select_.bind(1, first_chunk).bind(2, last_chunk).bind(3, from).bind(4, to);
}

bool ChunkCursor::next() {
  if (!select_.step()) return false;
  read_row();
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
  constexpr std::int64_t kGap = 8;
  out.values.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && static_cast<Wide>(ids[last + 1]) - ids[last] <= kGap) last++;
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

// ---------------------------------------------------------------- conditions

namespace {

// Of a packed number: between which integers all values lie, by the widths alone.
struct Bounds {
  Wide low, high;
};
Bounds bounds_of(const PackedColumn& column, std::size_t rows) {
  Wide rise = static_cast<Wide>(column.slope) * static_cast<Wide>(rows - 1);
  auto most = [](int bits) { return (Wide{1} << bits) - 1; };
  Wide low = static_cast<Wide>(column.base) + std::min<Wide>(0, rise), high = static_cast<Wide>(column.base) + std::max<Wide>(0, rise);
  if (column.bits == 64 || column.mini_bits == 64) return {INT64_MIN, INT64_MAX};
  return {low, high + most(column.bits) + most(column.mini_bits)};
}

template <class Number>
bool range_may_pass(const std::string& op, Number low, Number high, Number operand) {
  if (op == "=") return low <= operand && operand <= high;
  if (op == "<") return low < operand;
  if (op == "<=") return low <= operand;
  if (op == ">") return high > operand;
  if (op == ">=") return high >= operand;
  return true;
}

bool chunk_may_pass(const Filter& filter, const PackedColumn& column, std::size_t rows) {
  if (filter.op == "IS NULL") return column.all_null || column.nullable || column.kind == PackedKind::kValue;
  if (column.all_null) return false;
  bool integer = column.kind == PackedKind::kInteger, decimal = column.kind == PackedKind::kDecimal;
  if ((!integer && !decimal) || filter.values.size() != 1 || filter.op == "IN") return true;
  const OwnedValue& operand = filter.values[0];
  if (operand.type != SQLITE_INTEGER && operand.type != SQLITE_FLOAT) return true;
  Bounds bounds = bounds_of(column, rows);
  auto low = static_cast<long double>(bounds.low), high = static_cast<long double>(bounds.high);
  auto value = operand.type == SQLITE_INTEGER ? static_cast<long double>(operand.integer) : static_cast<long double>(operand.real);
  if (!decimal) return range_may_pass(filter.op, low, high, value);
  // Division rounds, but keeps the order.
  return range_may_pass(filter.op, static_cast<double>(low) / column.scale, static_cast<double>(high) / column.scale,
                        static_cast<double>(value));
}

template <class Test>
void keep(std::vector<std::uint32_t>& rows, const DecodedColumn& column, Test&& test) {
  std::size_t kept = 0;
  if (column.nulls.empty()) {
    for (std::uint32_t row : rows) {
      rows[kept] = row;
      kept += test(row) ? 1 : 0;
    }
  } else {
    for (std::uint32_t row : rows) {
      rows[kept] = row;
      kept += !column.nulls[row] && test(row) ? 1 : 0;
    }
  }
  rows.resize(kept);
}

template <class Number, class Value>
void keep_compared(const std::string& op, const std::vector<Value>& values, Number operand, const DecodedColumn& column,
                   std::vector<std::uint32_t>& rows) {
  auto number = [&](std::uint32_t row) { return static_cast<Number>(values[row]); };
  if (op == "=") return keep(rows, column, [&](std::uint32_t row) { return number(row) == operand; });
  if (op == "<") return keep(rows, column, [&](std::uint32_t row) { return number(row) < operand; });
  if (op == "<=") return keep(rows, column, [&](std::uint32_t row) { return number(row) <= operand; });
  if (op == ">") return keep(rows, column, [&](std::uint32_t row) { return number(row) > operand; });
  if (op == ">=") return keep(rows, column, [&](std::uint32_t row) { return number(row) >= operand; });
}

bool passes(const Filter& filter, const Cell& cell) {
  if (cell.type == SQLITE_NULL) return filter.op == "IS NULL";
  for (const OwnedValue& value : filter.values) {
    Cell operand;
    operand.type = value.type;
    operand.integer = value.integer;
    operand.real = value.real;
    operand.bytes = value.bytes;
    int order = compare_cells(cell, operand);
    if (filter.op == "=" || filter.op == "IN" ? order == 0
        : filter.op == "<"                    ? order < 0
        : filter.op == "<="                   ? order <= 0
        : filter.op == ">"                    ? order > 0
        : filter.op == ">="                   ? order >= 0
                                              : filter.op != "IS NULL") {
      return true;
    }
  }
  return false;
}

bool is_binary(const Filter& filter, const Column& declared) {
  const std::string& collation = filter.collation.empty() ? declared.collate : filter.collation;
  return collation.empty() || same_word(collation, "BINARY");
}

}  // namespace

void apply_filter(const Filter& filter, const Column& declared, const DecodedColumn& column, std::vector<std::uint32_t>& rows) {
  using Form = DecodedColumn::Form;
  if (filter.op == "IS NULL") {
    if (column.form == Form::kConstant) {
      if (column.constant.type != SQLITE_NULL) rows.clear();
    } else {
      rows.erase(std::remove_if(rows.begin(), rows.end(), [&](std::uint32_t row) { return !column.is_null(row); }), rows.end());
    }
    return;
  }
  bool number =
      filter.values.size() == 1 && filter.op != "IN" && (filter.values[0].type == SQLITE_INTEGER || filter.values[0].type == SQLITE_FLOAT);
  if (number && (column.form == Form::kInteger || column.form == Form::kReal)) {
    const OwnedValue& operand = filter.values[0];
    bool integers = column.form == Form::kInteger;
    if (integers && operand.type == SQLITE_INTEGER) return keep_compared(filter.op, column.integers, operand.integer, column, rows);
    if (!integers && operand.type == SQLITE_FLOAT) return keep_compared(filter.op, column.reals, operand.real, column, rows);
    long double value = operand.type == SQLITE_INTEGER ? static_cast<long double>(operand.integer) : static_cast<long double>(operand.real);
    if (integers) return keep_compared(filter.op, column.integers, value, column, rows);
    return keep_compared(filter.op, column.reals, value, column, rows);
  }
  // Text is compared by its collation, which only SQLite knows where it is not BINARY.
  if (!is_binary(filter, declared)) return;
  if (column.form == Form::kValue) {
    std::vector<char> pass;
    for (std::size_t v = 0; v < column.values.size(); v++) {
      DecodedColumn one;
      one.constant = column.values[v];
      pass.push_back(passes(filter, one.cell(0)));
    }
    return keep(rows, column, [&](std::uint32_t row) { return pass[static_cast<std::size_t>(column.integers[row])] != 0; });
  }
  keep(rows, column, [&](std::uint32_t row) { return passes(filter, column.cell(row)); });
}

// ---------------------------------------------------------------- a plan's chunks

ChunkDecoder::ChunkDecoder(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan)
    : shard_(shard), plan_(std::move(plan)), columns_(plan_->columns) {
  for (const Filter& filter : plan_->filters) columns_.push_back(filter.column);
}

bool ChunkDecoder::may_pass(const ChunkCursor& cursor) const {
  const Schema& schema = shard_.table().schema;
  return std::all_of(plan_->filters.begin(), plan_->filters.end(), [&](const Filter& filter) {
    if (schema.columns[static_cast<std::size_t>(filter.column)].tag || filter.column == schema.time_column) return true;
    return chunk_may_pass(filter, cursor.packed(filter.column), cursor.rows());
  });
}

bool ChunkDecoder::decode(ChunkCursor& cursor, const std::vector<OwnedValue>* tags, std::size_t begin, std::size_t end, DecodedChunk& out) {
  const Schema& schema = shard_.table().schema;
  cursor.times(out.times);
  auto low = out.times.begin() + static_cast<std::ptrdiff_t>(begin), high = out.times.begin() + static_cast<std::ptrdiff_t>(end);
  auto first = std::lower_bound(low, high, plan_->from), last = std::upper_bound(first, high, plan_->to);
  begin = static_cast<std::size_t>(first - out.times.begin());
  end = static_cast<std::size_t>(last - out.times.begin());
  if (begin >= end) return false;
  out.times.erase(last, out.times.end());
  out.times.erase(out.times.begin(), first);
  out.first = cursor.id() + static_cast<std::int64_t>(begin);
  out.rows.resize(end - begin);
  for (std::uint32_t i = 0; i < out.rows.size(); i++) out.rows[i] = i;
  out.columns.resize(plan_->columns.size());

  std::vector<bool> decoded(plan_->columns.size(), false);
  DecodedColumn aside;
  for (const Filter& filter : plan_->filters) {
    const Column& declared = schema.columns[static_cast<std::size_t>(filter.column)];
    if (declared.tag) continue;  // answered by the directory of series
    auto slot = static_cast<std::size_t>(std::find(plan_->columns.begin(), plan_->columns.end(), filter.column) - plan_->columns.begin());
    bool used = slot < out.columns.size();
    DecodedColumn& column = used ? out.columns[slot] : aside;
    if (!used || !decoded[slot]) cursor.decode(filter.column, begin, end, column);
    if (used) decoded[slot] = true;
    apply_filter(filter, declared, column, out.rows);
    if (out.rows.empty()) return false;
  }
  for (std::size_t c = 0; c < plan_->columns.size(); c++) {
    if (decoded[c]) continue;
    int column = plan_->columns[c];
    if (!schema.columns[static_cast<std::size_t>(column)].tag) {
      cursor.decode(column, begin, end, out.columns[c]);
      continue;
    }
    out.columns[c].form = DecodedColumn::Form::kConstant;
    out.columns[c].nulls.clear();
    out.columns[c].constant = (*tags)[c];
  }
  return true;
}

ChunkScan::ChunkScan(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan)
    : shard_(shard), plan_(std::move(plan)), decoder_(shard, plan_), cursor_(shard, decoder_.columns()) {
  const Schema& schema = shard.table().schema;
  auto is_tag = [&](int column) { return schema.columns[static_cast<std::size_t>(column)].tag; };
  by_series_ = std::any_of(plan_->filters.begin(), plan_->filters.end(), [&](const Filter& f) { return is_tag(f.column); });
  if (by_series_ || std::any_of(plan_->columns.begin(), plan_->columns.end(), is_tag)) series_ = shard.series(*plan_);
}

// By tags: series after series. Otherwise through the whole file, with the series beside it.
bool ChunkScan::to_next_chunk() {
  if (!by_series_) {
    if (!seeked_) cursor_.seek(INT64_MIN, INT64_MAX, plan_->from, plan_->to);
    seeked_ = true;
    if (!cursor_.next()) return false;
    while (at_ < series_.size() && series_[at_].last_chunk < cursor_.id()) at_++;
    if (!series_.empty() && (at_ == series_.size() || series_[at_].first_chunk > cursor_.id()))
      shard_.refuse("a chunk belongs to no series");
    return true;
  }
  for (;;) {
    if (seeked_ && cursor_.next()) return true;
    if (seeked_) at_++;
    if (at_ >= series_.size()) return false;
    cursor_.seek(series_[at_].first_chunk, series_[at_].last_chunk, plan_->from, plan_->to);
    seeked_ = true;
  }
}

bool ChunkScan::next(DecodedChunk& out) {
  while (to_next_chunk()) {
    const std::vector<OwnedValue>* tags = series_.empty() ? nullptr : &series_[at_].tags;
    if (decoder_.may_pass(cursor_) && decoder_.decode(cursor_, tags, 0, cursor_.rows(), out)) return true;
  }
  return false;
}

// ---------------------------------------------------------------- all rows

namespace {

std::shared_ptr<ScanPlan> plan_of_everything(const Schema& schema, std::vector<int>& slots) {
  auto plan = std::make_shared<ScanPlan>();
  for (int c = 0; c < static_cast<int>(schema.columns.size()); c++) {
    slots.push_back(c == schema.time_column ? -1 : static_cast<int>(plan->columns.size()));
    if (c != schema.time_column) plan->columns.push_back(c);
  }
  return plan;
}

}  // namespace

PackedRows::PackedRows(const PackedShard& shard) : plan_(plan_of_everything(shard.table().schema, slots_)), scan_(shard, plan_) {}

bool PackedRows::next(RowBuffer& rows) {
  rows.clear();
  if (!scan_.next(chunk_)) return false;
  for (std::uint32_t row : chunk_.rows) {
    rows.begin_row();
    for (int slot : slots_) {
      if (slot < 0) {
        rows.add_integer(chunk_.times[row]);
      } else {
        rows.add_cell(chunk_.columns[static_cast<std::size_t>(slot)].cell(row));
      }
    }
  }
  return true;
}

}  // namespace ts
