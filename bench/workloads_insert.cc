// Rows in one transaction: INSERT ... SELECT, and one statement that is bound again for each row; and rows until stored.
#include <cstdlib>

#include "bench/workload.h"

namespace ts_bench {
namespace {

double rate(std::size_t rows, double began) { return static_cast<double>(rows) / (seconds() - began); }

// What the first insert of a connection does once (files, statements) is not what is measured.
void warm_up(Database& db, const std::string& insert, const Fleet& rows) {
  RowStatement one(db, insert);
  one.run(rows, rows.rows[0]);
}

std::string insert_sql(Shape shape) { return "INSERT INTO cpu VALUES(" + shape.parameters() + ")"; }
std::string function_sql(Shape shape) { return "SELECT ts_insert('cpu'," + shape.parameters() + ")"; }

// The source lies in a database of its own in memory. With a further column it is not identical to the target, or SQLite
// copies whole records between its own tables without looking at them.
void attach_source(Database& db, Shape shape, const Fleet& rows, bool identical) {
  db.exec("ATTACH ':memory:' AS source; CREATE TABLE source.measured(" + shape.declaration(false) + (identical ? ")" : ", more)"));
  db.exec("BEGIN");
  RowStatement insert(db, "INSERT INTO source.measured(" + shape.column_list() + ") VALUES(" + shape.parameters() + ")");
  for (const Row& row : rows.rows) insert.run(rows, row);
  db.exec("COMMIT");
}

double insert_select(Database& db, Shape shape, const Fleet& rows, bool identical) {
  attach_source(db, shape, rows, identical);
  warm_up(db, insert_sql(shape), rows);
  double began = seconds();
  db.exec("INSERT INTO cpu SELECT " + (identical ? std::string("*") : shape.column_list()) + " FROM source.measured");
  return rate(rows.rows.size(), began);
}

void measure_insert_select(Bench& bench, bool identical) {
  const Fleet& rows = fleet(bench.options().rows);
  for (Shape shape : {Shape{false}, Shape{true}}) {
    bench.compare("rows/s", identical ? "raw record copy" : "raw INSERT..SELECT",
                  [&] {
                    Raw raw(bench, shape);
                    return insert_select(raw.db, shape, rows, identical);
                  },
                  {{std::string(identical ? "insert_select_identical " : "insert_select ") + shape.name(),
                    identical ? Aim{} : Aim{Aim::kRatioAtLeast, 0.9}, [&] {
                      Timeseries ours(bench, shape);
                      return insert_select(ours.db, shape, rows, identical);
                    }}});
  }
}

void run_insert_select(Bench& bench) { measure_insert_select(bench, false); }
void run_insert_select_identical(Bench& bench) { measure_insert_select(bench, true); }

double rebound(Database& db, const std::string& sql, const Fleet& rows) {
  warm_up(db, sql, rows);
  RowStatement insert(db, sql);
  double began = seconds();
  db.exec("BEGIN");
  for (const Row& row : rows.rows) insert.run(rows, row);
  db.exec("COMMIT");
  return rate(rows.rows.size(), began);
}

void run_rebound(Bench& bench) {
  const Fleet& rows = fleet(bench.options().rows);
  for (Shape shape : {Shape{false}, Shape{true}}) {
    auto ours = [&](const std::string& sql) {
      return [&bench, &rows, shape, sql] {
        Timeseries table(bench, shape);
        return rebound(table.db, sql, rows);
      };
    };
    bench.compare("rows/s", "raw re-bound INSERT",
                  [&] {
                    Raw raw(bench, shape);
                    return rebound(raw.db, insert_sql(shape), rows);
                  },
                  {{std::string("rebound ts_insert ") + shape.name(), {Aim::kRatioAtLeast, 0.9}, ours(function_sql(shape))},
                   {std::string("rebound INSERT ") + shape.name(), {Aim::kRatioAtLeast, 0.9}, ours(insert_sql(shape))},
                   {std::string("INSERT..SELECT ") + shape.name(), {Aim::kRatioAtLeast, 0.9}, [&] {
                      Timeseries table(bench, shape);
                      return insert_select(table.db, shape, rows, false);
                    }}});
  }
}

// ---------------------------------------------------------------- until stored

// Re-bound ts_insert in transactions of 10,000 rows, then ts_flush; against a raw table that is checkpointed into its
// database and fsynced.
constexpr std::size_t kPerTransaction = 10'000;

template <class Finish>
double until_stored(Database& db, const std::string& sql, const Fleet& rows, Finish finish) {
  warm_up(db, sql, rows);
  RowStatement insert(db, sql);
  double began = seconds();
  for (std::size_t i = 0; i < rows.rows.size(); i++) {
    if (i % kPerTransaction == 0) db.exec(i ? "COMMIT; BEGIN" : "BEGIN");
    insert.run(rows, rows.rows[i]);
  }
  db.exec("COMMIT");
  finish();
  return rate(rows.rows.size(), began);
}

void measure_until_stored(Bench& bench, const std::string& store, const std::string& location) {
  const Fleet& rows = fleet(bench.options().rows);
  for (Shape shape : {Shape{false}, Shape{true}}) {
    bench.compare("rows/s", "raw INSERT, checkpoint",
                  [&] {
                    Raw raw(bench, shape);
                    return until_stored(raw.db, insert_sql(shape), rows, [&] { raw.db.exec("PRAGMA wal_checkpoint(TRUNCATE)"); });
                  },
                  {{"stored " + store + " " + shape.name(), {}, [&] {
                      static int run = 0;
                      std::string prefix = location.empty() ? "" : location + "/" + std::to_string(++run);
                      Timeseries ours(bench, shape, "flush_on_close='never'", prefix);
                      return until_stored(ours.db, function_sql(shape), rows, [&] { ours.db.exec("SELECT ts_flush('cpu')"); });
                    }}});
  }
}

void run_stored(Bench& bench) {
  measure_until_stored(bench, "file", "");
  const char* endpoint = std::getenv("S3_ENDPOINT");
  const char* bucket = std::getenv("S3_BUCKET");
  if (!endpoint || !*endpoint || !bucket || !*bucket) {
    bench.skipped("stored s3", "S3_ENDPOINT and S3_BUCKET are not set (and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)");
    return;
  }
  ::setenv("AWS_ENDPOINT_URL_S3", endpoint, 1);
  std::string prefix = "bench-" + std::to_string(static_cast<long long>(seconds() * 1e3));
  measure_until_stored(bench, "s3", "s3://" + std::string(bucket) + "/" + prefix);
}

}  // namespace

const std::vector<Workload> kInsertWorkloads = {
    {"insert_select", "INSERT ... SELECT of all rows from a table in memory, one transaction", run_insert_select},
    {"insert_select_identical", "the same from an identical table, where raw SQLite copies records undecoded", run_insert_select_identical},
    {"rebound", "one statement bound again for each row, one transaction: ts_insert and INSERT; and INSERT ... SELECT against the same",
     run_rebound},
    {"stored", "ts_insert in transactions of 10,000 rows and ts_flush, until everything is stored: file://, and S3 where there is one",
     run_stored},
};

}  // namespace ts_bench
