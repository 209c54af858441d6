// The k-way merge, its levels, and the proof.
#include "ext/archive/shard_merger.h"

#include <algorithm>
#include <memory>

#include "ext/archive/packed_stream.h"
#include "ext/archive/plain_writer.h"
#include "ext/base/failpoint.h"
#include "ext/base/file.h"

namespace ts {
namespace {

// Who takes the merged rows.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void row(std::string_view row) = 0;
  virtual void end_series() = 0;
};

class PackingSink : public RowSink {
 public:
  explicit PackingSink(PackedStream& stream) : stream_(stream) {}
  void row(std::string_view row) override { stream_.add(row); }
  void end_series() override { stream_.end_series(); }

 private:
  PackedStream& stream_;
};

class PlainSink : public RowSink {
 public:
  PlainSink(PlainWriter& writer, int columns) : writer_(writer), rows_(columns) {}
  void row(std::string_view row) override {
    constexpr std::size_t kAtOnce = 1 << 20;
    add_encoded(rows_, row.data());
    if (rows_.bytes() >= kAtOnce) drain();
  }
  void end_series() override {}
  void drain() {
    if (rows_.rows() > 0) writer_.add(rows_);
    rows_.clear();
  }

 private:
  PlainWriter& writer_;
  RowBuffer rows_;
};

using Lanes = std::vector<std::unique_ptr<MergeLane>>;

// One series out of all lanes that are at it, by time; rows of one time in the order of the lanes.
void merge_series(std::vector<MergeLane*>& lanes, RowSink& sink, const std::function<void()>& check) {
  auto later = [](const MergeLane* a, const MergeLane* b) {
    return a->time() != b->time() ? a->time() > b->time() : a->index() > b->index();
  };
  std::make_heap(lanes.begin(), lanes.end(), later);
  while (!lanes.empty()) {
    check();
    std::pop_heap(lanes.begin(), lanes.end(), later);
    MergeLane* lane = lanes.back();
    lanes.pop_back();
    // A lane goes on as long as no other has an earlier row.
    bool more;
    do {
      sink.row(lane->row());
      more = lane->next();
    } while (more && (lanes.empty() || !later(lane, lanes.front())));
    if (!more) continue;
    lanes.push_back(lane);
    std::push_heap(lanes.begin(), lanes.end(), later);
  }
  sink.end_series();
}

// Series of equal tags that are not the same (1 and 1.0) come one after the other, in whatever order the files have them.
RowsDigest merge_lanes(const std::vector<LocalShard>& inputs, const TablePtr& table, RowSink& sink, const std::function<void()>& check) {
  Lanes lanes;
  for (const LocalShard& input : inputs) lanes.push_back(std::make_unique<MergeLane>(input, table, lanes.size()));
  std::vector<MergeLane*> same;
  for (;;) {
    const MergeLane* least = nullptr;
    for (const auto& lane : lanes) {
      if (!lane->ended() && (!least || compare_series(lane->series(), least->series()) < 0)) least = lane.get();
    }
    if (!least) break;
    for (const auto& lane : lanes) {
      if (!lane->ended() && lane->series() == least->series()) same.push_back(lane.get());
    }
    merge_series(same, sink, check);
  }
  RowsDigest all;
  for (const auto& lane : lanes) {
    lane->finish();
    all.add(lane->digest());
  }
  return all;
}

}  // namespace

ShardMerger::ShardMerger(TablePtr table, std::string partition, MergeOptions options)
    : table_(std::move(table)), partition_(std::move(partition)), options_(std::move(options)) {}

// A file that this merge makes.
LocalShard ShardMerger::local(ShardName name) const {
  std::string path = options_.directory + "/" + name.id + ".sqlite";
  std::string key = table_->directory + "/" + partition_ + "/" + format_shard_name(name, table_->schema.precision);
  return {path, key, path, std::move(name)};
}

// Each input that is open holds a chunk of its rows: wide ones are merged fewer at a time.
std::size_t ShardMerger::fan_in(const std::vector<MergeInput>& inputs) const {
  constexpr std::uint64_t kMemory = 128u << 20, kOpen = 512u << 10, kRowsHeld = 2 * kWholeSeries;
  std::uint64_t widest = 0;
  for (const MergeInput& input : inputs) widest = std::max(widest, input.bytes / static_cast<std::uint64_t>(input.name.rows));
  const auto most = static_cast<std::size_t>(kMemory / (kOpen + widest * kRowsHeld));
  return std::clamp<std::size_t>(most, 2, std::max<std::size_t>(options_.fan_in, 2));
}

