// WorkerPool: the process's threads that open and decode files, and those that fetch ranges in advance. Threads come as
// tasks do, up to the pool's limit: they mostly wait for the network, so their number does not follow the cores. A task
// never blocks on another task of its pool.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace ts {

class WorkerPool {
 public:
  // The process's pools; a forked child gets its own.
  static WorkerPool& shared();    // opens and decodes files
  static WorkerPool& fetchers();  // GETs that nobody waits for yet; workers may wait for these
  static WorkerPool& hedgers();   // requests that are made a second time; workers and fetchers may wait for these

  explicit WorkerPool(int most_threads) : most_threads_(most_threads) {}

  void submit(std::function<void()> task);

 private:
  void run();

  const int most_threads_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  int threads_ = 0, idle_ = 0;
};

}  // namespace ts
