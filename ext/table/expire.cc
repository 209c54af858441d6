// From a time to partitions, and from each to a row.
#include "ext/table/expire.h"

#include "ext/archive/expiry.h"
#include "ext/base/clock.h"
#include "ext/table/time_value.h"
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

std::int64_t time_before(const TableDef& table, sqlite3_value* value, std::int64_t now_ms) {
  if (!value || sqlite3_value_type(value) == SQLITE_NULL) {
    throw Error(Code::kBadInput, "ts_expire: say before which time: ts_expire('" + table.name + "', ts('now', '-90 days'))");
  }
  const std::int64_t before = time_of_row(table, value);
  const Precision precision = table.schema.precision;
  if (before <= convert_precision(now_ms, Precision::kMillis, precision)) return before;
  throw Error(Code::kBadInput, "ts_expire: " + format_timestamp(before, precision) +
                                   " lies in the future; give a time that has passed, in " + std::string(precision_text(precision)) +
                                   " as " + time_function(precision) + "(...) returns it");
}

}  // namespace

FactRows expire(Session& session, const FactArguments& arguments) {
  Table& table = session.resolve(arguments.table);
  const TablePtr& def = table.def();
  const std::int64_t now_ms = Clock::system().now_ms();
  const std::int64_t before = time_before(*def, arguments.from, now_ms);
  const bool dry_run = arguments.to && sqlite3_value_int(arguments.to) != 0;

  StatementSnapshot statement;
  table.check_archive(statement, {});
  const std::shared_ptr<Store> store = table.store_without_cache();
  Expiry expiry(*store, *def, "ts_expire", table.declaration().compact_grace_ms);
  FactRows rows;
  session.wait_for(statement.cancel, {[&] {
                     for (const std::string& partition : expiry.old_partitions(before, SIZE_MAX, &statement.cancel)) {
                       const OldPartition old = dry_run ? expiry.look(partition, &statement.cancel)
                                                        : expiry.expire(partition, now_ms, &statement.cancel);
                       if (old.files + old.removed == 0) continue;
                       rows.push_back({fact(old.name), fact(old.files), fact(old.rows), fact(static_cast<std::int64_t>(old.bytes)),
                                       fact(old.removed)});
                     }
                   }});
  table.spool()->listings().drop();  // of this process: what they list has gone
  return rows;
}

}  // namespace ts
