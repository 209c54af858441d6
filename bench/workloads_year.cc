// A year of an archive that ten machines write every five minutes, before and after compaction: files, bytes, requests, time.
//
// The store is in this process (bench/year_store.h). Its last day is real: 2,880 files, sealed as the product seals them, merged by the
// product's compactor. The other 364 days have the same number of files of the same sizes, by name only, and records as a compaction of
// each leaves them: what a query lists and reads of records is exact, and its files lie in the last day, where the queries ask.
#include <sys/resource.h>

#include <cstdio>
#include <deque>

#include "bench/workload.h"
#include "bench/year_store.h"
#include "ext/archive/catalogue.h"
#include "ext/archive/compactor.h"
#include "ext/archive/open_shard.h"
#include "ext/archive/sealer.h"
#include "ext/archive/shard_stream.h"
#include "ext/base/clock.h"
#include "ext/base/file.h"

namespace ts_bench {
namespace {

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour, kFlush = 300'000, kInterval = 10'000;
constexpr std::int64_t kStart = 1'763'856'000'000;  // 2025-11-23
constexpr int kDays = 365, kWriters = 10, kHostsEach = 10;

ts::TablePtr year_table() {
  ts::Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}};
  for (const char* metric : kMetricNames) schema.columns.push_back({metric, "REAL", false, false, "", ""});
  schema.time_column = 0;
  return ts::make_table_def("cpu", schema);
}

class Never : public ts::Cancel {
 public:
  bool cancelled() const override { return false; }
};

struct NoInterrupt : ts::InterruptProbe {
  void check() override {}
};

std::string writer_of(int writer) { return "web" + std::to_string(writer); }

class Year {
 public:
  explicit Year(Bench& bench) : bench_(bench), directory_(bench.fresh("year")) {
    for (const char* name : {"open", "sealed", "work"}) ts::make_directories(directory_ + "/" + name);
    store_->put_if_absent("cpu/schema-000001.json", ts::schema_to_json(table_->schema));
  }

  void fill() {
    write_last_day();
    for (int day = 0; day + 1 < kDays; day++) {
      bench_.progress("year: naming files, day " + std::to_string(day + 1));
      for (std::int64_t at = 0; at < kDay; at += kFlush) {
        for (int writer = 0; writer < kWriters; writer++) name_file(kStart + day * kDay + at, writer);
      }
    }
  }

  void report(const char* when) {
    note("%-10s %9zu objects, %7.2f GB", when, store_->objects(), static_cast<double>(store_->bytes()) / 1e9);
    const std::int64_t end = kStart + kDays * kDay;
    query(when, "one hour", end - 6 * kHour, end - 5 * kHour - 1);
    query(when, "one day", end - kDay, end - 1);
    newest(when);
  }

  void compact() {
    Never never;
    ts::CompactOptions options;
    options.directory = directory_ + "/work";
    ts::Compactor compactor(store_, table_, options, never, [](std::int64_t, std::int64_t, std::uint64_t) {});
    const std::uint64_t asked = store_->requests();
    const double began = seconds();
    bench_.progress("year: compacting the last day");
    const ts::Compacted done = compactor.compact(partition(kDays - 1));
    struct rusage usage;
    ::getrusage(RUSAGE_SELF, &usage);
    const double took = seconds() - began, rows = static_cast<double>(done.rows);
    auto facts = [&](const char* verb, std::int64_t files, std::uint64_t bytes) {
      note("the last day %s %lld files, %.1f MB, %.2f bytes a row", verb, static_cast<long long>(files), static_cast<double>(bytes) / 1e6,
           static_cast<double>(bytes) / rows);
    };
    facts("was", done.files_before, done.bytes_before);
    facts("became", done.files_after, *done.bytes_after);
    note("in %.1f s, %.2f M rows/s, %llu requests; at most %.0f MB of memory in this process so far", took, rows / took / 1e6,
         static_cast<unsigned long long>(store_->requests() - asked), static_cast<double>(usage.ru_maxrss) / 1e3);
    for (int day = 0; day + 1 < kDays; day++) record_day(day, *done.bytes_after);
  }

  // As when the grace is over.
  void remove_dead() {
    for (const std::string& key : dead_) store_->remove(key);
    ts::PartitionCommits commits(*store_, *table_, "bench");
    const std::string last = partition(kDays - 1), prefix = "cpu/" + last + "/";
    const ts::MergeRecord record = commits.read(last, nullptr);
    std::string after;
    for (bool more = true; more;) {
      ts::ListPage page = store_->list(prefix, after);
      more = page.more;
      for (const ts::ObjectInfo& object : page.objects) {
        after = object.key;
        auto name = ts::parse_shard_name(object.key.substr(prefix.size()), table_->schema.precision);
        if (name && record.is_dead(name->id)) store_->remove(object.key);
      }
    }
  }

