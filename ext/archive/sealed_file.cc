// Sorting rows into pieces, writing and verifying them, and opening sealed shards.
#include "ext/archive/sealed_file.h"

#include <stdio.h>
#include <strings.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "ext/archive/buffer_table.h"
#include "ext/archive/packed_shard.h"
#include "ext/archive/packed_writer.h"
#include "ext/archive/row_reader.h"
#include "ext/base/failpoint.h"
#include "ext/base/file.h"

namespace ts {
namespace {

// What a row is sorted by. `series` is the rank of its tags.
struct SortKey {
  std::int64_t time;
  std::uint32_t series;
  std::uint32_t row;
};

// Gives each distinct combination of tag values a rank in the order of the values.
class SeriesRanks {
 public:
  explicit SeriesRanks(const Schema& schema) : tags_(schema.tags()) {}

  std::uint32_t add(const RowBuffer& rows, std::size_t row) {
    key_.clear();
    const char* at = rows.row(row);
    int column = 0;
    for (int tag : tags_) {
      for (; column < tag; column++) RowBuffer::skip(at);
      const char* begin = at;
      RowBuffer::skip(at);
      column++;
      key_.append(begin, at);
    }
    auto [found, fresh] = ids_.try_emplace(key_, static_cast<std::uint32_t>(ids_.size()));
    if (fresh) first_row_.push_back(static_cast<std::uint32_t>(row));
    return found->second;
  }

  // rank[id]: position of the series in sorted order.
  std::vector<std::uint32_t> ranks(const RowBuffer& rows) const {
    std::vector<std::uint32_t> order(first_row_.size());
    for (std::uint32_t i = 0; i < order.size(); i++) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      for (int tag : tags_) {
        if (int c = compare_cells(rows.cell(first_row_[a], tag), rows.cell(first_row_[b], tag))) return c < 0;
      }
      return a < b;
    });
    std::vector<std::uint32_t> rank(order.size());
    for (std::uint32_t i = 0; i < order.size(); i++) rank[order[i]] = i;
    return rank;
  }

 private:
  std::vector<int> tags_;
  std::string key_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<std::uint32_t> first_row_;
};

std::vector<std::string> column_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(quote_identifier(column.name));
  return names;
}

// The rows of a rotated shard that count.
class ShardRows {
 public:
  ShardRows(const TableDef& table, const SealInput& input, const std::string& open_directory) : reader_(open_directory, input.file, 0) {
    if (!reader_.has_table(table)) return;
    rows_ = RowReader(reader_.db(), column_names(table.schema),
                      "FROM " + quote_identifier(table.open_name) + visibility_sql(table, input.visibility));
  }

  // Appends rows until `into` is full (true) or there are no more (false).
  bool read(RowBuffer& into, std::size_t full_bytes) {
    while (into.bytes() < full_bytes) {
      if (!rows_.next(into)) return false;
    }
    return true;
  }

 private:
  OpenShardReader reader_;
  RowReader rows_;
};

// 4 KiB pages for small files, larger ones where navigation would otherwise spread (DESIGN section 3).
int page_size_for(std::size_t bytes) { return bytes >= (20u << 20) ? 65536 : bytes >= (1u << 20) ? 16384 : 4096; }

void put_meta(Database& db, const TableDef& table, const SealedPiece& piece, const ShardName& name, int format) {
  Statement put = db.prepare("INSERT INTO timeseries_meta VALUES(?1,?2)");
  auto text = [&](std::string_view key, std::string_view value) {
    put.bind(1, key).bind(2, value);
    put.run();
  };
  auto number = [&](std::string_view key, std::int64_t value) {
    put.bind(1, key).bind(2, value);
    put.run();
  };
  number("format", format);
  text("table", table.name);
  text("partition", piece.partition);
  text("precision", precision_text(table.schema.precision));
  text("time_column", table.schema.columns[static_cast<std::size_t>(table.schema.time_column)].name);
  number("start", name.start);
  number("end", name.end);
  number("rows", name.rows);
  text("writer", name.writer);
  text("id", name.id);
  text("schema", schema_to_json(table.schema));
}

Database create_file(const std::string& path, int page_size, int format) {
  Database db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  db.exec("PRAGMA page_size=" + std::to_string(page_size));
  db.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE");
  db.exec("PRAGMA application_id=" + std::to_string(kApplicationId));
  db.exec("PRAGMA user_version=" + std::to_string(format));
  return db;
}

