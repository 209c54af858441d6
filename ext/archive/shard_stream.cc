// Batches made by one worker at a time, handed to the statement's thread.
#include "ext/archive/shard_stream.h"

#include <chrono>
#include <condition_variable>
#include <deque>

#include "ext/archive/far_shard.h"
#include "ext/base/worker_pool.h"

namespace ts {
namespace {

constexpr std::size_t kBatchesAhead = 4;  // decoded before the statement wants them: bounds memory
constexpr auto kPoll = std::chrono::milliseconds(20);

// What worker and statement share. The worker's task holds it, so it may outlive the stream by one batch.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::unique_ptr<RowBatch>> ready;
  bool working = false, done = false, stopped = false;
  bool enough = false;  // plan.limit rows are there: nothing more is decoded until the statement asks for it
  std::exception_ptr error;

  // Of the task that runs (one at a time).
  std::unique_ptr<ShardFile> file;
  std::unique_ptr<BatchSource> source;
};

class ShardStream : public RowStream {
 public:
  ShardStream(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, ShardRef ref, std::shared_ptr<const ScanPlan> plan,
              const Cancel* cancel, QueryStats* stats, InterruptProbe& probe)
      : plan_(std::move(plan)),
        cancel_(*cancel),
        far_(files, std::move(store), std::move(table), std::move(ref), *plan_, &cancel_),
        stats_(stats),
        probe_(probe) {}

  ~ShardStream() override {
    std::unique_lock lock(shared_.mutex);
    shared_.stopped = true;
    cancel_.stopped = true;
    // A worker in the middle of a batch ends within one poll of Cancel or one batch.
    shared_.changed.wait(lock, [this] { return !shared_.working; });
    lock.unlock();
    shared_.source.reset();
    if (shared_.file && !shared_.error) {
      try {
        far_.give_back(std::move(shared_.file));
      } catch (...) {
        // Out of memory: it is closed instead.
      }
    }
  }

  bool announce() override { return far_.start(); }

  void prefetch() override {
    std::lock_guard lock(shared_.mutex);
    schedule();
  }

  bool next() override {
    if (batch_ && batch_->next()) return checked();
    batch_.reset();
    if (!awaited_) far_.await();
    awaited_ = true;
    std::unique_lock lock(shared_.mutex);
    for (;;) {
      if (!shared_.ready.empty()) {
        batch_ = std::move(shared_.ready.front());
        shared_.ready.pop_front();
        schedule();
        lock.unlock();
        probe_.check();  // a scan whose files never keep it waiting shows how far it is too
        batch_->next();
        return checked();
      }
      if (shared_.error) std::rethrow_exception(shared_.error);
      if (shared_.done) return false;
      shared_.enough = false;
      schedule();
      shared_.changed.wait_for(lock, kPoll);
      lock.unlock();
      probe_.check();
      lock.lock();
    }
  }

  std::int64_t time() const override { return batch_->time(); }
  std::int64_t ordinal() const override { return batch_->ordinal(); }
  void result(sqlite3_context* context, int slot) override { batch_->result(context, slot); }
  Cell cell(int slot) override { return batch_->cell(slot); }
  bool same_tags() const override { return batch_->same_tags(); }

 private:
  // Pruning and the order of rows rest on the range in the name.
  bool checked() const {
    if (batch_->time() >= far_.ref().start && batch_->time() <= far_.ref().end) return true;
    throw Error(Code::kCorrupt, "shard: a row's time lies outside the range its name says: " + far_.object());
  }

  // With the mutex held: one task at a time, as long as there is room.
  void schedule() {
    if (shared_.working || shared_.done || shared_.enough || shared_.error || shared_.stopped || shared_.ready.size() >= kBatchesAhead)
      return;
    shared_.working = true;
    try {
      WorkerPool::shared().submit([this] { work(); });
    } catch (...) {
      shared_.working = false;
      throw;
    }
  }

  void work() noexcept {
    BatchSource::Next made;
    std::exception_ptr error;
    try {
      if (!shared_.file) open();
      made = shared_.source->next();
      count(made);
    } catch (const Error& e) {
      try {
        if (shared_.file) shared_.file->explain(e);
        throw;
      } catch (...) {
        error = std::current_exception();
      }
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard lock(shared_.mutex);
    shared_.working = false;
    shared_.error = std::move(error);  // the statement's thread alone lets go of it
    shared_.done = made.state == BatchSource::State::kEnd;
    shared_.enough = made.state == BatchSource::State::kEnough;
    if (made.batch && made.batch->size()) shared_.ready.push_back(std::move(made.batch));
    if (!shared_.error) {
      try {
        schedule();
      } catch (...) {
        shared_.error = std::current_exception();
      }
    }
    shared_.changed.notify_all();
  }

  void open() {
    shared_.file = far_.open(*stats_);
    shared_.source = shared_.file->batches(plan_);
  }

  void count(const BatchSource::Next& made) {
    if (made.batch) {
      rows_ += made.batch->size();
      stats_->rows_read += made.batch->size();
    }
    if (made.state == BatchSource::State::kEnd) stats_->files_done++;
    if (made.state == BatchSource::State::kEnd) check_complete(far_.ref(), *plan_, rows_, far_.object());
  }

  std::shared_ptr<const ScanPlan> plan_;
  PartCancel cancel_;
  FarShard far_;
  QueryStats* stats_;
  InterruptProbe& probe_;
  Shared shared_;
  std::unique_ptr<RowBatch> batch_;
  bool awaited_ = false;
  std::int64_t rows_ = 0;  // decoded so far; of the task alone
};

}  // namespace

std::unique_ptr<RowStream> stream_shard(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, ShardRef ref,
                                        std::shared_ptr<const ScanPlan> plan, const Cancel* cancel, QueryStats* stats,
                                        InterruptProbe& probe) {
  return std::make_unique<ShardStream>(files, std::move(store), std::move(table), std::move(ref), std::move(plan), cancel, stats, probe);
}

}  // namespace ts
