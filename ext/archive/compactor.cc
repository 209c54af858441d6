// What counts in a partition, merging some of it, and the record that says so.
#include "ext/archive/compactor.h"

#include <algorithm>

#include "ext/archive/compaction_plan.h"
#include "ext/archive/listed_key.h"
#include "ext/archive/partition_sweep.h"
#include "ext/archive/remote_inputs.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"
#include "ext/base/file.h"
#include "ext/base/fork.h"

namespace ts {
namespace {

constexpr char kWork[] = "compact";  // of its directories

bool earlier(const MergeInput& a, const MergeInput& b) {
  return a.name.start != b.name.start ? a.name.start < b.name.start : a.name.id < b.name.id;
}

std::uint64_t bytes_of(const std::vector<MergeInput>& files) {
  std::uint64_t sum = 0;
  for (const MergeInput& file : files) sum += file.bytes;
  return sum;
}

// A background thread is inside SQLite while it merges, but for the moments in which it waits for the network or polls.
class BackgroundHold {
 public:
  explicit BackgroundHold(bool wanted) : wanted_(wanted) {}
  void take() {
    if (wanted_) hold_.emplace();
  }
  void release() { hold_.reset(); }

 private:
  const bool wanted_;
  std::optional<ForkHold> hold_;
};

class UnheldFiles : public MergeFiles {
 public:
  UnheldFiles(MergeFiles& files, BackgroundHold& hold) : files_(files), hold_(hold) {}
  std::vector<LocalShard> bring(const std::vector<MergeInput>& inputs, std::size_t begin, std::size_t end) override {
    hold_.release();
    std::vector<LocalShard> brought = files_.bring(inputs, begin, end);
    hold_.take();
    return brought;
  }
  void release(const LocalShard& shard) override { files_.release(shard); }

