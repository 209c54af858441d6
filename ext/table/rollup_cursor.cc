// RollupCursor: conditions on buckets become bounds on times; sources become groups.
#include "ext/table/rollup_cursor.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ext/archive/directory_aggregate.h"
#include "ext/base/clock.h"
#include "ext/table/explain.h"
#include "ext/table/scan_builder.h"
#include "ext/table/sources.h"

namespace ts {
namespace {

// What the conditions on the rollup's columns ask of the base table's rows. All times of a bucket share its start, so each
// bound on starts is one on times; a filter on tags takes all rows of a group or none.
void translate(const ScanPlan& asked, const RollupShape& shape, ScanPlan& plan, RollupSpec& spec) {
  plan.empty = asked.empty || asked.from > asked.to;
  if (asked.from != INT64_MIN) {
    auto from = shape.bucket.start_from(asked.from);
    plan.empty = plan.empty || !from;
    plan.from = from.value_or(INT64_MAX);
  }
  if (asked.to != INT64_MAX) plan.to = shape.bucket.last(asked.to);
  for (const Filter& filter : asked.filters) {
    if (filter.column != shape.schema.time_column) {
      plan.filters.push_back(filter);
      plan.filters.back().column = shape.columns[static_cast<std::size_t>(filter.column)].source;
      continue;
    }
    std::vector<std::int64_t> members, both;
    for (const OwnedValue& value : filter.values) members.push_back(value.integer);
    std::sort(members.begin(), members.end());
    if (spec.some_buckets) {
      std::set_intersection(members.begin(), members.end(), spec.buckets.begin(), spec.buckets.end(), std::back_inserter(both));
      members = std::move(both);
    }
    spec.some_buckets = true;
    spec.buckets = std::move(members);
  }
  plan.empty = plan.empty || plan.from > plan.to;
}

unsigned statistic_of(RollupKind kind) {
  switch (kind) {
    case RollupKind::kCount: return kCount;
    case RollupKind::kSum:
    case RollupKind::kAvg: return kSum;
    case RollupKind::kMin: return kMin;
    case RollupKind::kMax: return kMax;
    case RollupKind::kFirst: return kFirst;
    case RollupKind::kLast: return kLast;
    default: return 0;
  }
}

// Everything that the answer depends on beside the snapshot, in bytes.
std::string fingerprint(const std::string& plan_text, const ScanPlan& plan, const RollupSpec& spec) {
  RowBuffer bytes(0);
  bytes.begin_row();
  bytes.add_text(plan_text);
  bytes.add_integer(plan.from);
  bytes.add_integer(plan.to);
  for (std::int64_t bucket : spec.buckets) bytes.add_integer(bucket);
  for (const Filter& filter : plan.filters) {
    bytes.add_text(filter.op);
    bytes.add_text(filter.collation);
    bytes.add_integer(filter.column);
    for (const OwnedValue& value : filter.values) bytes.add_cell(value.cell());
  }
  return std::string(bytes.row_bytes(0));
}

}  // namespace

void RollupCursor::account() noexcept {
  if (!statement_) return;
  statement_->stats.rows_returned += std::exchange(returned_, 0);
  statement_->stats.elapsed_ms = Clock::system().steady_ms() - statement_->stats.started_ms;
}

void RollupCursor::filter(int plan_number, const char* plan_text, sqlite3_value** arguments) {
  account();
  at_ = order_.size();
  Table& base = table_.base();
  shape_ = table_.shape();
  const Schema& columns = base.def()->schema;
  const std::string text = plan_text ? plan_text : "";
  Plan words = decode_plan(text, table_.plan_names());
  ScanPlan asked;
  ScanBuilder builder(table_.def(), asked);
  for (const PlanTerm& term : words.terms) builder.term(term, *arguments++);

  auto plan = std::make_shared<ScanPlan>();
  auto spec = std::make_shared<RollupSpec>();
  translate(asked, shape_, *plan, *spec);
  spec->bucket = shape_.bucket;
  for (int t = 1; t <= shape_.tags; t++) {
    int source = shape_.columns[static_cast<std::size_t>(t)].source;
    spec->tags.push_back(source);
    spec->tag_collations.push_back(collation_of(columns.columns[static_cast<std::size_t>(source)]));
  }
  auto snapshot = table_.session().statement(plan_number, table_.sql_name());
  std::string asks = fingerprint(text, *plan, *spec);
  bool known = groups_ && statement_ && &*statement_ == snapshot.get() && asks == asked_;
  statement_.join(std::move(snapshot));
  if (!known) {
    asked_.clear();
    plan_ = std::move(plan);
    spec_ = std::move(spec);
    columns_ = words.columns;
    descending_ = words.order < 0;
    std::vector<int> first = asked_first(columns_);
    narrowed_ = first.size() < columns_.size();
    compute(first);
    asked_ = std::move(asks);
  }
  at_ = 0;
  eof() ? account() : void(returned_++);
}

// SQLite tells which of the first 63 columns a statement uses, and of those after them only whether it uses any. Where it uses nothing
// but last values among the former, or first ones, the same is taken for the latter: for the last row of each series most files need not
// be read. If that was wrong, all of them are computed when one is asked for.
std::vector<int> RollupCursor::asked_first(const std::vector<int>& columns) const {
  constexpr int kTold = 63;
  const auto statistic = [&](int c) { return statistic_of(shape_.columns[static_cast<std::size_t>(c)].kind); };
  unsigned told = 0;
  for (int c : columns) told |= c < kTold ? statistic(c) : 0;
  if (told == 0 || (told & ~(kFirst | kLast))) return columns;
  std::vector<int> first;
  for (int c : columns) {
    if ((statistic(c) & ~told) == 0) first.push_back(c);
  }
  return first;
}

// The groups, with the values of these columns.
void RollupCursor::compute(const std::vector<int>& columns) {
  const Schema& base = table_.base().def()->schema;
  auto plan = std::make_shared<ScanPlan>(*plan_);
  auto spec = std::make_shared<RollupSpec>(*spec_);
  std::vector<int> measures(shape_.columns.size(), -1);
  for (int c : columns) {
    const RollupColumn& column = shape_.columns[static_cast<std::size_t>(c)];
    unsigned statistic = statistic_of(column.kind);
    if (!statistic) continue;
    if (spec->measures.empty() || spec->measures.back().column != column.source) {  // columns ascend: those of one source are neighbours
      spec->measures.push_back({column.source, 0, collation_of(base.columns[static_cast<std::size_t>(column.source)])});
    }
    spec->measures.back().statistics |= statistic;
    measures[static_cast<std::size_t>(c)] = static_cast<int>(spec->measures.size()) - 1;
  }
  plan->columns = spec->tags;
  for (const Measure& measure : spec->measures) plan->columns.push_back(measure.column);

  groups_ = std::make_unique<PartialAggregates>(spec);
  order_.clear();
  if (!plan->empty) {
    statement_->begin_scan([&] {
      groups_ = std::make_unique<PartialAggregates>(spec);
      aggregate(table_.base(), {table_.base().def(), plan, spec});
    });
  }
  order_ = groups_->ordered(descending_);
  measures_ = std::move(measures);
}

namespace {

// Which shards are aggregated by their directories: those of which that saves bytes. A shard that is alone in its bucket gives first and
// last values of all its series, and where one GET brings it, its head would be a second one.
class DirectoryChoice {
 public:
  DirectoryChoice(const RollupScan& scan, const std::vector<Source>& sources) : scan_(scan) {
    for (const Source& source : sources) {
      if (!scan.spec->measures.empty() && suffices(source)) shards_[scan.spec->bucket.start(source.start)]++;
    }
  }
  bool takes(const Source& source) const {
    if (!suffices(source)) return false;
    return shards_.empty() || source.shard.bytes() > RangedFile::kWholeBytes || shards_.at(scan_.spec->bucket.start(source.start)) > 1;
  }

