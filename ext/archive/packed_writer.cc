// A piece's chunks, all of them in memory.
#include "ext/archive/packed_writer.h"

#include "ext/archive/packed_tables.h"

namespace ts {

bool enough_rows(std::size_t rows, std::size_t series) {
  constexpr std::size_t kSparse = 4, kMany = 64;
  return rows >= series * kSparse || series <= kMany;
}

PackedWriter::PackedWriter(const TableDef& table, const SealedPiece& piece) : table_(table), piece_(piece), encoder_(table, values_) {
  if (!enough_rows(piece.order.size(), piece.series_end.size())) {
    possible_ = false;
    return;
  }
  std::size_t begin = 0;
  std::vector<const char*> rows;  // of a chunk
  for (std::uint32_t end : piece.series_end) {
    series_chunk_.push_back(chunks_.size());
    const std::size_t count = end - begin, chunk_rows = encoder_.chunk_rows();
    const std::size_t parts = count < kWholeSeries ? 1 : (count + chunk_rows - 1) / chunk_rows;
    for (std::size_t p = 0; p < parts; p++) {
      const std::size_t first = begin + count * p / parts, last = begin + count * (p + 1) / parts;
      rows.resize(last - first);
      for (std::size_t i = 0; i < rows.size(); i++) rows[i] = piece.rows->row(piece.order[first + i]);
      chunks_.push_back(encoder_.encode(rows, static_cast<std::int64_t>(first)));
    }
    if (parts > 1) encoder_.learn(chunks_[series_chunk_.back()]);
    encoder_.end_series(piece.rows->row(piece.order[begin]), count);
    begin = end;
  }
  series_chunk_.push_back(chunks_.size());
  for (const Cell& value : values_.values()) encoder_.count_value(value);
  possible_ = can_be_packed(table, encoder_.presence());
}

int PackedWriter::page_size() const {
  PageChoice choice(encoder_);
  for (const EncodedChunk& chunk : chunks_) choice.add(chunk);
  return choice.best();
}

void PackedWriter::write(Database& db, const std::function<void()>& meta) const {
  PackedTables tables(db, table_, encoder_, meta);
  const std::vector<int> tags = table_.schema.tags();
  std::vector<Cell> cells(tags.size());
  for (std::size_t s = 0; s + 1 < series_chunk_.size(); s++) {
    const EncodedChunk &first = chunks_[series_chunk_[s]], &last = chunks_[series_chunk_[s + 1] - 1];
    std::uint32_t row = piece_.order[static_cast<std::size_t>(first.first)];
    for (std::size_t t = 0; t < tags.size(); t++) cells[t] = piece_.rows->cell(row, tags[t]);
    tables.series(cells, first.first, last.first, first.t0, last.t1);
  }
  tables.end_series();
  for (const EncodedChunk& chunk : chunks_) tables.chunk(chunk);
  std::int64_t id = values_.first_id();
  for (const Cell& value : values_.values()) tables.value(id++, value);
}

}  // namespace ts
