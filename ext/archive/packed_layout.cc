// DDL and view text of a packed shard.
#include "ext/archive/packed_layout.h"

#include <algorithm>
#include <numeric>

#include "ext/base/affinity.h"
#include "ext/base/sql_tokens.h"

namespace ts {
namespace {

constexpr const char* kSuffixes[kPackedParts] = {"_base", "_slope", "_scale", "_null", "_step", "_mbits", "_mini", "_bits", "_data"};
constexpr const char* kTypes[kPackedParts] = {"INTEGER", "INTEGER", "", "INTEGER", "INTEGER", "INTEGER", "BLOB", "INTEGER", "BLOB"};
constexpr std::size_t kMaxTableColumns = 2000;  // SQLite's default limit, in every stock build

// Bytes that hold one code at the worst bit offset that occurs with this width.
int bytes_spanned(int bits) {
  int step = std::gcd(bits ? bits : 8, 8);
  return std::max(1, (8 - step + bits + 7) / 8);
}

// One value column's expression, over c (its chunk), r.i (the row's number in it) and k.z (the bytes 0 to 255).
class Decoder {
 public:
  Decoder(const PackedNames& names, const std::string& column, const Presence& presence, bool is_time)
      : names_(names), column_(column), presence_(presence), is_time_(is_time) {}

  std::string value() const {
    std::vector<std::pair<PackedKind, std::string>> arms;
    if (presence_.kind[0]) arms.emplace_back(PackedKind::kInteger, integer());
    if (presence_.kind[1]) arms.emplace_back(PackedKind::kDecimal, "(" + integer() + ")/" + part(kScale));
    if (presence_.kind[2]) arms.emplace_back(PackedKind::kIeee, ieee());
    if (presence_.kind[3]) {
      arms.emplace_back(PackedKind::kValue, "(SELECT v.v FROM " + in_quotes(names_.value) + " AS v WHERE v.id=" + integer() + ")");
    }
    if (arms.empty()) return "NULL";
    if (arms.size() == 1) return arms[0].second;
    std::string sql = "CASE";
    for (std::size_t a = 0; a < arms.size(); a++) {
      sql += a + 1 == arms.size() ? " ELSE " : " WHEN " + is_kind(arms[a].first) + " THEN ";
      sql += arms[a].second;
    }
    return sql + " END";
  }

 private:
  std::string part(PackedPart which) const { return "c." + in_quotes(column_ + kSuffixes[which]); }

  std::string is_kind(PackedKind kind) const {
    switch (kind) {
      case PackedKind::kInteger: return part(kScale) + " IS NULL";
      case PackedKind::kDecimal: return "typeof(" + part(kScale) + ")='real'";
      case PackedKind::kIeee: return part(kScale) + "='ieee'";
      default: return part(kScale) + "='value'";
    }
  }

  // base + slope*i + mini + data, as far as the shard needs them.
  std::string integer() const {
    std::string sql;
    auto plus = [&](const std::string& term) { sql += (sql.empty() ? "" : "+") + term; };
    if (presence_.part[kBase]) plus(part(kBase));
    if (!presence_.part[kBase] && is_time_) plus("c.t0");
    if (presence_.part[kSlope]) plus(part(kSlope) + "*r.i");
    if (presence_.part[kMini]) plus(code(kMini, "(r.i>>" + part(kStep) + ")", part(kMiniBits), presence_.most_mini));
    if (presence_.part[kData]) plus(data());
    if (sql.empty()) return "0";
    return sql;
  }

  std::string data() const {
    constexpr int kShort = 9;  // codes up to this wide lie in two bytes
    bool same = presence_.least_bits == presence_.most_bits;
    std::string bits = same ? std::to_string(presence_.most_bits) : part(kBits), sql;
    if (bytes_spanned(presence_.most_bits) > 2 && presence_.least_bits <= kShort) {  // one wide chunk shall not slow down all
      sql = "CASE WHEN " + part(kBits) + "<=" + std::to_string(kShort) + " THEN " + code(kData, "r.i", bits, kShort) + " ELSE " +
            code(kData, "r.i", bits, presence_.most_bits) + " END";
      sql = presence_.part[kNull] ? sql : "(" + sql + ")";
    } else if (same && presence_.most_bits % 8 == 0) {
      sql = aligned(kData, presence_.most_bits / 8);
    } else {
      sql = code(kData, "r.i", bits, presence_.most_bits);
    }
    return presence_.part[kNull] ? "nullif(" + sql + "," + part(kNull) + ")" : sql;
  }

  std::string byte(PackedPart blob, const std::string& offset, int k) const {
    return "(instr(k.z,substr(" + part(blob) + "," + offset + "+" + std::to_string(k + 1) + ",1))-1)";
  }

