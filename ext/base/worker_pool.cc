// WorkerPool: detached threads over one queue. The pool is never destroyed: threads may outlive exit handlers.
#include "ext/base/worker_pool.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "ext/base/file.h"

namespace ts {

namespace {

constexpr int kWorkers = 16;
constexpr int kFetchers = 24;  // with workers that ask for themselves still no more than there are connections
constexpr int kHedgers = 4;    // more slow answers at once are no tail

struct Owned {
  explicit Owned(int threads) : pool(threads) {}
  std::uint64_t generation = fork_generation();
  WorkerPool pool;
};

WorkerPool& of_this_process(std::atomic<Owned*>& current, int threads) {
  Owned* now = current.load();
  while (!now || now->generation != fork_generation()) {
    auto* fresh = new Owned(threads);
    if (current.compare_exchange_strong(now, fresh)) return fresh->pool;
    delete fresh;
  }
  return now->pool;
}

}  // namespace

WorkerPool& WorkerPool::shared() {
  static std::atomic<Owned*> current{nullptr};
  return of_this_process(current, kWorkers);
}

WorkerPool& WorkerPool::fetchers() {
  static std::atomic<Owned*> current{nullptr};
  return of_this_process(current, kFetchers);
}

WorkerPool& WorkerPool::hedgers() {
  static std::atomic<Owned*> current{nullptr};
  return of_this_process(current, kHedgers);
}

void WorkerPool::submit(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_ < static_cast<int>(tasks_.size()) && threads_ < most_threads_) {
    threads_++;
    try {
      std::thread([this] { run(); }).detach();
    } catch (...) {
      threads_--;
      if (threads_ == 0) {
        tasks_.pop_back();
        throw;
      }
    }
  }
  ready_.notify_one();
}

void WorkerPool::run() {
  constexpr auto kIdle = std::chrono::seconds(5);
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_++;
    bool work = ready_.wait_for(lock, kIdle, [this] { return !tasks_.empty(); });
    idle_--;
    if (!work) break;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
  threads_--;
}

}  // namespace ts
