// Spool: the process-wide object of a spool directory, its shards and their owners.
#include "ext/archive/spool.h"

#include <sys/vfs.h>

#include <algorithm>
#include <map>

#include "ext/archive/flusher.h"
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

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
}

}  // namespace

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

std::shared_ptr<Spool> Spool::open(const SpoolConfig& config) {
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
  try {
    make_directories(config.directory);
    refuse_network_file_system(config.directory);
    make_directories(config.directory + "/open");
    make_directories(config.directory + "/sealed");
  } catch (const Error& e) {
    if (e.code() == Code::kUnsupported) throw;
    throw Error(e.code(), std::string("spool: ") + e.what() + "; choose a directory that this user can write with spool='/path'");
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
      flusher_(std::make_unique<Flusher>(*this, config.flush_timeout_ms)) {}

void Spool::merge(const SpoolConfig& config) {
  flush_size_ = std::min(flush_size_.load(), config.flush_size);
  flush_interval_ms_ = std::min(flush_interval_ms_.load(), config.flush_interval_ms);
  if (config.full_durability) full_durability_ = true;
  auto eager = [](int on_close) { return on_close == static_cast<int>(OnClose::kAlways) ? 2 : on_close == static_cast<int>(OnClose::kDue); };
  int wanted = static_cast<int>(config.on_close);
  if (eager(wanted) > eager(on_close_)) on_close_ = wanted;
}

Spool::~Spool() {
  if (stale()) {  // the parent's: its threads do not exist here and its files are not ours to close
    flusher_.release();
    make_db_->abandon();
    make_db_.release();
    for (auto& shard : ready_) shard->abandon(), shard.release();
    for (auto& shard : used_) shard->abandon(), shard.release();
    return;
  }
  std::vector<std::unique_ptr<OpenShard>> shards;
  flusher_->stop(static_cast<OnClose>(on_close_.load()));
  {
    std::lock_guard lock(mutex_);
    std::move(ready_.begin(), ready_.end(), std::back_inserter(shards));
    std::move(used_.begin(), used_.end(), std::back_inserter(shards));
    ready_.clear();
    used_.clear();
  }
  for (auto& shard : shards) drop(std::move(shard));
}

std::uint64_t Spool::bytes() const { return directory_bytes(open_directory()) + directory_bytes(sealed_directory()) + directory_bytes(directory_); }

std::unique_ptr<OpenShard> Spool::make_shard(SpoolDb& db) {
  std::string file = new_ulid() + ".db";
  OpenShard::create_files(open_directory(), file, full_durability());
  TS_FAILPOINT("open.created");
  std::int64_t id = db.add_open(file, Clock::system().now_ms(), [&](std::int64_t fresh) {
    if (!locks_->try_lock(fresh)) throw Error(Code::kBusy, "spool: a new shard's lock is taken: " + directory_);
    std::lock_guard lock(mutex_);
    own_.insert(fresh);
  });
  TS_FAILPOINT("open.registered");
  return std::make_unique<OpenShard>(open_directory(), file, id);
}

std::unique_ptr<OpenShard> Spool::take_shard(bool fresh) {
  std::unique_ptr<OpenShard> shard;
  {
    std::lock_guard lock(mutex_);
    for (auto* pool : {&used_, &ready_}) {
      if (shard || pool->empty() || (fresh && pool == &used_)) continue;
      shard = std::move(pool->back());
      pool->pop_back();
    }
  }
  if (!shard) {
    std::lock_guard lock(make_mutex_);
    shard = make_shard(*make_db_);
  }
  shard->set_durability(full_durability());
  return shard;
}

void Spool::give_back(std::unique_ptr<OpenShard> shard) noexcept {
  if (shard->mark().fenced().load()) return drop(std::move(shard));
  std::lock_guard lock(mutex_);
  bool empty = shard->mark().visible().load() == 0;
  try {
    (empty ? ready_ : used_).push_back(std::move(shard));
  } catch (...) {
    // Out of memory: the shard closes here and is adopted like a dead process's.
  }
}

void Spool::drop(std::unique_ptr<OpenShard> shard) noexcept {
  std::int64_t id = shard->id();
  shard.reset();
  std::lock_guard lock(mutex_);
  own_.erase(id);
  locks_->unlock(id);
}

void Spool::keep_ready(SpoolDb& db) {
  std::vector<std::unique_ptr<OpenShard>> fenced;
  bool enough;
  {
    std::lock_guard lock(mutex_);
    auto gone = std::partition(used_.begin(), used_.end(), [](auto& shard) { return shard->mark().fenced().load() == 0; });
    std::move(gone, used_.end(), std::back_inserter(fenced));
    used_.erase(gone, used_.end());
    enough = !ready_.empty();
  }
  for (auto& shard : fenced) drop(std::move(shard));
  if (enough) return;
  auto shard = make_shard(db);
  std::lock_guard lock(mutex_);
  ready_.push_back(std::move(shard));
}

bool Spool::owner_alive(std::int64_t id) {
  {
    std::lock_guard lock(mutex_);
    if (own_.count(id)) return true;
  }
  return locks_->held_by_other(id);
}

}  // namespace ts
