// PackedStream: rows that come in the order of a shard, as packed chunks of about 1,024 rows, in memory that does not grow with them.
//
// What a file needs to know of all its chunks (which columns hold more than their default, how large its pages are) is known at the end:
// so chunks, series and values go to scratch files, and from there into the database. Of the values some are remembered: one that
// comes back after many others lies in the file twice.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ext/archive/chunk_encoder.h"
#include "ext/archive/encoded_rows.h"
#include "ext/base/scratch_file.h"

namespace ts {

class PackedStream {
 public:
  // `table` outlives it. `directory`: of the scratch files.
  PackedStream(const TableDef& table, const std::string& directory);

  // A row of the current series, encoded as in a RowBuffer; times ascend.
  void add(std::string_view row);
  void end_series();

  std::int64_t rows() const { return rows_; }
  // After the last series. False where plain rows take fewer bytes, or SQLite's limits leave no room for the columns.
  bool worthwhile() const;
  std::size_t plain_bytes() const { return encoder_.plain_bytes(); }
  int page_size();
  // Tables, then `meta` to fill timeseries_meta, then rows, in an open transaction. `check` is called now and then.
  void write(Database& db, const std::function<void()>& meta, const std::function<void()>& check);

 private:
  void begin_series();
  EncodedChunk encode(std::size_t begin, std::size_t end);
  void keep_values();

  const TableDef& table_;
  const std::vector<int> tags_;
  ValueTable values_;
  ChunkEncoder encoder_;
  ScratchFile chunk_file_, series_file_, value_file_;
  EncodedRows pending_;          // of the series, not encoded yet
  std::vector<const char*> at_;  // rows of a chunk
  RowBuffer record_;
  std::size_t kept_ = 0;   // of values_, in value_file_
  std::int64_t rows_ = 0;  // added
  std::int64_t encoded_ = 0;
  std::size_t series_ = 0;

  // Of the current series, from its first chunk on:
  std::string series_row_;
  std::size_t series_rows_ = 0;  // encoded
  std::int64_t first_ = 0, last_ = 0, t0_ = 0, t1_ = 0;
};

}  // namespace ts