  std::string bytes(PackedPart blob, const std::string& offset, int count) const {
    std::string sql;
    for (int k = 0; k < count; k++) {
      std::string one = byte(blob, offset, k);
      if (k + 1 < count) one = "(" + one + "<<" + std::to_string(8 * (count - 1 - k)) + ")";
      sql += (k ? "|" : "") + one;
    }
    return count > 1 ? "(" + sql + ")" : sql;
  }

  std::string aligned(PackedPart blob, int count) const { return bytes(blob, "r.i*" + std::to_string(count), count); }

  // The code number `index` of `bits` bits: the bytes that hold it, shifted and masked. Widths vary by chunk up to `most`.
  std::string code(PackedPart blob, const std::string& index, const std::string& bits, int most) const {
    int count = 1;
    for (int b = 1; b <= std::min(most, kMaxPackedBits); b++) count = std::max(count, bytes_spanned(b));
    if (most == 64) count = 8;
    if (bits == std::to_string(most)) count = bytes_spanned(most);
    std::string at = index + "*" + bits;
    return "((" + bytes(blob, "(" + at + ">>3)", count) + ">>(" + std::to_string(8 * count) + "-" + bits + "-(" + at + "&7)))&((1<<" +
           bits + ")-1))";
  }

  // sign * mantissa * 2^exponent: all three factors and both products are exact.
  std::string ieee() const {
    std::string power = in_quotes(names_.power);
    return "(SELECT (1-2*(b.b<0))*(((b.b&4503599627370495)|((((b.b>>52)&2047)>0)<<52))*p.p) FROM (SELECT " + integer() +
           " AS b) AS b CROSS JOIN " + power + " AS p WHERE p.e=((b.b>>52)&2047))";
  }

