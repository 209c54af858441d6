// The flusher's loop and its four steps.
#include "ext/archive/flusher.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "ext/archive/archive_schema.h"
#include "ext/archive/sealed_file.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"

namespace ts {
namespace {

constexpr std::int64_t kTickMs = 1000;            // how often age and size are looked at
constexpr std::int64_t kFollowerMs = 10'000;     // overdue by this much: the process that leads is stopped; act for it
constexpr std::int64_t kBackoffBaseMs = 500;      // first wait after a failed upload
constexpr std::int64_t kBackoffCapMs = 60'000;    // longest wait
constexpr std::int64_t kGarbageMs = 3600'000;     // files nobody knows: older than any creation under way
constexpr std::uint64_t kSealBatch = 256u << 20;  // bytes of open shards sealed at once: bounds memory

std::int64_t now_ms() { return Clock::system().now_ms(); }
std::int64_t steady_ms() { return Clock::system().steady_ms(); }

std::int64_t backoff_ms(int failures) {
  std::int64_t wait = std::min(kBackoffCapMs, kBackoffBaseMs << std::min(failures, 10));
  unsigned char jitter = static_cast<unsigned char>(random_bytes(1)[0]);
  return wait / 2 + wait / 2 * jitter / 255;
}

}  // namespace

class Flusher::Stop : public Cancel {
 public:
  bool cancelled() const override { return stopped.load(std::memory_order_relaxed) || steady_ms() > deadline.load(); }
  std::atomic<bool> stopped{false};
  std::atomic<std::int64_t> deadline{INT64_MAX};
};

Flusher::Flusher(Spool& spool, std::int64_t flush_timeout_ms)
    : spool_(spool), flush_timeout_ms_(flush_timeout_ms), stop_(std::make_unique<Stop>()) {}

Flusher::~Flusher() { stop(OnClose::kNever); }

void Flusher::start() {
  std::lock_guard lock(mutex_);
  if (started_) return;
  started_ = true;
  thread_ = std::thread([this] { run(); });
}

void Flusher::wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_all();
}

void Flusher::progressed() {
  progress_count_.fetch_add(1);
  std::lock_guard lock(mutex_);
  progress_.notify_all();
}

void Flusher::run() {
  std::unique_ptr<SpoolDb> db;
  while (!stop_->stopped.load()) {
    try {
      if (!db) db = spool_.connect();
      pass(*db, false);
    } catch (const std::exception& e) {
      if (db && !sqlite3_get_autocommit(db->db().get())) db.reset();  // a transaction in doubt: begin afresh
      std::lock_guard lock(mutex_);
      last_error_ = e.what();
      sqlite3_log(SQLITE_WARNING, "timeseries flusher: %s", e.what());
    }
    std::unique_lock lock(mutex_);
    std::int64_t wait = waiting_.load() ? 20 : kTickMs;
    wake_.wait_for(lock, std::chrono::milliseconds(wait), [this] { return woken_ || stop_->stopped.load(); });
    woken_ = false;
  }
}

void Flusher::pass(SpoolDb& db, bool everything) {
  if (waiting_.load() == 0) spool_.keep_ready(db);
  if (!everything && waiting_.load() == 0 && !spool_.lead() && !due(db, kFollowerMs)) return;
  rotate(db, everything);
  seal(db);
  upload(db);
  retire_files(db);
  collect_garbage(db);
}

// ---------------------------------------------------------------- rotate

bool Flusher::holds_rows(const OpenRow& row) {
  bool alive = spool_.owner_alive(row.id);
  try {
    Mark mark(spool_.open_directory() + "/" + row.file + ".mark");
    if (alive) return mark.visible().load() > 0;
    return file_size(spool_.open_directory() + "/" + row.file + "-wal") > 0 || mark.visible().load() > 0;
  } catch (const Error& e) {
    if (e.code() == Code::kNotFound) return false;
    throw;
  }
}

