// TSBS data, 1,000 hosts with ten metrics every 10 s for a day: size, queries, and a stored file read by SQLite alone.
//
// Raw is plain rows clustered by (host, ts). Answers are compared before anything is timed; all files have been read before.
#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "bench/tsbs_queries.h"
#include "bench/tsbs_store.h"

namespace ts_bench {
namespace {

const char* const kPlainLabel = "plain rows clustered";

// ---------------------------------------------------------------- queries

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
    bench.report(runner.label, "ms", runner.times_ms, kPlainLabel, plain_ms, bench.of_the_day(runner.aim));
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
  for (const Query& query : make_queries(bench.options().hours)) {
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
    report_size(bench, label, *table, data.rows(), plain_bytes, bench.of_the_day(aim));
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
  report_size(bench, "integers, hourly", tsbs_archive(bench, "hour"), rows, plain_bytes, bench.of_the_day({Aim::kOursAtMost, 6.9}));
  report_size(bench, "integers, daily", tsbs_archive(bench, "day"), rows, plain_bytes, bench.of_the_day({Aim::kOursAtMost, 6.0}));
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
