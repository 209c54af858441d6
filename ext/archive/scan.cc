// SQL for a shard's part of a scan, and the stream that steps it in place.
#include "ext/archive/scan.h"

namespace ts {

OwnedValue OwnedValue::of(sqlite3_value* value) {
  OwnedValue out;
  out.type = sqlite3_value_type(value);
  if (out.type == SQLITE_INTEGER) out.integer = sqlite3_value_int64(value);
  if (out.type == SQLITE_FLOAT) out.real = sqlite3_value_double(value);
  if (out.type == SQLITE_TEXT || out.type == SQLITE_BLOB) {
    const void* data = out.type == SQLITE_TEXT ? static_cast<const void*>(sqlite3_value_text(value)) : sqlite3_value_blob(value);
    int bytes = sqlite3_value_bytes(value);
    if (data) out.bytes.assign(static_cast<const char*>(data), static_cast<std::size_t>(bytes));
  }
  return out;
}

void OwnedValue::bind(sqlite3_stmt* stmt, int index) const {
  int rc = SQLITE_OK;
  switch (type) {
    case SQLITE_INTEGER: rc = sqlite3_bind_int64(stmt, index, integer); break;
    case SQLITE_FLOAT: rc = sqlite3_bind_double(stmt, index, real); break;
    case SQLITE_TEXT: rc = sqlite3_bind_text64(stmt, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8); break;
    case SQLITE_BLOB: rc = sqlite3_bind_blob64(stmt, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT); break;
    default: rc = sqlite3_bind_null(stmt, index);
  }
  if (rc != SQLITE_OK) throw_sqlite(sqlite3_db_handle(stmt), rc, "cannot bind a parameter");
}

std::string filter_sql(const ColumnMap& columns, const Filter& filter) {
  std::string sql = " AND " + columns.sql(filter.column);
  if (!filter.collation.empty()) sql += " COLLATE " + filter.collation;
  sql += " " + filter.op;
  if (filter.op == "IN") {
    sql += "(";
    for (std::size_t i = 0; i < filter.values.size(); i++) sql += i ? ",?" : "?";
    sql += ")";
  } else if (!filter.values.empty()) {
    sql += " ?";
  }
  return sql;
}

std::string scan_sql(const ScanSource& source, const ScanPlan& plan, Part part) {
  const ColumnMap& columns = *source.columns;
  const std::string time = columns.time_sql();
  std::string sql = "SELECT rowid," + time;
  for (int c : plan.columns) sql += "," + columns.sql(c);
  sql += " FROM " + source.from + (source.where.empty() ? " WHERE 1" : source.where);
  if (plan.from != INT64_MIN) sql += " AND " + time + ">=" + std::to_string(plan.from);
  if (plan.to != INT64_MAX) sql += " AND " + time + "<=" + std::to_string(plan.to);
  for (const Filter& filter : plan.filters) sql += filter_sql(columns, filter);
  // With rowid the order is total, so that both parts together are each row once; without an order it is the table's own.
  if (plan.order == Order::kTimeAscending) sql += " ORDER BY " + time + ", rowid";
  if (plan.order == Order::kTimeDescending) sql += " ORDER BY " + time + " DESC, rowid";
  if (plan.order == Order::kTags) {
    sql += " ORDER BY ";
    for (int tag : plan.order_tags) sql += columns.holds(tag) ? columns.sql(tag) + " COLLATE BINARY, " : "";
    sql += (plan.then_time ? time + ", " : "") + "rowid";
  }
  if (plan.limit >= 0) sql += (part == Part::kFirst ? " LIMIT " : " LIMIT -1 OFFSET ") + std::to_string(plan.limit);
  return sql;
}

Cell column_cell(sqlite3_stmt* stmt, int column) {
  Cell cell;
  cell.type = sqlite3_column_type(stmt, column);
  switch (cell.type) {
    case SQLITE_INTEGER: cell.integer = sqlite3_column_int64(stmt, column); break;
    case SQLITE_FLOAT: cell.real = sqlite3_column_double(stmt, column); break;
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
      const void* bytes =
          cell.type == SQLITE_TEXT ? static_cast<const void*>(sqlite3_column_text(stmt, column)) : sqlite3_column_blob(stmt, column);
      int length = sqlite3_column_bytes(stmt, column);
      if (!bytes && length) throw std::bad_alloc();
      if (bytes) cell.bytes = std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(length));
      break;
    }
    default: break;
  }
  return cell;
}

void bind_scan(Statement& statement, const ScanPlan& plan) {
  int index = 0;
  for (const Filter& filter : plan.filters) {
    for (const OwnedValue& value : filter.values) value.bind(statement.get(), ++index);
  }
}

namespace {

class StatementStream : public RowStream {
 public:
  StatementStream(Database& db, ScanSource source, std::shared_ptr<const ScanPlan> plan, std::int64_t first_ordinal,
                  std::shared_ptr<void> keep)
      : keep_(std::move(keep)), source_(std::move(source)), plan_(std::move(plan)), first_(first_ordinal) {
    prepare(db.get(), Part::kFirst);
  }
  bool next() override {
    if (statement_.step()) {
      given_++;
      return true;
    }
    if (rest_ || given_ != plan_->limit) return false;
    rest_ = true;
    prepare(sqlite3_db_handle(statement_.get()), Part::kRest);
    return statement_.step();
  }
  std::int64_t time() const override { return statement_.int64(1); }
  std::int64_t ordinal() const override { return first_ + statement_.int64(0); }
  void result(sqlite3_context* context, int slot) override {
    sqlite3_result_value(context, sqlite3_column_value(statement_.get(), slot + 2));
  }
  Cell cell(int slot) override { return column_cell(statement_.get(), slot + 2); }

 private:
  void prepare(sqlite3* db, Part part) {
    statement_ = Statement(db, scan_sql(source_, *plan_, part));
    bind_scan(statement_, *plan_);
  }

  std::shared_ptr<void> keep_;
  ScanSource source_;
  std::shared_ptr<const ScanPlan> plan_;
  Statement statement_;
  std::int64_t first_, given_ = 0;
  bool rest_ = false;
};

}  // namespace

std::unique_ptr<RowStream> stream_statement(Database& db, ScanSource source, std::shared_ptr<const ScanPlan> plan,
                                            std::int64_t first_ordinal, std::shared_ptr<void> keep) {
  return std::make_unique<StatementStream>(db, std::move(source), std::move(plan), first_ordinal, std::move(keep));
}

}  // namespace ts
