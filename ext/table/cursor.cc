// Cursor: from a plan and its arguments to rows.
#include "ext/table/cursor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ext/archive/archive_schema.h"
#include "ext/archive/flusher.h"
#include "ext/base/affinity.h"
#include "ext/base/clock.h"
#include "ext/table/best_index.h"
#include "ext/table/time_value.h"

namespace ts {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr std::size_t kMaxMembers = 1000;  // of an IN that shards answer; a longer one is SQLite's work

// Turns the plan's words and their arguments into a ScanPlan. exact(): every condition is answered, so a LIMIT tells how
// many rows will be wanted (unless one is part of a row value: so it stays a hint).
class ScanBuilder {
 public:
  ScanBuilder(const TableDef& table, ScanPlan& plan) : table_(table), plan_(plan) {}

  void term(const PlanTerm& term, sqlite3_value* value) {
    if (term.column == table_.schema.time_column) {
      term.op == "in" ? time_in(value) : time_compared(term.op, value);
    } else {
      compared(term, value);
    }
  }
  bool exact() const { return exact_; }

 private:
  void time_compared(const std::string& op, sqlite3_value* value) {
    if (op == "null") {
      plan_.empty = true;
      return;
    }
    check_compared(table_, value);
    if (op == "<>") {
      exact_ = false;
      return;
    }
    switch (sqlite3_value_type(value)) {
      case SQLITE_INTEGER: return bound(op, sqlite3_value_int64(value));
      case SQLITE_FLOAT: return real_bound(op, sqlite3_value_double(value));
      case SQLITE_BLOB:  // every number sorts before every blob
        plan_.empty = plan_.empty || op == "=" || op[0] == '>';
        return;
      default: plan_.empty = true;  // no comparison with NULL is true
    }
  }

  void bound(const std::string& op, std::int64_t value) {
    if (op == "=" || op == ">=") plan_.from = std::max(plan_.from, value);
    if (op == "=" || op == "<=") plan_.to = std::min(plan_.to, value);
    if (op == ">") value == INT64_MAX ? void(plan_.empty = true) : void(plan_.from = std::max(plan_.from, value + 1));
    if (op == "<") value == INT64_MIN ? void(plan_.empty = true) : void(plan_.to = std::min(plan_.to, value - 1));
  }

  void real_bound(const std::string& op, double value) {
    if (value >= kTwoTo63 || value < -kTwoTo63) {
      bool above = value > 0, less = op == "<" || op == "<=", greater = op[0] == '>';
      if (op == "=" || (above ? greater : less)) plan_.empty = true;
      return;
    }
    double floor = std::floor(value);
    std::int64_t whole = static_cast<std::int64_t>(floor);
    if (floor == value) return bound(op, whole);
    if (op == "=") plan_.empty = true;
    if (op[0] == '>') bound(">", whole);              // ts > 1.5 and ts >= 1.5: from 2 on
    if (op == "<" || op == "<=") bound("<=", whole);  // ts < 1.5: up to 1
  }

  void time_in(sqlite3_value* list) {
    std::vector<OwnedValue> members;
    std::int64_t least = INT64_MAX, most = INT64_MIN;
    for_each(list, [&](sqlite3_value* value) {
      check_compared(table_, value);
      OwnedValue owned = OwnedValue::of(value);
      if (owned.type == SQLITE_FLOAT && owned.real == std::floor(owned.real) && owned.real >= -kTwoTo63 && owned.real < kTwoTo63) {
        owned.type = SQLITE_INTEGER;
        owned.integer = static_cast<std::int64_t>(owned.real);
      }
      if (owned.type != SQLITE_INTEGER) return;
      least = std::min(least, owned.integer);
      most = std::max(most, owned.integer);
      members.push_back(std::move(owned));
    });
    if (members.empty()) {
      plan_.empty = true;
      return;
    }
    plan_.from = std::max(plan_.from, least);
    plan_.to = std::min(plan_.to, most);
    add_members(table_.schema.time_column, std::move(members), "");
  }

