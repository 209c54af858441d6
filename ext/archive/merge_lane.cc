// Batches of a file's rows, and where a series ends in them.
#include "ext/archive/merge_lane.h"

#include <algorithm>

#include "ext/archive/encoded_rows.h"
#include "ext/base/file.h"

namespace ts {

int compare_series(std::string_view a, std::string_view b) {
  const char *at_a = a.data(), *at_b = b.data();
  while (at_a < a.data() + a.size() && at_b < b.data() + b.size()) {
    if (int c = compare_cells(RowBuffer::read(at_a), RowBuffer::read(at_b))) return c;
  }
  return 0;
}

MergeLane::MergeLane(const LocalShard& shard, TablePtr table, std::size_t index)
    : table_(std::move(table)),
      tags_(table_->schema.tags()),
      index_(index),
      name_(shard.name),
      object_(shard.object),
      file_(open_sealed(immutable_uri(shard.path), *table_, shard.key, shard.object)),
      batch_(static_cast<int>(table_->schema.columns.size())) {
  file_.db.exec("PRAGMA cache_size=-512");  // it is read once, from its beginning to its end
  if (file_.format == kFormatPacked) packed_ = std::make_unique<PackedShard>(file_.db, table_, file_.columns, object_);
  if (file_.columns->leaves_out() || !file_.columns->sorted_by(tags_, true)) refuse("has columns that the merged file would not have");
  all_ = std::make_unique<AllRows>(file_.db, packed_.get(), *file_.columns);
  ended_ = !load();
}

void MergeLane::refuse(const std::string& why) const { throw Error(Code::kCorrupt, "shard: " + why + ": " + object_); }

bool MergeLane::load() {
  if (!all_->next(batch_)) return false;
  const int time_column = table_->schema.time_column;
  times_.resize(batch_.rows());
  for (std::size_t row = 0; row < times_.size(); row++) {
    Cell time = batch_.cell(row, time_column);
    if (time.type != SQLITE_INTEGER) refuse("a row without a time");
    times_[row] = time.integer;
    first_ = std::min(first_, time.integer);
    last_ = std::max(last_, time.integer);
    digest_.add(batch_.row_bytes(row));
  }
  if (digest_.rows() > name_.rows) refuse("holds more rows than its name says");
  at_ = 0;
  find_series();
  return true;
}

// Whose the row at at_ is, and how far in the batch the following ones are too. A packed file's batch is one chunk: of one series.
void MergeLane::find_series() {
  encoded_cells(batch_.row(at_), tags_, series_);
  series_end_ = times_.size();
  if (packed_) return;
  series_end_ = at_ + 1;
  for (; series_end_ < times_.size(); series_end_++) {
    encoded_cells(batch_.row(series_end_), tags_, other_);
    if (other_ != series_) return;
  }
}

bool MergeLane::next() {
  const std::int64_t time = times_[at_];
  if (++at_ == series_end_) {
    const std::string before = series_;
    if (at_ < times_.size()) {
      find_series();
    } else if (!load()) {
      ended_ = true;
      return false;
    }
    if (series_ != before) {
      if (compare_series(before, series_) > 0) refuse("its rows are not in the order of their tags");
      return false;
    }
  }
  if (times_[at_] < time) refuse("its rows are not in the order of time");
  return true;
}

void MergeLane::finish() const {
  if (digest_.rows() == name_.rows && first_ == name_.start && last_ == name_.end) return;
  refuse("number or range of its rows are not what its name says");
}

}  // namespace ts
