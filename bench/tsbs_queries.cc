// Texts and values of the statements, the loop that takes every value, and the comparison of answers.
#include "bench/tsbs_queries.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "bench/tsbs_store.h"

namespace ts_bench {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

}  // namespace

double milliseconds_of(Database& db, const std::string& sql, const std::vector<Value>& values) {
  double began = seconds();
  {
    Statement statement(db, sql, values);
    int columns = sqlite3_column_count(statement.get());
    volatile double taken = 0;
    while (statement.step()) {
      for (int c = 0; c < columns; c++) {
        switch (sqlite3_column_type(statement.get(), c)) {
          case SQLITE_INTEGER: taken = static_cast<double>(sqlite3_column_int64(statement.get(), c)); break;
          case SQLITE_FLOAT: taken = sqlite3_column_double(statement.get(), c); break;
          case SQLITE_TEXT: taken = *sqlite3_column_text(statement.get(), c); break;
          default: break;
        }
      }
    }
    (void)taken;
  }
  return (seconds() - began) * 1e3;
}

std::vector<std::string> answer_of(Database& db, const std::string& sql, const std::vector<Value>& values) {
  std::vector<std::string> lines;
  Statement statement(db, sql, values);
  int columns = sqlite3_column_count(statement.get());
  while (statement.step()) {
    std::string line;
    for (int c = 0; c < columns; c++) {
      char number[40];
      switch (sqlite3_column_type(statement.get(), c)) {
        case SQLITE_INTEGER:
          std::snprintf(number, sizeof number, "%lld|", static_cast<long long>(sqlite3_column_int64(statement.get(), c)));
          line += number;
          break;
        case SQLITE_FLOAT:
          std::snprintf(number, sizeof number, "%#.10g|", sqlite3_column_double(statement.get(), c));
          line += number;
          break;
        case SQLITE_NULL: line += "NULL|"; break;
        default: line += '\'' + std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), c))) + "'|"; break;
      }
    }
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void must_agree(const std::string& what, const std::vector<std::string>& ours, const std::vector<std::string>& raw) {
  if (raw.empty()) throw std::runtime_error(what + ": a query without an answer compares nothing");
  if (ours == raw) return;
  auto [a, b] = std::mismatch(ours.begin(), ours.end(), raw.begin(), raw.end());
  throw std::runtime_error(what + ": answers differ: " + std::to_string(ours.size()) + " rows, plain rows give " +
                           std::to_string(raw.size()) + "; first " + (a == ours.end() ? "none" : *a) + " where they have " +
                           (b == raw.end() ? "none" : *b));
}

std::vector<Query> make_queries(int hours) {
  std::int64_t hour = kTsbsStartMs + hours / 2 * kHourMs, odd = hour - 1'340'000, end = kTsbsStartMs + hours * kHourMs;
  std::int64_t half = kTsbsStartMs + hours / 4 * kHourMs, half_end = half + std::max(hours / 2, 1) * kHourMs;
  std::string range = "ts >= ? AND ts < ?", where_range = " WHERE " + range;

  std::string q1 = "SELECT max(usage_user) FROM cpu WHERE host = ? AND " + range;
  std::string q2 =
      "SELECT ts/60000*60000, " + of_metrics(5, "max(%)") + " FROM cpu WHERE host IN (?,?,?,?,?,?,?,?) AND " + range + " GROUP BY 1";
  auto one_in = [](std::int64_t from) { return std::vector<Value>{host_name(617), from, from + kHourMs}; };
  auto eight_in = [](std::int64_t from) {
    std::vector<Value> values;
    for (int host : {17, 123, 256, 391, 500, 648, 777, 912}) values.emplace_back(host_name(host));
    values.insert(values.end(), {from, from + kHourMs});
    return values;
  };
  std::vector<Query> queries;
  queries.push_back({.name = "q1 one host, 1 h", .sql = q1, .values = one_in(hour), .aim = {Aim::kOursAtMost, 0.3}});
  queries.push_back({.name = "q1 odd hour", .sql = q1, .values = one_in(odd)});
  queries.push_back({.name = "q2 by minute, 8 hosts, 1 h", .sql = q2, .values = eight_in(hour), .aim = {Aim::kOursAtMost, 5}});
  queries.push_back({.name = "q2 odd hour", .sql = q2, .values = eight_in(odd)});
  queries.push_back(
      {.name = "q3 avg by hour and host",
       .sql = "SELECT ts/3600000*3600000, host, " + of_metrics(5, "avg(%)") + " FROM cpu" + where_range + " GROUP BY ts/3600000, host",
       .values = {half, half_end},
       .rollup_sql = "SELECT ts, host, " + of_metrics(5, "%_avg") + " FROM cpu_hourly" + where_range,
       .rollup_aim = {Aim::kRatioAtMost, 0.1, 100}});
  queries.push_back({.name = "q4 usage_user > 90",
                     .sql = "SELECT * FROM cpu WHERE usage_user > 90 AND " + range,
                     .values = {half, half_end},
                     .aim = {Aim::kOursAtMost, 250}});
  // max(ts) decides which row the bare columns come from. A rollup's time is the bucket's start: it has no such column.
  queries.push_back({.name = "q5 last row per host",
                     .sql = "SELECT host, max(ts), " + of_metrics(kMetrics, "%") + " FROM cpu" + where_range + " GROUP BY host",
                     .values = {kTsbsStartMs, end},
                     .rollup_sql = "SELECT host, " + of_metrics(kMetrics, "%_last") + " FROM cpu_daily" + where_range,
                     .rollup_compared_sql = "SELECT host, " + of_metrics(kMetrics, "%") + " FROM cpu JOIN (SELECT host AS h, max(ts) AS t" +
                                            " FROM cpu" + where_range + " GROUP BY host) ON host = h AND ts = t",
                     .rollup_aim = {Aim::kRatioAtMost, 0.05, 50}});
  queries.push_back({.name = "q6 count",
                     .sql = "SELECT count(*) FROM cpu" + where_range,
                     .values = {half, half_end},
                     .rollup_sql = "SELECT sum(rows) FROM cpu_hourly" + where_range,
                     .rollup_aim = {Aim::kRatioAtMost, 0.1, 10}});
  queries.push_back({.name = "q7 ten newest rows",
                     .sql = "SELECT * FROM cpu ORDER BY ts DESC LIMIT 10",
                     .aim = {Aim::kOursAtMost, 3},
                     .compared_sql = "SELECT ts FROM cpu ORDER BY ts DESC LIMIT 10"});
  return queries;
}

std::vector<Value> values_in_round(const Query& query, int round) {
  std::vector<Value> values = query.values;
  for (Value& value : values) {
    if (auto* text = std::get_if<std::string>(&value)) *text = host_name((std::atoi(text->c_str() + 5) + 37 * round) % kTsbsHosts);
  }
  return values;
}

}  // namespace ts_bench