  void compared(const PlanTerm& term, sqlite3_value* value) {
    if (!term.has_operand()) {
      plan_.filters.push_back({term.column, "IS NULL", {}, ""});
      return;
    }
    Affinity affinity = affinity_of(table_.schema.columns[static_cast<std::size_t>(term.column)].type);
    // Of another class than the column, a value might be converted by SQLite: then it alone decides.
    auto same_class = [&](int type) {
      return affinity == Affinity::kText ? type == SQLITE_TEXT : type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    };
    if (term.op == "in") {
      std::vector<OwnedValue> members;
      bool all = true;
      for_each(value, [&](sqlite3_value* member) {
        OwnedValue owned = OwnedValue::of(member);
        if (owned.type == SQLITE_NULL) return;
        all = all && same_class(owned.type);
        members.push_back(std::move(owned));
      });
      if (members.empty()) {
        plan_.empty = true;
      } else if (all) {
        add_members(term.column, std::move(members), term.collation);
      } else {
        exact_ = false;
      }
      return;
    }
    int type = sqlite3_value_type(value);
    if (type == SQLITE_NULL) {
      plan_.empty = true;
    } else if (same_class(type)) {
      plan_.filters.push_back({term.column, term.op, {OwnedValue::of(value)}, term.collation});
    } else {
      exact_ = false;
    }
  }

  void add_members(int column, std::vector<OwnedValue> members, const std::string& collation) {
    if (members.size() > kMaxMembers) {
      exact_ = false;
      return;
    }
    plan_.filters.push_back({column, "IN", std::move(members), collation});
  }

  template <class Body>
  static void for_each(sqlite3_value* list, Body&& body) {
    sqlite3_value* value = nullptr;
    int rc = sqlite3_vtab_in_first(list, &value);
    for (; rc == SQLITE_OK && value; rc = sqlite3_vtab_in_next(list, &value)) body(value);
    if (rc == SQLITE_NOMEM) throw std::bad_alloc();
    if (rc != SQLITE_OK && rc != SQLITE_DONE)
      throw Error(Code::kIo, std::string("timeseries: cannot read an IN list: ") + sqlite3_errstr(rc));
  }

  const TableDef& table_;
  ScanPlan& plan_;
  bool exact_ = true;
};

constexpr std::size_t kAhead = 8;  // sources whose first batch is fetched while an earlier one is read

}  // namespace

Cursor::~Cursor() {
  close();
  join(nullptr);
}

void Cursor::join(std::shared_ptr<StatementSnapshot> statement) noexcept {
  if (statement == statement_) return;
  if (statement) statement->cursors++;
  statement.swap(statement_);
  if (statement) table_.session().cursor_closed(*statement);
}

void Cursor::close() noexcept {
  account();
  sources_.clear();
  heap_.clear();
  opened_ = prefetched_ = 0;
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

  join(table_.session().statement(plan_number, table_.sql_name()));
  if (plan->empty || plan->from > plan->to || plan->limit == 0) return;
  local_ = &table_.session().local(*statement_, table_.spool());
  find_sources();
  next();
}

// ---------------------------------------------------------------- sources

void Cursor::add(Source source) {
  if (source.end < plan_->from || source.start > plan_->to) return;
  sources_.push_back(std::move(source));
}

void Cursor::find_sources() {
  // Rows that somebody left in the spool are stored when they are due, also by a process that only reads.
  if (!local_->state().open.empty() || !local_->state().sealed.empty()) table_.spool()->flusher().start();
  add_own_rows();
  add_open_shards();
  add_shards();
  order_sources();
}

