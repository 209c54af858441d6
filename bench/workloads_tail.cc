// The slow tail of a store: reads of which one in fifty takes half a second, with and without hedging.
//
// The store is in memory and waits by the clock, asking its Cancel every 5 ms as the network does every 20. "Raw" is the same reads
// without HedgingStore around it.
#include <atomic>
#include <chrono>
#include <thread>

#include "bench/workload.h"
#include "vfs/hedging_store.h"

namespace ts_bench {
namespace {

constexpr int kReads = 2'000, kReaders = 8;
constexpr int kUsual_ms = 20, kSlow_ms = 500, kOneIn = 50;

class TailStore : public ts::Store {
 public:
  ts::Range get_range(std::string_view, std::string_view etag, std::uint64_t, std::uint64_t, const ts::Cancel* cancel) override {
    const int request = requests_++;
    const double until = seconds() + (request % kOneIn == kOneIn / 2 ? kSlow_ms : kUsual_ms) / 1e3;
    while (seconds() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (cancel && cancel->cancelled()) throw ts::Error(ts::Code::kInterrupted, "tail: interrupted");
    }
    return {"x", 1, std::string(etag)};
  }
  ts::ListPage list(std::string_view, std::string_view, const ts::Cancel*) override { return {}; }
  ts::PutResult put_if_absent(std::string_view, std::string_view, const ts::Cancel*) override { return {}; }
  void remove(std::string_view, const ts::Cancel*) override {}
  std::string describe() const override { return "tail"; }
  int requests() const { return requests_; }

 private:
  std::atomic<int> requests_{0};
};

std::vector<double> times_of(ts::Store& store) {
  std::vector<std::vector<double>> times(kReaders);
  std::vector<std::thread> readers;
  for (std::vector<double>& mine : times) {
    readers.emplace_back([&store, &mine] {
      for (int i = 0; i < kReads / kReaders; i++) {
        const double began = seconds();
        store.get_range("object", "etag", 0, 1, nullptr);
        mine.push_back((seconds() - began) * 1e3);
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  std::vector<double> all;
  for (const std::vector<double>& mine : times) all.insert(all.end(), mine.begin(), mine.end());
  return all;
}

void run_tail(Bench& bench) {
  std::vector<double> p50, p99, longest, requests, raw_p50, raw_p99, raw_longest, raw_requests;
  for (int round = 0; round < bench.options().rounds; round++) {
    bench.progress("round " + std::to_string(round + 1) + " of " + std::to_string(bench.options().rounds) + ": slow_tail");
    for (const bool hedged : {false, true}) {
      auto tail = std::make_shared<TailStore>();
      ts::HedgingStore hedging(tail);
      const std::vector<double> times = times_of(hedged ? static_cast<ts::Store&>(hedging) : *tail);
      (hedged ? p50 : raw_p50).push_back(percentile(times, 0.5));
      (hedged ? p99 : raw_p99).push_back(percentile(times, 0.99));
      (hedged ? longest : raw_longest).push_back(percentile(times, 1));
      (hedged ? requests : raw_requests).push_back(tail->requests());
    }
  }
  bench.report("slow_tail, p50", "ms", p50, "not hedged", raw_p50, {});
  bench.report("slow_tail, p99", "ms", p99, "not hedged", raw_p99, {Aim::kRatioAtMost, 0.5});
  bench.report("slow_tail, longest", "ms", longest, "not hedged", raw_longest, {});
  bench.report("slow_tail, requests", "number", requests, "not hedged", raw_requests, {Aim::kRatioAtMost, 1.1});
}

}  // namespace

const std::vector<Workload> kTailWorkloads = {
    {"slow_tail", "2,000 reads of which one in fifty takes 500 ms instead of 20, asked again or not", run_tail},
};

}  // namespace ts_bench
