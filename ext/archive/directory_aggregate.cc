// Directories of a wave of shards, then the chunks that these leave.
#include "ext/archive/directory_aggregate.h"

#include <algorithm>

namespace ts {

bool DirectoryAggregation::suffices(const RollupScan& scan, std::int64_t start, std::int64_t end) {
  const auto edges_only = [](const Measure& measure) { return (measure.statistics & ~(kFirst | kLast)) == 0; };
  return scan.plan->from <= start && end <= scan.plan->to && end <= scan.spec->bucket.last(start) &&
         std::all_of(scan.spec->measures.begin(), scan.spec->measures.end(), edges_only);
}

std::shared_ptr<const ScanPlan> DirectoryAggregation::plan_of(const RollupScan& scan) {
  auto plan = std::make_shared<ScanPlan>();
  plan->columns = scan.spec->tags;
  plan->filters = scan.plan->filters;
  plan->few_chunks = true;
  return plan;
}

namespace {

unsigned edges_of(const RollupSpec& spec) {
  unsigned edges = 0;
  for (const Measure& measure : spec.measures) edges |= measure.statistics;
  return edges;
}

// Newest first, but where only first values are asked for.
std::vector<ShardPlace> in_order(std::vector<ShardPlace> shards, unsigned edges) {
  if (edges != kFirst) std::reverse(shards.begin(), shards.end());
  return shards;
}

}  // namespace

DirectoryAggregation::DirectoryAggregation(ShardFiles& files, std::shared_ptr<Store> store, const RollupScan& scan,
                                           std::vector<ShardPlace> shards, const Cancel& cancel, QueryStats& stats)
    : scan_(scan),
      plan_(plan_of(scan)),
      edges_(edges_of(*scan.spec)),
      jobs_(cancel),
      shards_(files, std::move(store), scan.table, plan_, jobs_.cancel(), in_order(std::move(shards), edges_)),
      stats_(stats) {}

void DirectoryAggregation::start() { schedule(); }

// The wave's shards are opened; what comes after them is fetched as far as there is room.
void DirectoryAggregation::schedule() {
  shards_.announce(done_);
  for (std::size_t i = done_ + wave_.size(); i < wave_end(); i++) {
    Part& next = wave_.emplace_back();
    next.far = &shards_.at(i);
    next.job = jobs_.begin([this, &next] { read(next); });
  }
}

void DirectoryAggregation::work(Part& part, const std::function<void(ShardFile&)>& body) {
  try {
    body(*part.file);
  } catch (const Error& e) {
    if (e.code() == Code::kInterrupted) throw;
    part.file->explain(e);
  }
}

// For a worker, as the next.
void DirectoryAggregation::read(Part& part) {
  part.file = part.far->open(stats_);
  const ShardRef& ref = part.far->ref();
  work(part, [&](ShardFile& file) {
    if (file.packed()) {
      part.directory.emplace(read_directory(*file.packed(), *plan_, ref));
      return;
    }
    part.far->fetch_whole();
    part.answer = std::make_unique<PartialAggregates>(scan_.spec);
    stats_.rows_read += aggregate_shard(file, ref, part.far->object(), scan_, *part.answer, [this] { jobs_.check(); });
  });
  if (part.answer || !edges_) part.far->give_back(std::move(part.file));
}

void DirectoryAggregation::read_edges(Part& part, const std::vector<WantedEdges>& wanted) {
  part.answer = std::make_unique<PartialAggregates>(scan_.spec);
  work(part, [&](ShardFile& file) {
    aggregate_edges(*file.packed(), *part.directory, wanted, *part.answer, [this] { jobs_.check(); });
  });
  part.far->give_back(std::move(part.file));
}

void DirectoryAggregation::count(Part& part, PartialAggregates& into) {
  const std::vector<SeriesDirectory::Entry>& entries = part.directory->entries;
  for (std::size_t e = 0; e < entries.size(); e++) {
    const std::uint32_t group = into.group(into.series(part.directory->tags.row_bytes(e)), entries[e].t0);
    part.groups.push_back(group);
    stats_.rows_read += entries[e].rows;
    if (group == PartialAggregates::kUnwanted) continue;
    into.add_rows(group, entries[e].rows);
    if (group >= latest_.size()) {
      earliest_.resize(into.groups(), INT64_MAX);
      latest_.resize(into.groups(), INT64_MIN);
    }
    earliest_[group] = std::min(earliest_[group], entries[e].t0);
    latest_[group] = std::max(latest_[group], entries[e].t1);
  }
}

std::vector<WantedEdges> DirectoryAggregation::wanted_of(const Part& part) const {
  std::vector<WantedEdges> wanted;
  for (std::size_t e = 0; e < part.groups.size(); e++) {
    const std::uint32_t group = part.groups[e];
    if (group == PartialAggregates::kUnwanted) continue;
    const SeriesDirectory::Entry& entry = part.directory->entries[e];
    const bool first = (edges_ & kFirst) && entry.t0 == earliest_[group], last = (edges_ & kLast) && entry.t1 == latest_[group];
    if (first || last) wanted.push_back({e, first, last});
  }
  return wanted;
}

void DirectoryAggregation::wait(const Part& part, InterruptProbe& probe) {
  jobs_.wait(*part.job, probe, [&] {
    shards_.announce(done_);
    part.far->await();
  });
}

void DirectoryAggregation::finish(PartialAggregates& into, InterruptProbe& probe) {
  while (done_ < shards_.size()) {
    schedule();
    for (Part& part : wave_) {
      wait(part, probe);
      if (part.directory) count(part, into);
    }
    for (Part& part : wave_) {
      if (!part.file) continue;
      const std::vector<WantedEdges> wanted = wanted_of(part);
      if (wanted.empty()) {
        part.far->give_back(std::move(part.file));
      } else {
        part.job = jobs_.begin([this, &part, wanted] { read_edges(part, wanted); });
      }
    }
    for (const Part& part : wave_) {
      wait(part, probe);
      if (part.answer) into.merge(*part.answer);
      stats_.files_done++;
    }
    done_ += wave_.size();
    wave_.clear();
  }
}

}  // namespace ts
