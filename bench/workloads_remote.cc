// The TSBS statements over files in S3, cold and warm, near and behind a delay of 25 ms each way, beside the same files read locally.
//
// Every figure is of a new process (this program again, as --one-query). Cold: new connections, no cache_dir. Cached: new connections,
// and a cache_dir that an earlier process has filled. Warm: the second run on one connection, with cache_dir. Requests and bytes are
// what ts_last_query() says; round trips what the proxy saw. Answers are compared with those of the local files.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "bench/delay_proxy.h"
#include "bench/process.h"
#include "bench/tsbs_queries.h"
#include "bench/tsbs_store.h"
#include "vfs/store.h"

namespace fs = std::filesystem;

namespace ts_bench {
namespace {

constexpr int kOneWayMs = 25;
constexpr const char* kOneQuery = "--one-query";

// ---------------------------------------------------------------- one query in a process of its own

struct Run {
  double ms = 0, requests = 0, bytes = 0, files = 0, cache_hits = 0, round_trips = 0, connections = 0;
  std::size_t answer = 0;  // a hash; of a run that is compared
};

// Which run of a query: of the plain table or of the rollup, with the values of a round.
struct Asked {
  std::size_t query = 0;
  bool rollup = false;
  int hours = 24, round = 0;
  int times = 1;  // the last one counts; 0: only the answer is wanted
};

Run run_here(const std::string& path, const Asked& asked) {
  Query query = make_queries(asked.hours).at(asked.query);
  std::vector<Value> values = values_in_round(query, asked.round);
  const std::string& sql = asked.rollup ? query.rollup_sql : query.sql;
  Database db(path);
  db.register_extension();
  Run run;
  for (int i = 0; i < asked.times; i++) run.ms = milliseconds_of(db, sql, values);
  if (asked.times) {
    std::string counts = db.text("SELECT requests, bytes_read, files_read, cache_hits FROM ts_last_query()");
    if (std::sscanf(counts.c_str(), "%lf|%lf|%lf|%lf", &run.requests, &run.bytes, &run.files, &run.cache_hits) != 4) {
      throw std::runtime_error("ts_last_query() says " + counts);
    }
  } else {
    std::string all;
    for (const std::string& line : answer_of(db, asked.rollup || query.compared_sql.empty() ? sql : query.compared_sql, values)) {
      all += line + '\n';
    }
    if (all.empty()) throw std::runtime_error(query.name + ": a query without an answer compares nothing");
    run.answer = std::hash<std::string>()(all);
  }
  return run;
}

Run run_apart(const Bench& bench, const std::string& path, const Asked& asked) {
  std::string text = output_of({bench.options().program, kOneQuery, path, std::to_string(asked.query), asked.rollup ? "1" : "0",
                                std::to_string(asked.hours), std::to_string(asked.round), std::to_string(asked.times)})
                         .text;
  std::istringstream words(text);
  Run run;
  words >> run.ms >> run.requests >> run.bytes >> run.files >> run.cache_hits >> run.answer;
  if (!words) throw std::runtime_error("a query in its own process says: " + text);
  return run;
}

// ---------------------------------------------------------------- the server

// S3_ENDPOINT where it is set, otherwise a gateway of our own for as long as this lives. The keys come by the environment.
class Server {
 public:
  explicit Server(Bench& bench) {
    if (const char* endpoint = std::getenv("S3_ENDPOINT"); endpoint && *endpoint) {
      const char* bucket = std::getenv("S3_BUCKET");
      endpoint_ = endpoint;
      if (bucket && *bucket) bucket_ = bucket;
    } else {
      directory_ = bench.fresh_kept("rgw");
      bench.progress("remote: starting an S3 server");
      output_of({"/bin/bash", "tests/support/rgw-up.sh", directory_, std::to_string(::getpid())});
      std::string env = output_of({"/bin/cat", directory_ + "/env"}).text;
      std::istringstream words(env);
      for (std::string word; words >> word;) {
        std::size_t equals = word.find('=');
        if (equals != std::string::npos) ::setenv(word.substr(0, equals).c_str(), word.substr(equals + 1).c_str(), 1);
      }
      endpoint_ = std::getenv("S3_ENDPOINT");
      ::unsetenv("S3_ENDPOINT");
    }
    port_ = std::atoi(endpoint_.substr(endpoint_.rfind(':') + 1).c_str());
    if (endpoint_.rfind("http://127.0.0.1:", 0) != 0 || !port_) {
      throw std::runtime_error("S3_ENDPOINT must be http://127.0.0.1:PORT, for the delay is added on loopback");
    }
  }
  ~Server() {
    try {
      if (!directory_.empty()) output_of({"/bin/bash", "tests/support/rgw-down.sh", directory_});
    } catch (const std::exception&) {
      // It ends with this process.
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  const std::string& bucket() const { return bucket_; }
  int port() const { return port_; }

 private:
  std::string directory_, endpoint_, bucket_ = "test";
  int port_ = 0;
};

void copy_objects(const std::string& from, const ts::StoreOptions& to) {
  ts::StoreOptions options;
  options.location = from;
  auto source = ts::open_store(options), target = ts::open_store(to);
  std::string after;
  for (bool more = true; more;) {
    ts::ListPage page = source->list("", after);
    for (const ts::ObjectInfo& object : page.objects) {
      target->put_if_absent(object.key, source->get_range(object.key, object.etag, 0, object.size).bytes);
      after = object.key;
    }
    more = page.more;
  }
}

// ---------------------------------------------------------------- places and queries

// One archive as one kind of reader sees it: a database file with the table and its rollups declared.
struct Place {
  std::string database;
  DelayProxy* proxy = nullptr;
};

Place place(Bench& bench, const std::string& partition, const std::string& location, const std::string& more, DelayProxy* proxy) {
  Timeseries table(bench.fresh_kept("reader"), tsbs_columns(true, false), stored_when_asked(partition) + more, location);
  table.db.exec("CREATE VIRTUAL TABLE cpu_hourly USING timeseries_rollup(cpu, '1 hour')");
  table.db.exec("CREATE VIRTUAL TABLE cpu_daily USING timeseries_rollup(cpu, '1 day')");
  return {table.directory + "/main.db", proxy};
}

std::vector<double> figures_of(const std::vector<Run>& runs, double Run::*figure, double unit = 1) {
  std::vector<double> all;
  for (const Run& run : runs) all.push_back(run.*figure / unit);
  return all;
}

double median_of(const std::vector<Run>& runs, double Run::*figure) { return spread_of(figures_of(runs, figure)).median; }

std::string traffic_of(const std::vector<Run>& runs, bool one_run) {
  char text[200];
  std::snprintf(text, sizeof text, "%.0f requests, %.3f MB, %.0f files", median_of(runs, &Run::requests),
                median_of(runs, &Run::bytes) / 1e6, median_of(runs, &Run::files));
  std::string all = text;
  if (double trips = median_of(runs, &Run::round_trips); one_run && trips > 0) {
    std::snprintf(text, sizeof text, ", %.0f round trips on %.0f connections", trips, median_of(runs, &Run::connections));
    all += text;
  }
  if (double hits = median_of(runs, &Run::cache_hits); hits > 0) {
    std::snprintf(text, sizeof text, ", %.0f reads from the cache", hits);
    all += text;
  }
  return all;
}

struct Case {
  const char* name;  // that the query's begins with, of the form that a user would ask
  bool rollup;
  Aim cold, warm;                                // with the delay
  double most_requests = 0, most_megabytes = 0;  // cold; 0: no aim
};

constexpr double kTripMs = 2 * kOneWayMs;
const Case kCases[] = {
    {"q1 one host", false, {Aim::kOursAtMost, 4 * kTripMs + 40}, {Aim::kOursAtMost, kTripMs + 15}, 4, 0.4},
    {"q2 by minute", false, {}, {}},
    {"q3", true, {}, {}},
    {"q4", false, {}, {}},
    {"q5", true, {Aim::kOursAtMost, 5 * kTripMs + 60}, {}},
    {"q6", true, {Aim::kOursAtMost, 5 * kTripMs + 60}, {}},
    {"q7", false, {Aim::kOursAtMost, 5 * kTripMs + 40}, {}},
};

void measure(Bench& bench, const Case& one, const std::string& partition, const Place& local, const std::vector<Place>& cold,
             const std::vector<Place>& warm) {
  Asked asked;
  asked.hours = bench.options().hours;
  asked.rollup = one.rollup;
  std::vector<Query> queries = make_queries(asked.hours);
  while (queries.at(asked.query).name.rfind(one.name, 0) != 0) asked.query++;
  std::string label = queries[asked.query].name.substr(0, 2) + (one.rollup ? " by rollup, " : ", ") + partition;

  bench.progress("remote: " + label + ": comparing answers");
  asked.times = 0;
  std::size_t answer = run_apart(bench, local.database, asked).answer;
  for (const auto* places : {&cold, &warm}) {
    for (const Place& there : *places) {  // which also makes the check of the archive's schema that a new spool makes once
      if (run_apart(bench, there.database, asked).answer != answer) throw std::runtime_error(label + ": answers differ");
    }
  }

  std::vector<Run> here;
  std::vector<std::vector<Run>> colds(cold.size()), warms(warm.size()), cached(warm.size());
  auto run = [&](const Place& there, int times, std::vector<Run>& runs) {
    asked.times = times;
    if (there.proxy) there.proxy->take_traffic();
    Run one_run = run_apart(bench, there.database, asked);
    if (there.proxy) {
      DelayProxy::Traffic traffic = there.proxy->take_traffic();
      one_run.round_trips = traffic.round_trips;
      one_run.connections = traffic.connections;
    }
    runs.push_back(one_run);
  };
  for (asked.round = 0; asked.round < bench.options().rounds; asked.round++) {
    bench.progress("round " + std::to_string(asked.round + 1) + " of " + std::to_string(bench.options().rounds) + ": remote " + label);
    run(local, 1, here);
    for (std::size_t i = 0; i < cold.size(); i++) run(cold[i], 1, colds[i]);
    for (std::size_t i = 0; i < warm.size(); i++) {
      run(warm[i], 2, warms[i]);
      run(warm[i], 1, cached[i]);  // warm has filled the cache with what this round's values want
    }
  }
  if (one.most_requests > 0) {
    bench.report(label + ", cold, requests", "number", figures_of(colds[0], &Run::requests), "local files",
                 figures_of(here, &Run::requests), bench.of_the_day({Aim::kOursAtMost, one.most_requests}));
    bench.report(label + ", cold, bytes", "MB", figures_of(colds[0], &Run::bytes, 1e6), "local files", figures_of(here, &Run::bytes, 1e6),
                 bench.of_the_day({Aim::kOursAtMost, one.most_megabytes}));
  }
  for (std::size_t i = 0; i < cold.size(); i++) {
    auto print = [&](const std::string& how, const std::vector<Run>& runs, Aim aim) {
      bench.report(label + ", " + how + (i ? ", 25 ms" : ", 0 ms"), "ms", figures_of(runs, &Run::ms), "local files",
                   figures_of(here, &Run::ms), i ? bench.of_the_day(aim) : Aim{});
      bench.note(traffic_of(runs, how != "warm"));
    };
    print("cold", colds[i], one.cold);
    print("cached", cached[i], {});
    print("warm", warms[i], one.warm);
  }
}

void run_remote(Bench& bench) {
  if (::access("tests/support/rgw-up.sh", R_OK) != 0 && !std::getenv("S3_ENDPOINT")) {
    bench.skipped("tsbs remote", "neither is S3_ENDPOINT set nor is this the root of the project, where tests/support/rgw-up.sh lies");
    return;
  }
  Server server(bench);
  DelayProxy near(server.port(), 0), far(server.port(), kOneWayMs);
  std::string prefix = "bench-" + std::to_string(::getpid()) + "-";
  for (const std::string partition : {"hour", "day"}) {
    std::string archive = "file://" + tsbs_archive(bench, partition).directory + "/archive";
    std::string location = "s3://" + server.bucket() + "/" + prefix + partition;
    bench.progress("remote: copying the files by " + partition);
    ts::StoreOptions direct;
    direct.location = location;
    direct.endpoint = server.endpoint();
    copy_objects(archive, direct);
    Place local = place(bench, partition, archive, "", nullptr);
    std::vector<Place> cold, warm;
    for (DelayProxy* proxy : {&near, &far}) {
      std::string endpoint = ", endpoint='http://127.0.0.1:" + std::to_string(proxy->port()) + "'";
      cold.push_back(place(bench, partition, location, endpoint, proxy));
      warm.push_back(place(bench, partition, location, endpoint + ", cache_dir='" + bench.fresh_kept("cache") + "'", proxy));
    }
    for (const Case& one : kCases) measure(bench, one, partition == "hour" ? "hourly" : "daily", local, cold, warm);
  }
}

// ---------------------------------------------------------------- the cache beside a plain file

// Ranges of one object from the cache, every block verified, and the same ranges from the same file by pread; both in memory.
void run_cache(Bench& bench) {
  constexpr std::uint64_t kBytes = 32 << 20;
  std::string archive = bench.fresh("archive"), path = archive + "/object", bytes(kBytes, 0);
  fs::create_directories(archive);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<char>(i * 2'654'435'761u >> 13);
  ts::StoreOptions options;
  options.location = "file://" + archive;
  auto plain = ts::open_store(options);
  options.cache_dir = bench.fresh("cache");
  options.cache_size = 1 << 30;
  auto cached = ts::open_store(options);
  std::string etag = plain->put_if_absent("object", bytes).etag;
  if (cached->get_range("object", etag, 0, kBytes).bytes != bytes) throw std::runtime_error("the cache changed bytes");
  std::string into(kBytes, 0);
  for (std::uint64_t length : {std::uint64_t{64} << 10, std::uint64_t{4} << 20}) {
    std::string label = length < 1 << 20 ? "cache, reads of 64 KiB" : "cache, reads of 4 MiB";
    std::vector<double> ours, raw;
    for (int round = 0; round < bench.options().rounds; round++) {
      double began = seconds();
      for (std::uint64_t at = 0; at < kBytes; at += length) {
        if (cached->get_range("object", etag, at, length).bytes.size() != length) throw std::runtime_error("the cache gave too little");
      }
      ours.push_back((seconds() - began) * 1e6 / (kBytes / length));
      began = seconds();
      for (std::uint64_t at = 0; at < kBytes; at += length) {
        int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        ssize_t n = ::pread(fd, into.data(), length, static_cast<off_t>(at));
        ::close(fd);
        if (n != static_cast<ssize_t>(length)) throw std::runtime_error("cannot read " + path);
      }
      raw.push_back((seconds() - began) * 1e6 / (kBytes / length));
    }
    bench.report(label, "us", ours, "open and pread", raw, {});
  }
}

}  // namespace

bool is_one_query(int argc, char** argv) { return argc == 8 && std::string(argv[1]) == kOneQuery; }

void print_one_query(char** argv) {
  Asked asked;
  asked.query = static_cast<std::size_t>(std::atoi(argv[3]));
  asked.rollup = std::atoi(argv[4]) != 0;
  asked.hours = std::atoi(argv[5]);
  asked.round = std::atoi(argv[6]);
  asked.times = std::atoi(argv[7]);
  Run run = run_here(argv[2], asked);
  std::printf("%.6f %.0f %.0f %.0f %.0f %zu\n", run.ms, run.requests, run.bytes, run.files, run.cache_hits, run.answer);
}

const std::vector<Workload> kRemoteWorkloads = {
    {"tsbs_remote", "q1 to q7 over files in S3, cold and warm, at 0 and 25 ms each way: requests, bytes, round trips, time", run_remote},
    {"cache", "a range from the cache, verified, next to open and pread of the same bytes", run_cache},
};

}  // namespace ts_bench
