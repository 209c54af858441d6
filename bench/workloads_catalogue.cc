// What it takes to find the files of a query among 10^3 to 10^6: requests, time and memory, without opening one.
//
// The store is in this process (bench/catalogue_store.h): S3's pages of 1,000, and a delay of one round trip for each LIST. Where
// S3_ENDPOINT and S3_BUCKET name a server on loopback, 10^3 and 10^4 objects of 16 bytes are put there too, and listed through the delay
// proxy.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "bench/catalogue_store.h"
#include "bench/delay_proxy.h"
#include "bench/workload.h"
#include "ext/archive/catalogue.h"
#include "ext/archive/listing_parts.h"
#include "ext/base/clock.h"

namespace ts_bench {
namespace {

constexpr std::int64_t kHour = 3'600'000, kRoundTripMs = 50;
constexpr std::int64_t kStep = 60'000;  // from one file to the next: 60 in an hour's partition

ts::TablePtr hourly_table() {
  ts::Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}};
  schema.time_column = 0;
  schema.partition = ts::Partition::kHour;
  return ts::make_table_def("cpu", schema);
}

std::int64_t beginning(std::int64_t count) { return ts::Clock::system().now_ms() / kHour * kHour - (count - 10) * kStep; }

// One statement's catalogue, of a spool that holds nothing.
struct Statement {
  Statement(Bench& bench, std::shared_ptr<ts::Store> store) : Statement(bench.fresh("catalogue"), std::move(store)) {}
  Statement(const std::string& directory, std::shared_ptr<ts::Store> store)
      : spool(ts::Spool::open(config(directory))),
        view(spool),
        local(view, nullptr),
        catalogue(std::move(store), hourly_table(), local, 0) {}
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

struct Form {
  const char* name;
  std::function<void(Statement&, std::int64_t first, std::int64_t count)> run;
};

const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {"one hour",
       [](Statement& s, std::int64_t first, std::int64_t count) {
         const std::int64_t hour = (first + count / 2 * kStep) / kHour * kHour;
         s.catalogue.cover(hour, hour + kHour - 1, &s.cancel, s.stats);
       }},
      {"everything", [](Statement& s, std::int64_t, std::int64_t) { s.catalogue.cover(INT64_MIN, INT64_MAX, &s.cancel, s.stats); }},
      {"newest",
       [](Statement& s, std::int64_t, std::int64_t) {
         ts::CatalogueWalk walk = s.catalogue.walk(INT64_MIN, INT64_MAX, true, false);
         std::int64_t found = 0;
         while (found == 0 && !walk.done()) {
           if (!s.catalogue.knows_next(walk)) s.catalogue.list_next(walk, &s.cancel, s.stats);
           const ts::KeyRange part = s.catalogue.take_next(walk);
           s.catalogue.find(part, INT64_MIN, INT64_MAX, [&](const ts::ShardList&, std::size_t, std::int64_t) { found++; });
         }
       }},
  };
  return all;
}

// Lines of one store: its median times without and with a delay, of `near` and `far`, which hold the same.
void measure(Bench& bench, const std::string& label, const std::shared_ptr<ts::Store>& near, const std::shared_ptr<ts::Store>& far,
             std::int64_t first, std::int64_t count) {
  for (const Form& form : forms()) {
    std::vector<double> times[2];
    std::int64_t requests = 0, listed = 0;
    std::size_t memory = 0;
    for (int round = 0; round < std::min(3, bench.options().rounds); round++) {
      for (int delayed = 0; delayed < 2; delayed++) {
        bench.progress(label + ", " + form.name + ", round " + std::to_string(round + 1));
        Statement statement(bench, delayed ? far : near);
        const double began = seconds();
        form.run(statement, first, count);
        times[delayed].push_back((seconds() - began) * 1e3);
        requests = statement.stats.requests;
        listed = statement.stats.files_listed;
        memory = statement.catalogue.memory_bytes();
      }
    }
    char line[200];
    std::snprintf(line, sizeof line,
                  "%-10s %-11s %5lld requests  %8lld files listed  %9.2f ms  %9.1f ms at 25 ms each way  %8.2f MB (%.0f bytes a file)",
                  label.c_str(), form.name, static_cast<long long>(requests), static_cast<long long>(listed), spread_of(times[0]).median,
                  spread_of(times[1]).median, static_cast<double>(memory) / 1e6,
                  listed ? static_cast<double>(memory) / static_cast<double>(listed) : 0);
    bench.note(line);
  }
}

void put_all(ts::Store& store, const CatalogueStore& names, std::int64_t count) {
  constexpr int kWriters = 16;
  std::atomic<std::int64_t> next{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; w++) {
    writers.emplace_back([&] {
      for (std::int64_t n = next++; n < count; n = next++) store.put_if_absent(names.key(n), "sixteen bytes...");
    });
  }
  for (std::thread& writer : writers) writer.join();
}

void run_catalogue(Bench& bench) {
  ts::TablePtr table = hourly_table();
  for (std::int64_t count = 1000; count <= 1'000'000; count *= 10) {
    const std::int64_t first = beginning(count);
    auto near = std::make_shared<CatalogueStore>(table, first, kStep, count);
    auto far = std::make_shared<CatalogueStore>(table, first, kStep, count);
    far->set_latency_ms(kRoundTripMs);
    measure(bench, "10^" + std::to_string(std::lround(std::log10(count))), near, far, first, count);
  }
  const char* endpoint = std::getenv("S3_ENDPOINT");
  const char* bucket = std::getenv("S3_BUCKET");
  const std::string url = endpoint ? endpoint : "";
  const int port = std::atoi(url.substr(url.rfind(':') + 1).c_str());
  if (url.rfind("http://127.0.0.1:", 0) != 0 || !bucket || !port) {
    bench.skipped("catalogue s3", "S3_ENDPOINT (http://127.0.0.1:PORT) and S3_BUCKET are not set");
    return;
  }
  DelayProxy proxy(port, static_cast<int>(kRoundTripMs / 2));
  for (std::int64_t count : {1000, 10'000}) {
    const std::int64_t first = beginning(count);
    ts::StoreOptions options;
    options.location = "s3://" + std::string(bucket) + "/bench-" + std::to_string(static_cast<long long>(seconds() * 1e3));
    options.endpoint = url;
    auto near = ts::open_store(options);
    options.endpoint = "http://127.0.0.1:" + std::to_string(proxy.port());
    bench.progress("catalogue s3: putting objects");
    const double began = seconds();
    put_all(*near, CatalogueStore(table, first, kStep, count), count);
    bench.note("s3: " + std::to_string(count) + " objects put in " + std::to_string(std::lround(seconds() - began)) + " s");
    measure(bench, "s3 10^" + std::to_string(std::lround(std::log10(count))), near, ts::open_store(options), first, count);
  }
}

}  // namespace

const std::vector<Workload> kCatalogueWorkloads = {
    {"catalogue", "finding the files of a query among 10^3 to 10^6: LISTs, time, memory", run_catalogue},
};

}  // namespace ts_bench
