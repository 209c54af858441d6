// ts_explain(table [, from, to]): what a query of from <= time < to takes that reads all series, without running it.
//
//   files, rows, lists, gets, requests, bytes, seconds, dollars, round_trip_ms, bytes_per_s, measured        one row
//
// It lists what the query would list, and makes no GET. Files are counted as read whole, which is the most (query_cost.h).
#include "ext/table/explain.h"

#include <algorithm>

#include "ext/base/clock.h"
#include "ext/table/time_value.h"
#include "ext/table/timeseries_table.h"

namespace ts {
namespace {

std::optional<std::int64_t> time_argument(const TableDef& table, sqlite3_value* value) {
  if (!value || sqlite3_value_type(value) == SQLITE_NULL) return std::nullopt;
  check_compared(table, value);
  return time_of_row(table, value);
}

// What nobody said and nobody measured: a directory costs nothing, and of other servers than AWS the price is not known.
std::optional<Prices> prices_of(const Declaration& declaration) {
  if (declaration.prices) return declaration.prices;
  if (declaration.store.location.starts_with("file:")) return Prices{0, 0, 0};
  return normalise_location(declaration.store).ends_with("@https://s3.amazonaws.com") ? std::optional(Prices()) : std::nullopt;
}

struct Measured {
  Link link;
  std::string how;  // which of the two were measured
};

// `list_ms`: how long one LIST took just now.
Measured link_of(const Declaration& declaration, std::optional<std::int64_t> list_ms, std::optional<std::uint64_t> pace) {
  if (declaration.link) return {*declaration.link, "given"};
  Measured known{Link(), "assumed"};
  if (list_ms) known.link.round_trip_ms = *list_ms, known.how = "round trip";
  if (pace) known.link.bytes_per_s = *pace, known.how = list_ms ? "round trip and pace" : "pace";
  return known;
}

}  // namespace

FactRows explain(Session& session, const FactArguments& arguments) {
  Table& table = session.resolve(arguments.table);
  const TablePtr& def = table.def();
  const std::int64_t from = time_argument(*def, arguments.from).value_or(INT64_MIN);
  const auto end = time_argument(*def, arguments.to);
  const std::int64_t to = end ? *end - 1 : INT64_MAX;

  StatementSnapshot statement;
  LocalSnapshot local(session.view(table.spool()), nullptr);
  Catalogue catalogue(table.store(), def, local, table.declaration().max_staleness_ms, table.is_snapshot());
  catalogue.reuse(from, to, statement.stats);
  table.check_archive(statement, {});
  const std::int64_t before = statement.stats.requests, began_ms = Clock::system().steady_ms();
  if (from <= to && !catalogue.covers(from, to)) {
    session.wait_for(statement.cancel, {[&] { catalogue.cover(from, to, &statement.cancel, statement.stats); }});
  }
  Requests takes{statement.stats.requests - before, 0, 0};
  const std::int64_t took_ms = std::max<std::int64_t>(1, Clock::system().steady_ms() - began_ms);

  QueryCost cost;
  if (from <= to) {
    const Declaration& declaration = table.declaration();
    catalogue.find(from, to, [&](const ShardList& list, std::size_t i, std::int64_t) {
      if (declaration.slices > 0 && list.part(i, declaration.slices) != declaration.slice) return;
      add_cost(cost, list.bytes(i), list.rows(i), Fetch::kWhole);
    });
  }
  takes.gets = cost.gets;
  takes.bytes = cost.bytes;
  const auto prices = prices_of(table.declaration());
  const Measured known = link_of(table.declaration(), takes.lists == 1 ? std::optional(took_ms) : std::nullopt, session.best_bytes_per_s());
  return {{fact(cost.files), fact(cost.rows), fact(takes.lists), fact(takes.gets), fact(takes.lists + takes.gets),
           fact(static_cast<std::int64_t>(takes.bytes)), fact(seconds_of(takes, known.link)),
           prices ? fact(dollars_of(takes, *prices)) : no_fact(), fact(known.link.round_trip_ms),
           fact(static_cast<std::int64_t>(known.link.bytes_per_s)), fact(known.how)}};
}

// ---------------------------------------------------------------- limits

void limit_spending(const Table& table, StatementSnapshot& statement) {
  statement.cancel.spending.limit(table.declaration().max_requests, table.declaration().max_bytes);
}

void CostCheck::add(const ShardPlace& shard, const ScanPlan& plan) {
  if (!shard.stored()) return;
  add_cost(cost_, shard.bytes(), shard.rows(), how_to_fetch(shard.bytes(), shard.rows(), plan, def_.schema));
}

void CostCheck::finish() const {
  const Declaration& declaration = table_.declaration();
  if (!declaration.cache_dir.empty()) return;
  std::string limit;
  if (declaration.max_requests > 0 && cost_.gets > declaration.max_requests) {
    limit = "max_requests is " + std::to_string(declaration.max_requests);
  }
  if (declaration.max_bytes > 0 && cost_.bytes > declaration.max_bytes) limit = "max_bytes is " + std::to_string(declaration.max_bytes);
  if (limit.empty()) return;
  throw Error(Code::kOverLimit, "timeseries: this query of " + table_.sql_name() + " would read " + std::to_string(cost_.files) +
                                    " files with " + std::to_string(cost_.gets) + " requests for " + std::to_string(cost_.bytes) +
                                    " bytes at least, and " + limit + "; bound the time, ask ts_explain what a range takes, or raise the "
                                    "limit");
}

}  // namespace ts