  const PackedNames& names_;
  const std::string& column_;
  const Presence& presence_;
  bool is_time_;
};

std::string cast_to(const std::string& type) {
  switch (affinity_of(type)) {
    case Affinity::kInteger: return "INTEGER";
    case Affinity::kReal: return "REAL";
    case Affinity::kNumeric: return "NUMERIC";
    case Affinity::kText: return "TEXT";
    default: return "";
  }
}

std::string byte_constant() {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text = "x'";
  for (int b = 0; b < 256; b++) text += {kHex[b >> 4], kHex[b & 15]};
  return text + "'";
}

bool has_collation(const Column& column) { return !column.collate.empty() && !same_word(column.collate, "BINARY"); }

}  // namespace

const char* part_suffix(PackedPart part) { return kSuffixes[part]; }
const char* part_type(PackedPart part) { return kTypes[part]; }

void Presence::add(const PackedColumn& column, bool is_time, std::int64_t t0) {
  if (column.all_null) {
    part[kBase] = true;
    return;
  }
  kind[static_cast<int>(column.kind)] = true;
  part[kBase] |= column.base != (is_time ? t0 : 0);
  part[kSlope] |= column.slope != 0;
  part[kScale] |= column.kind != PackedKind::kInteger;
  part[kNull] |= column.nullable;
  if (column.mini_bits) part[kStep] = part[kMiniBits] = part[kMini] = true;
  if (column.bits) part[kBits] = part[kData] = true;
  least_bits = std::min(least_bits, column.bits);
  most_bits = std::max(most_bits, column.bits);
  most_mini = std::max(most_mini, column.mini_bits);
}

bool cast_keeps(const std::string& type, int classes) {
  classes &= ~kSawNull;
  switch (affinity_of(type)) {
    case Affinity::kInteger: return (classes & ~kSawInteger) == 0;
    case Affinity::kReal: return (classes & ~kSawReal) == 0;
    case Affinity::kNumeric: return (classes & ~(kSawInteger | kSawReal)) == 0;
    case Affinity::kText: return (classes & ~kSawText) == 0;
    default: return false;
  }
}

PackedNames::PackedNames(const TableDef& table)
    : series(table.name + "_series"),
      chunk(table.name + "_chunk"),
      number(table.name + "_i"),
      value(table.name + "_value"),
      power(table.name + "_power"),
      series_index(table.name + "_series_tags") {
  for (std::string field : {"first_chunk", "last_chunk", "t0", "t1"}) {
    auto taken = [&](const Column& column) { return column.tag && same_word(column.name, field); };
    while (std::any_of(table.schema.columns.begin(), table.schema.columns.end(), taken)) field += "_";
    series_fields.push_back(field);
  }
}

std::vector<int> value_columns(const Schema& schema) {
  std::vector<int> columns;
  for (std::size_t c = 0; c < schema.columns.size(); c++) {
    if (!schema.columns[c].tag) columns.push_back(static_cast<int>(c));
  }
  return columns;
}

bool can_be_packed(const TableDef& table, const std::vector<Presence>& columns) {
  std::size_t count = 4;
  for (const Presence& presence : columns) count += static_cast<std::size_t>(std::count(presence.part, presence.part + kPackedParts, true));
  return count <= kMaxTableColumns && !same_word(table.name, "sqlite");
}

std::vector<std::string> packed_tables_sql(const TableDef& table, const std::vector<Presence>& presence, bool null_tags) {
  PackedNames names(table);
  std::string tags, key;
  for (int tag : table.schema.tags()) {
    const Column& column = table.schema.columns[static_cast<std::size_t>(tag)];
    tags += in_quotes(column.name) + (column.type.empty() ? "" : " " + column.type);
    if (has_collation(column)) tags += " COLLATE " + column.collate;
    tags += ", ";
    key += in_quotes(column.name) + ", ";
  }
  key += names.series_fields[0];
  for (const std::string& field : names.series_fields) tags += (field == names.series_fields[0] ? "" : ", ") + field + " INTEGER";
  std::string series = in_quotes(names.series);
  std::vector<std::string> sql;
  if (null_tags) {
    sql.push_back("CREATE TABLE " + series + "(" + tags + ")");
    sql.push_back("CREATE INDEX " + in_quotes(names.series_index) + " ON " + series + "(" + key + ")");
  } else {
    sql.push_back("CREATE TABLE " + series + "(" + tags + ", PRIMARY KEY(" + key + ")) WITHOUT ROWID");
  }
  std::string chunk = "CREATE TABLE " + in_quotes(names.chunk) + "(id INTEGER PRIMARY KEY, n INTEGER, t0 INTEGER, t1 INTEGER";
  std::vector<int> columns = value_columns(table.schema);
  bool values = false, powers = false;
  for (std::size_t c = 0; c < columns.size(); c++) {
    const std::string& name = table.schema.columns[static_cast<std::size_t>(columns[c])].name;
    for (int p = 0; p < kPackedParts; p++) {
      if (!presence[c].part[p]) continue;
      chunk += ", " + in_quotes(name + kSuffixes[p]) + (*kTypes[p] ? std::string(" ") + kTypes[p] : "");
    }
    values |= presence[c].kind[static_cast<int>(PackedKind::kValue)];
    powers |= presence[c].kind[static_cast<int>(PackedKind::kIeee)];
  }
  // What a reader needs first lies in the first four pages: at 64 KiB, in the head that it asks for.
  sql.push_back(chunk + ")");
  sql.push_back("CREATE TABLE timeseries_meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID");
  sql.push_back("CREATE TABLE " + in_quotes(names.number) + "(i INTEGER PRIMARY KEY)");
  if (powers) sql.push_back("CREATE TABLE " + in_quotes(names.power) + "(e INTEGER PRIMARY KEY, p REAL)");
  if (values) sql.push_back("CREATE TABLE " + in_quotes(names.value) + "(id INTEGER PRIMARY KEY, v)");
  sql.push_back(packed_view_sql(table, presence));
  return sql;
}

std::string packed_view_sql(const TableDef& table, const std::vector<Presence>& presence) {
  PackedNames names(table);
  std::string sql =
      "CREATE VIEW " + in_quotes(table.name) +
      " AS\n-- Row r.i of chunk c of series s: base + slope*i + mini[i>>step] + data[i], from big-endian bits; k.z turns a byte "
      "into its number.\nWITH k(z) AS (SELECT " +
      byte_constant() + ")\nSELECT\n";
  std::size_t value = 0;
  for (std::size_t c = 0; c < table.schema.columns.size(); c++) {
    const Column& column = table.schema.columns[c];
    sql += c ? ",\n  " : "  ";
    if (column.tag) {
      sql += "s." + in_quotes(column.name);
    } else {
      const Presence& p = presence[value++];
      std::string expression = Decoder(names, column.name, p, static_cast<int>(c) == table.schema.time_column).value();
      std::string type = cast_to(column.type);
      if (p.of_class && !type.empty()) expression = "CAST(" + expression + " AS " + type + ")";
      if (has_collation(column)) expression = "(" + expression + ") COLLATE " + column.collate;
      sql += expression;
    }
    sql += " AS " + in_quotes(column.name);
  }
  return sql + "\nFROM k CROSS JOIN " + in_quotes(names.series) + " AS s CROSS JOIN " + in_quotes(names.chunk) + " AS c CROSS JOIN " +
         in_quotes(names.number) + " AS r\nWHERE c.id BETWEEN s." + names.series_fields[0] + " AND s." + names.series_fields[1] +
         " AND r.i<c.n";
}

}  // namespace ts
