// Batches by SQL, by chunks, and by chunks merged in the order of time.
#include "ext/archive/shard_batches.h"

#include <algorithm>
#include <vector>

namespace ts {
namespace {

constexpr std::size_t kBatchRows = 1024;       // of one handing over
constexpr std::size_t kBatchBytes = 1u << 20;  // also of few large rows

// Rows encoded one after the other.
class EncodedBatch : public RowBatch {
 public:
  explicit EncodedBatch(int columns) : rows_(columns) {}

  RowBuffer& add(std::int64_t ordinal, std::int64_t time) {
    ordinals_.push_back(ordinal);
    times_.push_back(time);
    rows_.begin_row();
    return rows_;
  }
  bool full() const { return rows_.rows() >= kBatchRows || rows_.bytes() >= kBatchBytes; }

  std::int64_t size() const override { return static_cast<std::int64_t>(rows_.rows()); }
  bool next() override {
    if (begun_) row_++;
    begun_ = true;
    if (row_ >= rows_.rows()) return false;
    settle();
    return true;
  }
  std::int64_t time() const override { return times_[row_]; }
  std::int64_t ordinal() const override { return ordinals_[row_]; }
  void result(sqlite3_context* context, int slot) override {
    if (slot < slot_) settle();
    for (; slot_ < slot; slot_++) RowBuffer::skip(at_);
    const char* at = at_;
    RowBuffer::result(context, RowBuffer::read(at));
  }
  Cell cell(int slot) override { return rows_.cell(row_, slot); }

 private:
  void settle() {
    at_ = rows_.row(row_);
    slot_ = 0;
  }
  RowBuffer rows_;
  std::vector<std::int64_t> times_, ordinals_;
  std::size_t row_ = 0;
  bool begun_ = false;
  const char* at_ = nullptr;
  int slot_ = 0;
};

class RowBatches : public BatchSource {
 public:
  RowBatches(Database& db, ColumnMapPtr columns, std::shared_ptr<const ScanPlan> plan) : db_(db), plan_(std::move(plan)) {
    source_.from = "main." + quote_identifier(columns->file->name);
    source_.columns = std::move(columns);
    prepare(Part::kFirst);
  }

  Next next() override {
    if (part_ == Part::kFirst && ended_) prepare(Part::kRest);
    int columns = static_cast<int>(plan_->columns.size());
    auto batch = std::make_unique<EncodedBatch>(columns);
    while (!batch->full()) {
      if (!statement_.step()) {
        ended_ = true;
        break;
      }
      // Pruning and the order of rows rest on the time.
      if (sqlite3_column_type(statement_.get(), 1) != SQLITE_INTEGER) throw Error(Code::kCorrupt, "a row without a time");
      RowBuffer& rows = batch->add(statement_.int64(0), statement_.int64(1));
      for (int c = 0; c < columns; c++) rows.add_column(statement_.get(), c + 2);
    }
    rows_ += batch->size();
    State state = !ended_ ? State::kMore : part_ == Part::kFirst && rows_ == plan_->limit ? State::kEnough : State::kEnd;
    return {std::move(batch), state};
  }

 private:
  void prepare(Part part) {
    part_ = part;
    ended_ = false;
    statement_ = db_.prepare(scan_sql(source_, *plan_, part));
    bind_scan(statement_, *plan_);
  }

  Database& db_;
  ScanSource source_;
  std::shared_ptr<const ScanPlan> plan_;
  Statement statement_;
  Part part_ = Part::kFirst;
  bool ended_ = false;
  std::int64_t rows_ = 0;
};

// ---------------------------------------------------------------- chunks

void result_of(sqlite3_context* context, const DecodedColumn& column, std::size_t row) {
  if (column.form == DecodedColumn::Form::kInteger && column.nulls.empty()) return sqlite3_result_int64(context, column.integers[row]);
  if (column.form == DecodedColumn::Form::kReal && column.nulls.empty()) return sqlite3_result_double(context, column.reals[row]);
  RowBuffer::result(context, column.cell(row));
}

class ChunkBatch : public RowBatch {
 public:
  DecodedChunk& add() { return chunks_.emplace_back(); }
  void drop() { chunks_.pop_back(); }
  void added() { size_ += static_cast<std::int64_t>(chunks_.back().rows.size()); }