 private:
  bool suffices(const Source& source) const {
    return !source.near && DirectoryAggregation::suffices(scan_, source.start, source.end);
  }
  const RollupScan& scan_;
  std::unordered_map<std::int64_t, std::size_t> shards_;  // by bucket, where values are asked for
};

}  // namespace

// Files are read by workers meanwhile; what lies in inner connections of this thread is read here.
void RollupCursor::aggregate(Table& base, const RollupScan& scan) {
  Session& session = table_.session();
  StatementSnapshot& statement = *statement_;
  LocalSnapshot& local = session.local(statement, base.spool());
  std::vector<Source> here;
  std::vector<ShardPlace> by_directory, by_chunk;
  limit_spending(base, statement);
  CostCheck check(base, *base.def());
  const auto plan_of_directory = DirectoryAggregation::plan_of(scan);
  std::vector<Source> sources = SourceFinder(base, statement, local, scan.plan->from, scan.plan->to).all();
  const DirectoryChoice choice(scan, sources);
  for (Source& source : sources) {
    if (source.near) {
      here.push_back(std::move(source));
    } else if (scan.spec->wants_some_of(source.start, source.end)) {
      const bool by_its_directory = choice.takes(source);
      check.add(source.shard, by_its_directory ? *plan_of_directory : *scan.plan);
      (by_its_directory ? by_directory : by_chunk).push_back(std::move(source.shard));
    } else {
      statement.stats.files_pruned++;
      statement.stats.files_chosen--;
    }
  }
  check.finish();
  sources = {};  // of many files they are large
  ShardFiles& open = session.shard_files();
  DirectoryAggregation directories(open, base.store(), scan, std::move(by_directory), statement.cancel, statement.stats);
  ShardAggregation chunks(open, base.store(), scan, std::move(by_chunk), statement.cancel, statement.stats);
  directories.start();
  chunks.start();
  for (const Source& source : here) {
    check_source(source, local);
    aggregate_rows(*source.near->db, source.near->where, scan, *groups_, [&] { session.check(); });
  }
  directories.finish(*groups_, session);
  chunks.finish(*groups_, session);
  session.progress().erase();
}

void RollupCursor::next() noexcept {
  at_++;
  eof() ? account() : void(returned_++);
}

void RollupCursor::column(sqlite3_context* context, int index) {
  const RollupKind kind = shape_.columns[static_cast<std::size_t>(index)].kind;
  if (kind == RollupKind::kBucket) return sqlite3_result_int64(context, groups_->bucket(group()));
  if (kind == RollupKind::kRows) return sqlite3_result_int64(context, groups_->rows(group()));
  if (kind == RollupKind::kTag) return RowBuffer::result(context, groups_->tag(group(), static_cast<std::size_t>(index - 1)));
  if (measures_[static_cast<std::size_t>(index)] < 0 && narrowed_) {
    narrowed_ = false;
    compute(columns_);
  }
  const int measure = measures_[static_cast<std::size_t>(index)];
  if (measure < 0) throw Error(Code::kBadInput, "timeseries_rollup: SQLite asks for a column it said it would not use");
  std::size_t m = static_cast<std::size_t>(measure);
  Cell cell =
      kind == RollupKind::kAvg ? groups_->average(group(), m) : groups_->result(group(), m, static_cast<Statistic>(statistic_of(kind)));
  RowBuffer::result(context, cell);
}

// The same for a group in every scan of the statement, whatever else a scan holds: OR removes duplicates by it.
sqlite3_int64 RollupCursor::rowid() {
  std::int64_t bucket = groups_->bucket(group());
  std::string key(reinterpret_cast<const char*>(&bucket), sizeof bucket);
  key += groups_->tags(group());
  auto& known = statement_->group_rowids[&table_];
  return known.try_emplace(std::move(key), static_cast<std::int64_t>(known.size()) + 1).first->second;
}

}  // namespace ts
