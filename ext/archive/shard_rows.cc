// Chunks of packed shards, so many rows of plain ones.
#include "ext/archive/shard_rows.h"

namespace ts {
namespace {

constexpr std::size_t kRowsAtOnce = 1000;

}  // namespace

AllRows::AllRows(Database& db, const PackedShard* packed, const ColumnMap& map) {
  if (packed) {
    packed_ = std::make_unique<PackedRows>(*packed);
    return;
  }
  std::vector<std::string> columns;
  for (std::size_t c = 0; c < map.at.size(); c++) columns.push_back(map.sql(static_cast<int>(c)));
  plain_ = RowReader(db, columns, "FROM main." + quote_identifier(map.file->name));
}

bool AllRows::next(RowBuffer& rows) {
  if (packed_) return packed_->next(rows);
  rows.clear();
  // Stepped once more after its end, a statement begins anew.
  while (!ended_ && rows.rows() < kRowsAtOnce) ended_ = !plain_.next(rows);
  return rows.rows() > 0;
}

}  // namespace ts
