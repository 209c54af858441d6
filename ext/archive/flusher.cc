// The flusher's loop and its four steps.
#include "ext/archive/flusher.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "ext/archive/archive_schema.h"
#include "ext/archive/expiry.h"
#include "ext/archive/importer.h"
#include "ext/archive/sealed_file.h"
#include "ext/archive/sealer.h"
#include "ext/archive/shard_name.h"
#include "ext/base/clock.h"
#include "ext/base/failpoint.h"

namespace ts {
namespace {

constexpr std::int64_t kTickMs = 1000;            // how often age and size are looked at
constexpr std::int64_t kFollowerMs = 10'000;     // overdue by this much: the process that leads is stopped; act for it
constexpr std::int64_t kBackoffBaseMs = 500;      // first wait after a failed upload
constexpr std::int64_t kBackoffCapMs = 60'000;    // longest wait
constexpr std::int64_t kGarbageMs = 3600'000;     // files nobody knows: older than any creation under way
constexpr std::int64_t kExpireMs = 600'000;       // how often it is looked for old partitions
constexpr std::int64_t kHurryMs = 250;            // longest wait after a failure while somebody waits for a flush
constexpr std::int64_t kLookMs = 600'000;         // how often the archive's schema is asked for while files are stored
constexpr std::int64_t kDecideMs = 50;            // a live writer needs that long from its durable rows to commit or rollback
constexpr std::uint64_t kSealBatch = 256u << 20;  // bytes of open shards sealed at once: bounds memory

std::int64_t now_ms() { return Clock::system().now_ms(); }
std::int64_t steady_ms() { return Clock::system().steady_ms(); }

// What is short needs no memory, so that there is always a text.
void keep_text(std::string& to, const char* text) noexcept {
  try {
    to = text;
  } catch (const std::bad_alloc&) {
    to = "out of memory";
  }
}

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
    std::string error;
    try {
      if (!db) {
        ForkHold hold;
        db = spool_.connect();
      }
      pass(*db, false);
    } catch (const std::exception& e) {
      if (db && !sqlite3_get_autocommit(db->db().get())) db.reset();  // a transaction in doubt: begin afresh
      keep_text(error, e.what());
      sqlite3_log(SQLITE_WARNING, "timeseries flusher: %s", e.what());
    }
    {
      std::lock_guard lock(mutex_);
      if (!error.empty() || seal_failures_ == 0) pass_error_.swap(error);  // between two tries of sealing, the last one's cause stands
    }
    std::unique_lock lock(mutex_);
    std::int64_t wait = waiting_.load() ? 20 : kTickMs;
    wake_.wait_for(lock, std::chrono::milliseconds(wait), [this] { return woken_ || stop_->stopped.load(); });
    woken_ = false;
  }
}

void Flusher::pass(SpoolDb& db, bool everything) {
  std::exception_ptr first;
  auto attempt = [&](auto&& step) {
    try {
      step();
    } catch (...) {
      if (!sqlite3_get_autocommit(db.db().get())) throw;  // spool.db itself is in trouble
      if (!first) first = std::current_exception();
    }
  };
  auto held = [&](auto&& step) {
    attempt([&] {
      ForkHold hold;
      step();
    });
  };
  bool ours = false;
  held([&] {
    if (waiting_.load() == 0) spool_.keep_ready(db);
  });
  held([&] { ours = everything || waiting_.load() > 0 || spool_.lead() || overdue(db); });
  if (ours) {
    stuck_.clear();
    held([&] { rotate(db, everything); });
    held([&] { seal(db); });
    attempt([&] { upload(db); });
    held([&] { retire_files(db); });
    held([&] { collect_garbage(db); });
    attempt([&] { expire(db); });
  }
  if (first) std::rethrow_exception(first);
}

// ---------------------------------------------------------------- rotate

// The last transaction that counts.
std::uint64_t Flusher::committed(const OpenRow& row) {
  bool alive = spool_.owner_alive(row.id);
  Mark mark(spool_.open_directory() + "/" + row.file + ".mark");
  if (alive || file_size(spool_.open_directory() + "/" + row.file + "-wal") == 0) return mark.visible().load();
  return INT64_MAX;
}

