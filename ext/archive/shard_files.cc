// Sealed shards: opening them from the spool or the store, and streams of batches decoded by workers.
#include "ext/archive/shard_files.h"

#include <chrono>
#include <condition_variable>
#include <deque>

#include "ext/base/worker_pool.h"
#include "ext/base/file.h"

namespace ts {

std::string ShardFile::id_of(const Store& store, const ShardRef& ref) { return object_name(store, ref.key) + "#" + ref.etag; }

ShardFile::ShardFile(std::shared_ptr<Store> store, TablePtr table, const ShardRef& ref, const Cancel* cancel)
    : id_(id_of(*store, ref)), object_(object_name(*store, ref.key)), table_(std::move(table)) {
  lend(cancel);
  if (!ref.path.empty() && file_exists(ref.path)) {
    try {
      open(immutable_uri(ref.path), ref.key, ref.path);
      return;
    } catch (const Error&) {
      if (file_exists(ref.path)) throw;  // otherwise it was stored and removed in this instant: read it there
    }
  }
  try {
    remote_ = std::make_shared<RangedFile>(store, ref.key, ref.etag, ref.size);
    mount_ = std::make_unique<Mount>(remote_, &relay_);
    open(mount_->uri(), ref.key, object_);
  } catch (const Error& e) {
    explain(e);
  }
}

void ShardFile::open(const std::string& uri, const std::string& key, const std::string& object) {
  sealed_ = open_sealed(uri, *table_, key, object);
  if (sealed_.format != kFormatPacked) return;
  packed_ = std::make_unique<PackedShard>(sealed_.db, table_, object, RemoteBytes{remote_.get(), &relay_});
}

std::unique_ptr<BatchSource> ShardFile::batches(std::shared_ptr<const ScanPlan> plan) {
  if (packed_) return packed_batches(*packed_, std::move(plan));
  return row_batches(sealed_.db, table_, std::move(plan));
}

void ShardFile::explain(const Error& error) {
  if (mount_) mount_->rethrow_read_error();
  std::string text = error.what();
  if (text.find(object_) != std::string::npos) throw error;
  if (error.code() == Code::kCorrupt) throw Error(Code::kCorrupt, "shard: damaged (" + text + "): " + object_);
  throw Error(error.code(), text + ": " + object_);
}

void check_complete(const ShardRef& ref, const ScanPlan& plan, std::int64_t rows, const std::string& object) {
  bool all = plan.filters.empty() && plan.limit < 0 && plan.from <= ref.start && ref.end <= plan.to;
  if (!all || rows == ref.rows) return;
  throw Error(Code::kCorrupt,
              "shard: holds " + std::to_string(rows) + " rows where its name says " + std::to_string(ref.rows) + ": " + object);
}

std::unique_ptr<ShardFile> ShardFiles::take(const std::string& id) {
  std::lock_guard lock(mutex_);
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    if ((*it)->id() != id) continue;
    std::unique_ptr<ShardFile> file = std::move(*it);
    idle_.erase(it);
    return file;
  }
  return nullptr;
}

void ShardFiles::give_back(std::unique_ptr<ShardFile> file) {
  file->lend(nullptr);
  std::unique_ptr<ShardFile> oldest;
  std::lock_guard lock(mutex_);
  idle_.push_front(std::move(file));
  if (idle_.size() <= kIdle) return;
  oldest = std::move(idle_.back());
  idle_.pop_back();
}

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
      : files_(files),
        store_(std::move(store)),
        table_(std::move(table)),
        ref_(std::move(ref)),
        plan_(std::move(plan)),
        cancel_(cancel),
        stats_(stats),
        probe_(probe) {}

  ~ShardStream() override {
    std::unique_lock lock(shared_.mutex);
    shared_.stopped = true;
    // A worker in the middle of a batch ends within one poll of Cancel or one batch.
    shared_.changed.wait(lock, [this] { return !shared_.working; });
    lock.unlock();
    shared_.source.reset();
    if (shared_.file && !shared_.error) {
      try {
        files_.give_back(std::move(shared_.file));
      } catch (...) {
        // Out of memory: it is closed instead.
      }
    }
  }

  void prefetch() override {
    std::lock_guard lock(shared_.mutex);
    schedule();
  }

  bool next() override {
    if (batch_ && batch_->next()) return checked();
    std::unique_lock lock(shared_.mutex);
    batch_.reset();
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
    if (batch_->time() >= ref_.start && batch_->time() <= ref_.end) return true;
    throw Error(Code::kCorrupt, "shard: a row's time lies outside the range its name says: " + object_name(*store_, ref_.key));
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
    shared_.file = files_.take(ShardFile::id_of(*store_, ref_));
    if (shared_.file) {
      shared_.file->lend(cancel_);
      stats_->cache_hits++;
    } else {
      shared_.file = std::make_unique<ShardFile>(store_, table_, ref_, cancel_);
    }
    stats_->files_read++;
    shared_.source = shared_.file->batches(plan_);
  }

  void count(const BatchSource::Next& made) {
    if (made.batch) {
      rows_ += made.batch->size();
      stats_->rows_read += made.batch->size();
    }
    if (made.state == BatchSource::State::kEnd) stats_->files_done++;
    if (made.state == BatchSource::State::kEnd) check_complete(ref_, *plan_, rows_, object_name(*store_, ref_.key));
  }

  ShardFiles& files_;
  std::shared_ptr<Store> store_;
  TablePtr table_;
  ShardRef ref_;
  std::shared_ptr<const ScanPlan> plan_;
  const Cancel* cancel_;
  QueryStats* stats_;
  InterruptProbe& probe_;
  Shared shared_;
  std::unique_ptr<RowBatch> batch_;
  std::int64_t rows_ = 0;  // decoded so far; of the task alone
};

}  // namespace

std::unique_ptr<RowStream> stream_shard(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, ShardRef ref,
                                        std::shared_ptr<const ScanPlan> plan, const Cancel* cancel, QueryStats* stats,
                                        InterruptProbe& probe) {
  return std::make_unique<ShardStream>(files, std::move(store), std::move(table), std::move(ref), std::move(plan), cancel, stats, probe);
}

}  // namespace ts