 private:
  MergeFiles& files_;
  BackgroundHold& hold_;
};

}  // namespace

Compactor::Compactor(std::shared_ptr<Store> store, TablePtr table, CompactOptions options, const Cancel& cancel, Watch watch)
    : store_(std::move(store)),
      table_(std::move(table)),
      options_(std::move(options)),
      cancel_(cancel),
      watch_(std::move(watch)),
      commits_(*store_, *table_, "ts_compact") {
  if (!options_.dry_run) WorkDirectory::remove_abandoned(options_.directory, kWork);
}

void Compactor::check() const {
  if (cancel_.cancelled()) throw Error(Code::kInterrupted, "ts_compact: interrupted");
}

std::optional<std::string> Compactor::partition_from(const std::string& name) {
  const std::string prefix = table_->directory + "/";
  std::string at = prefix + name;
  for (;;) {
    check();
    ListPage page = store_->list(prefix, at, &cancel_);
    check_listing(*store_, page, prefix, at);
    for (const ObjectInfo& object : page.objects) {
      const std::size_t slash = object.key.find('/', prefix.size());
      if (slash == std::string::npos) continue;
      std::string partition = object.key.substr(prefix.size(), slash - prefix.size());
      if (is_partition_name(partition, table_->schema.partition)) return partition;
    }
    if (!page.more) return std::nullopt;
    at = page.objects.back().key;
  }
}

Compactor::State Compactor::read(const std::string& partition) {
  const PartitionFiles listed = list_partition(*store_, *table_, partition, &cancel_);
  TS_FAILPOINT("compact.listed");
  State state{listed.record, {}};
  for (const PartitionFiles::File& file : listed.counting(*store_, *table_)) {
    state.files.push_back({file.object.key, file.object.etag, file.object.size, file.name});
  }
  std::sort(state.files.begin(), state.files.end(), earlier);
  return state;
}

std::vector<std::vector<std::size_t>> Compactor::plan(const State& state, std::size_t fewest) const {
  std::vector<std::uint64_t> bytes;
  for (const MergeInput& file : state.files) bytes.push_back(file.bytes);
  std::vector<std::vector<std::size_t>> groups = plan_compaction(bytes, options_.target);
  std::erase_if(groups, [fewest](const auto& group) { return group.size() < fewest; });
  return groups;
}

Compacted Compactor::compact(const std::string& partition, std::size_t fewest) {
  check();
  State state = read(partition);
  Compacted report;
  report.partition = partition;
  report.files_before = static_cast<std::int64_t>(state.files.size());
  report.bytes_before = bytes_of(state.files);
  std::vector<std::vector<std::size_t>> groups = plan(state, fewest);
  if (options_.dry_run) {
    report.files_after = report.files_before;
    for (const auto& group : groups) {
      report.files_after -= static_cast<std::int64_t>(group.size()) - 1;
      for (std::size_t file : group) report.rows += state.files[file].name.rows;
    }
    if (groups.empty()) report.bytes_after = report.bytes_before;
    return report;
  }
  to_fetch_ = fetched_ = 0;
  fetched_bytes_ = 0;
  for (const auto& group : groups) to_fetch_ += static_cast<std::int64_t>(group.size());
  for (; !groups.empty(); groups = plan(state, fewest)) {
    if (!merge(state, groups.front(), report)) state = read(partition);
  }
  report.files_after = static_cast<std::int64_t>(state.files.size());
  report.bytes_after = bytes_of(state.files);
  if (state.record.sequence > 0) {
    sweep_partition(*store_, *table_, commits_, partition, Clock::system().now_ms(), kUnnamedMs, &cancel_);
  }
  return report;
}

// False: somebody else has changed the partition meanwhile; `state` is of before.
bool Compactor::merge(State& state, const std::vector<std::size_t>& group, Compacted& report) {
  check();
  std::vector<MergeInput> inputs;
  for (std::size_t file : group) inputs.push_back(state.files[file]);
  if (!directory_) directory_ = std::make_unique<WorkDirectory>(options_.directory, kWork);
  auto fetched = [this](std::uint64_t bytes) {
    fetched_bytes_ += bytes;
    watch_(to_fetch_, ++fetched_, fetched_bytes_);
  };
  BackgroundHold hold(options_.background);
  RemoteInputs remote(store_, directory_->path(), cancel_, fetched);
  UnheldFiles files(remote, hold);
  auto still = [this, &hold] {
    check();
    hold.release();  // whoever waits to fork does it now
    hold.take();
    watch_(to_fetch_, fetched_, fetched_bytes_);
  };
  ShardMerger merger(table_, state.record.partition, {directory_->path(), writer_name(host_name()), options_.fan_in, still});
  MergedShard merged;
  try {
    hold.take();
    merged = merger.merge(inputs, files);
    hold.release();
  } catch (const Error& e) {
    hold.release();
    directory_.reset();  // with what came of it
    if (e.code() != Code::kNotFound && e.code() != Code::kChanged) throw;
    // What was listed is gone: by the work of somebody whose record says so, or it is an error.
    if (commits_.read(state.record.partition, &cancel_).sequence == state.record.sequence) throw;
    return false;
  }
  TS_FAILPOINT("compact.merged");
  const MergeInput result{merged.key, put(merged), merged.bytes, merged.name};
  TS_FAILPOINT("compact.put");
  remove_file(merged.path);
  if (!commit(state, inputs, result)) return false;
  TS_FAILPOINT("compact.committed");
  for (auto file = group.rbegin(); file != group.rend(); ++file) {
    report.rows += state.files[*file].name.rows;
    state.files.erase(state.files.begin() + static_cast<std::ptrdiff_t>(*file));
  }
  state.files.insert(std::lower_bound(state.files.begin(), state.files.end(), result, earlier), result);
  return true;
}

// Returns its ETag.
std::string Compactor::put(const MergedShard& merged) {
  MappedFile file(merged.path);
  PutResult put = store_->put_if_absent(merged.key, file.bytes(), &cancel_);
  if (put.stored) return put.etag;
  // Nobody else knows the id: the answer to our own PUT was lost.
  Range there = store_->get_range(merged.key, "", 0, merged.bytes + 1, &cancel_);
  if (there.bytes == file.bytes()) return there.etag;
  throw Error(Code::kCorrupt, "ts_compact: another object of this name lies there already: " + object_name(*store_, merged.key));
}

// False: some of the inputs count no longer. The merged file was named by no record and is gone, or is declared dead.
bool Compactor::commit(State& state, const std::vector<MergeInput>& inputs, const MergeInput& merged) {
  std::vector<UlidBits> ids;
  for (const MergeInput& input : inputs) ids.push_back(ulid_bits(input.name.id));
  for (;;) {
    MergeRecord next = state.record.next(new_ulid());
    next.bury(ids, Clock::system().now_ms() + options_.grace_ms);
    next.add_live({merged.name, merged.bytes, merged.etag});
    TS_FAILPOINT("compact.commit");
    if (commits_.commit(state.record, next, &cancel_)) {
      state.record = std::move(next);
      return true;
    }
    state.record = commits_.read(state.record.partition, &cancel_);
    if (state.record.is_dead(merged.name.id)) return false;
    if (std::none_of(ids.begin(), ids.end(), [&](UlidBits id) { return state.record.is_dead(id); })) continue;
    store_->remove(merged.key, &cancel_);  // it was in no record of ours that counts, and nobody else knows it
    return false;
  }
}

}  // namespace ts