bool Flusher::holds_rows(const OpenRow& row) {
  try {
    return committed(row) > static_cast<std::uint64_t>(row.sealed_upto);
  } catch (const Error& e) {
    if (e.code() == Code::kNotFound) return false;
    throw;
  }
}

bool Flusher::due(SpoolDb& db, std::int64_t grace_ms) {
  std::uint64_t bytes = 0;
  std::int64_t oldest = INT64_MAX;
  std::vector<OpenRow> rows = db.open_rows("open");
  if (grace_ms) {
    auto rotated = db.open_rows("rotated");
    rows.insert(rows.end(), rotated.begin(), rotated.end());
  }
  for (const OpenRow& row : rows) {
    try {
      if (!holds_rows(row)) continue;
      std::string path = spool_.open_directory() + "/" + row.file;
      bytes += file_size(path + "-wal");
      std::int64_t first = Mark(path + ".mark").first_commit_ms().load();
      oldest = std::min(oldest, first ? first : row.created_ms);
    } catch (const Error&) {
      oldest = std::min(oldest, row.created_ms);  // rotate() finds out what is wrong with it
    }
  }
  if (bytes == 0 && oldest == INT64_MAX) return false;
  return (bytes >= spool_.flush_size() && grace_ms == 0) || now_ms() - oldest >= spool_.flush_interval_ms() + grace_ms;
}

// Work that the process that leads should have done by now: it is stopped, or it has closed its last connection.
bool Flusher::overdue(SpoolDb& db) {
  if (due(db, kFollowerMs)) return true;
  std::vector<SealedRow> pending = db.pending();
  return !pending.empty() && now_ms() - ulid_time_ms(pending.front().file) > kFollowerMs;
}

// Its files are gone although nobody retired it: somebody removed them, or the machine lost power before they were on disk.
void Flusher::vanished(SpoolDb& db, const OpenRow& row) {
  std::string path = spool_.open_directory() + "/" + row.file;
  if (db.is_retired(row.id) || (file_exists(path) && file_exists(path + ".mark"))) return;
  db.set_vanished(row.id, now_ms());
  for (const std::string& table : db.tables()) {
    failed(db, table, "spool: the files of an open shard vanished, and with them the rows that were not sealed: " + path);
  }
}

bool Flusher::rotate(SpoolDb& db, bool everything) {
  std::int64_t upto = everything ? INT64_MAX : rotate_upto_.load();
  bool all = due(db), any = false;
  std::exception_ptr first;
  for (const OpenRow& row : db.open_rows("open")) {
    if (!all && row.id > upto) continue;
    try {
      bool alive = spool_.owner_alive(row.id);
      if (alive && !holds_rows(row)) continue;  // a shard kept ready, or one whose only transaction is not committed yet
      TS_FAILPOINT("rotate.begin");
      if (!fence_shard(spool_.open_directory(), row.file, 100)) {
        stuck_.insert(row.id);
        continue;
      }
      TS_FAILPOINT("rotate.before_commit");
      db.set_rotated(row.id);
      TS_FAILPOINT("rotate.committed");
      any = true;
    } catch (const Error&) {
      if (!sqlite3_get_autocommit(db.db().get())) throw;
      vanished(db, row);
      if (!first && !db.is_retired(row.id)) first = std::current_exception();
    }
  }
  if (any) progressed();
  if (first) std::rethrow_exception(first);
  return any;
}

// ---------------------------------------------------------------- seal

TablePtr Flusher::table(SpoolDb& db, const DeclaredRow& declared) {
  TablePtr& def = tables_[declared.table + "\n" + declared.declared];
  if (!def) def = spool_.declared_table(db, declared);
  return def;
}

// A shard is retired when the rows of every known declaration are sealed: those of an unknown one would be lost.
void Flusher::check_tables(SpoolDb& db, OpenShardReader& reader) {
  std::set<std::string> known;
  for (const DeclaredRow& declared : db.declarations()) known.insert(table(db, declared)->open_name);
  Statement tables = reader.db().prepare("SELECT name FROM sqlite_schema WHERE type='table'");
  while (tables.step()) {
    if (known.count(tables.text(0))) continue;
    throw Error(Code::kCorrupt, "spool: an open shard holds rows of a table that the spool does not know: " + tables.text(0) + " in " +
                                    spool_.open_directory() + "/" + reader.file());
  }
}

