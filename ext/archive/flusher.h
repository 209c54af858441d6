// The flusher: one background thread per process and spool. rotate -> seal -> upload -> retire, for ever.
//
// Every transition is a transaction of spool.db that only one process can win, so flushers of several processes on one
// spool may run at once; the lock byte 0 merely spares them doing the same work twice. Uploads are retried for ever
// with capped exponential back-off and jitter. A step that fails does not keep the next ones from their work: a full disk
// must not stop the uploads that would empty it, nor one shard another. Errors are kept per table (ts_status) and go to sqlite3_log.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "ext/archive/sealer.h"
#include "ext/archive/spool.h"
#include "ext/base/cancel.h"

namespace ts {

class Flusher {
 public:
  Flusher(Spool& spool, std::int64_t flush_timeout_ms);
  ~Flusher();

  // Starts the thread if it does not run yet. Called by whoever writes, flushes or finds something left in the spool.
  void start();
  void wake();

  // Stores every row of `table` that was committed before the call. Returns the number of files stored for it.
  // Throws what stands in the way after timeout_ms without progress; the rows stay safe in the spool.
  // `watch`, where there is one, is told now and then how many files there are (0: not known yet), how many of them are stored, and
  // the bytes of those.
  using Watch = std::function<void(std::int64_t files, std::int64_t stored, std::uint64_t bytes)>;
  std::int64_t flush(SpoolDb& db, const std::string& table, std::int64_t timeout_ms, const Cancel& cancel, const Watch& watch = {});

  // What stands in the way at the moment; "" when nothing does.
  std::string last_error();

  // Ends the thread as `policy` says; bounded by the flush timeout.
  void stop(OnClose policy) noexcept;

 private:
  class Stop;  // the Cancel of this thread's requests
  void run();
  void pass(SpoolDb& db, bool everything);
  bool due(SpoolDb& db, std::int64_t grace_ms = 0);
  bool rotate(SpoolDb& db, bool everything);
  void seal(SpoolDb& db);
  bool add_input(SpoolDb& db, const OpenRow& row, std::vector<SealInput>& inputs, std::vector<SealedFrom>& from);
  void check_tables(SpoolDb& db, OpenShardReader& reader);
  void vanished(SpoolDb& db, const OpenRow& row);
  bool overdue(SpoolDb& db);
  void upload(SpoolDb& db);
  void upload_one(SpoolDb& db, const SealedRow& row);
  void retire_files(SpoolDb& db);
  void collect_garbage(SpoolDb& db);
  void expire(SpoolDb& db);
  bool may_expire(SpoolDb& db, const TableDef& table);
  void failed(SpoolDb& db, const std::string& table, const std::string& error);
  void progressed();
  bool holds_rows(const OpenRow& row);
  std::uint64_t committed(const OpenRow& row);
  TablePtr table(SpoolDb& db, const DeclaredRow& declared);
  void learn_schema(SpoolDb& db, const TableDef& table);

  Spool& spool_;
  const std::int64_t flush_timeout_ms_;
  std::unique_ptr<Stop> stop_;

  std::mutex mutex_;  // guards thread_, started_, the condition variables and last_error_
  std::condition_variable wake_, progress_;
  std::thread thread_;
  bool started_ = false, woken_ = false;
  std::string last_error_, pass_error_;        // of uploads; of anything else
  std::atomic<std::int64_t> rotate_upto_{0};   // a flush wants every shard up to this id
  std::atomic<int> waiting_{0};                // flushes under way
  std::atomic<std::uint64_t> progress_count_{0};

  // Of the thread alone.
  std::map<std::string, TablePtr> tables_;             // by open_name
  std::map<std::string, std::int64_t> looked_;         // by table: when its archive's schema was last asked for
  std::map<std::string, std::int64_t> blocked_;        // by declaration or file, since when: its own trouble (contradicting schema, damage)
  std::int64_t failed_at_ = 0, wait_ms_ = 0;           // the store's trouble
  int failures_ = 0;
  std::int64_t seal_failed_at_ = 0, seal_wait_ms_ = 0;  // the disk's trouble
  int seal_failures_ = 0;
  std::set<std::int64_t> stuck_;  // shards whose writers are in the middle of a transaction, perhaps stopped: what they have
                                  // committed is sealed, and the shards stay open
  std::int64_t next_garbage_ = 0;
  struct Old {
    std::vector<std::string> partitions;  // that are to expire, the oldest last
    std::int64_t next_ms = 0;             // when it is looked for them again
  };
  std::map<std::string, Old> old_;  // by table
};

}  // namespace ts