  std::int64_t size() const override { return size_; }
  bool next() override {
    if (begun_) at_++;
    begun_ = true;
    while (chunk_ < chunks_.size() && at_ >= chunks_[chunk_].rows.size()) chunk_++, at_ = 0;
    if (chunk_ >= chunks_.size()) return false;
    current_ = &chunks_[chunk_];
    row_ = current_->rows[at_];
    return true;
  }
  std::int64_t time() const override { return current_->times[row_]; }
  std::int64_t ordinal() const override { return current_->first + row_; }
  void result(sqlite3_context* context, int slot) override { result_of(context, current_->columns[static_cast<std::size_t>(slot)], row_); }
  Cell cell(int slot) override { return current_->columns[static_cast<std::size_t>(slot)].cell(row_); }
  bool same_tags() const override { return at_ > 0; }

 private:
  std::vector<DecodedChunk> chunks_;
  const DecodedChunk* current_ = nullptr;
  std::size_t chunk_ = 0, at_ = 0;
  std::uint32_t row_ = 0;
  bool begun_ = false;
  std::int64_t size_ = 0;
};

// When a plan has a limit: says kEnough once.
class LimitWatch {
 public:
  explicit LimitWatch(std::int64_t limit) : limit_(limit) {}
  BatchSource::State after(std::int64_t rows, bool more) {
    rows_ += rows;
    if (!more) return BatchSource::State::kEnd;
    if (limit_ < 0 || said_ || rows_ < limit_) return BatchSource::State::kMore;
    said_ = true;
    return BatchSource::State::kEnough;
  }
  // Rows beyond which a batch need not go on.
  std::int64_t wanted() const { return limit_ < 0 || said_ ? INT64_MAX : limit_ - rows_; }

 private:
  std::int64_t limit_, rows_ = 0;
  bool said_ = false;
};

class ChunkBatches : public BatchSource {
 public:
  ChunkBatches(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan) : watch_(plan->limit), scan_(shard, std::move(plan)) {}
  Next next() override {
    auto batch = std::make_unique<ChunkBatch>();
    bool more = true;
    while (more && batch->size() < std::min<std::int64_t>(kBatchRows / 2, watch_.wanted())) {
      more = scan_.next(batch->add());
      more ? batch->added() : batch->drop();
    }
    State state = watch_.after(batch->size(), more);
    return {std::move(batch), state};
  }

 private:
  LimitWatch watch_;
  ChunkScan scan_;
};

// Rows in the order of time: series are merged, each with a slice of its rows decoded. A series is looked into only when
// its first or last time, by the directory, says that it may have the next row. Sorted by tags that are not the file's first ones, series
// of the same tags are merged, group after group.
class MergedBatches : public BatchSource {
 public:
  MergedBatches(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan)
      : shard_(shard),
        plan_(std::move(plan)),
        watch_(plan_->limit),
        down_(plan_->order == Order::kTimeDescending),
        decoder_(shard, plan_),
        cursor_(shard, decoder_.columns(), down_ ? ChunkCursor::Direction::kDown : ChunkCursor::Direction::kUp) {
    std::vector<PackedShard::Series> all = shard.series(*plan_);
    if (plan_->limit < 0) {
      ChunkAhead ahead(shard, chunk_ids(all));
      if (ahead.fits()) ahead.reached(INT64_MIN);  // series are read in turns
    }
    const std::vector<std::size_t> groups = groups_of(all);
    for (PackedShard::Series& series : all) {
      Lane lane;
      lane.group = groups[lanes_.size()];
      lane.key = down_ ? std::min(series.t1, plan_->to) : std::max(series.t0, plan_->from);
      lane.begins_with = first_chunk_of(series);
      lane.first_chunk = series.first_chunk;
      lane.last_chunk = series.last_chunk;
      lane.tags = std::move(series.tags);
      lanes_.push_back(std::move(lane));
    }
    constexpr std::size_t kDecodedRows = 1u << 18, kLeast = 16, kMost = 1024;
    slice_ = std::clamp(kDecodedRows / std::max<std::size_t>(1, lanes_.size()), kLeast, kMost);
    if (plan_->limit >= 0)
      slice_ = std::min(slice_, std::max(kLeast, static_cast<std::size_t>(std::min<std::int64_t>(plan_->limit, kMost))));
    for (std::size_t i = 0; i < lanes_.size(); i++) heap_.push_back(i);
    std::make_heap(heap_.begin(), heap_.end(), later());
    if (plan_->limit >= 0) turns_ = heap_;
    std::sort(turns_.begin(), turns_.end(), [this](std::size_t a, std::size_t b) { return later()(b, a); });
  }

