// Cursor: from a plan and its arguments to rows.
#include "ext/table/cursor.h"

#include <algorithm>
#include <utility>

#include "ext/archive/far_shard.h"
#include "ext/base/clock.h"
#include "ext/table/best_index.h"
#include "ext/table/explain.h"
#include "ext/table/scan_builder.h"

namespace ts {
namespace {

constexpr std::size_t kAhead = 8;  // sources whose first batch is decoded while an earlier one is read

}  // namespace

void Cursor::close() noexcept {
  account();
  sources_.clear();
  finder_.reset();
  more_ = false;
  named_ = -1;
  heap_.clear();
  opened_ = prefetched_ = announced_ = 0;
  current_ = -1;
}

void Cursor::filter(int plan_number, const char* plan_text, sqlite3_value** arguments) {
  close();
  const TableDef& def = *table_.def();
  auto plan = std::make_shared<ScanPlan>();
  Plan words = decode_plan(plan_text ? plan_text : "", plan_names(def.schema));
  ScanBuilder builder(def, *plan);
  for (const PlanTerm& term : words.terms) builder.term(term, *arguments++);
  if (words.order) plan->order = words.order > 0 ? Order::kTimeAscending : Order::kTimeDescending;
  for (int c : words.sorted) {
    plan->order = Order::kTags;
    c == def.schema.time_column ? void(plan->then_time = true) : plan->order_tags.push_back(c);
  }
  if (words.limit) {
    std::int64_t limit = sqlite3_value_int64(arguments[0]);
    std::int64_t offset = words.offset ? std::max<std::int64_t>(0, sqlite3_value_int64(arguments[1])) : 0;
    if (builder.exact() && limit >= 0 && limit < INT64_MAX - offset) plan->limit = limit + offset;
  }
  int columns = static_cast<int>(def.schema.columns.size());
  slots_.assign(static_cast<std::size_t>(columns), -1);
  for (int c : words.columns) {
    if (c == columns) continue;  // _file: known without reading
    slots_[static_cast<std::size_t>(c)] = static_cast<int>(plan->columns.size());
    plan->columns.push_back(c);
  }
  plan_ = plan;

  statement_.join(table_.session().statement(plan_number, table_.sql_name()));
  limit_spending(table_, *statement_);
  if (plan->empty || plan->from > plan->to || plan->limit == 0) return;
  statement_->begin_scan([this] { begin(); });
}

void Cursor::begin() {
  close();
  local_ = &table_.session().local(*statement_, table_.spool());
  finder_.emplace(table_, *statement_, *local_, plan_->from, plan_->to);
  // Sorted by tags all files are read side by side; without an order and without an end they are all read.
  const bool in_parts = plan_->order == Order::kNone ? plan_->limit >= 0 : plan_->order != Order::kTags;
  add_sources(in_parts ? finder_->begin(plan_->order == Order::kTimeDescending) : finder_->all());
  if (!in_parts) check_cost();  // else nobody knows how far the statement reads
  list_on();  // also where the rows of the spool are enough, so that what is wrong with the store is said
  next();
}

void Cursor::check_cost() const {
  CostCheck check(table_, *table_.def());
  for (const Reading& source : sources_) {
    if (!source.near) check.add(source.shard, *plan_);
  }
  check.finish();
}

// Of those that are not open yet the order is settled anew: what lies in the spool may be of any time.
void Cursor::add_sources(std::vector<Source> found) {
  if (sources_.empty()) sources_.reserve(found.size());
  for (Source& source : found) sources_.push_back({std::move(source), nullptr});
  more_ = finder_->more();
  bound_ = more_ ? finder_->bound() : 0;
  auto by_start = [](const Reading& a, const Reading& b) { return a.start < b.start; };
  auto by_end = [](const Reading& a, const Reading& b) { return a.end > b.end; };
  auto unopened = sources_.begin() + static_cast<std::ptrdiff_t>(opened_);
  plan_->order == Order::kTimeDescending ? std::stable_sort(unopened, sources_.end(), by_end)
                                         : std::stable_sort(unopened, sources_.end(), by_start);
  prefetched_ = announced_ = opened_;
}

bool Cursor::list_on() {
  if (!more_) return false;
  add_sources(finder_->next());
  return true;
}

// Whether what is not listed yet may come before what is.
bool Cursor::must_list() const {
  if (!more_) return false;
  if (heap_.empty() && opened_ >= sources_.size()) return true;
  if (plan_->order == Order::kTimeDescending) return bound_ > (heap_.empty() ? sources_[opened_].end : heap_.front().time);
  return bound_ < (heap_.empty() ? sources_[opened_].start : heap_.front().time);
}

RowStream& Cursor::stream(std::size_t index) {
  Reading& source = sources_[index];
  if (!source.stream) source.stream = stream_source(table_, *statement_, source, plan_);
  return *source.stream;
}

// ---------------------------------------------------------------- rows

int Cursor::compare_tags(int a, int b) const {
  RowStream &x = *sources_[static_cast<std::size_t>(a)].stream, &y = *sources_[static_cast<std::size_t>(b)].stream;
  for (int tag : plan_->order_tags) {
    int slot = slots_[static_cast<std::size_t>(tag)];
    if (int order = compare_cells(x.cell(slot), y.cell(slot))) return order;
  }
  return 0;
}

bool Cursor::before(const Head& a, const Head& b) const {
  if (plan_->order == Order::kTags) {
    if (int order = compare_tags(a.source, b.source)) return order < 0;
    return plan_->then_time && a.time != b.time ? a.time < b.time : a.source < b.source;
  }
  if (a.time != b.time) return plan_->order == Order::kTimeDescending ? a.time > b.time : a.time < b.time;
  return a.source < b.source;
}

bool Cursor::advance(int index) {
  Reading& source = sources_[static_cast<std::size_t>(index)];
  check_source(source, *local_);
  if (stream(static_cast<std::size_t>(index)).next()) return true;
  drop(index);
  return false;
}

// With a LIMIT the first source may be enough. Without filters the names say how many are; else, the more of them were not
// enough, the more are asked for in advance.
std::size_t Cursor::ahead(std::size_t most) const {
  if (plan_->limit < 0) return most;
  if (!plan_->filters.empty()) return std::min(most, opened_ > 0 ? opened_ - 1 : 0);
  std::int64_t rows = 0;
  std::size_t sources = 0;
  while (sources < sources_.size() && rows < plan_->limit) rows += sources_[sources++].rows;
  return std::min(most, sources > opened_ ? sources - opened_ : 0);
}

void Cursor::prefetch() {
  announced_ = std::max(announced_, opened_);
  if (announced_ >= sources_.size() && prefetched_ >= sources_.size()) return;
  for (std::size_t last = std::min(sources_.size(), opened_ + ahead(FarShard::kAhead)); announced_ < last; announced_++) {
    if (!stream(announced_).announce()) break;
  }
  for (std::size_t last = std::min(sources_.size(), opened_ + ahead(kAhead)); prefetched_ < last; prefetched_++)
    stream(prefetched_).prefetch();
}

void Cursor::open_due() {
  auto later = [this](const Head& a, const Head& b) { return before(b, a); };
  bool down = plan_->order == Order::kTimeDescending;
  while (opened_ < sources_.size() || more_) {
    if (must_list()) {
      list_on();
      continue;
    }
    if (opened_ >= sources_.size()) return;
    // What begins after the next row's time waits. Without a row: what begins after the first one's end.
    const Reading& first = sources_[opened_];
    std::int64_t upto = !heap_.empty() ? heap_.front().time : down ? first.start : first.end;
    std::size_t due = opened_;
    for (; due < sources_.size(); due++) {
      if (down ? sources_[due].end < upto : sources_[due].start > upto) break;
      if (heap_.empty() && (plan_->limit >= 0 || first.near) && due > opened_) break;  // rows of the spool may be of any time
    }
    if (due == opened_) return;
    for (std::size_t i = opened_; i < due; i++) stream(i).prefetch();
    prefetched_ = std::max(prefetched_, due);
    prefetch();
    for (; opened_ < due; opened_++) {
      int index = static_cast<int>(opened_);
      if (!advance(index)) continue;
      heap_.push_back({sources_[opened_].stream->time(), index});
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
    prefetch();
  }
}

void Cursor::next() {
  if (plan_->order == Order::kNone) {
    while (current_ < 0 || !advance(current_)) {
      while (opened_ >= sources_.size() && list_on()) {
      }
      current_ = opened_ < sources_.size() ? static_cast<int>(opened_++) : -1;
      if (current_ < 0) break;
      prefetch();
    }
  } else if (plan_->order == Order::kTags) {
    next_by_tags();
  } else {
    next_by_time();
  }
  if (current_ >= 0) {
    returned_++;
    table_.session().progress().row();
  } else {
    account();
    table_.session().progress().erase();
  }
}

void Cursor::next_by_time() {
  auto later = [this](const Head& a, const Head& b) { return before(b, a); };
  if (current_ >= 0) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    if (advance(current_)) {
      heap_.push_back({sources_[static_cast<std::size_t>(current_)].stream->time(), current_});
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
  }
  open_due();
  current_ = heap_.empty() ? -1 : heap_.front().source;
}

// All sources side by side. The current one is not in the heap: mostly it goes on with rows of the same tags.
void Cursor::next_by_tags() {
  auto later = [this](const Head& a, const Head& b) { return before(b, a); };
  auto push = [&](int index) {
    if (!advance(index)) return;
    heap_.push_back({sources_[static_cast<std::size_t>(index)].stream->time(), index});
    std::push_heap(heap_.begin(), heap_.end(), later);
  };
  if (current_ >= 0) {
    Reading& source = sources_[static_cast<std::size_t>(current_)];
    check_source(source, *local_);
    if (!source.stream->next()) {
      drop(current_);
    } else if (source.stream->same_tags() && source.stream->time() <= run_until_) {
      return;
    } else {
      heap_.push_back({source.stream->time(), current_});
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
  } else {
    for (; announced_ < sources_.size() && stream(announced_).announce();) announced_++;
    for (; prefetched_ < sources_.size(); prefetched_++) stream(prefetched_).prefetch();
    for (; opened_ < sources_.size(); opened_++) push(static_cast<int>(opened_));
  }
  if (heap_.empty()) {
    current_ = -1;
    return;
  }
  std::pop_heap(heap_.begin(), heap_.end(), later);
  current_ = heap_.back().source;
  heap_.pop_back();
  bool shared = plan_->then_time && !heap_.empty() && compare_tags(current_, heap_.front().source) == 0;
  run_until_ = shared ? heap_.front().time : INT64_MAX;
}

void Cursor::account() noexcept {
  if (!statement_) return;
  statement_->stats.rows_returned += std::exchange(returned_, 0);
  statement_->stats.elapsed_ms = Clock::system().steady_ms() - statement_->stats.started_ms;
}

void Cursor::column(sqlite3_context* context, int index) {
  const Schema& schema = table_.def()->schema;
  const Reading& source = sources_[static_cast<std::size_t>(current_)];
  if (index == schema.time_column) return sqlite3_result_int64(context, source.stream->time());
  if (index >= static_cast<int>(schema.columns.size())) {
    if (named_ != current_) name_ = source.file(), named_ = current_;
    if (name_.empty()) return sqlite3_result_null(context);
    return sqlite3_result_text(context, name_.c_str(), static_cast<int>(name_.size()), SQLITE_TRANSIENT);
  }
  int slot = slots_[static_cast<std::size_t>(index)];
  if (slot < 0) throw Error(Code::kBadInput, "timeseries: SQLite asks for a column it said it would not use");
  source.stream->result(context, slot);
}

sqlite3_int64 Cursor::rowid() const {
  const Reading& source = sources_[static_cast<std::size_t>(current_)];
  if (source.ordinal >= 1ll << (63 - kRowBits)) {
    throw Error(Code::kUnsupported, "timeseries: more than 8388607 files in one statement have no rowid; bound the time");
  }
  return (source.ordinal << kRowBits) | source.stream->ordinal();
}

}  // namespace ts
