// What a row costs in the SQL functions: as a ratio to SQLite's own sum(), over rows in the order of their time.
//
// A scan that only counts rows is timed too and subtracted: what remains is the function's own cost.
#include <stdexcept>

#include "bench/workload.h"

namespace ts_bench {
namespace {

constexpr Aim kBucketAim = {Aim::kRatioAtMost, 1.5};
constexpr Aim kAggregateAim = {Aim::kRatioAtMost, 3};

void run_functions(Bench& bench) {
  Database db(":memory:");
  db.register_extension();
  const std::string rows = std::to_string(bench.options().rows);
  db.exec("CREATE TABLE samples(v REAL, ts INTEGER)");
  db.exec("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " + rows +
          ") INSERT INTO samples SELECT i * 7919 % 1000 / 10.0, 1795418160000 + i * 1000 FROM n");
  db.exec("CREATE TABLE lines(line TEXT)");
  db.exec("INSERT INTO lines SELECT 'host' || ts % 17 || ' GET /item/' || ts || '?user=ann took ' || v || ' ms' FROM samples");
  const auto nanos = [&](const std::string& expression, const std::string& table = "samples") {
    const double began = seconds();
    db.text("SELECT " + expression + " FROM " + table);
    return (seconds() - began) * 1e9 / static_cast<double>(bench.options().rows);
  };
  const auto cost = [&](const std::string& expression, const std::string& without) {
    return [=] { return nanos(expression) - nanos(without); };
  };
  std::vector<Contestant> buckets, aggregates;
  for (const char* width : {"60000", "'1 minute'", "'1 day'"}) {
    const std::string call = std::string("time_bucket(") + width + ", ts)";
    buckets.push_back({call, kBucketAim, cost("max(" + call + ")", "max(ts)")});
  }
  buckets.push_back({"time_bucket('1 day', ts, 'Europe/Berlin')", {}, cost("max(time_bucket('1 day', ts, 'Europe/Berlin'))", "max(ts)")});
  bench.compare("ns/row", "ts / 60000 * 60000", cost("max(ts / 60000 * 60000)", "max(ts)"), buckets);
  for (const char* name : {"first", "last", "delta", "increase", "rate", "irate", "num_resets", "deriv", "integral", "time_weight"}) {
    const std::string call = std::string(name) + "(v, ts)";
    aggregates.push_back({call, kAggregateAim, [=] { return nanos(call); }});
  }
  aggregates.push_back({"lttb(v, ts, 1000)", {}, [=] { return nanos("lttb(v, ts, 1000)"); }});
  for (const char* call : {"regexp('GET /item/[0-9]+[?]', line)", "regexp('took [0-9.]+ s', line)",
                           "length(regexp_extract(line, 'user=([a-z]+)', 1))", "length(parse_glob(line, 'user=* took *', 1))",
                           "length(log_pattern(line))"}) {
    aggregates.push_back({call, {}, [=] { return nanos(std::string("sum(") + call + ")", "lines"); }});
  }
  const auto sum = [=] { return nanos("sum(v)"); };
  bench.compare("ns/row", "sum(v)", sum, aggregates);
  std::vector<Contestant> distribution;
  for (const char* call : {"quantile(v, 0.9)", "median(v)", "mad(v)", "mode(v)", "stddev_pop(v)", "corr(v, ts)", "regr_slope(v, ts)",
                           "approx_count_distinct(v)", "tdigest(v)", "locf(v)", "ema(v, 0.1)", "session_id(ts, '1m')"}) {
    distribution.push_back({call, {}, [=] { return nanos(call); }});
  }
  bench.compare("ns/row", "sum(v)", sum, distribution);
}

}  // namespace

const std::vector<Workload> kFunctionWorkloads = {
    {"functions", "time_bucket next to integer division, ordered aggregates, distribution and sketches next to sum()", run_functions},
};

}  // namespace ts_bench