  Next next() override {
    auto batch = std::make_unique<EncodedBatch>(static_cast<int>(plan_->columns.size()));
    while (!heap_.empty() && !batch->full() && batch->size() < watch_.wanted()) {
      std::pop_heap(heap_.begin(), heap_.end(), later());
      Lane& lane = lanes_[heap_.back()];
      if (lane.loaded) give(lane, *batch);
      if (!lane.loaded && !lane.ended) load(lane);
      if (lane.ended) {
        lane = Lane();
        heap_.pop_back();
      } else {
        std::push_heap(heap_.begin(), heap_.end(), later());
      }
    }
    State state = watch_.after(batch->size(), !heap_.empty());
    return {std::move(batch), state};
  }

 private:
  struct Lane {             // a series
    std::size_t group = 0;  // groups come one after the other
    std::int64_t key = 0;  // time of its next row; while it is not loaded, a bound of it
    bool loaded = false, ended = false;
    std::int64_t begins_with = 0;                  // a chunk to fetch in advance
    std::int64_t first_chunk = 0, last_chunk = 0;  // not finished yet
    std::size_t done = 0;                          // rows of the chunk at hand that are behind
    std::vector<OwnedValue> tags;
    DecodedChunk slice;
    std::size_t at = 0;  // in slice.rows, counted in the order of the scan
  };

  // Sorted by tags: which place a series has among those that differ in them. Else all are one group.
  std::vector<std::size_t> groups_of(const std::vector<PackedShard::Series>& all) const {
    std::vector<std::size_t> groups(all.size()), slots, order(all.size());
    if (plan_->order != Order::kTags) return groups;
    for (int tag : plan_->order_tags) {
      slots.push_back(static_cast<std::size_t>(std::find(plan_->columns.begin(), plan_->columns.end(), tag) - plan_->columns.begin()));
    }
    auto compare = [&](std::size_t a, std::size_t b) {
      for (std::size_t slot : slots) {
        if (int c = compare_cells(all[a].tags[slot].cell(), all[b].tags[slot].cell())) return c;
      }
      return 0;
    };
    for (std::size_t i = 0; i < order.size(); i++) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
    for (std::size_t i = 1; i < order.size(); i++) groups[order[i]] = groups[order[i - 1]] + (compare(order[i - 1], order[i]) != 0);
    return groups;
  }

  std::uint32_t row_of(const Lane& lane) const {
    return down_ ? lane.slice.rows[lane.slice.rows.size() - 1 - lane.at] : lane.slice.rows[lane.at];
  }

  void give(Lane& lane, EncodedBatch& batch) {
    std::uint32_t row = row_of(lane);
    RowBuffer& rows = batch.add(lane.slice.first + row, lane.slice.times[row]);
    for (const DecodedColumn& column : lane.slice.columns) rows.add_cell(column.cell(row));
    if (++lane.at < lane.slice.rows.size()) {
      lane.key = lane.slice.times[row_of(lane)];
    } else {
      lane.loaded = false;  // its next row's time is not before this one's
    }
  }

  // The chunk where the scan comes into the series: where its times are regular.
  std::int64_t first_chunk_of(const PackedShard::Series& series) const {
    const std::int64_t wanted = down_ ? plan_->to : plan_->from;
    if (down_ ? series.t1 <= wanted : series.t0 >= wanted) return down_ ? series.last_chunk : series.first_chunk;
    const double there = (static_cast<double>(wanted) - static_cast<double>(series.t0)) /
                         std::max(1.0, static_cast<double>(series.t1) - static_cast<double>(series.t0));
    const double rows = std::clamp(there, 0.0, 1.0) * static_cast<double>(series.last_chunk - series.first_chunk);
    return series.first_chunk + static_cast<std::int64_t>(rows);
  }

