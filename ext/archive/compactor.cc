// What counts in a partition, merging some of it, and the record that says so.
#include "ext/archive/compactor.h"

#include <algorithm>

#include "ext/archive/compaction_plan.h"
#include "ext/archive/listed_key.h"
#include "ext/archive/remote_inputs.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"
#include "ext/base/file.h"

namespace ts {
namespace {

bool earlier(const MergeInput& a, const MergeInput& b) {
  return a.name.start != b.name.start ? a.name.start < b.name.start : a.name.id < b.name.id;
}

std::uint64_t bytes_of(const std::vector<MergeInput>& files) {
  std::uint64_t sum = 0;
  for (const MergeInput& file : files) sum += file.bytes;
  return sum;
}

}  // namespace

Compactor::Compactor(std::shared_ptr<Store> store, TablePtr table, CompactOptions options, const Cancel& cancel, Watch watch)
    : store_(std::move(store)),
      table_(std::move(table)),
      options_(std::move(options)),
      cancel_(cancel),
      watch_(std::move(watch)),
      commits_(*store_, *table_, "ts_compact") {}

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

// The record first: names that are listed after it are no older than it.
Compactor::State Compactor::read(const std::string& partition) {
  State state{commits_.read(partition, &cancel_), {}};
  TS_FAILPOINT("compact.record");
  const std::string prefix = table_->directory + "/" + partition + "/", behind = prefix + "merge";
  std::string at = prefix;
  for (bool more = true; more;) {
    ListPage page = store_->list(prefix, at, &cancel_);
    check_listing(*store_, page, prefix, at);
    TS_FAILPOINT("compact.page");
    more = page.more;
    for (const ObjectInfo& object : page.objects) {
      at = object.key;
      if (object.key >= behind) {
        more = false;
        break;
      }
      const ListedKey listed = classify_key(object.key, *table_);
      if (listed.kind == ListedKey::Kind::kContradiction) {
        throw Error(Code::kCorrupt, "archive: a shard's name contradicts itself or its partition: " + object_name(*store_, object.key));
      }
      if (listed.kind != ListedKey::Kind::kShard || state.record.is_dead(listed.name.id)) continue;
      state.files.push_back({object.key, object.etag, object.size, listed.name});
    }
  }
  for (const MergedFile& file : state.record.live) {
    state.files.push_back({merged_file_key(*table_, file.name), file.etag, file.size, file.name});
  }
  std::sort(state.files.begin(), state.files.end(), earlier);
  return state;
}

std::vector<std::vector<std::size_t>> Compactor::plan(const State& state) const {
  std::vector<std::uint64_t> bytes;
  for (const MergeInput& file : state.files) bytes.push_back(file.bytes);
  return plan_compaction(bytes, options_.target);
}

Compacted Compactor::compact(const std::string& partition) {
  check();
  State state = read(partition);
  Compacted report;
  report.partition = partition;
  report.files_before = static_cast<std::int64_t>(state.files.size());
  report.bytes_before = bytes_of(state.files);
  std::vector<std::vector<std::size_t>> groups = plan(state);
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
  for (; !groups.empty(); groups = plan(state)) {
    if (!merge(state, groups.front(), report)) state = read(partition);
  }
  report.files_after = static_cast<std::int64_t>(state.files.size());
  report.bytes_after = bytes_of(state.files);
  return report;
}

// False: somebody else has changed the partition meanwhile; `state` is of before.
bool Compactor::merge(State& state, const std::vector<std::size_t>& group, Compacted& report) {
  check();
  std::vector<MergeInput> inputs;
  for (std::size_t file : group) inputs.push_back(state.files[file]);
  if (!directory_) directory_ = std::make_unique<WorkDirectory>(options_.directory, "compact");
  auto fetched = [this](std::uint64_t bytes) {
    fetched_bytes_ += bytes;
    watch_(to_fetch_, ++fetched_, fetched_bytes_);
  };
  RemoteInputs files(store_, directory_->path(), cancel_, fetched);
  auto still = [this] {
    check();
    watch_(to_fetch_, fetched_, fetched_bytes_);
  };
  ShardMerger merger(table_, state.record.partition, {directory_->path(), writer_name(host_name()), options_.fan_in, still});
  MergedShard merged;
  try {
    merged = merger.merge(inputs, files);
  } catch (const Error& e) {
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
