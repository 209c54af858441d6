// The SQL functions and tables of facts that name a timeseries table.
//
//   ts_insert(table, value, ...)  ts_insert(table, json)   rows taken
//   ts_flush(table)                                        files stored
//   ts_publish(table)  ts_snapshot(table)                  an index's number; a token
//   ts_unpack(source, target)                              rows written
//   ts_files(table)  ts_status(table)  ts_last_query()     tables of facts
//   ts_explain(table, from, to)                            a table of what a query takes, told before
//   ts_expire(table, before [, dry_run])                  old partitions leave the archive
//   ts_verify(table)                                       a table of what is wrong in the archive
//   ts_compact(table [, from, to [, dry_run]])             merges small files; a table of what was done
//   timeseries_version()  timeseries_debug()               text
#pragma once
#include "ext/table/session.h"

namespace ts {

// More lines for timeseries_debug(), from layers that this one does not know.
using DebugText = std::string (*)();

int register_functions(sqlite3* db, const std::shared_ptr<Session>& session, DebugText debug);
int register_facts(sqlite3* db, const std::shared_ptr<Session>& session);
int register_compact(sqlite3* db, const std::shared_ptr<Session>& session);
int register_verify(sqlite3* db, const std::shared_ptr<Session>& session);

constexpr const char* kVersion = "0.1.0";

}  // namespace ts