  // With a limit, series are looked into as long as it takes: those whose turn comes first are fetched in one batch, and when they
  // are not enough, four times as many.
  void fetch_turns() {
    if (looked_into_++ < fetched_ || fetched_ >= turns_.size()) return;
    const std::size_t least = plan_->filters.empty() ? 1 : 16;
    const auto limit = static_cast<std::size_t>(std::min<std::int64_t>(plan_->limit, 1024));
    const std::size_t more = fetched_ ? 3 * fetched_ : std::max(least, limit);
    std::vector<RowidRange> chunks;
    for (; fetched_ < turns_.size() && chunks.size() < more; fetched_++) {
      const std::int64_t chunk = lanes_[turns_[fetched_]].begins_with;
      chunks.push_back({chunk, chunk});
    }
    std::sort(chunks.begin(), chunks.end(), [](const RowidRange& a, const RowidRange& b) { return a.first < b.first; });
    ChunkAhead(shard_, chunks).reached(INT64_MIN);
  }

  void load(Lane& lane) {
    if (lane.done == 0) fetch_turns();
    while (lane.first_chunk <= lane.last_chunk) {
      cursor_.seek(lane.first_chunk, lane.last_chunk, plan_->from, plan_->to);
      if (!cursor_.next()) break;
      std::size_t rows = cursor_.rows(), left = rows - std::min(rows, lane.done);
      std::size_t count = std::min(slice_, left);
      bool pass = decoder_.may_pass(cursor_);
      if (!pass) count = left;
      std::size_t begin = down_ ? left - count : rows - left;
      bool any = pass && decoder_.decode(cursor_, &lane.tags, begin, begin + count, lane.slice);
      lane.done += count;
      if (lane.done >= rows) {
        down_ ? void(lane.last_chunk = cursor_.id() - 1) : void(lane.first_chunk = cursor_.id() + 1);
        lane.done = 0;
      } else {
        down_ ? void(lane.last_chunk = cursor_.id()) : void(lane.first_chunk = cursor_.id());
      }
      if (!any) continue;
      lane.at = 0;
      lane.loaded = true;
      lane.key = lane.slice.times[row_of(lane)];
      return;
    }
    lane.ended = true;
  }

  // Heaps have the last element on top. Of equal times the loaded one comes first, so that no series is looked into for nothing.
  struct Later {
    const std::vector<Lane>& lanes;
    bool down;
    bool operator()(std::size_t a, std::size_t b) const {
      const Lane &x = lanes[a], &y = lanes[b];
      if (x.group != y.group) return x.group > y.group;
      if (x.key != y.key) return down ? x.key < y.key : x.key > y.key;
      if (x.loaded != y.loaded) return y.loaded;
      return a > b;
    }
  };
  Later later() const { return {lanes_, down_}; }

  const PackedShard& shard_;
  std::shared_ptr<const ScanPlan> plan_;
  LimitWatch watch_;
  bool down_;
  ChunkDecoder decoder_;
  ChunkCursor cursor_;
  std::vector<Lane> lanes_;
  std::vector<std::size_t> heap_;
  std::vector<std::size_t> turns_;  // with a limit: lanes in the order in which the scan comes to them
  std::size_t looked_into_ = 0, fetched_ = 0;
  std::size_t slice_ = 0;
};

}  // namespace

std::unique_ptr<BatchSource> row_batches(Database& db, ColumnMapPtr columns, std::shared_ptr<const ScanPlan> plan) {
  return std::make_unique<RowBatches>(db, std::move(columns), std::move(plan));
}

std::unique_ptr<BatchSource> packed_batches(const PackedShard& shard, std::shared_ptr<const ScanPlan> plan) {
  const bool as_stored = plan->order == Order::kTags && shard.columns().sorted_by(plan->order_tags, plan->then_time);
  if (plan->order == Order::kNone || as_stored) return std::make_unique<ChunkBatches>(shard, std::move(plan));
  return std::make_unique<MergedBatches>(shard, std::move(plan));
}

}  // namespace ts
