// TSBS data, 1,000 hosts with ten metrics every 10 s for a day: size, queries, and a stored file read by SQLite alone.
//
// Raw is plain rows clustered by (host, ts). Answers are compared before anything is timed; all files have been read before.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <variant>

#include "bench/tsbs_store.h"

namespace ts_bench {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
const char* const kPlainLabel = "plain rows clustered";

// On less than the day an aim would say nothing.
Aim of_the_day(const Bench& bench, Aim aim) { return bench.options().hours == 24 ? aim : Aim{}; }

// ---------------------------------------------------------------- statements

using Value = std::variant<std::int64_t, std::string>;

class Statement {
 public:
  Statement(Database& db, const std::string& sql, const std::vector<Value>& values) {
    if (sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &stmt_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(db.get()));
    }
    bind(values);
  }
  ~Statement() { sqlite3_finalize(stmt_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(const std::vector<Value>& values) {  // which outlive the run
    int index = 0;
    for (const Value& value : values) {
      if (const auto* text = std::get_if<std::string>(&value)) {
        sqlite3_bind_text(stmt_, ++index, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
      } else {
        sqlite3_bind_int64(stmt_, ++index, std::get<std::int64_t>(value));
      }
    }
  }
  bool step() {
    int rc = sqlite3_step(stmt_);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(stmt_)));
    return rc == SQLITE_ROW;
  }
  sqlite3_stmt* get() const { return stmt_; }

 private:
  sqlite3_stmt* stmt_ = nullptr;
};

// As a program would: prepare, bind, step over all rows and take every value in its own type.
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

// The rows as sorted lines. Doubles to ten digits: sums may be taken in another order.
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

// ---------------------------------------------------------------- queries

struct Query {
  std::string name;
  std::string sql;
  std::vector<Value> values = {};  // a text is a host, and another one in each round
  Aim aim = {};
  std::string compared_sql = {};         // what must agree where rows of equal time may come or not; empty: sql
  std::string rollup_sql = {};           // the answer from a rollup, with the same values; empty: there is none
  std::string rollup_compared_sql = {};  // what it must agree with; empty: sql
  Aim rollup_aim = {};
};

// Windows lie in the middle of the data: half of it where a query says 12 hours. Their bounds are full hours, as those of
// hourly files, except where the name says so.
std::vector<Query> make_queries(const Bench& bench) {
  int hours = bench.options().hours;
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

bool has_rollup(Database& db) { return db.integer("SELECT count(*) FROM pragma_module_list WHERE name='timeseries_rollup'") > 0; }

struct Runner {
  std::string label, sql;
  Database* db;
  Aim aim;
  int rounds = 0;  // of those of the plain rows the first
  std::vector<double> times_ms = {};
};

// As many rounds as take this runner about three seconds: at least three, if so many are wanted. Where no aim hangs on it, one
// will do, and none after a first run of over five seconds, which then is its figure.
int rounds_for(const Bench& bench, bool held, double once_ms) {
  int wanted = bench.options().rounds;
  if (!held && once_ms > 5'000) return 0;
  return std::clamp(static_cast<int>(3'000 / std::max(once_ms, 1e-3)), held ? std::min(wanted, 3) : 1, wanted * 5);
}

// The first is the plain rows' runner.
void compare_answers(const Bench& bench, const Query& query, std::vector<Runner>& runners) {
  auto or_else = [](const std::string& sql, const std::string& other) { return sql.empty() ? other : sql; };
  std::string plain_sql = or_else(query.compared_sql, query.sql);
  std::vector<std::string> plain_answer, rollup_answer;
  for (Runner& runner : runners) {
    bool rolled = runner.sql == query.rollup_sql;
    if (rolled && rollup_answer.empty()) {
      rollup_answer = answer_of(*runners[0].db, or_else(query.rollup_compared_sql, query.sql), query.values);
    }
    double began = seconds();
    std::vector<std::string> answer = answer_of(*runner.db, rolled ? runner.sql : plain_sql, query.values);
    double once_ms = (seconds() - began) * 1e3;
    runner.rounds = rounds_for(bench, &runner == &runners[0] || runner.aim.kind != Aim::kNone, once_ms);
    if (!runner.rounds) runner.times_ms = {once_ms};
    if (&runner == &runners[0]) plain_answer = answer;
    must_agree(runner.label, answer, rolled ? rollup_answer : plain_answer);
  }
  for (const Runner& runner : runners) runners[0].rounds = std::max(runners[0].rounds, runner.rounds);
}

void measure_query(Bench& bench, const Query& query, std::vector<Runner>& runners) {
  bench.progress(query.name + ": comparing answers");
  compare_answers(bench, query, runners);
  for (int round = 0; round < runners[0].rounds; round++) {
    bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(runners[0].rounds) + ": " + query.name);
    std::vector<Value> values = values_in_round(query, round);
    for (std::size_t turn = 0; turn < runners.size(); turn++) {
      Runner& runner = runners[(turn + static_cast<std::size_t>(round)) % runners.size()];
      if (round < runner.rounds) runner.times_ms.push_back(milliseconds_of(*runner.db, runner.sql, values));
    }
  }
  for (std::size_t i = 1; i < runners.size(); i++) {
    const Runner& runner = runners[i];
    std::vector<double> plain_ms = runners[0].times_ms;
    plain_ms.resize(runner.times_ms.size());  // of the same rounds
    bench.report(runner.label, "ms", runner.times_ms, kPlainLabel, plain_ms, of_the_day(bench, runner.aim));
  }
}

void run_queries(Bench& bench) {
  struct Side {
    std::string label;
    Database* db;
  };
  std::vector<Side> sides = {{"hourly", &tsbs_archive(bench, "hour").db}, {"daily", &tsbs_archive(bench, "day").db}};
  bool rollup = has_rollup(*sides[0].db);
  for (const Side& side : sides) {
    if (!rollup) continue;
    side.db->exec("CREATE VIRTUAL TABLE cpu_hourly USING timeseries_rollup(cpu, '1 hour')");
    side.db->exec("CREATE VIRTUAL TABLE cpu_daily USING timeseries_rollup(cpu, '1 day')");
  }
  for (const Query& query : make_queries(bench)) {
    std::vector<Runner> runners = {{"plain", query.sql, &tsbs_plain(bench).db, {}}};
    for (const Side& side : sides) runners.push_back({query.name + ", " + side.label, query.sql, side.db, query.aim});
    std::string rollup_label = query.name.substr(0, 2) + " by rollup";
    for (const Side& side : sides) {
      if (!rollup || query.rollup_sql.empty()) continue;
      runners.push_back({rollup_label + ", " + side.label, query.rollup_sql, side.db, query.rollup_aim});
    }
    measure_query(bench, query, runners);
    if (!rollup && !query.rollup_sql.empty()) bench.skipped(rollup_label, "not there (no module timeseries_rollup)");
  }
}

// ---------------------------------------------------------------- size

void report_size(Bench& bench, const std::string& name, Timeseries& table, std::size_t rows, double plain_bytes, Aim aim) {
  Footprint footprint = footprint_of(table, rows);
  std::string files = footprint.files == 1 ? "1 file" : std::to_string(footprint.files) + " files";
  bench.report(name + " (" + files + ")", "B/row", {footprint.bytes_per_row}, kPlainLabel, {plain_bytes}, aim);
}

// Two hours of all hosts in hourly files, a day of a fifth of the hosts in a daily one: about as much of each.
void measure_size(Bench& bench, const std::string& name, TsbsOptions::Kind kind, Aim aim) {
  for (const std::string partition : {"hour", "day"}) {
    bool daily = partition == "day";
    TsbsOptions options;
    options.kind = kind;
    options.hosts = daily ? kTsbsHosts / 5 : kTsbsHosts;
    options.ticks = std::min(daily ? 24 : 2, bench.options().hours) * kTsbsTicksPerHour;
    TsbsData data(options);
    std::string label = name + (daily ? ", daily" : ", hourly");
    double plain_bytes = plain_bytes_per_row(*store_tsbs_plain(bench, data, bench.fresh("plain.db"), label), data.rows());
    auto table = store_tsbs(bench, data, bench.fresh("archive"), partition, label);
    report_size(bench, label, *table, data.rows(), plain_bytes, of_the_day(bench, aim));
  }
}

void fill_log(Database& db, const std::vector<LogLine>& log, const std::vector<std::size_t>& order) {
  db.exec("BEGIN");
  Statement insert(db, "INSERT INTO cpu VALUES(?,?,?,?)", {});
  for (std::size_t i : order) {
    const LogLine& line = log[i];
    std::vector<Value> values = {line.ts, host_name(line.host), line.level, line.message};
    insert.bind(values);
    insert.step();
    sqlite3_reset(insert.get());
  }
  db.exec("COMMIT");
}

void measure_log_size(Bench& bench) {
  bench.progress("log lines");
  std::vector<LogLine> log = generate_log(200'000, 100, 42);
  std::vector<std::size_t> order(log.size());
  std::iota(order.begin(), order.end(), 0);
  Timeseries table(bench.fresh("archive"), "ts TIMESTAMP, host TEXT TAG, level TEXT, message TEXT", stored_when_asked("day"));
  fill_log(table.db, log, order);
  table.db.exec("SELECT ts_flush('cpu')");
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    std::string first = host_name(log[a].host), second = host_name(log[b].host);
    return first != second ? first < second : a < b;
  });
  PlainRows plain(bench.fresh("plain.db"), "ts INTEGER, host TEXT, level TEXT, message TEXT");
  fill_log(plain.db, log, order);
  report_size(bench, "log lines, daily", table, log.size(), plain_bytes_per_row(plain, log.size()), {});
}

void run_size(Bench& bench) {
  std::size_t rows = tsbs_integers(bench).rows();
  double plain_bytes = plain_bytes_per_row(tsbs_plain(bench), rows);
  report_size(bench, "integers, hourly", tsbs_archive(bench, "hour"), rows, plain_bytes, of_the_day(bench, {Aim::kOursAtMost, 6.9}));
  report_size(bench, "integers, daily", tsbs_archive(bench, "day"), rows, plain_bytes, of_the_day(bench, {Aim::kOursAtMost, 6.0}));
  measure_size(bench, "decimals", TsbsOptions::kDecimals, {Aim::kOursAtMost, 17});
  measure_size(bench, "counters", TsbsOptions::kCounters, {});
  measure_size(bench, "jittered times", TsbsOptions::kJitter, {});
  measure_log_size(bench);
}

// ---------------------------------------------------------------- a stored file in SQLite alone

void run_stock_scan(Bench& bench) {
  std::string stored = stored_file(tsbs_archive(bench, "hour"));
  std::string copy = bench.fresh("plain.db");
  {
    PlainRows plain(copy, tsbs_columns(false, false));
    Database any(stored);
    std::string from = std::to_string(any.integer("SELECT min(ts) FROM cpu")), to = std::to_string(any.integer("SELECT max(ts) FROM cpu"));
    plain.db.exec("ATTACH '" + tsbs_plain(bench).path + "' AS whole");
    plain.db.exec("INSERT INTO main.cpu SELECT * FROM whole.cpu WHERE ts BETWEEN " + from + " AND " + to);
  }
  // The connection is opened each time, and knows nothing of the extension.
  auto rate = [](const std::string& path, double rows, const std::string& sql) {
    double began = seconds();
    Database db(path);
    double opened_ms = (seconds() - began) * 1e3;
    return rows / (opened_ms + milliseconds_of(db, sql, {})) * 1e3;
  };
  Database ours(stored), plain(copy);
  auto rows = static_cast<double>(plain.integer("SELECT count(*) FROM cpu"));
  const std::vector<std::pair<std::string, std::string>> scans = {
      {"stock scan, sum of 10 metrics", "SELECT count(*), " + of_metrics(kMetrics, "sum(%)") + " FROM cpu"},
      {"stock scan, sum of 1 metric", "SELECT sum(usage_user) FROM cpu"},
  };
  for (const auto& [label, sql] : scans) {
    bench.progress(label + ": comparing answers");
    must_agree(label, answer_of(ours, sql, {}), answer_of(plain, sql, {}));
    std::vector<double> us, them;
    for (int round = 0; round < bench.options().rounds; round++) {
      bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(bench.options().rounds) + ": " + label);
      us.push_back(rate(stored, rows, sql));
      them.push_back(rate(copy, rows, sql));
    }
    bench.report(label, "rows/s", us, kPlainLabel, them, {});
  }
}

}  // namespace

const std::vector<Workload> kTsbsWorkloads = {
    {"tsbs_size", "bytes a row of integers, decimals, counters, jittered times and log lines, hourly and daily files", run_size},
    {"tsbs_queries", "q1 to q7 over a day of 1,000 hosts, plain and through rollups, in hourly files and in daily ones", run_queries},
    {"tsbs_stock_scan", "one hourly file read by SQLite without the extension", run_stock_scan},
};

}  // namespace ts_bench
