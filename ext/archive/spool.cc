// Spool: the process-wide object of a spool directory, its shards and their owners.
#include "ext/archive/spool.h"

#include <sys/vfs.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "ext/archive/archive_schema.h"
#include "ext/archive/flusher.h"
#include "ext/archive/listing.h"
#include "ext/archive/record_reader.h"
#include "ext/archive/shard_name.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"

namespace ts {
namespace {

// The process's spools. A forked child gets a registry of its own; the parent's is leaked there, never touched.
struct Registry {
  std::uint64_t generation = fork_generation();
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Spool>> spools;
  std::map<std::string, LockFile*> locks;  // one descriptor per lock file and process, for ever
};

Registry& registry() {
  static std::atomic<Registry*> current{nullptr};
  Registry* now = current.load();
  while (!now || now->generation != fork_generation()) {
    auto* fresh = new Registry;
    if (current.compare_exchange_strong(now, fresh)) return *fresh;
    delete fresh;
  }
  return *now;
}

// The flusher's thread must not go on while the process takes itself apart. Connections may be open: nothing of theirs is
// touched, and what was committed waits in the spool. Registered again after libraries it uses have registered theirs.
void stop_all() {
  Registry& all = registry();
  std::vector<std::shared_ptr<Spool>> spools;
  {
    std::lock_guard lock(all.mutex);
    for (auto& [directory, weak] : all.spools) {
      if (auto spool = weak.lock()) spools.push_back(std::move(spool));
    }
  }
  for (auto& spool : spools) {
    spool->flusher().stop(OnClose::kNever);
    new std::shared_ptr<Spool>(std::move(spool));  // not destroyed here either
  }
}

void refuse_network_file_system(const std::string& directory) {
  struct statfs fs;
  if (::statfs(directory.c_str(), &fs) != 0) throw_errno("cannot examine", directory);
  constexpr long kNfs = 0x6969, kSmb = 0x517B, kCifs = 0xFF534D42, kSmb2 = 0xFE534D42;
  long type = static_cast<long>(fs.f_type) & 0xffffffff;
  if (type == kNfs || type == kSmb || type == kCifs || type == kSmb2) {
    throw Error(Code::kUnsupported, "spool: " + directory +
                                        " lies on a network file system, where processes cannot share memory; choose a local "
                                        "directory with spool='/path'");
  }
}

void make_spool_directories(const std::string& directory) {
  try {
    make_directories(directory);
    refuse_network_file_system(directory);
    make_directories(directory + "/open");
    make_directories(directory + "/sealed");
    sync_directory(directory);
  } catch (const Error& e) {
    if (e.code() == Code::kUnsupported) throw;
    throw Error(e.code(), std::string("spool: ") + e.what() + "; choose a directory that this user can write with spool='/path'");
  }
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
}

}  // namespace

void stop_flushers_at_exit() { std::atexit(stop_all); }

std::string default_spool_directory(const std::string& location) {
  std::string base = environment("XDG_STATE_HOME");
  if (base.empty() && !environment("HOME").empty()) base = environment("HOME") + "/.local/state";
  if (base.empty()) {
    throw Error(Code::kBadInput,
                "timeseries: no place for the spool: neither XDG_STATE_HOME nor HOME is set; name a directory with spool='/path'");
  }
  std::string readable;
  for (char c : location.substr(0, 60)) readable += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
  char hash[17];
  snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(fnv1a(location)));
  return base + "/sqlite-timeseries/" + readable + "-" + hash;
}

std::shared_ptr<Spool> Spool::open(const SpoolConfig& wanted) {
  SpoolConfig config = wanted;
  make_spool_directories(config.directory);
  config.directory = real_path(config.directory);
  static std::once_flag once;
  std::call_once(once, stop_flushers_at_exit);
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::shared_ptr<Spool> spool = all.spools[config.directory].lock();
  if (spool && spool->location_ != config.location) {
    throw Error(Code::kBadInput, "spool: " + config.directory + " holds rows for " + spool->location_ + ", not for " + config.location +
                                     "; choose another spool= for this location");
  }
  if (spool) {
    spool->merge(config);
    return spool;
  }
  LockFile*& locks = all.locks[config.directory];
  if (!locks) locks = new LockFile(config.directory + "/locks");
  spool = std::shared_ptr<Spool>(new Spool(config));
  spool->locks_ = locks;
  all.spools[config.directory] = spool;
  return spool;
}

Spool::Spool(const SpoolConfig& config)
    : directory_(config.directory),
      location_(config.location),
      store_(open_store(config.store)),
      locks_(nullptr),
      flush_size_(config.flush_size),
      flush_interval_ms_(config.flush_interval_ms),
      full_durability_(config.full_durability),
      on_close_(static_cast<int>(config.on_close)),
      make_db_(connect()),
      listings_(std::make_unique<YoungListings>()),
      records_(std::make_unique<KnownRecords>()),
      flusher_(std::make_unique<Flusher>(*this, config.flush_timeout_ms)) {}

void Spool::merge(const SpoolConfig& config) {
  flush_size_ = std::min(flush_size_.load(), config.flush_size);
  flush_interval_ms_ = std::min(flush_interval_ms_.load(), config.flush_interval_ms);
  if (config.full_durability) full_durability_ = true;
  auto eager = [](int on_close) {
    return on_close == static_cast<int>(OnClose::kAlways) ? 2 : on_close == static_cast<int>(OnClose::kDue);
  };
  int wanted = static_cast<int>(config.on_close);
  if (eager(wanted) > eager(on_close_)) on_close_ = wanted;
}

