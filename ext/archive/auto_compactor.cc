// Which partitions are due, and the thread.
#include "ext/archive/auto_compactor.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <vector>

#include "ext/archive/listing_parts.h"
#include "ext/base/clock.h"
#include "ext/base/file.h"

namespace ts {
namespace {

constexpr std::int64_t kOverMs = 3600'000;           // after its end a partition may still get what writers had not stored
constexpr std::int64_t kAgainMs = 24 * 3600'000;     // late rows of old partitions wait so long
constexpr std::size_t kManyFiles = 64;               // in a partition that is not over

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<AutoCompactor>> all;  // by spool and table
};

Registry& registry() {
  static Registry* made = new Registry;  // never destroyed: threads may outlive static objects
  return *made;
}

// Threads that still run when the process exits would use libraries that are gone.
void stop_all() {
  std::vector<std::shared_ptr<AutoCompactor>> running;
  {
    std::lock_guard lock(registry().mutex);
    for (auto& [name, one] : registry().all) {
      if (auto alive = one.lock()) running.push_back(std::move(alive));
    }
  }
  for (const auto& one : running) one->stop();
}

}  // namespace

class AutoCompactor::Stopped : public Cancel {
 public:
  bool cancelled() const override { return stopped.load(std::memory_order_relaxed); }
  std::atomic<bool> stopped{false};
};

std::shared_ptr<AutoCompactor> AutoCompactor::of(const std::shared_ptr<Spool>& spool, std::shared_ptr<Store> store, TablePtr table,
                                                 CompactOptions options, std::int64_t every_ms) {
  static std::once_flag once;
  std::call_once(once, [] { std::atexit(stop_all); });
  const std::string name = std::to_string(fork_generation()) + spool->directory() + "\n" + table->name;
  std::lock_guard lock(registry().mutex);
  std::weak_ptr<AutoCompactor>& known = registry().all[name];
  if (auto alive = known.lock()) return alive;
  std::shared_ptr<AutoCompactor> made(new AutoCompactor(spool, std::move(store), std::move(table), std::move(options), every_ms));
  known = made;
  return made;
}

AutoCompactor::AutoCompactor(std::shared_ptr<Spool> spool, std::shared_ptr<Store> store, TablePtr table, CompactOptions options,
                             std::int64_t every_ms)
    : spool_(std::move(spool)),
      store_(std::move(store)),
      table_(std::move(table)),
      options_(std::move(options)),
      every_ms_(every_ms),
      generation_(fork_generation()),
      stopped_(std::make_unique<Stopped>()) {
  options_.directory = spool_->directory();
  options_.background = true;
  thread_ = std::thread([this] { run(); });
}

AutoCompactor::~AutoCompactor() {
  if (generation_ == fork_generation()) stop();
  if (thread_.joinable()) new std::thread(std::move(thread_));  // the parent's: it does not exist here
}

void AutoCompactor::stop() noexcept {
  {
    std::lock_guard lock(mutex_);
    stopped_->stopped = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void AutoCompactor::run() {
#ifdef __linux__
  if (::nice(19) == -1) sqlite3_log(SQLITE_NOTICE, "timeseries: compaction runs at the priority of the process");
#endif
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::milliseconds(every_ms_), [this] { return stopped_->stopped.load(); })) {
    lock.unlock();
    try {
      if (spool_->lead()) look();
    } catch (const std::exception& e) {
      if (!stopped_->stopped) sqlite3_log(SQLITE_WARNING, "timeseries: compact='auto' of %s: %s", table_->name.c_str(), e.what());
    }
    lock.lock();
  }
}

bool AutoCompactor::is_over(const std::string& partition) const {
  const Precision precision = table_->schema.precision;
  const auto end = time_after(*table_, table_->directory + "/" + partition + "0");
  return end && convert_precision(*end, precision, Precision::kMillis) + kOverMs < Clock::system().now_ms();
}

// Oldest first. A partition that cannot be compacted (a damaged file) keeps no other from it.
void AutoCompactor::look() {
  const std::int64_t now = Clock::system().steady_ms();
  if (now - settled_ms_ > kAgainMs) settled_.clear();
  if (settled_.empty()) settled_ms_ = now;
  Compactor compactor(store_, table_, options_, *stopped_, [](std::int64_t, std::int64_t, std::uint64_t) {});
  auto partition = settled_.empty() ? compactor.partition_from("") : compactor.partition_after(settled_);
  for (bool all = true; partition; partition = compactor.partition_after(*partition)) {
    const bool over = is_over(*partition);
    try {
      compactor.compact(*partition, over ? 2 : kManyFiles);
    } catch (const Error& e) {
      if (e.code() != Code::kCorrupt) throw;
      sqlite3_log(SQLITE_WARNING, "timeseries: compact='auto' of %s leaves %s: %s", table_->name.c_str(), partition->c_str(), e.what());
    }
    all &= over;
    if (all) settled_ = *partition;
  }
}

}  // namespace ts