 private:
  template <class... Arguments>
  void note(const char* format, Arguments... arguments) {
    char line[400];
    std::snprintf(line, sizeof line, format, arguments...);
    bench_.note(line);
  }
  std::string partition(int day) const {
    return ts::partition_name(kStart + day * kDay, table_->schema.precision, table_->schema.partition);
  }

  // Five minutes of one machine, through an open shard and the sealer.
  void write_last_day() {
    const std::int64_t day = kStart + (kDays - 1) * kDay;
    GeneratorOptions options;
    options.hosts = kWriters * kHostsEach;
    options.rows = static_cast<std::size_t>(kDay / kInterval * options.hosts);
    options.start_ms = day;
    const Fleet fleet = generate(options);
    const std::size_t rows_each = static_cast<std::size_t>(kFlush / kInterval), hosts = static_cast<std::size_t>(options.hosts);
    for (std::int64_t at = 0, number = 0; at < kDay; at += kFlush) {
      bench_.progress("year: sealing the last day, " + std::to_string(at / kHour) + " h");
      for (int writer = 0; writer < kWriters; writer++, number++) {
        ts::RowBuffer rows(2 + kMetrics);
        for (std::size_t tick = 0; tick < rows_each; tick++) {
          for (int host = writer * kHostsEach; host < (writer + 1) * kHostsEach; host++) {
            const Row& row = fleet.rows[(static_cast<std::size_t>(at / kInterval) + tick) * hosts + static_cast<std::size_t>(host)];
            rows.begin_row();
            rows.add_integer(row.ts);
            rows.add_text(fleet.hosts[static_cast<std::size_t>(row.host)]);
            for (double metric : row.metrics) rows.add_real(metric);
          }
        }
        seal(rows, number, writer);
      }
    }
  }

  void seal(const ts::RowBuffer& rows, std::int64_t number, int writer) {
    const std::string open = directory_ + "/open", sealed = directory_ + "/sealed", name = std::to_string(number) + ".db";
    ts::OpenShard::create_files(open, name);
    {
      ts::OpenShard shard(open, name, number + 1);
      if (!shard.begin()) throw std::runtime_error("year: a shard of its own is locked");
      shard.insert(table_, rows);
      shard.prepare();
      shard.publish(1);
    }
    for (const ts::SealedRow& file : ts::seal_table(table_, {{name, {0, INT64_MAX, 0}}}, open, sealed, writer_of(writer))) {
      const std::string path = sealed + "/" + file.file;
      store_->put_if_absent(file.key, ts::MappedFile(path).bytes());
      file_bytes_ = static_cast<std::uint64_t>(file.bytes);
      ts::remove_file(path);
    }
    ts::remove_open_files(open + "/" + name);
  }

  void name_file(std::int64_t start, int writer) {
    const ts::ShardName name{start, start + kFlush - kInterval, kFlush / kInterval * kHostsEach, writer_of(writer), ts::new_ulid()};
    std::string key = table_->directory + "/" + ts::partition_name(start, table_->schema.precision, table_->schema.partition) + "/" +
                      ts::format_shard_name(name, table_->schema.precision);
    dead_.push_back(key);
    store_->give(std::move(key), file_bytes_);
  }

  // A day as its compaction leaves it: one file, and a record of all that it replaces.
  void record_day(int day, std::uint64_t bytes) {
    bench_.progress("year: recording day " + std::to_string(day + 1));
    ts::PartitionCommits commits(*store_, *table_, "bench");
    ts::MergeRecord before = commits.read(partition(day), nullptr), next = before.next(ts::new_ulid());
    const std::size_t each = static_cast<std::size_t>(kDay / kFlush) * kWriters;
    std::vector<ts::UlidBits> ids;
    for (std::size_t i = 0; i < each; i++) {
      const std::string& key = dead_[static_cast<std::size_t>(day) * each + i];
      ids.push_back(ts::ulid_bits(ts::parse_shard_name(key.substr(key.rfind('/') + 1), table_->schema.precision)->id));
    }
    next.bury(std::move(ids), 0);
    const std::int64_t start = kStart + day * kDay;
    const std::int64_t rows = kDay / kInterval * kWriters * kHostsEach;
    ts::MergedFile merged{{start, start + kDay - kInterval, rows, "web0", ts::new_ulid()}, bytes, "merged"};
    store_->give(ts::merged_file_key(*table_, merged.name), bytes);
    next.add_live(std::move(merged));
    if (!commits.commit(before, next, nullptr)) throw std::runtime_error("year: somebody else commits");
  }

