// ShardJobs: what a statement has the WorkerPool do with its shards, and waits for on its own thread.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "ext/archive/scan.h"

namespace ts {

// Used by the statement's thread, but for check() and cancel().
class ShardJobs {
 public:
  explicit ShardJobs(const Cancel& statement) : stop_(statement) {}
  ~ShardJobs() { end(); }
  ShardJobs(const ShardJobs&) = delete;
  ShardJobs& operator=(const ShardJobs&) = delete;

  class Job;
  std::shared_ptr<const Job> begin(std::function<void()> work);
  // Throws what the job threw, or what the probe throws. `meanwhile` is called at least every 20 ms while it is not done.
  void wait(const Job& job, InterruptProbe& probe, const std::function<void()>& meanwhile);
  // What is under way ends within one poll of Cancel or some thousand rows; nothing is under way any more.
  void end();

  // For the work: on whose behalf requests go out, and a look whether it is called off, which throws.
  const Cancel& cancel() const { return stop_; }
  void check() const;

 private:
  PartCancel stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t working_ = 0;  // guarded by mutex_
};

class ShardJobs::Job {
  friend class ShardJobs;
  std::exception_ptr error;  // guarded by the jobs' mutex, as the next
  bool done = false;
};

}  // namespace ts
