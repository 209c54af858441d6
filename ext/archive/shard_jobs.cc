// Jobs of one statement on the WorkerPool.
#include "ext/archive/shard_jobs.h"

#include <chrono>

#include "ext/base/worker_pool.h"

namespace ts {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);

}  // namespace

std::shared_ptr<const ShardJobs::Job> ShardJobs::begin(std::function<void()> work) {
  auto job = std::make_shared<Job>();
  std::lock_guard lock(mutex_);
  WorkerPool::shared().submit([this, job, work = std::move(work)] {
    std::exception_ptr error;
    try {
      check();
      work();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard done(mutex_);
    job->error = std::move(error);
    job->done = true;
    working_--;
    changed_.notify_all();
  });
  working_++;
  return job;
}

void ShardJobs::wait(const Job& job, InterruptProbe& probe, const std::function<void()>& meanwhile) {
  std::unique_lock lock(mutex_);
  while (!job.done) {
    lock.unlock();
    meanwhile();
    probe.check();
    lock.lock();
    if (!job.done) changed_.wait_for(lock, kPoll);
  }
  if (job.error) std::rethrow_exception(job.error);
}

void ShardJobs::end() {
  std::unique_lock lock(mutex_);
  stop_.stopped = true;
  changed_.wait(lock, [this] { return working_ == 0; });
}

void ShardJobs::check() const {
  if (stop_.cancelled()) throw Error(Code::kInterrupted, "interrupted");
}

}  // namespace ts