  // A statement's catalogue, of a spool that holds nothing.
  struct Statement {
    Statement(const std::string& directory, std::shared_ptr<ts::Store> store, ts::TablePtr table)
        : spool(ts::Spool::open(config(directory))),
          view(spool),
          local(view, nullptr),
          catalogue(std::move(store), std::move(table), local, 0) {}
    static ts::SpoolConfig config(const std::string& directory) {
      ts::SpoolConfig config;
      config.directory = directory + "/spool";
      config.location = config.store.location = "file://" + directory + "/archive";
      config.flush_size = 1;
      config.flush_interval_ms = kHour;
      config.flush_timeout_ms = 1000;
      config.on_close = ts::OnClose::kNever;
      return config;
    }
    std::shared_ptr<ts::Spool> spool;
    ts::SpoolView view;
    ts::LocalSnapshot local;
    ts::QueryStats stats;
    ts::StatementCancel cancel{&stats};
    ts::Catalogue catalogue;
  };

  // Rows of these files in the plan's order is what a cursor makes of it: here each file is read to the end of what is asked.
  std::int64_t read(Statement& statement, const std::vector<ts::ShardRef>& refs, const std::shared_ptr<const ts::ScanPlan>& plan) {
    constexpr std::size_t kAhead = 32;
    ts::ShardFiles files;
    NoInterrupt probe;
    std::deque<std::unique_ptr<ts::RowStream>> streams;
    std::int64_t rows = 0;
    std::size_t next = 0;
    while (next < refs.size() || !streams.empty()) {
      while (next < refs.size() && streams.size() < kAhead) {
        streams.push_back(ts::stream_shard(files, store_, table_, refs[next++], plan, &statement.cancel, &statement.stats, probe));
        streams.back()->announce();
      }
      while (streams.front()->next()) {
        rows++;
        if (plan->limit >= 0 && rows >= plan->limit) return rows;
      }
      streams.pop_front();
    }
    return rows;
  }

  void told(const char* when, const char* what, const Statement& statement, std::size_t files, std::int64_t rows, double took) {
    note("%-10s %-12s %6lld files listed, %5zu read, %6lld requests, %8.2f MB, %8lld rows, %8.1f ms", when, what,
         static_cast<long long>(statement.stats.files_listed), files, static_cast<long long>(statement.stats.requests),
         static_cast<double>(statement.stats.bytes_read) / 1e6, static_cast<long long>(rows), took * 1e3);
  }

  void query(const char* when, const char* what, std::int64_t from, std::int64_t to) {
    Statement statement(bench_.fresh("query"), store_, table_);
    auto plan = std::make_shared<ts::ScanPlan>();
    plan->from = from;
    plan->to = to;
    plan->columns = {1, 2};
    const double began = seconds();
    statement.catalogue.cover(from, to, &statement.cancel, statement.stats);
    std::vector<ts::ShardRef> refs;
    statement.catalogue.find(from, to, [&](const ts::ShardList& list, std::size_t i, std::int64_t) { refs.push_back(list.ref(i)); });
    const std::int64_t rows = read(statement, refs, plan);
    told(when, what, statement, refs.size(), rows, seconds() - began);
  }

  // ORDER BY ts DESC LIMIT 10 without a bound: the newest files, of which ten rows are read.
  void newest(const char* when) {
    Statement statement(bench_.fresh("query"), store_, table_);
    auto plan = std::make_shared<ts::ScanPlan>();
    plan->columns = {1, 2};
    plan->order = ts::Order::kTimeDescending;
    plan->limit = 10;
    const double began = seconds();
    std::vector<ts::ShardRef> refs;
    ts::CatalogueWalk walk = statement.catalogue.walk(INT64_MIN, INT64_MAX, true, true);
    while (refs.empty() && !walk.done()) {
      if (!statement.catalogue.knows_next(walk)) statement.catalogue.list_next(walk, &statement.cancel, statement.stats);
      const ts::KeyRange part = statement.catalogue.take_next(walk);
      statement.catalogue.find(part, INT64_MIN, INT64_MAX,
                               [&](const ts::ShardList& list, std::size_t i, std::int64_t) { refs.push_back(list.ref(i)); });
    }
    std::int64_t latest = INT64_MIN;
    for (const ts::ShardRef& ref : refs) latest = std::max(latest, ref.end);
    std::erase_if(refs, [&](const ts::ShardRef& ref) { return ref.end < latest; });  // those that may hold the newest row
    const std::int64_t rows = read(statement, refs, plan);
    told(when, "newest first", statement, refs.size(), rows, seconds() - began);
  }

  Bench& bench_;
  const std::string directory_;
  const ts::TablePtr table_ = year_table();
  const std::shared_ptr<YearStore> store_ = std::make_shared<YearStore>();
  std::vector<std::string> dead_;  // names of the first 364 days, in the order of time
  std::uint64_t file_bytes_ = 0;
};

void run_year(Bench& bench) {
  Year year(bench);
  year.fill();
  year.report("before");
  year.compact();
  year.report("compacted");
  year.remove_dead();
  year.report("removed");
}

}  // namespace

const std::vector<Workload> kYearWorkloads = {
    {"year", "a year of ten writers, a million files, before and after compaction: files, bytes, requests", run_year},
};

}  // namespace ts_bench