// What can be sealed of a shard now; false: nothing.
bool Flusher::add_input(SpoolDb& db, const OpenRow& row, std::vector<SealInput>& inputs, std::vector<SealedFrom>& from) {
  bool whole = row.state == "rotated";
  auto after = static_cast<std::uint64_t>(row.sealed_upto);
  Visibility visibility;
  try {
    std::int64_t until = steady_ms() + kDecideMs;
    for (;;) {
      bool alive = spool_.owner_alive(row.id);
      OpenShardReader reader(spool_.open_directory(), row.file, row.id);
      visibility = visibility_of(reader.mark(), alive, after);
      check_tables(db, reader);
      if (!whole || !alive) break;
      // Between prepare and publish or abort, what counts is not decided yet.
      std::uint64_t last = last_transaction(reader.db());
      if (last <= visibility.upto || last == visibility.without) break;
      if (steady_ms() > until) {
        whole = false;
        break;
      }
      Clock::system().sleep_ms(1);
    }
  } catch (const Error&) {
    vanished(db, row);
    if (db.is_retired(row.id)) return false;
    throw;
  }
  if (!whole && (visibility.upto <= after || visibility.upto >= INT64_MAX)) return false;
  inputs.push_back({row.file, visibility});
  from.push_back({row.id, row.sealed_upto, static_cast<std::int64_t>(visibility.upto), whole});
  return true;
}

void Flusher::seal(SpoolDb& db) {
  std::vector<OpenRow> rows = db.open_rows("rotated");
  for (const OpenRow& row : db.open_rows("open")) {
    if (stuck_.count(row.id)) rows.push_back(row);
  }
  if (rows.empty()) return;
  if (seal_failures_ && steady_ms() < seal_failed_at_ + (waiting_.load() ? std::min(seal_wait_ms_, kHurryMs) : seal_wait_ms_)) return;
  std::exception_ptr first;
  for (std::size_t next = 0; next < rows.size();) {
    std::vector<SealInput> inputs;
    std::vector<SealedFrom> from;
    std::uint64_t bytes = 0;
    // After a failure one shard at a time, so that one that cannot be read or does not fit on the disk does not stop others.
    for (; next < rows.size() && (inputs.empty() || (bytes < kSealBatch && seal_failures_ == 0)); next++) {
      try {
        if (add_input(db, rows[next], inputs, from)) bytes += file_size(spool_.open_directory() + "/" + rows[next].file + "-wal");
      } catch (const Error&) {
        if (!first) first = std::current_exception();
      }
    }
    if (from.empty()) continue;
    try {
      TS_FAILPOINT("seal.begin");
      std::vector<SealedRow> files;
      std::string writer = writer_name(host_name());
      for (const DeclaredRow& declared : db.declarations()) {
        auto sealed = seal_table(table(db, declared), inputs, spool_.open_directory(), spool_.sealed_directory(), writer);
        files.insert(files.end(), sealed.begin(), sealed.end());
      }
      bool ours = db.seal(from, files, now_ms());
      TS_FAILPOINT("seal.committed");
      if (!ours) {
        for (const SealedRow& file : files) remove_file(spool_.sealed_directory() + "/" + file.file);
      }
      progressed();
    } catch (...) {
      if (!sqlite3_get_autocommit(db.db().get())) throw;
      if (!first) first = std::current_exception();
      if (seal_failures_ == 0) seal_failures_ = 1;
    }
  }
  if (!first) {
    seal_failures_ = 0;
    return;
  }
  seal_failed_at_ = steady_ms();
  seal_wait_ms_ = backoff_ms(seal_failures_++);
  std::rethrow_exception(first);
}

// ---------------------------------------------------------------- upload

void Flusher::failed(SpoolDb& db, const std::string& table, const std::string& error) {
  db.count_error(table, error);
  sqlite3_log(SQLITE_WARNING, "timeseries: upload for %s failed: %s", table.c_str(), error.c_str());
  std::lock_guard lock(mutex_);
  last_error_ = error;
}

