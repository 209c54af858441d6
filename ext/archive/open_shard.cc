// Open shards: marks, the writer's transactions, the reader's pinned view, the fence.
#include "ext/archive/open_shard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ext/base/failpoint.h"
#include "ext/base/file.h"

namespace ts {

void Mark::create(const std::string& path) {
  std::string page(kBytes, '\0');
  std::memcpy(page.data(), kMagic, 8);
  write_file(path, page);
}

Mark::Mark(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) throw_errno("cannot open", path);
  struct stat found;
  bool whole = ::fstat(fd, &found) == 0 && found.st_size >= static_cast<off_t>(kBytes);
  void* data = whole ? ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  int error = errno;
  ::close(fd);
  if (!whole) throw Error(Code::kCorrupt, "spool: not a mark file: " + path);
  if (data == MAP_FAILED) {
    errno = error;
    throw_errno("cannot map", path);
  }
  page_ = static_cast<Page*>(data);
  if (std::memcmp(page_->magic, kMagic, 8) != 0) {
    ::munmap(data, kBytes);
    throw Error(Code::kCorrupt, "spool: not a mark file: " + path);
  }
}

Mark::~Mark() {
  if (page_) ::munmap(page_, kBytes);
}

void Mark::sync() const noexcept { ::msync(page_, kBytes, MS_SYNC); }

Visibility visibility_of(const Mark& mark, bool owner_alive, std::uint64_t sealed_upto) {
  Visibility v;
  v.after = sealed_upto;
  v.without = mark.aborted().load(std::memory_order_acquire);
  v.upto = owner_alive ? mark.visible().load(std::memory_order_acquire) : INT64_MAX;
  return v;
}

std::string visibility_sql(const TableDef& table, const Visibility& visibility) {
  std::string column = quote_identifier(table.txn_column);
  std::string sql = " WHERE " + column + "<=" + std::to_string(visibility.upto);
  if (visibility.after) sql += " AND " + column + ">" + std::to_string(visibility.after);
  if (visibility.without) sql += " AND " + column + "<>" + std::to_string(visibility.without);
  return sql;
}

// ---------------------------------------------------------------- writer

void OpenShard::create_files(const std::string& directory, const std::string& file) {
  std::string path = directory + "/" + file;
  Mark::create(path + ".mark");
  {
    ForkedFile forked(path);
    Database db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    db.exec("PRAGMA page_size=4096");
    db.exec("PRAGMA synchronous=OFF");  // the whole file is synced below
    Statement wal = db.prepare("PRAGMA journal_mode=WAL");
    if (!wal.step() || wal.text(0) != "wal") {
      throw Error(Code::kUnsupported, "spool: no write-ahead log on this file system: " + directory +
                                          "; choose a local directory with spool='/path'");
    }
    int ignored = 0;
    sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
  }
  // After SQLite has closed it: closing another descriptor would drop its locks. With durability='normal' too, since a shard of
  // which only the name is left could not be read, and would stand in the way of every query.
  sync_file(path);
  sync_directory(directory);
}

