// WorkerPool: the process's threads that open and decode files. Threads come as tasks do, at most kThreads of them:
// they mostly wait for the network, so their number does not follow the cores. A task never blocks on another task.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace ts {

class WorkerPool {
 public:
  static constexpr int kThreads = 16;
  // The process's pool; a forked child gets one of its own.
  static WorkerPool& shared();

  void submit(std::function<void()> task);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  int threads_ = 0, idle_ = 0;
};

}  // namespace ts
