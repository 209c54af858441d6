// Spool: the local directory in which rows wait for the store, shared by every process that writes to one location.
//
//   spool.db   state of everything below (archive/spool_db.h)       locks     one lock byte per open shard: its owner lives
//   open/      open shards with their -wal, -shm and .mark          sealed/   sealed files that wait to be uploaded
//
// One Spool object per process and directory; connections share it. All methods are thread-safe. Nothing here waits
// for the network, and nothing a writer calls waits for another connection: shards are kept ready by the flusher.
// A forked child never touches what its parent opened: it sees another fork_generation() and opens its own Spool.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ext/archive/open_shard.h"
#include "ext/archive/spool_db.h"
#include "ext/base/file.h"
#include "vfs/store.h"

namespace ts {

class Flusher;
class KnownArchive;
class KnownRecords;
class YoungListings;

enum class OnClose { kDue, kAlways, kNever };

// How long rows of a table are kept, and how long their files stay after that.
struct Retention {
  std::int64_t keep_ms = 0, grace_ms = 0;
};

struct SpoolConfig {
  std::string directory;
  std::string location;  // normalised
  StoreOptions store;
  std::uint64_t flush_size = 0;
  std::int64_t flush_interval_ms = 0;
  std::int64_t flush_timeout_ms = 0;
  bool full_durability = false;
  OnClose on_close = OnClose::kDue;
};

// Where the spool of a location lies by default. Throws kBadInput naming spool= when there is no home.
std::string default_spool_directory(const std::string& normalised_location);

// Ends every flusher's thread when the process exits. Called once more after libraries that a flusher uses have
// registered their own exit handlers, since the last one registered runs first.
void stop_flushers_at_exit();

class Spool {
 public:
  // The process's Spool of that directory, made on first use. Of several configurations the most eager counts:
  // smallest flush_size and flush_interval, full durability, the on_close that stores most.
  static std::shared_ptr<Spool> open(const SpoolConfig& config);
  ~Spool();

  const std::string& directory() const { return directory_; }
  const std::string& location() const { return location_; }
  const std::string open_directory() const { return directory_ + "/open"; }
  const std::string sealed_directory() const { return directory_ + "/sealed"; }
  Store& store() { return *store_; }
  std::uint64_t generation() const { return generation_; }
  bool stale() const { return generation_ != fork_generation(); }
  bool full_durability() const { return full_durability_.load(); }
  std::uint64_t flush_size() const { return flush_size_.load(); }
  std::int64_t flush_interval_ms() const { return flush_interval_ms_.load(); }
  std::uint64_t bytes() const;      // of all files in it
  std::uint64_t row_bytes() const;  // of those that hold rows: what spool_limit limits

  // A new connection to spool.db.
  std::unique_ptr<SpoolDb> connect() const { return std::make_unique<SpoolDb>(directory_, location_); }

  // A shard to write to, with a larger id than `after`; owned by this process until it is given back or dropped. A fresh
  // one holds no rows yet.
  std::unique_ptr<OpenShard> take_shard(bool fresh, std::int64_t after);
  void give_back(std::unique_ptr<OpenShard> shard) noexcept;  // its connection closed; another may go on with it
  void drop(std::unique_ptr<OpenShard> shard) noexcept;       // fenced, full or abandoned: nobody writes to it again
  void keep_ready(SpoolDb& db);                               // the flusher's part: one shard is always ready

  // True while the process that writes to the shard lives and has not let go of it.
  bool owner_alive(std::int64_t id);

  // True for one process at a time: its flusher works, the others' only when it is overdue or somebody waits.
  bool lead() { return locks_->try_lock(0); }
  void let_others_lead() noexcept { locks_->unlock(0); }

  // What this process knows of the archive's schema of a table.
  std::shared_ptr<KnownArchive> known_archive(const std::string& table);
  // The table as one of the spool's declarations says. Throws kCorrupt where there is no such declaration.
  TablePtr declared_table(SpoolDb& db, const DeclaredRow& row);
  // Of several declarations of a table in a process the one that keeps longest counts.
  void retain(const std::string& table, Retention retention);
  std::map<std::string, Retention> retentions();

  Flusher& flusher() { return *flusher_; }
  YoungListings& listings() { return *listings_; }
  KnownRecords& records() { return *records_; }

 private:
  explicit Spool(const SpoolConfig& config);
  void merge(const SpoolConfig& config);
  std::unique_ptr<OpenShard> make_shard(SpoolDb& db);
  void disown(std::int64_t id) noexcept;

  const std::string directory_, location_;
  const std::uint64_t generation_ = fork_generation();
  std::shared_ptr<Store> store_;
  LockFile* locks_;  // never destroyed: see LockFile
  std::atomic<std::uint64_t> flush_size_;
  std::atomic<std::int64_t> flush_interval_ms_;
  std::atomic<bool> full_durability_;
  std::atomic<int> on_close_;

  std::mutex mutex_;  // guards what follows
  std::set<std::int64_t> own_;
  std::vector<std::unique_ptr<OpenShard>> ready_;  // without rows
  std::vector<std::unique_ptr<OpenShard>> used_;   // with rows, of closed connections
  std::int64_t newest_taken_ = 0;
  std::map<std::string, std::shared_ptr<KnownArchive>> archives_;  // by table
  std::map<std::string, Retention> retentions_;  // by table

  std::mutex make_mutex_;  // guards make_db_
  std::unique_ptr<SpoolDb> make_db_;

  std::unique_ptr<YoungListings> listings_;
  std::unique_ptr<KnownRecords> records_;
  std::unique_ptr<Flusher> flusher_;
};

}  // namespace ts
