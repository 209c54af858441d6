// ts_verify(table): walks the archive and looks into every file.
//
//   name, state, problem, start, end, rows, bytes, pages, checksums, gap, overlaps       one row per object of the table, by name
//
// A scan reads a few files at a time, so that a LIMIT, an error or an interrupt ends it early; `WHERE name > 'last seen'` goes on from
// there (idxNum 1: argv[1] is that bound). What lies in the spool is not the archive's; what lies in a cache is not believed.
#include <algorithm>

#include "ext/archive/verify.h"
#include "ext/table/explain.h"
#include "ext/table/functions.h"
#include "ext/table/session_function.h"
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

constexpr std::size_t kMostAtOnce = 8;  // files: each holds some 20 MB at most

enum Column { kName, kState, kProblem, kStart, kEnd, kRows, kBytes, kPages, kChecksums, kGap, kOverlaps, kTableName };
std::string text_of(sqlite3_value* value) {
  const void* text = sqlite3_value_type(value) == SQLITE_TEXT ? sqlite3_value_text(value) : nullptr;
  return text ? std::string(static_cast<const char*>(text), static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string();
}

class VerifyCursor : public sqlite3_vtab_cursor {
 public:
  static constexpr char kFunction[] = "ts_verify";
  static constexpr char kDeclaration[] =
      "CREATE TABLE x(name TEXT, state TEXT, problem TEXT, start INTEGER, \"end\" INTEGER, rows INTEGER, bytes INTEGER, pages INTEGER, "
      "checksums INTEGER, gap INTEGER, overlaps INTEGER, table_name TEXT HIDDEN)";

  static int plan(sqlite3_vtab* base, sqlite3_index_info* info);
  void begin(Session& session, int plan, sqlite3_value** argv) {
    const std::string start_after = plan == 1 ? text_of(argv[1]) : std::string();
    session_ = &session;
    name_ = text_of(argv[0]);
    found_.clear();
    at_ = row_ = 0;
    at_once_ = 1;
    Table& table = session.resolve(name_);
    def_ = table.def();
    limit_spending(table, statement_);
    store_ = table.store_without_cache();
    table.check_archive(statement_, {});
    walk_ = std::make_unique<ArchiveWalk>(*store_, *def_, start_after);
    settle();
  }
  void next() {
    at_++, row_++;
    settle();
  }
  bool at_end() const { return at_ == found_.size(); }
  std::int64_t row() const { return row_; }
  void result(sqlite3_context* context, int column) const;

 private:
  // Brings the next files when those that are there have been seen: more at once the longer it goes.
  void settle() {
    if (at_ < found_.size()) return;
    at_ = 0;
    found_.clear();
    session_->wait_for(statement_.cancel, {[this] {
                         // Schema objects are no files of rows; check_archive() has read the one that counts.
                         do {
                           found_ = walk_->next(at_once_, &statement_.cancel);
                           if (found_.empty()) return;
                           std::erase_if(found_, [](const Verdict& v) { return v.listed.kind == ListedKey::Kind::kSchema; });
                         } while (found_.empty());
                       }});
    std::vector<std::function<void()>> tasks;
    for (Verdict& verdict : found_) {
      const bool rows = verdict.listed.kind == ListedKey::Kind::kShard || verdict.listed.kind == ListedKey::Kind::kMerged;
      if (!rows || !verdict.problem.empty()) continue;
      tasks.push_back([this, &verdict] { verify_shard(store_, def_, verdict, &statement_.cancel); });
    }
    if (!tasks.empty()) session_->wait_for(statement_.cancel, tasks);
    at_once_ = std::min(at_once_ * 2, kMostAtOnce);
  }

  Session* session_ = nullptr;
  std::string name_;
  TablePtr def_;
  std::shared_ptr<Store> store_;
  StatementSnapshot statement_;
  std::unique_ptr<ArchiveWalk> walk_;
  std::vector<Verdict> found_;
  std::size_t at_ = 0, at_once_ = 1;
  std::int64_t row_ = 0;
};

void result_text(sqlite3_context* context, const std::string& text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void VerifyCursor::result(sqlite3_context* context, int column) const {
  if (column == kTableName) return result_text(context, name_);
  const Verdict& v = found_[at_];
  const ShardName& name = v.listed.name;
  const bool file = v.listed.kind == ListedKey::Kind::kShard || v.listed.kind == ListedKey::Kind::kMerged;
  const bool named = file || v.listed.kind == ListedKey::Kind::kContradiction;
  const bool counts = file && std::string_view(v.state) != "dead" && std::string_view(v.state) != "unnamed";
  auto number = [&](bool known, std::int64_t value) {
    if (known) sqlite3_result_int64(context, value);
  };
  switch (column) {
    case kName: return result_text(context, v.object.key);
    case kState: return sqlite3_result_text(context, v.state, -1, SQLITE_STATIC);
    case kProblem:
      if (!v.problem.empty()) result_text(context, v.problem);
      return;
    case kStart: return number(named, name.start);
    case kEnd: return number(named, name.end);
    case kRows: return number(named, name.rows);
    case kBytes: return number(true, static_cast<std::int64_t>(v.object.size));
    case kPages: return number(v.pages != 0, v.pages);
    case kChecksums: return number(v.problem.empty(), v.checksums);
    case kGap: return number(v.gap.has_value(), v.gap.value_or(0));
    default: return number(counts, v.overlaps);
  }
}

int VerifyCursor::plan(sqlite3_vtab* base, sqlite3_index_info* info) {
  bool named = false;
  info->estimatedCost = 1e6;
  for (int i = 0; i < info->nConstraint; i++) {
    const auto& c = info->aConstraint[i];
    if (c.iColumn == kTableName && c.op == SQLITE_INDEX_CONSTRAINT_EQ) {
      if (!c.usable) return SQLITE_CONSTRAINT;
      info->aConstraintUsage[i].argvIndex = 1;
      info->aConstraintUsage[i].omit = 1;
      named = true;
    } else if (c.iColumn == kName && c.op == SQLITE_INDEX_CONSTRAINT_GT && c.usable && info->idxNum == 0) {
      info->aConstraintUsage[i].argvIndex = 2;  // SQLite checks it again
      info->idxNum = 1;
      info->estimatedCost = 1e5;
    }
  }
  bool by_name = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == kName && !info->aOrderBy[0].desc;
  info->orderByConsumed = by_name;
  if (named) return SQLITE_OK;
  set_message(&base->zErrMsg, "ts_verify: name the table: ts_verify('cpu')");
  return SQLITE_ERROR;
}

}  // namespace

int register_verify(sqlite3* db, const std::shared_ptr<Session>& session) {
  return register_session_function<VerifyCursor>(db, session);
}

}  // namespace ts