bool Flusher::due(SpoolDb& db, std::int64_t grace_ms) {
  std::uint64_t bytes = 0;
  std::int64_t oldest = INT64_MAX;
  for (const OpenRow& row : db.open_rows("open")) {
    if (!holds_rows(row)) continue;
    std::string path = spool_.open_directory() + "/" + row.file;
    bytes += file_size(path + "-wal");
    Mark mark(path + ".mark");
    std::int64_t first = mark.first_commit_ms().load();
    oldest = std::min(oldest, first ? first : row.created_ms);
  }
  if (bytes == 0 && oldest == INT64_MAX) return false;
  return (bytes >= spool_.flush_size() && grace_ms == 0) || now_ms() - oldest >= spool_.flush_interval_ms() + grace_ms;
}

bool Flusher::rotate(SpoolDb& db, bool everything) {
  std::int64_t upto = everything ? INT64_MAX : rotate_upto_.load();
  bool all = due(db), any = false;
  for (const OpenRow& row : db.open_rows("open")) {
    if (!all && row.id > upto) continue;
    bool alive = spool_.owner_alive(row.id);
    if (alive && !holds_rows(row)) continue;  // a shard kept ready, or one whose only transaction is not committed yet
    if (!fence_shard(spool_.open_directory(), row.file, 100)) continue;
    TS_FAILPOINT("rotate.before_commit");
    db.set_rotated(row.id);
    TS_FAILPOINT("rotate.committed");
    any = true;
  }
  if (any) progressed();
  return any;
}

// ---------------------------------------------------------------- seal

TablePtr Flusher::table(SpoolDb& db, const std::string& name) {
  TablePtr& def = tables_[name];
  if (!def) def = make_table_def(name, schema_from_json(db.schema_json(name), "spool.db of " + spool_.directory()));
  return def;
}

void Flusher::seal(SpoolDb& db) {
  std::vector<OpenRow> rotated = db.open_rows("rotated");
  while (!rotated.empty()) {
    std::vector<SealInput> inputs;
    std::vector<std::int64_t> ids;
    std::uint64_t bytes = 0;
    std::size_t taken = 0;
    for (; taken < rotated.size() && (inputs.empty() || bytes < kSealBatch); taken++) {
      const OpenRow& row = rotated[taken];
      bool alive = spool_.owner_alive(row.id);
      OpenShardReader reader(spool_.open_directory(), row.file, row.id);
      Visibility visibility = visibility_of(reader.mark(), alive);
      if (alive) {  // between prepare and publish or abort: what counts is not decided yet
        std::uint64_t last = last_transaction(reader.db());
        if (last > visibility.upto && last != visibility.without) continue;
      }
      inputs.push_back({row.file, visibility});
      ids.push_back(row.id);
      bytes += file_size(spool_.open_directory() + "/" + row.file + "-wal");
    }
    rotated.erase(rotated.begin(), rotated.begin() + static_cast<std::ptrdiff_t>(taken));
    if (ids.empty()) continue;
    TS_FAILPOINT("seal.begin");
    std::vector<SealedRow> files;
    std::string writer = writer_name(host_name());
    for (const std::string& name : db.tables()) {
      auto sealed = seal_table(table(db, name), inputs, spool_.open_directory(), spool_.sealed_directory(), writer);
      files.insert(files.end(), sealed.begin(), sealed.end());
    }
    bool ours = db.seal(ids, files, now_ms());
    TS_FAILPOINT("seal.committed");
    if (!ours) {
      for (const SealedRow& file : files) remove_file(spool_.sealed_directory() + "/" + file.file);
    }
    progressed();
  }
}

// ---------------------------------------------------------------- upload

void Flusher::failed(SpoolDb& db, const std::string& table, const std::string& error) {
  db.count_error(table, error);
  sqlite3_log(SQLITE_WARNING, "timeseries: upload for %s failed: %s", table.c_str(), error.c_str());
  std::lock_guard lock(mutex_);
  last_error_ = error;
}

