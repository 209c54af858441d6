// Records by the dozen.
#include "ext/archive/record_reader.h"

#include <condition_variable>
#include <exception>
#include <functional>

#include "ext/archive/partition_commit.h"
#include "ext/base/worker_pool.h"

namespace ts {
namespace {

std::string name_of(const ObjectInfo& object) { return object.key + "\n" + object.etag; }

std::size_t bytes_of(const MergeRecord& record) {
  constexpr std::size_t kLive = 256, kFixed = 512;
  return kFixed + record.dead_names() * sizeof(UlidBits) + record.live.size() * kLive;
}

std::string partition_of(const ObjectInfo& object) {
  const std::size_t end = object.key.rfind('/');
  const std::size_t begin = object.key.rfind('/', end - 1) + 1;
  return object.key.substr(begin, end - begin);
}

// Tasks of the fetchers, waited for by a thread that is none of theirs.
class Fetches {
 public:
  void run(std::vector<std::function<void()>> tasks) {
    std::unique_lock lock(mutex_);
    for (std::function<void()>& task : tasks) {
      running_++;
      try {
        WorkerPool::fetchers().submit([this, task = std::move(task)] { work(task); });
      } catch (...) {
        running_--;
        if (!error_) error_ = std::current_exception();
      }
    }
    ended_.wait(lock, [this] { return running_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work(const std::function<void()>& task) noexcept {
    std::exception_ptr error;
    try {
      task();
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    running_--;
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
  std::exception_ptr error_;
};

}  // namespace

MergeRecordPtr KnownRecords::find(const ObjectInfo& object) {
  std::lock_guard lock(mutex_);
  auto found = by_object_.find(name_of(object));
  if (found == by_object_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return entries_.front().second;
}

void KnownRecords::keep(const ObjectInfo& object, MergeRecordPtr record) {
  std::lock_guard lock(mutex_);
  std::string name = name_of(object);
  if (by_object_.count(name)) return;
  bytes_ += bytes_of(*record);
  entries_.emplace_front(name, std::move(record));
  by_object_[std::move(name)] = entries_.begin();
  for (; bytes_ > most_bytes_ && entries_.size() > 1; entries_.pop_back()) {
    bytes_ -= bytes_of(*entries_.back().second);
    by_object_.erase(entries_.back().first);
  }
}

std::vector<MergeRecordPtr> read_merge_records(Store& store, const TableDef& table, const std::vector<ObjectInfo>& objects,
                                               KnownRecords& known, const Cancel* cancel) {
  std::vector<MergeRecordPtr> records(objects.size());
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < objects.size(); i++) {
    records[i] = known.find(objects[i]);
    if (records[i]) continue;
    tasks.push_back([&, i] {
      records[i] = std::make_shared<const MergeRecord>(read_merge_record(store, table, partition_of(objects[i]), objects[i], cancel));
      known.keep(objects[i], records[i]);
    });
  }
  if (tasks.size() == 1) {
    tasks[0]();
  } else if (!tasks.empty()) {
    Fetches().run(std::move(tasks));
  }
  return records;
}

}  // namespace ts
