// ts_compact(table [, from, to [, dry_run]]): merges small files of the archive, partition by partition, oldest first.
//
//   partition, files_before, files_after, bytes_before, bytes_after, rows        one row per partition in which something was merged
//
// A step of the scan is the work of one partition, done when its row is there: an interrupt, a LIMIT or an error ends it between two
// commits. `from` and `to` are times in the table's unit: partitions that hold any time from `from` on and before `to`; NULL: no bound.
// With dry_run = 1 nothing is merged, and bytes_after is not known. idxNum: bit i: hidden column i was given, as the next argument.
#include "ext/archive/compactor.h"
#include "ext/base/clock.h"
#include "ext/table/functions.h"
#include "ext/table/session_function.h"
#include "ext/table/time_value.h"
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

enum Column { kPartition, kFilesBefore, kFilesAfter, kBytesBefore, kBytesAfter, kRows, kTableName, kFrom, kTo, kDryRun, kColumns };
// Which partitions.
struct Bounds {
  std::string first, last;  // by name; empty: none
};

Bounds bounds_of(const TableDef& table, sqlite3_value* from, sqlite3_value* to) {
  const Schema& schema = table.schema;
  auto name = [&](std::int64_t time) { return partition_name(time, schema.precision, schema.partition); };
  auto time_of = [&](sqlite3_value* value) {
    check_compared(table, value);
    if (sqlite3_value_type(value) == SQLITE_INTEGER) return check_time(table, sqlite3_value_int64(value));
    throw Error(Code::kBadInput, "ts_compact: a bound is a time, as ts('2026-11-01') gives it, or NULL");
  };
  Bounds bounds;
  if (from && sqlite3_value_type(from) != SQLITE_NULL) bounds.first = name(time_of(from));
  if (to && sqlite3_value_type(to) != SQLITE_NULL) bounds.last = name(std::max(table.min_time + 1, time_of(to)) - 1);
  return bounds;
}

class CompactCursor : public sqlite3_vtab_cursor {
 public:
  static constexpr char kFunction[] = "ts_compact";
  static constexpr char kDeclaration[] =
      "CREATE TABLE x(partition TEXT, files_before INTEGER, files_after INTEGER, bytes_before INTEGER, bytes_after INTEGER, rows INTEGER, "
      "table_name TEXT HIDDEN, from_time INTEGER HIDDEN, to_time INTEGER HIDDEN, dry_run INTEGER HIDDEN)";

  static int plan(sqlite3_vtab* base, sqlite3_index_info* info);
  void begin(Session& session, int given, sqlite3_value** argv) {
    sqlite3_value* argument[kColumns] = {};
    for (int column = kTableName, next = 0; column < kColumns; column++) {
      if (given & (1 << (column - kTableName))) argument[column] = argv[next++];
    }
    if (sqlite3_value_type(argument[kTableName]) != SQLITE_TEXT) {
      throw Error(Code::kBadInput, "ts_compact: the first argument is the name of a timeseries table, as text");
    }
    session_ = &session;
    name_ = reinterpret_cast<const char*>(sqlite3_value_text(argument[kTableName]));
    session.refuse_transaction("ts_compact");
    Table& table = session.resolve(name_);
    table.require_writable("ts_compact");
    const TablePtr& def = table.def();
    bounds_ = bounds_of(*def, argument[kFrom], argument[kTo]);
    table.check_archive(statement_, {});
    CompactOptions options;
    options.directory = table.spool()->directory();
    options.target = table.declaration().compact_target;
    options.grace_ms = table.declaration().compact_grace_ms;
    options.dry_run = argument[kDryRun] && sqlite3_value_int(argument[kDryRun]) != 0;
    const std::int64_t begin_ms = Clock::system().steady_ms();
    cancel_ = std::make_unique<CallerCancel>(session);
    compactor_ = std::make_unique<Compactor>(table.store_without_cache(), def, options, *cancel_,
                                             [this, begin_ms](std::int64_t files, std::int64_t done, std::uint64_t bytes) {
                                               session_->progress().show({begin_ms, "merging files", files, done, bytes});
                                             });
    row_ = 0;
    done_.partition.clear();
    next();
  }

  // To the next partition in which there is something to do.
  void next() {
    struct Shown {
      ProgressLine& line;
      ~Shown() { line.erase(); }
    } shown{session_->progress()};
    row_++;
    do {
      std::optional<std::string> partition = next_partition();
      at_end_ = !partition || (!bounds_.last.empty() && *partition > bounds_.last);
      if (at_end_) return;
      done_ = compactor_->compact(*partition);
    } while (done_.files_before == done_.files_after);
  }
  bool at_end() const { return at_end_; }
  std::int64_t row() const { return row_; }

  void result(sqlite3_context* context, int column) const {
    auto number = [context](auto value) { sqlite3_result_int64(context, static_cast<sqlite3_int64>(value)); };
    auto text = [context](const std::string& value) { sqlite3_result_text(context, value.c_str(), -1, SQLITE_TRANSIENT); };
    switch (column) {
      case kPartition: return text(done_.partition);
      case kFilesBefore: return number(done_.files_before);
      case kFilesAfter: return number(done_.files_after);
      case kBytesBefore: return number(done_.bytes_before);
      case kBytesAfter:
        if (done_.bytes_after) number(*done_.bytes_after);
        return;
      case kRows: return number(done_.rows);
      case kTableName: return text(name_);
      default: return;
    }
  }

 private:
  std::optional<std::string> next_partition() {
    return done_.partition.empty() ? compactor_->partition_from(bounds_.first) : compactor_->partition_after(done_.partition);
  }

  Session* session_ = nullptr;
  std::string name_;
  Bounds bounds_;
  StatementSnapshot statement_;
  std::unique_ptr<CallerCancel> cancel_;
  std::unique_ptr<Compactor> compactor_;
  Compacted done_;
  std::int64_t row_ = 0;
  bool at_end_ = true;
};

int CompactCursor::plan(sqlite3_vtab* base, sqlite3_index_info* info) {
  int constraint[kColumns];
  std::fill(std::begin(constraint), std::end(constraint), -1);
  for (int i = 0; i < info->nConstraint; i++) {
    const auto& c = info->aConstraint[i];
    if (c.iColumn < kTableName || c.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (!c.usable) return SQLITE_CONSTRAINT;
    constraint[c.iColumn] = i;
  }
  if (constraint[kTableName] < 0) {
    set_message(&base->zErrMsg, "ts_compact: name the table: ts_compact('cpu')");
    return SQLITE_ERROR;
  }
  for (int column = kTableName, next = 0; column < kColumns; column++) {
    if (constraint[column] < 0) continue;
    info->idxNum |= 1 << (column - kTableName);
    info->aConstraintUsage[constraint[column]].argvIndex = ++next;
    info->aConstraintUsage[constraint[column]].omit = 1;
  }
  info->estimatedCost = 1e9;  // once, and never inside of a loop if that can be
  info->orderByConsumed = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == kPartition && !info->aOrderBy[0].desc;
  return SQLITE_OK;
}

}  // namespace

int register_compact(sqlite3* db, const std::shared_ptr<Session>& session) {
  return register_session_function<CompactCursor>(db, session);
}

}  // namespace ts