void Cursor::add_own_rows() {
  const TablePtr& def = table_.def();
  std::int64_t rows = local_->own_rows(def->name);
  if (rows == 0) return;
  if (!local_->writer_unchanged()) {
    throw Error(Code::kChanged, "timeseries: the transaction whose rows this statement reads has ended; run the statement again");
  }
  Writer::OwnRows own = local_->writer()->own_rows(def);
  // One ordinal for both: between two scans of a statement rows may move from the one to the other.
  auto source = [&](Database& db, const std::string& from, std::int64_t last, std::int64_t first) {
    Source s;
    s.own = true;
    s.stream = stream_statement(db, def, {from, " WHERE rowid<=" + std::to_string(last)}, plan_, first, nullptr);
    add(std::move(s));
  };
  if (own.spilled_rows) {
    source(*own.spilled, "main." + quote_identifier(def->open_name), std::min(rows, own.spilled_rows), 0);
  }
  if (rows > own.spilled_rows) source(*own.scratch, own.scratch_table, rows - own.spilled_rows, own.spilled_rows);
}

void Cursor::add_open_shards() {
  const TablePtr& def = table_.def();
  std::int64_t ordinal = 1;
  for (const auto& reader : local_->open()) {
    Source s;
    s.ordinal = ordinal++;
    if (!reader->has_table(*def)) continue;
    s.file = "open/" + reader->file();
    std::string where = visibility_sql(*def, reader->visibility());
    s.stream = stream_statement(reader->db(), def, {"main." + quote_identifier(def->open_name), where}, plan_, 0, reader);
    add(std::move(s));
  }
}

void Cursor::add_shards() {
  const TablePtr& def = table_.def();
  std::string key = table_.spool()->location() + "\n" + def->name;
  auto& catalogue = statement_->catalogues[key];
  if (!catalogue) {
    table_.check_archive(*statement_);
    catalogue = std::make_unique<Catalogue>(table_.store(), def, *local_);
  }
  if (!catalogue->covers(plan_->from, plan_->to)) {
    bool whole = statement_->several_ranges && !table_.session().large_archives().count(key);
    table_.session().wait_for(statement_->cancel,
                              [&] { catalogue->cover(plan_->from, plan_->to, whole, &statement_->cancel, statement_->stats); });
    if (catalogue->large()) table_.session().large_archives().insert(key);
  }

  auto stream = [&](Source s, ShardRef ref) {
    s.file = ref.key;
    s.start = ref.start;
    s.end = ref.end;
    s.rows = ref.rows;
    if (s.end < plan_->from || s.start > plan_->to) {
      statement_->stats.files_pruned++;
      return;
    }
    s.stream = stream_shard(table_.session().shard_files(), table_.store(), def, std::move(ref), plan_, &statement_->cancel,
                            &statement_->stats, table_.session());
    sources_.push_back(std::move(s));
  };
  std::int64_t ordinal = 1 + static_cast<std::int64_t>(local_->open().size());
  for (const SealedRow& row : local_->state().sealed) {
    Source s;
    s.ordinal = ordinal++;
    if (row.table != def->name) continue;
    auto name = parse_shard_name(row.key.substr(row.key.rfind('/') + 1), def->schema.precision);
    if (!name) throw Error(Code::kCorrupt, "spool: not a shard's name: " + row.key);
    stream(std::move(s), {row.key, "", table_.spool()->sealed_directory() + "/" + row.file, static_cast<std::uint64_t>(row.bytes),
                          name->start, name->end, name->rows});
  }
  for (const ShardRef& ref : catalogue->shards()) {
    Source s;
    s.ordinal = ordinal++;
    stream(std::move(s), ref);
  }
}

void Cursor::order_sources() {
  auto by_start = [](const Source& a, const Source& b) { return a.start < b.start; };
  auto by_end = [](const Source& a, const Source& b) { return a.end > b.end; };
  if (plan_->order == Order::kTimeDescending) {
    std::stable_sort(sources_.begin(), sources_.end(), by_end);
  } else {
    std::stable_sort(sources_.begin(), sources_.end(), by_start);
  }
}