void Flusher::upload(SpoolDb& db) {
  auto later = [this](std::int64_t failed_at, std::int64_t wait) {
    return steady_ms() < failed_at + (waiting_.load() ? std::min(wait, kHurryMs) : wait);
  };
  if (failures_ && later(failed_at_, wait_ms_)) return;
  std::vector<SealedRow> pending;
  {
    ForkHold hold;
    pending = db.pending();
  }
  for (const SealedRow& row : pending) {
    if (stop_->cancelled()) return;
    auto waits = [&](const std::string& what) {
      auto blocked = blocked_.find(what);
      return blocked != blocked_.end() && later(blocked->second, kBackoffCapMs);
    };
    const std::string declaration = row.table + "\n" + row.declared;
    if (waits(declaration) || waits(row.file)) continue;
    try {
      upload_one(db, row);
      failures_ = 0;
      blocked_.erase(declaration);
      blocked_.erase(row.file);
    } catch (const Error& e) {
      if (stop_->cancelled()) return;
      ForkHold hold;
      if (!sqlite3_get_autocommit(db.db().get())) throw;
      std::string path = spool_.sealed_directory() + "/" + row.file;
      if (!file_exists(path)) {
        if (!db.is_pending(row.seq)) continue;  // another process stored it
        db.set_lost(row.seq);
        failed(db, row.table, "spool: a sealed file vanished, and with it " + std::to_string(row.rows) + " rows: " + path);
        continue;
      }
      failed(db, row.table, e.what());
      bool own_trouble = e.code() == Code::kBadInput || e.code() == Code::kTooNew || e.code() == Code::kCorrupt;
      if (own_trouble) {
        // A file's own trouble keeps no other from being stored.
        blocked_[e.code() == Code::kCorrupt ? row.file : declaration] = steady_ms();
        continue;
      }
      wait_ms_ = backoff_ms(failures_++);
      failed_at_ = steady_ms();
      return;
    }
  }
}

// Whoever only writes is told of a newer schema too: asked for now and then, and a store that does not let us read it keeps no row waiting.
void Flusher::learn_schema(SpoolDb& db, const TableDef& table) {
  std::int64_t& looked = looked_.try_emplace(table.name, steady_ms()).first->second;
  if (steady_ms() - looked > kLookMs) {
    looked = steady_ms();
    try {
      table.archive->look(table.archive->newest(), spool_.store(), table.directory, stop_.get());
    } catch (const Error& e) {
      if (e.code() != Code::kForbidden) throw;
    }
  }
  ArchiveSchemaPtr newest = table.archive->newest();
  if (!newest) return;
  ForkHold hold;
  auto known = db.archive_schema(table.name);
  if (!known || known->number < newest->number) db.remember_archive(table.name, newest->number, schema_to_json(newest->schema));
}

