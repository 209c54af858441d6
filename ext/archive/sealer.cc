// Reading rows, sorting them into pieces, writing and proving each.
#include "ext/archive/sealer.h"

#include <stdio.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "ext/archive/buffer_table.h"
#include "ext/archive/chunk_scan.h"
#include "ext/archive/encoded_rows.h"
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
    encoded_cells(rows.row(row), tags_, key_);
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

// Closes the file first: SQLite writes no more.
void finish(Database& db, const std::string& path) {
  db.exec("COMMIT");
  db.close();
  stamp_sealed(path);
}

// `because`: why the rows are not packed, if that was tried in vain.
void write_rows(const std::string& path, const TableDef& table, const SealedPiece& piece, const ShardName& name,
                const std::string& because) {
  BufferView view{piece.rows, piece.order.data(), 0, piece.order.size()};
  Database db = create_sealed(path, plain_page_size(piece.bytes), kFormatRows);
  register_buffer_table(db.get(), "sorted_rows", piece.rows->columns(), &view);
  db.exec("BEGIN");
  db.exec("CREATE TABLE timeseries_meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID");
  put_meta(db, table, piece.partition, name, kFormatRows);
  if (!because.empty()) {
    Statement note = db.prepare("INSERT INTO timeseries_meta VALUES('plain_because',?1)");
    note.bind(1, std::string_view(because));
    note.run();
  }
  db.exec("CREATE TABLE " + quote_identifier(table.name) + "(" + shard_columns_sql(table.schema) + ")");
  db.exec("INSERT INTO main." + quote_identifier(table.name) + " SELECT * FROM sorted_rows");
  finish(db, path);
}

void write_packed(const std::string& path, const TableDef& table, const PackedWriter& packed, const SealedPiece& piece,
                  const ShardName& name) {
  Database db = create_sealed(path, packed.page_size(), kFormatPacked);
  db.exec("BEGIN");
  packed.write(db, [&] { put_meta(db, table, piece.partition, name, kFormatPacked); });
  finish(db, path);
}

SealedFile read_back(const std::string& path, const TableDef& table, const std::string& key) {
  check_pages(MappedFile(path).bytes(), path);
  return open_sealed(immutable_uri(path), table, key, path);
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
  PackedRows all(shard);
  for (RowBuffer rows(static_cast<int>(table->schema.columns.size())); all.next(rows);) {
    for (std::size_t row = 0; row < rows.rows(); row++) comparison.row(rows.row_bytes(row));
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

// Packs the piece and proves it. False: plain rows are smaller, or what was read back is not what was written (`why`).
bool pack_piece(const std::string& path, const TablePtr& table, const SealedPiece& piece, const std::string& key, const ShardName& name,
                std::string& why) {
  PackedWriter packed(*table, piece);
  if (!packed.worthwhile()) return false;
  write_packed(path, *table, packed, piece, name);
  TS_FAILPOINT("seal.written");
  try {
    SealedFile file = read_back(path, *table, key);
    TS_FAILPOINT("seal.prove");
    verify_packed(file.db, table, path, Comparison(piece, path));
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::kCorrupt) throw;
    sqlite3_log(SQLITE_WARNING, "timeseries: packing %s is not exact, so plain rows are stored: %s", key.c_str(), e.what());
    why = std::string("packing is not exact: ") + e.what();
    remove_file(path);
    return false;
  }
}

SealedRow write_piece(const TablePtr& table, const SealedPiece& piece, const std::string& directory, const std::string& writer,
                      const std::string& id, Unfinished& unfinished) {
  ShardName name{piece.start, piece.end, static_cast<std::int64_t>(piece.order.size()), writer, id};
  SealedRow out;
  out.table = table->name;
  out.declared = table->declared;
  out.key = table->directory + "/" + piece.partition + "/" + format_shard_name(name, table->schema.precision);
  out.file = name.id + ".sqlite";
  out.rows = name.rows;
  std::string temporary = directory + "/" + name.id + ".tmp", path = directory + "/" + out.file;
  unfinished.add(temporary);
  unfinished.add(path);
  std::string why_not;
  if (!pack_piece(temporary, table, piece, out.key, name, why_not)) {
    write_rows(temporary, *table, piece, name, why_not);
    TS_FAILPOINT("seal.written");
    SealedFile file = read_back(temporary, *table, out.key);
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
                                  const std::string& sealed_directory, const std::string& writer, std::size_t piece_bytes,
                                  const std::function<std::string()>& id) {
  RowBuffer rows(static_cast<int>(table->schema.columns.size()));
  std::vector<SealedRow> files;
  Unfinished unfinished;
  auto write = [&] {
    for (const SealedPiece& piece : sort_into_pieces(*table, rows)) {
      files.push_back(write_piece(table, piece, sealed_directory, writer, id(), unfinished));
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

}  // namespace ts