void Flusher::upload(SpoolDb& db) {
  if (steady_ms() < retry_at_) return;
  for (const SealedRow& row : db.pending()) {
    if (stop_->cancelled()) return;
    auto blocked = blocked_until_.find(row.table);
    if (blocked != blocked_until_.end() && steady_ms() < blocked->second) continue;
    try {
      upload_one(db, row);
      failures_ = 0;
    } catch (const Error& e) {
      if (stop_->cancelled()) return;
      failed(db, row.table, e.what());
      std::int64_t wait = waiting_.load() ? 250 : backoff_ms(failures_);
      bool own_trouble = e.code() == Code::kBadInput || e.code() == Code::kTooNew || e.code() == Code::kCorrupt;
      if (own_trouble) {
        blocked_until_[row.table] = steady_ms() + wait;
        continue;
      }
      failures_++;
      retry_at_ = steady_ms() + wait;
      return;
    }
  }
}

void Flusher::upload_one(SpoolDb& db, const SealedRow& row) {
  if (!db.archive_checked(row.table)) {
    settle_archive_schema(spool_.store(), *table(db, row.table), stop_.get());
    db.set_archive_checked(row.table);
  }
  MappedFile file(spool_.sealed_directory() + "/" + row.file);
  db.set_attempted(row.seq);
  TS_FAILPOINT("upload.attempted");
  PutResult put = spool_.store().put_if_absent(row.key, file.bytes(), stop_.get());
  TS_FAILPOINT("upload.put");
  if (!put.stored) {
    // The name holds an id that nobody else knows, so what lies there is our own earlier attempt. Looked at where we may.
    try {
      Range there = spool_.store().get_range(row.key, "", 0, file.bytes().size() + 1, stop_.get());
      if (there.bytes != file.bytes()) {
        throw Error(Code::kCorrupt, "upload: another object of this name lies there already: " + object_name(spool_.store(), row.key) +
                                        "; the rows stay in the spool");
      }
      put.etag = there.etag;
    } catch (const Error& e) {
      if (e.code() != Code::kForbidden) throw;
    }
  }
  db.set_stored(row.seq, put.etag, now_ms());
  TS_FAILPOINT("upload.stored");
  db.count_upload(row.table, now_ms());
  {
    std::lock_guard lock(mutex_);
    last_error_.clear();
  }
  progressed();
}

// ---------------------------------------------------------------- retire

void Flusher::retire_files(SpoolDb& db) {
  for (const OpenRow& row : db.retired_with_files()) {
    std::string path = spool_.open_directory() + "/" + row.file;
    remove_file(path);  // first: a main file without its log would read as an empty shard
    TS_FAILPOINT("retire.main_removed");
    for (const char* suffix : {"-wal", "-shm", ".mark"}) remove_file(path + suffix);
    TS_FAILPOINT("retire.removed");
    db.set_files_gone(row.id);
  }
  for (const SealedRow& row : db.stored_with_files()) {
    remove_file(spool_.sealed_directory() + "/" + row.file);
    TS_FAILPOINT("retire.sealed_removed");
    db.set_local_gone(row.seq);
  }
  db.purge(now_ms());
}

// Files of processes that died before they told spool.db: no acknowledged row is in them.
void Flusher::collect_garbage(SpoolDb& db) {
  if (steady_ms() < next_garbage_) return;
  next_garbage_ = steady_ms() + kGarbageMs / 4;
  auto old = [](const std::string& path) {
    struct stat found;
    return ::stat(path.c_str(), &found) == 0 && now_ms() - static_cast<std::int64_t>(found.st_mtime) * 1000 > kGarbageMs;
  };
  for (const std::string& name : list_directory(spool_.sealed_directory())) {
    std::string path = spool_.sealed_directory() + "/" + name;
    if (old(path) && !db.knows_sealed_file(name)) remove_file(path);
  }
  for (const std::string& name : list_directory(spool_.open_directory())) {
    std::string path = spool_.open_directory() + "/" + name;
    std::string file = name.substr(0, name.find(".db") == std::string::npos ? 0 : name.find(".db") + 3);
    if (!file.empty() && old(path) && !db.knows_open_file(file)) remove_file(path);
  }
}

