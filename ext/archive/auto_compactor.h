// AutoCompactor: compact='auto': a thread that now and then merges what is worth it in one table's archive.
//
// Of one table and spool there is one in a process, and of the processes of a spool the one works whose flusher does. Partitions that
// ended an hour ago are compacted whole, once, and looked at again a day later, for late rows; younger ones where many small files are
// neighbours. It shares nothing with inserts, flushes and uploads but the machine: its thread has a store of its own, and the lowest
// priority where the system has priorities for threads. What fails is told to SQLite's log and tried again at the next turn.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "ext/archive/compactor.h"
#include "ext/archive/spool.h"

namespace ts {

class AutoCompactor {
 public:
  // The process's one of this table, made by the first who asks; it ends with the last. `store`: without a cache.
  // Of the options, target and grace count.
  static std::shared_ptr<AutoCompactor> of(const std::shared_ptr<Spool>& spool, std::shared_ptr<Store> store, TablePtr table,
                                           CompactOptions options, std::int64_t every_ms);
  ~AutoCompactor();
  AutoCompactor(const AutoCompactor&) = delete;
  AutoCompactor& operator=(const AutoCompactor&) = delete;
  // Ends the thread; what it was at is left as if it had been killed, and goes.
  void stop() noexcept;

 private:
  class Stopped;
  AutoCompactor(std::shared_ptr<Spool> spool, std::shared_ptr<Store> store, TablePtr table, CompactOptions options, std::int64_t every_ms);
  void run();
  void look();
  bool is_over(const std::string& partition) const;

  const std::shared_ptr<Spool> spool_;
  const std::shared_ptr<Store> store_;
  const TablePtr table_;
  CompactOptions options_;
  const std::int64_t every_ms_;
  const std::uint64_t generation_;
  const std::unique_ptr<Stopped> stopped_;
  std::mutex mutex_;  // guards the condition variable
  std::condition_variable changed_;
  std::string settled_;         // partitions up to it are over and were compacted. Of the thread alone
  std::int64_t settled_ms_ = 0;  // when that began
  std::thread thread_;          // last: it uses all others
};

}  // namespace ts