void write_rows(const std::string& path, const TableDef& table, const SealedPiece& piece, const ShardName& name) {
  BufferView view{piece.rows, piece.order.data(), 0, piece.order.size()};
  Database db = create_file(path, page_size_for(piece.bytes), kFormatRows);
  register_buffer_table(db.get(), "sorted_rows", piece.rows->columns(), &view);
  db.exec("BEGIN");
  db.exec("CREATE TABLE timeseries_meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID");
  put_meta(db, table, piece, name, kFormatRows);
  db.exec("CREATE TABLE " + quote_identifier(table.name) + "(" + shard_columns_sql(table.schema) + ")");
  db.exec("INSERT INTO main." + quote_identifier(table.name) + " SELECT * FROM sorted_rows");
  db.exec("COMMIT");
}

void write_packed(const std::string& path, const TableDef& table, const PackedWriter& packed, const SealedPiece& piece,
                  const ShardName& name) {
  Database db = create_file(path, packed.page_size(), kFormatPacked);
  db.exec("BEGIN");
  packed.write(db, [&] { put_meta(db, table, piece, name, kFormatPacked); });
  db.exec("COMMIT");
}

// The file's rows against the rows in memory: every value by type and bits, and their number.
class Comparison {
 public:
  Comparison(const SealedPiece& piece, const std::string& path) : piece_(piece), path_(path) {}
  void row(std::string_view bytes) {
    if (count_ >= piece_.order.size() || bytes != piece_.rows->row_bytes(piece_.order[count_])) {
      throw Error(Code::kCorrupt, "seal: a row read back differs from the row written: " + path_);
    }
    count_++;
  }
  void end() const {
    if (count_ != piece_.order.size()) throw Error(Code::kCorrupt, "seal: rows are missing after writing: " + path_);
  }

 private:
  const SealedPiece& piece_;
  const std::string& path_;
  std::size_t count_ = 0;
};

void verify_rows(Database& db, const TableDef& table, Comparison comparison) {
  RowReader select(db, column_names(table.schema), "FROM main." + quote_identifier(table.name));
  RowBuffer one(static_cast<int>(table.schema.columns.size()));
  for (; select.next(one); one.clear()) comparison.row(one.row_bytes(0));
  comparison.end();
}

void verify_packed(Database& db, const TablePtr& table, const std::string& path, Comparison comparison) {
  PackedShard shard(db, table, path);
  auto plan = std::make_shared<ScanPlan>();
  std::vector<int> slots;  // of columns in the plan; -1: the time
  for (int c = 0; c < static_cast<int>(table->schema.columns.size()); c++) {
    slots.push_back(c == table->schema.time_column ? -1 : static_cast<int>(plan->columns.size()));
    if (slots.back() >= 0) plan->columns.push_back(c);
  }
  ChunkScan scan(shard, plan);
  RowBuffer rows(static_cast<int>(slots.size()));
  for (DecodedChunk chunk; scan.next(chunk); rows.clear()) {
    for (std::uint32_t row : chunk.rows) {
      rows.begin_row();
      for (int slot : slots) {
        if (slot < 0) {
          rows.add_integer(chunk.times[row]);
        } else {
          rows.add_cell(chunk.columns[static_cast<std::size_t>(slot)].cell(row));
        }
      }
      comparison.row(rows.row_bytes(rows.rows() - 1));
    }
  }
  comparison.end();
}

// Removes files of a seal that fails: a full disk must not be filled further.
class Unfinished {
 public:
  ~Unfinished() {
    for (const std::string& path : paths_) {
      try {
        remove_file(path);
      } catch (...) {
        // It is removed as garbage later.
      }
    }
  }
  void add(const std::string& path) { paths_.push_back(path); }
  void keep() { paths_.clear(); }

 private:
  std::vector<std::string> paths_;
};

// Packs the piece and proves it. False: plain rows are smaller, or what was read back is not what was written.
bool pack_piece(const std::string& path, const TablePtr& table, const SealedPiece& piece, const std::string& key, const ShardName& name) {
  PackedWriter packed(*table, piece);
  if (!packed.worthwhile()) return false;
  write_packed(path, *table, packed, piece, name);
  TS_FAILPOINT("seal.written");
  try {
    SealedFile file = open_sealed(immutable_uri(path), *table, key, path);
    verify_packed(file.db, table, path, Comparison(piece, path));
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::kCorrupt) throw;
    sqlite3_log(SQLITE_WARNING, "timeseries: packing %s is not exact, so plain rows are stored: %s", key.c_str(), e.what());
    remove_file(path);
    return false;
  }
}

