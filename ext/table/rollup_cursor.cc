// RollupCursor: conditions on buckets become bounds on times; sources become groups.
#include "ext/table/rollup_cursor.h"

#include <algorithm>
#include <utility>

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
  measures_.assign(shape_.columns.size(), -1);
  for (int c : words.columns) {
    const RollupColumn& column = shape_.columns[static_cast<std::size_t>(c)];
    unsigned statistic = statistic_of(column.kind);
    if (!statistic) continue;
    if (spec->measures.empty() || spec->measures.back().column != column.source) {  // columns ascend: those of one source are neighbours
      spec->measures.push_back({column.source, 0, collation_of(columns.columns[static_cast<std::size_t>(column.source)])});
    }
    spec->measures.back().statistics |= statistic;
    measures_[static_cast<std::size_t>(c)] = static_cast<int>(spec->measures.size()) - 1;
  }
  plan->columns = spec->tags;
  for (const Measure& measure : spec->measures) plan->columns.push_back(measure.column);

  auto snapshot = table_.session().statement(plan_number, table_.sql_name());
  std::string asks = fingerprint(text, *plan, *spec);
  bool known = groups_ && statement_ && &*statement_ == snapshot.get() && asks == asked_;
  statement_.join(std::move(snapshot));
  if (!known) {
    groups_ = std::make_unique<PartialAggregates>(spec);
    order_.clear();
    asked_.clear();
    if (!plan->empty) {
      statement_->begin_scan([&] {
        groups_ = std::make_unique<PartialAggregates>(spec);
        aggregate(base, {base.def(), plan, spec});
      });
    }
    order_ = groups_->ordered(words.order < 0);
    asked_ = std::move(asks);
  }
  at_ = 0;
  eof() ? account() : void(returned_++);
}

// Files are read by workers meanwhile; what lies in inner connections of this thread is read here.
void RollupCursor::aggregate(Table& base, const RollupScan& scan) {
  Session& session = table_.session();
  StatementSnapshot& statement = *statement_;
  LocalSnapshot& local = session.local(statement, base.spool());
  std::vector<Source> here;
  std::vector<ShardPlace> files;
  limit_spending(base, statement);
  CostCheck check(base, *base.def(), *scan.plan);
  for (Source& source : SourceFinder(base, statement, local, scan.plan->from, scan.plan->to).all()) {
    if (source.near) {
      here.push_back(std::move(source));
    } else if (scan.spec->wants_some_of(source.start, source.end)) {
      check.add(source.shard);
      files.push_back(std::move(source.shard));
    } else {
      statement.stats.files_pruned++;
      statement.stats.files_chosen--;
    }
  }
  check.finish();
  ShardAggregation shards(session.shard_files(), base.store(), scan, std::move(files), statement.cancel, statement.stats);
  shards.start();
  for (const Source& source : here) {
    check_source(source, local);
    aggregate_rows(*source.near->db, source.near->where, scan, *groups_, [&] { session.check(); });
  }
  shards.finish(*groups_, session);
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
  int measure = measures_[static_cast<std::size_t>(index)];
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
