// PackedWriter: a piece's rows as packed chunks (format version 2), encoded in memory and written to a fresh database.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "ext/archive/chunk_encoder.h"
#include "ext/archive/sealed_piece.h"

namespace ts {

// False where packing rows never pays: too few a series.
bool enough_rows(std::size_t rows, std::size_t series);

class PackedWriter {
 public:
  // `piece` and its rows outlive the writer.
  PackedWriter(const TableDef& table, const SealedPiece& piece);

  // False where plain rows take fewer bytes (series of few rows), or SQLite's limits leave no room for the columns.
  bool worthwhile() const { return possible_ && encoder_.packed_bytes() < encoder_.plain_bytes(); }
  int page_size() const;

  // Tables, then `meta` to fill timeseries_meta, then rows, in an open transaction.
  void write(Database& db, const std::function<void()>& meta) const;

 private:
  const TableDef& table_;
  const SealedPiece& piece_;
  ValueTable values_;
  ChunkEncoder encoder_;
  std::vector<EncodedChunk> chunks_;
  std::vector<std::size_t> series_chunk_;  // for each series the index of its first chunk, and one more at the end
  bool possible_ = true;
};

}  // namespace ts