OpenShard::OpenShard(const std::string& directory, const std::string& file, std::int64_t id, bool durable)
    : file_(file), id_(id), durable_(durable), mark_(directory + "/" + file + ".mark"), forked_(directory + "/" + file),
      db_(directory + "/" + file, SQLITE_OPEN_READWRITE) {
  int ignored = 0;
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
  db_.exec("PRAGMA wal_autocheckpoint=0");
  db_.exec(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  begin_ = db_.prepare("BEGIN IMMEDIATE");
  commit_ = db_.prepare("COMMIT");
  rollback_ = db_.prepare("ROLLBACK");
  txn_ = std::max({mark_.visible().load(), mark_.aborted().load(), last_transaction(db_)}) + 1;
}

bool OpenShard::begin() {
  int rc = sqlite3_step(begin_.get());
  sqlite3_reset(begin_.get());
  if ((rc & 0xff) == SQLITE_BUSY) return false;
  if (rc != SQLITE_DONE) throw_sqlite(db_.get(), rc, "spool: cannot write to " + file_);
  if (mark_.fenced().load(std::memory_order_acquire)) {
    rollback_.run();
    return false;
  }
  open_ = true;
  return true;
}

OpenShard::PerTable& OpenShard::table(const TablePtr& def) {
  PerTable& entry = tables_[def->open_name];
  if (entry.def == def || (entry.def && entry.insert)) return entry;
  int columns = static_cast<int>(def->schema.columns.size());
  std::string buffer = "rows" + std::to_string(columns);
  if (!buffer_tables_[columns]) {
    register_buffer_table(db_.get(), buffer, columns, &view_);
    buffer_tables_[columns] = true;
  }
  db_.exec("CREATE TABLE IF NOT EXISTS " + quote_identifier(def->open_name) + "(" + quote_identifier(def->txn_column) + " INTEGER, " +
           shard_columns_sql(def->schema) + ")");
  entry.insert = db_.prepare("INSERT INTO main." + quote_identifier(def->open_name) + " SELECT ?1, * FROM " + buffer);
  entry.def = def;
  return entry;
}

void OpenShard::insert(const TablePtr& def, const RowBuffer& rows) {
  if (rows.rows() == 0) return;
  if (undone()) throw Error(Code::kIo, "spool: an earlier error undid this transaction; roll it back");
  PerTable& entry = table(def);
  view_ = BufferView{&rows, nullptr, 0, rows.rows()};
  entry.insert.bind(1, static_cast<std::int64_t>(txn_));
  entry.insert.step();
  sqlite3_reset(entry.insert.get());
  if (entry.rows_before < 0) {
    entry.rows_before = sqlite3_last_insert_rowid(db_.get()) - static_cast<std::int64_t>(rows.rows());
  }
}

void OpenShard::truncate(const TableDef& def, std::int64_t keep) {
  auto found = tables_.find(def.open_name);
  if (found == tables_.end()) return;
  Statement remove = db_.prepare("DELETE FROM main." + quote_identifier(def.open_name) + " WHERE rowid>?1");
  remove.bind(1, keep);
  remove.run();
}

void OpenShard::prepare() {
  int rc = sqlite3_step(commit_.get());
  sqlite3_reset(commit_.get());
  if (rc != SQLITE_DONE) {
    in_doubt_ = true;
    throw_sqlite(db_.get(), rc, "spool: cannot write to " + file_);
  }
  open_ = false;
  prepared_ = true;
}

void OpenShard::publish(std::int64_t now_ms) noexcept {
  if (!prepared_) return;
  if (mark_.first_commit_ms().load(std::memory_order_relaxed) == 0) mark_.first_commit_ms().store(now_ms);
  mark_.visible().store(txn_, std::memory_order_release);
  txn_++;
  prepared_ = false;
  for (auto& [name, entry] : tables_) entry.rows_before = -1;
}

bool OpenShard::abort() noexcept {
  try {
    if (open_) {
      open_ = false;
      if (in_doubt_) mark_.aborted().store(txn_, std::memory_order_release), mark_.sync();
      tables_.clear();  // a table that the transaction created is gone again
      if (!sqlite3_get_autocommit(db_.get())) rollback_.run();
      return !in_doubt_;
    }
    if (!prepared_) return true;
    prepared_ = false;
    mark_.aborted().store(txn_, std::memory_order_release);
    txn_++;
    TS_FAILPOINT("abort.marked");
    sqlite3_busy_timeout(db_.get(), 1000);
    db_.exec("BEGIN IMMEDIATE");
    for (auto& [name, entry] : tables_) {
      if (entry.rows_before < 0) continue;
      Statement remove = db_.prepare("DELETE FROM main." + quote_identifier(name) + " WHERE rowid>?1");
      remove.bind(1, entry.rows_before);
      remove.run();
      entry.rows_before = -1;
    }
    db_.exec("COMMIT");
    TS_FAILPOINT("abort.removed");
    sqlite3_busy_timeout(db_.get(), 0);
    return true;
  } catch (...) {
    if (db_ && !sqlite3_get_autocommit(db_.get())) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    mark_.sync();  // all that says so
    return false;
  }
}

void OpenShard::abandon() noexcept {
  // A statement's destructor would touch the connection: leak them with it.
  for (auto& [name, entry] : tables_) new Statement(std::move(entry.insert));
  new Statement(std::move(begin_));
  new Statement(std::move(commit_));
  new Statement(std::move(rollback_));
  db_.abandon();
}

// ---------------------------------------------------------------- reader

OpenShardReader::OpenShardReader(const std::string& directory, const std::string& file, std::int64_t id)
    : file_(file), id_(id), mark_(directory + "/" + file + ".mark"), forked_(directory + "/" + file),
      db_(directory + "/" + file, SQLITE_OPEN_READONLY) {
  int ignored = 0;
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
  sqlite3_busy_timeout(db_.get(), 1000);  // only ever another reader's recovery of a dead process's log
}

void OpenShardReader::pin(const Visibility& visibility) {
  unpin();
  visibility_ = visibility;
  db_.exec("BEGIN");
  pinned_ = true;
  db_.exec("SELECT 1 FROM sqlite_schema LIMIT 1");
}

void OpenShardReader::unpin() noexcept {
  if (pinned_) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  pinned_ = false;
}

bool OpenShardReader::has_table(const TableDef& table) {
  Statement find = db_.prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?1");
  find.bind(1, std::string_view(table.open_name));
  return find.step();
}

std::vector<std::string> OpenShardReader::declarations(const std::string& table_name) {
  std::vector<std::string> found;
  Statement tables = db_.prepare("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name");
  while (tables.step()) {
    if (auto declared = declaration_of(tables.text(0), table_name)) found.push_back(std::move(*declared));
  }
  return found;
}

// ---------------------------------------------------------------- rotation

bool fence_shard(const std::string& directory, const std::string& file, int wait_ms) {
  Mark mark(directory + "/" + file + ".mark");
  if (mark.fenced().load(std::memory_order_acquire)) return true;
  ForkedFile forked(directory + "/" + file);
  Database db(directory + "/" + file, SQLITE_OPEN_READWRITE);
  int ignored = 0;
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
  sqlite3_busy_timeout(db.get(), wait_ms);
  int rc = sqlite3_exec(db.get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  if ((rc & 0xff) == SQLITE_BUSY) return false;
  if (rc != SQLITE_OK) throw_sqlite(db.get(), rc, "spool: cannot rotate " + file);
  mark.fenced().store(1, std::memory_order_release);
  TS_FAILPOINT("rotate.fenced");
  db.exec("ROLLBACK");
  return true;
}

void remove_open_files(const std::string& path) {
  remove_file(path);
  TS_FAILPOINT("retire.main_removed");
  for (const char* suffix : {"-wal", "-shm", ".mark"}) {
    remove_file(path + suffix);
    TS_FAILPOINT("retire.removed");
  }
}

std::uint64_t last_transaction(Database& db) {
  std::uint64_t last = 0;
  Statement tables = db.prepare("SELECT name FROM sqlite_schema WHERE type='table'");
  while (tables.step()) {
    // Transactions only grow, so the last row has the largest number; the first column is the number.
    Statement row = db.prepare("SELECT * FROM " + quote_identifier(tables.text(0)) + " ORDER BY rowid DESC LIMIT 1");
    if (row.step()) last = std::max(last, static_cast<std::uint64_t>(row.int64(0)));
  }
  return last;
}

}  // namespace ts