void Flusher::upload_one(SpoolDb& db, const SealedRow& row) {
  TablePtr def;
  bool checked;
  {
    ForkHold hold;
    def = table(db, {row.table, row.declared});
    checked = db.archive_checked(row.table, row.declared);
  }
  TS_FAILPOINT("upload.begin");
  if (!checked) {
    def->archive->offer(settle_archive_schema(spool_.store(), *def, stop_.get()));
    TS_FAILPOINT("upload.schema");
    ForkHold hold;
    db.set_archive_checked(row.table, row.declared);
    looked_[row.table] = steady_ms();
  }
  learn_schema(db, *def);
  std::string path = spool_.sealed_directory() + "/" + row.file;
  MappedFile file(path);
  check_pages(file.bytes(), path);  // what a disk has changed since it was sealed shall not look like the archive's
  {
    ForkHold hold;
    db.set_attempted(row.seq);
  }
  TS_FAILPOINT("upload.attempted");
  PutResult put = spool_.store().put_if_absent(row.key, file.bytes(), stop_.get());
  static std::once_flag once;
  std::call_once(once, stop_flushers_at_exit);
  TS_FAILPOINT("upload.put");
  if (!put.stored) {
    // The name holds an id that nobody else knows, so what lies there is our own earlier attempt. Looked at where we may. The id of an
    // import follows from what was imported, so the same rows lie there, in a file that another version of SQLite may have written.
    try {
      Range there = spool_.store().get_range(row.key, "", 0, file.bytes().size() + 1, stop_.get());
      if (there.bytes != file.bytes() && !is_import_key(row.key)) {
        throw Error(Code::kCorrupt, "upload: another object of this name lies there already: " + object_name(spool_.store(), row.key) +
                                        "; the rows stay in the spool");
      }
      put.etag = there.etag;
    } catch (const Error& e) {
      if (e.code() != Code::kForbidden) throw;
    }
  }
  {
    ForkHold hold;
    bool first = db.set_stored(row.seq, put.etag, now_ms());
    TS_FAILPOINT("upload.stored");
    if (first) db.count_upload(row.table, now_ms());
  }
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
    TS_FAILPOINT("retire.begin");
    remove_open_files(path);
    db.set_files_gone(row.id);
    TS_FAILPOINT("retire.files_gone");
  }
  for (const SealedRow& row : db.stored_with_files()) {
    const std::string path = spool_.sealed_directory() + "/" + row.file;
    if (!spool_.store().adopt(row.key, row.etag, path)) remove_file(path);
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

// ---------------------------------------------------------------- expire

// Not before the archive is known to be what was declared.
bool Flusher::may_expire(SpoolDb& db, const TableDef& table) {
  {
    ForkHold hold;
    if (db.archive_checked(table.name)) return true;
  }
  const auto archive = read_archive_schema(spool_.store(), table.directory, stop_.get());
  if (!archive) return false;
  check_archive_schema(spool_.store(), table, archive->schema);
  ForkHold hold;
  db.set_archive_checked(table.name);
  return true;
}

// One partition of each table at a time, so that uploads go on in between.
void Flusher::expire(SpoolDb& db) {
  for (const auto& [name, retention] : spool_.retentions()) {
    Old& old = old_[name];
    if (stop_->cancelled() || (old.partitions.empty() && steady_ms() < old.next_ms)) continue;
    try {
      TablePtr def;
      {
        ForkHold hold;
        def = table(db, {name, ""});
      }
      Expiry expiry(spool_.store(), *def, "retention", retention.grace_ms);
      if (old.partitions.empty()) {
        constexpr std::size_t kMostPartitions = 1000;
        old.next_ms = steady_ms() + kExpireMs;
        if (!may_expire(db, *def)) continue;
        const std::int64_t before = convert_precision(now_ms() - retention.keep_ms, Precision::kMillis, def->schema.precision);
        old.partitions = expiry.old_partitions(before, kMostPartitions, stop_.get());
        std::reverse(old.partitions.begin(), old.partitions.end());
      }
      if (old.partitions.empty()) continue;
      TS_FAILPOINT("retention.begin");
      const OldPartition gone = expiry.expire(old.partitions.back(), now_ms(), stop_.get());
      old.partitions.pop_back();
      if (gone.files) {
        sqlite3_log(SQLITE_NOTICE, "timeseries: retention of %s: partition %s has expired, %lld files with %lld rows", name.c_str(),
                    gone.name.c_str(), static_cast<long long>(gone.files), static_cast<long long>(gone.rows));
      }
    } catch (const Error& e) {
      if (stop_->cancelled()) return;
      ForkHold hold;
      if (!sqlite3_get_autocommit(db.db().get())) throw;
      old = {{}, steady_ms() + kBackoffCapMs};
      failed(db, name, std::string("retention: ") + e.what());
    }
  }
}

// ---------------------------------------------------------------- flush and stop

std::int64_t Flusher::flush(SpoolDb& db, const std::string& table, std::int64_t timeout_ms, const Cancel& cancel, const Watch& watch) {
  SpoolState state = db.state();
  struct Wanted {
    std::int64_t id;
    std::int64_t upto;  // this transaction and all before it
  };
  std::vector<Wanted> wanted;
  std::int64_t last_id = 0;
  for (const OpenRow& row : state.open) {
    std::int64_t upto = INT64_MAX;
    try {
      upto = static_cast<std::int64_t>(std::min<std::uint64_t>(committed(row), INT64_MAX));
    } catch (const Error&) {
      // Retired in this instant, or in trouble: the flusher decides, and we wait for that.
    }
    if (upto <= row.sealed_upto) continue;
    wanted.push_back({row.id, upto});
    last_id = std::max(last_id, row.id);
  }
  std::set<std::int64_t> files;
  for (const SealedRow& row : state.sealed) {
    if (row.table == table) files.insert(row.seq);
  }
  for (std::int64_t seen = rotate_upto_.load(); seen < last_id && !rotate_upto_.compare_exchange_weak(seen, last_id);) {
  }
  struct Waiting {
    std::atomic<int>& count;
    explicit Waiting(std::atomic<int>& c) : count(c) { count++; }
    ~Waiting() { count--; }
  } waiting(waiting_);
  start();
  wake();

  // Another process may do the work: what spool.db says is progress too.
  std::size_t sealed = 0, left = SIZE_MAX;
  std::uint64_t most_bytes = 0;
  std::uint64_t progress = progress_count_.load();
  std::int64_t progress_at = steady_ms();
  for (;;) {
    for (; sealed < wanted.size() && db.is_sealed(wanted[sealed].id, wanted[sealed].upto); sealed++) {
      for (std::int64_t seq : db.files_from(table, wanted[sealed].id)) {
        if (seq > state.last_seq) files.insert(seq);
      }
      progress_at = steady_ms();
    }
    if (sealed == wanted.size()) {
      std::size_t pending = 0;
      std::uint64_t bytes = 0;
      for (const SealedRow& row : db.pending()) {
        if (!files.count(row.seq)) continue;
        pending++;
        bytes += static_cast<std::uint64_t>(row.bytes);
      }
      most_bytes = std::max(most_bytes, bytes);
      if (pending == 0) return static_cast<std::int64_t>(files.size());
      if (pending < left) progress_at = steady_ms();
      left = pending;
      if (watch) watch(static_cast<std::int64_t>(files.size()), static_cast<std::int64_t>(files.size() - pending), most_bytes - bytes);
    } else if (watch) {
      watch(0, 0, 0);
    }
    if (cancel.cancelled()) throw Error(Code::kInterrupted, "interrupted");
    std::uint64_t now = progress_count_.load();
    if (now != progress) {
      progress = now;
      progress_at = steady_ms();
    }
    std::unique_lock lock(mutex_);
    if (steady_ms() - progress_at >= timeout_ms) {
      std::string why = !last_error_.empty() ? last_error_ : !pass_error_.empty() ? pass_error_ : db.status(table).last_error;
      if (why.empty()) why = sealed < wanted.size() ? "a process of this spool is stopped in the middle of a step"
                                                          : "no answer yet from " + spool_.store().describe();
      throw Error(Code::kUnavailable, "ts_flush: gave up after " + std::to_string(timeout_ms) +
                                          " ms without progress (flush_timeout); the rows are safe in the spool " + spool_.directory() +
                                          " and will be stored when the cause is gone: " + why);
    }
    progress_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

std::string Flusher::last_error() {
  std::lock_guard lock(mutex_);
  return last_error_.empty() ? pass_error_ : last_error_;
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
    spool_.let_others_lead();
    if (policy == OnClose::kNever) return;
    auto db = spool_.connect();
    bool everything = policy == OnClose::kAlways;
    bool unfinished = running && failures_ == 0 && !db->pending().empty();
    stop_->deadline = steady_ms() + flush_timeout_ms_;
    stop_->stopped = false;
    if (everything) failures_ = seal_failures_ = 0, blocked_.clear();
    if (everything || unfinished || due(*db)) {
      stuck_.clear();
      rotate(*db, everything);
      seal(*db);
      upload(*db);
      retire_files(*db);
    } else if (running) {
      retire_files(*db);
    }
    stop_->stopped = true;
  } catch (const std::exception& e) {
    sqlite3_log(SQLITE_WARNING, "timeseries: at close: %s; the rows stay in the spool %s", e.what(), spool_.directory().c_str());
    stop_->stopped = true;
  }
}

}  // namespace ts