SealedRow write_piece(const TablePtr& table, const SealedPiece& piece, const std::string& directory, const std::string& writer,
                      Unfinished& unfinished) {
  ShardName name{piece.start, piece.end, static_cast<std::int64_t>(piece.order.size()), writer, new_ulid()};
  SealedRow out;
  out.table = table->name;
  out.key = table->directory + "/" + piece.partition + "/" + format_shard_name(name, table->schema.precision);
  out.file = name.id + ".sqlite";
  out.rows = name.rows;
  std::string temporary = directory + "/" + name.id + ".tmp", path = directory + "/" + out.file;
  unfinished.add(temporary);
  unfinished.add(path);
  if (!pack_piece(temporary, table, piece, out.key, name)) {
    write_rows(temporary, *table, piece, name);
    TS_FAILPOINT("seal.written");
    SealedFile file = open_sealed(immutable_uri(temporary), *table, out.key, temporary);
    verify_rows(file.db, *table, Comparison(piece, temporary));
  }
  sync_file(temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("cannot rename", temporary);
  TS_FAILPOINT("seal.renamed");
  out.bytes = static_cast<std::int64_t>(file_size(path));
  return out;
}

// By series, then time, then as they came. Each series' rows are brought together by counting; most often they came in time order.
void sort_keys(std::vector<SortKey>& keys, std::size_t series) {
  std::vector<std::size_t> end(series + 1);
  for (const SortKey& key : keys) end[key.series + 1]++;
  for (std::size_t s = 0; s < series; s++) end[s + 1] += end[s];
  std::vector<SortKey> sorted(keys.size());
  for (const SortKey& key : keys) sorted[end[key.series]++] = key;
  auto before = [](const SortKey& a, const SortKey& b) { return a.time != b.time ? a.time < b.time : a.row < b.row; };
  auto first = sorted.begin();
  for (std::size_t s = 0; s < series; s++) {
    auto last = sorted.begin() + static_cast<std::ptrdiff_t>(end[s]);
    if (!std::is_sorted(first, last, before)) std::sort(first, last, before);
    first = last;
  }
  keys = std::move(sorted);
}

std::vector<SealedPiece> sort_into_pieces(const TableDef& table, const RowBuffer& rows) {
  const Schema& schema = table.schema;
  SeriesRanks series(schema);
  std::vector<SortKey> keys(rows.rows());
  for (std::uint32_t i = 0; i < keys.size(); i++) {
    keys[i] = {rows.cell(i, schema.time_column).integer, series.add(rows, i), i};
  }
  std::vector<std::uint32_t> rank = series.ranks(rows);
  for (SortKey& key : keys) key.series = rank[key.series];

  // Partitions first: rows of one partition are one piece. Most often there is one or two.
  std::map<std::int64_t, std::vector<SortKey>> partitions;
  std::int64_t from = 0, to = 0;  // of the partition of the last row seen
  std::vector<SortKey>* current = nullptr;
  for (const SortKey& key : keys) {
    if (!current || key.time < from || key.time >= to) {
      from = partition_start(key.time, schema.precision, schema.partition);
      to = partition_end(key.time, schema.precision, schema.partition);
      current = &partitions[from];
    }
    current->push_back(key);
  }
  std::vector<SealedPiece> pieces;
  for (auto& [start, part] : partitions) {
    sort_keys(part, rank.size());
    SealedPiece piece;
    piece.rows = &rows;
    piece.partition = partition_name(start, schema.precision, schema.partition);
    piece.start = piece.end = part[0].time;
    std::uint32_t series_at = 0;
    for (const SortKey& key : part) {
      if (!piece.order.empty() && key.series != series_at) piece.series_end.push_back(static_cast<std::uint32_t>(piece.order.size()));
      series_at = key.series;
      piece.start = std::min(piece.start, key.time);
      piece.end = std::max(piece.end, key.time);
      piece.order.push_back(key.row);
      piece.bytes += rows.row_bytes(key.row).size();
    }
    piece.series_end.push_back(static_cast<std::uint32_t>(piece.order.size()));
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace

std::vector<SealedRow> seal_table(const TablePtr& table, const std::vector<SealInput>& inputs, const std::string& open_directory,
                                  const std::string& sealed_directory, const std::string& writer, std::size_t piece_bytes) {
  RowBuffer rows(static_cast<int>(table->schema.columns.size()));
  std::vector<SealedRow> files;
  Unfinished unfinished;
  auto write = [&] {
    for (const SealedPiece& piece : sort_into_pieces(*table, rows)) {
      files.push_back(write_piece(table, piece, sealed_directory, writer, unfinished));
    }
    rows.clear();
  };
  for (const SealInput& input : inputs) {
    ShardRows shard(*table, input, open_directory);
    while (shard.read(rows, piece_bytes)) write();
  }
  TS_FAILPOINT("seal.read");
  write();
  if (!files.empty()) sync_directory(sealed_directory);
  unfinished.keep();
  return files;
}

// ---------------------------------------------------------------- opening

namespace {

[[noreturn]] void refuse(Code code, const std::string& object, const std::string& why) {
  throw Error(code, "shard: " + why + ": " + object);
}

// Exactly the table's columns: a renamed, missing or computed one would answer with something else.
void check_columns(Database& db, const TableDef& table, const std::string& object) {
  const std::vector<Column>& columns = table.schema.columns;
  Statement info = db.prepare("PRAGMA main.table_xinfo(" + quote_identifier(table.name) + ")");
  constexpr int kName = 1, kType = 2, kHidden = 6;
  std::size_t at = 0;
  for (; info.step(); at++) {
    bool same = at < columns.size() && ::strcasecmp(info.text(kName).c_str(), columns[at].name.c_str()) == 0 &&
                ::strcasecmp(info.text(kType).c_str(), columns[at].type.c_str()) == 0 && info.int64(kHidden) == 0;
    std::string found = quote_identifier(info.text(kName));
    if (!same) refuse(Code::kCorrupt, object, "its table is not what its schema says, from column " + found + " on");
  }
  if (at != columns.size()) refuse(Code::kCorrupt, object, "its table lacks the column " + quote_identifier(columns[at].name));
}

std::int64_t pragma(Database& db, const char* name, const std::string& object) {
  try {
    Statement get = db.prepare(std::string("PRAGMA ") + name);
    return get.step() ? get.int64(0) : 0;
  } catch (const Error& e) {
    if (e.code() == Code::kCorrupt) refuse(Code::kCorrupt, object, "not an SQLite file, or damaged");
    throw;
  }
}

// Only an ordinary table may answer for the rows: no view, trigger or virtual table of a stranger runs here.
void check_tables(Database& db, const TableDef& table, const std::string& object) {
  Statement kind = db.prepare(
      "SELECT count(*), sum(type='table' AND rootpage>0 AND lower(name) IN (lower(?1),'timeseries_meta')),"
      " sum(type NOT IN ('table')) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  kind.bind(1, std::string_view(table.name));
  if (!kind.step() || kind.int64(0) != 2 || kind.int64(1) != 2) refuse(Code::kCorrupt, object, "does not hold the two tables of a shard");
}

}  // namespace

SealedFile open_sealed(const std::string& uri, const TableDef& table, const std::string& key, const std::string& object) {
  Database db(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  int ignored = 0;
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, &ignored);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
  // Else a column that the file does not have would be read as a string: its own name, in every row.
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DQS_DML, 0, &ignored);
  if (pragma(db, "application_id", object) != kApplicationId) refuse(Code::kCorrupt, object, "not a timeseries shard");
  std::int64_t version = pragma(db, "user_version", object);
  if (version > kFormatPacked) {
    refuse(Code::kTooNew, object, "written by a newer version (format " + std::to_string(version) + "); upgrade timeseries");
  }
  if (version != kFormatRows && version != kFormatPacked) {
    refuse(Code::kCorrupt, object, "unknown format version " + std::to_string(version));
  }
  db.exec("PRAGMA cell_size_check=ON");
  if (version == kFormatRows) check_tables(db, table, object);

  Statement meta = db.prepare("SELECT value FROM main.timeseries_meta WHERE key=?1");
  auto value = [&](std::string_view name) {
    meta.reset();
    meta.bind(1, name);
    return meta.step() ? meta.text(0) : std::string();
  };
  const Schema& schema = table.schema;
  auto slash = key.rfind('/'), before = key.rfind('/', slash - 1);
  std::string partition = key.substr(before + 1, slash - before - 1);
  auto name = parse_shard_name(key.substr(slash + 1), schema.precision);
  auto demand = [&](std::string_view what, const std::string& expected) {
    std::string found = value(what);
    if (found != expected) {
      refuse(Code::kCorrupt, object, "timeseries_meta says " + std::string(what) + "=" + found + " where its name says " + expected);
    }
  };
  if (!name) refuse(Code::kCorrupt, object, "its name is no shard name");
  demand("table", table.name);
  demand("partition", partition);
  demand("precision", std::string(precision_text(schema.precision)));
  demand("start", std::to_string(name->start));
  demand("end", std::to_string(name->end));
  demand("rows", std::to_string(name->rows));
  if (auto difference = contradiction(schema, schema_from_json(value("schema"), object))) {
    refuse(Code::kCorrupt, object, "its schema contradicts the table's: " + *difference);
  }
  if (version == kFormatRows) check_columns(db, table, object);
  return {std::move(db), static_cast<int>(version)};
}

}  // namespace ts