// ---------------------------------------------------------------- flush and stop

std::int64_t Flusher::flush(SpoolDb& db, const std::string& table, std::int64_t timeout_ms, const Cancel& cancel) {
  std::vector<OpenRow> open = db.open_rows("open"), rotated = db.open_rows("rotated");
  open.insert(open.end(), rotated.begin(), rotated.end());
  std::int64_t first = INT64_MAX, last = 0;
  for (const OpenRow& row : open) first = std::min(first, row.id), last = std::max(last, row.id);
  std::set<std::int64_t> files;
  for (const SealedRow& row : db.pending()) {
    if (row.table == table) files.insert(row.seq);
  }
  for (std::int64_t seen = rotate_upto_.load(); seen < last && !rotate_upto_.compare_exchange_weak(seen, last);) {
  }
  struct Waiting {
    std::atomic<int>& count;
    explicit Waiting(std::atomic<int>& c) : count(c) { count++; }
    ~Waiting() { count--; }
  } waiting(waiting_);
  start();
  wake();

  std::uint64_t progress = progress_count_.load();
  std::int64_t progress_at = steady_ms();
  bool sealed = false;
  for (;;) {
    if (!sealed) {
      sealed = true;
      for (const OpenRow& row : open) {
        if (!db.is_retired(row.id) && holds_rows(row)) sealed = false;
      }
      if (sealed && last > 0) {
        for (std::int64_t seq : db.files_from(table, first, last)) files.insert(seq);
      }
    }
    if (sealed) {
      bool stored = true;
      for (const SealedRow& row : db.pending()) {
        if (files.count(row.seq)) stored = false;
      }
      if (stored) return static_cast<std::int64_t>(files.size());
    }
    if (cancel.cancelled()) throw Error(Code::kInterrupted, "interrupted");
    std::uint64_t now = progress_count_.load();
    if (now != progress) {
      progress = now;
      progress_at = steady_ms();
    }
    std::unique_lock lock(mutex_);
    if (steady_ms() - progress_at >= timeout_ms) {
      std::string why = last_error_.empty() ? db.status(table).last_error : last_error_;
      if (why.empty()) why = "no answer yet from " + spool_.store().describe();
      throw Error(Code::kUnavailable, "ts_flush: gave up after " + std::to_string(timeout_ms) +
                                          " ms without progress (flush_timeout); the rows are safe in the spool " + spool_.directory() +
                                          " and will be stored when the cause is gone: " + why);
    }
    progress_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

std::string Flusher::last_error() {
  std::lock_guard lock(mutex_);
  return last_error_;
}

void Flusher::stop(OnClose policy) noexcept {
  try {
    bool running;
    {
      std::lock_guard lock(mutex_);
      running = started_;
      started_ = false;
      stop_->stopped = true;  // also calls off a request under way: its file is tried again below or by the next process
      woken_ = true;
      wake_.notify_all();
    }
    if (running) thread_.join();
    if (policy == OnClose::kNever) return;
    auto db = spool_.connect();
    bool everything = policy == OnClose::kAlways;
    bool unfinished = running && failures_ == 0 && !db->pending().empty();
    stop_->deadline = steady_ms() + flush_timeout_ms_;
    stop_->stopped = false;
    if (everything) retry_at_ = 0, blocked_until_.clear();
    if (everything || unfinished || due(*db)) {
      rotate(*db, everything);
      seal(*db);
      upload(*db);
    }
    if (running) retire_files(*db);
    stop_->stopped = true;
  } catch (const std::exception& e) {
    sqlite3_log(SQLITE_WARNING, "timeseries: at close: %s; the rows stay in the spool %s", e.what(), spool_.directory().c_str());
    stop_->stopped = true;
  }
}

}  // namespace ts