MergedShard ShardMerger::merge(const std::vector<MergeInput>& inputs, MergeFiles& files) {
  const std::size_t fan = fan_in(inputs);
  RowsDigest digest;
  auto step_of_inputs = [&](std::size_t begin, std::size_t end, bool last) {
    std::vector<LocalShard> brought = files.bring(inputs, begin, end);
    RowsDigest of_step;
    LocalShard made = merge_step(brought, of_step, last ? &of_step : nullptr);
    digest.add(of_step);
    for (const LocalShard& shard : brought) files.release(shard);
    return made;
  };
  // Evenly: no step is left with a few.
  auto in_steps = [&](std::size_t count, const auto& step) {
    const std::size_t steps = (count + fan - 1) / fan;
    for (std::size_t s = 0; s < steps; s++) step(count * s / steps, count * (s + 1) / steps);
  };
  std::vector<LocalShard> level;
  in_steps(inputs.size(), [&](std::size_t begin, std::size_t end) {
    level.push_back(step_of_inputs(begin, end, inputs.size() <= fan));
    TS_FAILPOINT("compact.step");
  });
  while (level.size() > 1) {
    std::vector<LocalShard> next;
    const bool last = level.size() <= fan;
    in_steps(level.size(), [&](std::size_t begin, std::size_t end) {
      std::vector<LocalShard> part(level.begin() + static_cast<std::ptrdiff_t>(begin), level.begin() + static_cast<std::ptrdiff_t>(end));
      RowsDigest of_step;
      next.push_back(merge_step(part, of_step, last ? &digest : nullptr));
      for (const LocalShard& shard : part) remove_file(shard.path);
      TS_FAILPOINT("compact.step");
    });
    level = std::move(next);
  }
  const LocalShard& made = level.front();
  return {made.path, table_->directory + "/" + partition_ + "/merged/" + format_shard_name(made.name, table_->schema.precision),
          file_size(made.path), made.name};
}

// `digest` becomes that of the inputs. `expected`: of the rows that must be read back; null: nobody looks, a later step does.
LocalShard ShardMerger::merge_step(const std::vector<LocalShard>& inputs, RowsDigest& digest, const RowsDigest* expected) {
  ShardName name{INT64_MAX, INT64_MIN, 0, options_.writer, new_ulid()};
  for (const LocalShard& input : inputs) {
    name.start = std::min(name.start, input.name.start);
    name.end = std::max(name.end, input.name.end);
    name.rows += input.name.rows;
  }
  LocalShard out = local(std::move(name));
  write_file(out.path, "", Sync::kNo);  // for its mode: SQLite takes the file as it is
  std::size_t plain_bytes = 0;
  if (pack(inputs, out, digest, expected, plain_bytes)) return out;
  write_file(out.path, "", Sync::kNo);
  constexpr std::size_t kMost = 2u << 30;  // a file of an archive is stored by one PUT
  if (plain_bytes > kMost) {
    throw Error(Code::kUnsupported, "merge: its rows do not pack, and plain they take " + std::to_string(plain_bytes) + " bytes: " +
                                        inputs.front().object + "; choose a smaller compact_target");
  }
  write_plain(inputs, out, digest, plain_bytes);
  if (expected && read_back(out) != *expected) {
    throw Error(Code::kCorrupt, "merge: rows read back differ from those of the files that were merged: " + out.object);
  }
  return out;
}

// False: plain rows are smaller, or what was read back is not what was written.
bool ShardMerger::pack(const std::vector<LocalShard>& inputs, const LocalShard& out, RowsDigest& digest, const RowsDigest* expected,
                       std::size_t& plain_bytes) {
  PackedStream stream(*table_, options_.directory);
  PackingSink sink(stream);
  digest = merge_lanes(inputs, table_, sink, options_.check);
  plain_bytes = stream.plain_bytes();
  if (!stream.worthwhile()) return false;
  {
    Database db = create_sealed(out.path, stream.page_size(), kFormatPacked);
    db.exec("BEGIN");
    stream.write(db, [&] { put_meta(db, *table_, partition_, out.name, kFormatPacked); }, options_.check);
    db.exec("COMMIT");
  }
  stamp_sealed(out.path);
  if (!expected) return true;
  try {
    TS_FAILPOINT("compact.prove");
    if (read_back(out) == *expected) return true;
    sqlite3_log(SQLITE_WARNING, "timeseries: merging is not exact, so plain rows are stored: %s", out.key.c_str());
  } catch (const Error& e) {
    if (e.code() != Code::kCorrupt) throw;
    sqlite3_log(SQLITE_WARNING, "timeseries: merging is not exact, so plain rows are stored: %s: %s", out.key.c_str(), e.what());
  }
  return false;
}

void ShardMerger::write_plain(const std::vector<LocalShard>& inputs, const LocalShard& out, RowsDigest& digest, std::size_t bytes) {
  PlainWriter writer(out.path, *table_, partition_, out.name, bytes);
  PlainSink sink(writer, static_cast<int>(table_->schema.columns.size()));
  digest = merge_lanes(inputs, table_, sink, options_.check);
  sink.drain();
  writer.finish();
}

RowsDigest ShardMerger::read_back(const LocalShard& shard) const {
  check_pages(MappedFile(shard.path).bytes(), shard.object);
  MergeLane lane(shard, table_, 0);
  while (!lane.ended()) {
    options_.check();
    while (lane.next()) continue;
  }
  lane.finish();
  return lane.digest();
}

}  // namespace ts