// ---------------------------------------------------------------- rows

bool Cursor::before(const Head& a, const Head& b) const {
  if (a.time != b.time) return plan_->order == Order::kTimeDescending ? a.time > b.time : a.time < b.time;
  return a.source < b.source;
}

bool Cursor::advance(int index) {
  Source& source = sources_[static_cast<std::size_t>(index)];
  if (source.own && local_->rolled_back()) {
    throw Error(Code::kChanged, "timeseries: the transaction whose rows this statement reads was rolled back; run the statement again");
  }
  if (source.stream->next()) return true;
  drop(index);
  return false;
}

// With a LIMIT the first source may be enough. Without filters the names say how many are; else, the more of them were not
// enough, the more are asked for in advance.
std::size_t Cursor::ahead() const {
  if (plan_->limit < 0) return kAhead;
  if (!plan_->filters.empty()) return std::min(kAhead, opened_ > 0 ? opened_ - 1 : 0);
  std::int64_t rows = 0;
  std::size_t sources = 0;
  while (sources < sources_.size() && rows < plan_->limit) rows += sources_[sources++].rows;
  return std::min(kAhead, sources > opened_ ? sources - opened_ : 0);
}

void Cursor::prefetch() {
  if (prefetched_ >= sources_.size() || prefetched_ >= opened_ + kAhead) return;
  for (std::size_t last = std::min(sources_.size(), opened_ + ahead()); prefetched_ < last; prefetched_++)
    sources_[prefetched_].stream->prefetch();
}

void Cursor::open_due() {
  auto later = [this](const Head& a, const Head& b) { return before(b, a); };
  bool down = plan_->order == Order::kTimeDescending;
  while (opened_ < sources_.size()) {
    // What begins after the next row's time waits. Without a row: what begins after the first one's end.
    const Source& first = sources_[opened_];
    std::int64_t upto = !heap_.empty() ? heap_.front().time : down ? first.start : first.end;
    std::size_t due = opened_;
    for (; due < sources_.size(); due++) {
      if (down ? sources_[due].end < upto : sources_[due].start > upto) break;
      if (heap_.empty() && plan_->limit >= 0 && due > opened_) break;
    }
    if (due == opened_) return;
    for (std::size_t i = opened_; i < due; i++) sources_[i].stream->prefetch();
    prefetched_ = std::max(prefetched_, due);
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
      current_ = opened_ < sources_.size() ? static_cast<int>(opened_++) : -1;
      if (current_ < 0) break;
      prefetch();
    }
  } else {
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
  if (current_ >= 0) {
    returned_++;
  } else {
    account();
  }
}

void Cursor::account() noexcept {
  if (!statement_) return;
  statement_->stats.rows_returned += std::exchange(returned_, 0);
  statement_->stats.elapsed_ms = Clock::system().steady_ms() - statement_->stats.started_ms;
}

void Cursor::column(sqlite3_context* context, int index) {
  const Schema& schema = table_.def()->schema;
  Source& source = sources_[static_cast<std::size_t>(current_)];
  if (index == schema.time_column) return sqlite3_result_int64(context, source.stream->time());
  if (index >= static_cast<int>(schema.columns.size())) {
    if (source.file.empty()) return sqlite3_result_null(context);
    return sqlite3_result_text(context, source.file.c_str(), static_cast<int>(source.file.size()), SQLITE_TRANSIENT);
  }
  int slot = slots_[static_cast<std::size_t>(index)];
  if (slot < 0) throw Error(Code::kBadInput, "timeseries: SQLite asks for a column it said it would not use");
  source.stream->result(context, slot);
}

sqlite3_int64 Cursor::rowid() const {
  const Source& source = sources_[static_cast<std::size_t>(current_)];
  return (source.ordinal << kRowBits) | source.stream->ordinal();
}

}  // namespace ts
