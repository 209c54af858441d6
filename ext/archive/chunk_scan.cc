// Times, then filters, then the columns that are left to decode.
#include "ext/archive/chunk_scan.h"

#include <algorithm>

#include "ext/archive/chunk_filter.h"

namespace ts {

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
  // With a limit the first pages may be enough.
  if (plan_->limit < 0) ahead_ = ChunkAhead(shard, by_series_ ? chunk_ids(series_) : std::vector<RowidRange>(1));
  ahead_.reached(INT64_MIN);
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
    ahead_.reached(cursor_.id());
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
