// Queries over stored shards in a file:// archive against a plain SQLite file with the same rows and the usual indexes.
//
// One row a minute and host, so that the rows spread over several daily files. Both sides have read their files before.
#include <stdexcept>

#include "bench/workload.h"

namespace ts_bench {
namespace {

struct Query {
  const char* name;
  std::string sql;
};

double milliseconds_of(Database& db, const std::string& sql) {
  double began = seconds();
  db.text(sql);
  return (seconds() - began) * 1e3;
}

void run_read(Bench& bench) {
  const Fleet& rows = fleet(bench.options().rows, 60'000);
  Shape shape{true};
  bench.progress("read: storing the rows");
  Timeseries ours(bench, shape);
  Raw raw(bench, shape);
  auto fill = [&](Database& db, const std::string& sql) {
    RowStatement insert(db, sql);
    db.exec("BEGIN");
    for (const Row& row : rows.rows) insert.run(rows, row);
    db.exec("COMMIT");
  };
  fill(ours.db, "SELECT ts_insert('cpu'," + shape.parameters() + ")");
  ours.db.exec("SELECT ts_flush('cpu')");
  fill(raw.db, "INSERT INTO cpu VALUES(" + shape.parameters() + ")");
  raw.db.exec("CREATE INDEX host_ts ON cpu(host,ts); CREATE INDEX by_ts ON cpu(ts); ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)");

  std::string hour = std::to_string(rows.rows[rows.rows.size() / 2].ts);
  std::string range = "ts>=" + hour + " AND ts<" + hour + "+3600000";
  const std::vector<Query> queries = {
      {"count and avg of everything", "SELECT count(*), round(avg(usage_user),6) FROM cpu"},
      {"avg by host", "SELECT host, round(avg(usage_user),6) FROM cpu GROUP BY host ORDER BY host"},
      {"avg by host, one hour", "SELECT host, round(avg(usage_user),6) FROM cpu WHERE " + range + " GROUP BY host ORDER BY host"},
      {"one host, one hour", "SELECT * FROM cpu WHERE host='host_7' AND " + range + " ORDER BY ts"},
      {"ten newest rows", "SELECT ts, usage_user FROM cpu ORDER BY ts DESC LIMIT 10"},
  };
  for (const Query& query : queries) {
    // Of rows of equal time any may be among the newest ten, so there the times alone must agree.
    bool ties = std::string(query.name) == "ten newest rows";
    std::string checked = ties ? "SELECT ts FROM cpu ORDER BY ts DESC LIMIT 10" : query.sql;
    if (ours.db.text(checked) != raw.db.text(checked)) throw std::runtime_error(std::string("read: answers differ: ") + query.name);
    std::vector<double> us, them;
    for (int round = 0; round < bench.options().rounds; round++) {
      bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(bench.options().rounds) + ": read " + query.name);
      us.push_back(milliseconds_of(ours.db, query.sql));
      them.push_back(milliseconds_of(raw.db, query.sql));
    }
    bench.report(std::string("read ") + query.name, "ms", us, "raw with indexes", them, {});
  }
}

}  // namespace

const std::vector<Workload> kReadWorkloads = {
    {"read", "scan, GROUP BY, one host and hour, newest rows: stored shards against an indexed SQLite file", run_read},
};

}  // namespace ts_bench