Spool::~Spool() {
  if (stale()) {  // the parent's: its threads do not exist here and its files are not ours to close
    flusher_.release();
    listings_.release();
    records_.release();
    make_db_->abandon();
    make_db_.release();
    for (auto& shard : ready_) shard->abandon(), shard.release();
    for (auto& shard : used_) shard->abandon(), shard.release();
    return;
  }
  flusher_->stop(static_cast<OnClose>(on_close_.load()));
  std::vector<std::unique_ptr<OpenShard>> ready, used;  // swapped: nothing here may need memory
  {
    std::lock_guard lock(mutex_);
    ready.swap(ready_);
    used.swap(used_);
  }
  for (auto& shard : ready) drop(std::move(shard));
  for (auto& shard : used) drop(std::move(shard));
}

std::uint64_t Spool::bytes() const { return row_bytes() + directory_bytes(directory_); }
std::uint64_t Spool::row_bytes() const { return directory_bytes(open_directory()) + directory_bytes(sealed_directory()); }

std::shared_ptr<KnownArchive> Spool::known_archive(const std::string& table) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<KnownArchive>& known = archives_[table];
  if (!known) known = std::make_shared<KnownArchive>();
  return known;
}

TablePtr Spool::declared_table(SpoolDb& db, const DeclaredRow& row) {
  const std::string json = db.schema_json(row.table, row.declared);
  if (json.empty()) throw Error(Code::kCorrupt, "spool: does not know how " + row.table + " was declared: " + directory_);
  return make_table_def(row.table, schema_from_json(json, "spool.db of " + directory_), row.declared, known_archive(row.table));
}

std::unique_ptr<OpenShard> Spool::make_shard(SpoolDb& db) {
  std::string file = new_ulid() + ".db";
  std::int64_t id = 0;
  const bool durable = full_durability();
  try {
    OpenShard::create_files(open_directory(), file);
    TS_FAILPOINT("open.created");
    db.add_open(file, Clock::system().now_ms(), durable, [&](std::int64_t fresh) {
      if (!locks_->try_lock(fresh)) throw Error(Code::kBusy, "spool: a new shard's lock is taken: " + directory_);
      id = fresh;
      std::lock_guard lock(mutex_);
      own_.insert(fresh);
    });
  } catch (...) {
    if (id) {
      disown(id);  // the number may be given again, to another process
    } else {
      remove_open_files(open_directory() + "/" + file);
    }
    throw;
  }
  TS_FAILPOINT("open.registered");
  try {
    return std::make_unique<OpenShard>(open_directory(), file, id, durable);
  } catch (...) {
    disown(id);  // empty; it goes like a dead process's
    throw;
  }
}

std::unique_ptr<OpenShard> Spool::take_shard(bool fresh, std::int64_t after) {
  std::unique_ptr<OpenShard> shard;
  auto fits = [&](const OpenShard& one) { return one.id() > after && (one.durable() || !full_durability()); };
  {
    std::lock_guard lock(mutex_);
    for (auto* pool : {&used_, &ready_}) {
      if (shard || (fresh && pool == &used_)) continue;
      auto oldest = pool->end();
      for (auto it = pool->begin(); it != pool->end(); ++it) {
        if (fits(**it) && (oldest == pool->end() || (*it)->id() < (*oldest)->id())) oldest = it;
      }
      if (oldest == pool->end()) continue;
      shard = std::move(*oldest);
      pool->erase(oldest);
    }
  }
  if (!shard) {
    std::lock_guard lock(make_mutex_);
    shard = make_shard(*make_db_);
  }
  {
    std::lock_guard lock(mutex_);
    newest_taken_ = std::max(newest_taken_, shard->id());
  }
  return shard;
}

void Spool::disown(std::int64_t id) noexcept {
  std::lock_guard lock(mutex_);
  own_.erase(id);
  locks_->unlock(id);
}

void Spool::give_back(std::unique_ptr<OpenShard> shard) noexcept {
  if (!shard->mark().fenced().load()) {
    std::lock_guard lock(mutex_);
    bool empty = shard->mark().visible().load() == 0;
    try {
      (empty ? ready_ : used_).push_back(std::move(shard));
      return;
    } catch (...) {
      // Out of memory: the shard is adopted like a dead process's.
    }
  }
  drop(std::move(shard));
}

void Spool::drop(std::unique_ptr<OpenShard> shard) noexcept {
  std::int64_t id = shard->id();
  shard.reset();
  disown(id);
}

void Spool::keep_ready(SpoolDb& db) {
  std::vector<std::unique_ptr<OpenShard>> fenced;
  bool enough;
  {
    std::lock_guard lock(mutex_);
    fenced.reserve(used_.size());
    auto gone = std::partition(used_.begin(), used_.end(), [](auto& shard) { return shard->mark().fenced().load() == 0; });
    std::move(gone, used_.end(), std::back_inserter(fenced));
    used_.erase(gone, used_.end());
    enough = std::any_of(ready_.begin(), ready_.end(), [this](auto& shard) {
      return shard->id() > newest_taken_ && (shard->durable() || !full_durability());
    });
  }
  for (auto& shard : fenced) drop(std::move(shard));
  if (enough) return;
  give_back(make_shard(db));
}

void Spool::retain(const std::string& table, Retention retention) {
  std::lock_guard lock(mutex_);
  Retention& known = retentions_[table];
  known.keep_ms = std::max(known.keep_ms, retention.keep_ms);
  known.grace_ms = std::max(known.grace_ms, retention.grace_ms);
}

std::map<std::string, Retention> Spool::retentions() {
  std::lock_guard lock(mutex_);
  return retentions_;
}

bool Spool::owner_alive(std::int64_t id) {
  {
    std::lock_guard lock(mutex_);
    if (own_.count(id)) return true;
  }
  return locks_->held_by_other(id);
}

}  // namespace ts
