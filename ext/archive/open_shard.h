// Open shards: the plain SQLite files (WAL) in which committed rows wait until they are sealed. One writer each.
//
// Two-phase: prepare() makes a transaction's rows durable, publish() makes them visible by one store in shared memory
// (it cannot fail), abort() takes prepared rows back. A prepared transaction of a dead process counts as committed
// unless its number stands in the abort mark. Rows carry their transaction's number; a reader takes those up to the
// watermark, and after what spool.db calls sealed already. Whoever rotates a shard sets its fence while holding the
// shard's write lock, and the writer looks at the fence while holding the same lock: after that instant nothing is added.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/buffer_table.h"
#include "ext/archive/table_def.h"
#include "ext/base/fork.h"
#include "ext/base/sqlite.h"

namespace ts {

// The shared-memory side of an open shard: <file>.mark, one page, mapped by writer, readers and rotators.
class Mark {
 public:
  static void create(const std::string& path);
  explicit Mark(const std::string& path);  // throws kNotFound when it is gone, kCorrupt when it is no mark
  ~Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  std::atomic<std::uint64_t>& visible() const { return page_->visible; }          // last visible transaction
  std::atomic<std::uint64_t>& aborted() const { return page_->aborted; }          // a prepared one that was taken back
  std::atomic<std::uint64_t>& fenced() const { return page_->fenced; }            // 1: closed to its writer
  std::atomic<std::int64_t>& first_commit_ms() const { return page_->first_ms; }  // 0: nothing committed yet
  void sync() const noexcept;  // what stands here survives power loss

 private:
  struct Page {
    char magic[8];
    std::atomic<std::uint64_t> visible, aborted, fenced;
    std::atomic<std::int64_t> first_ms;
  };
  static constexpr std::size_t kBytes = 4096;
  static constexpr char kMagic[9] = "tsmark01";
  Page* page_ = nullptr;
};

// Which rows of an open shard count.
struct Visibility {
  std::uint64_t after = 0;    // not transactions 1..after: they are in sealed files already
  std::uint64_t upto = 0;     // those up to this one
  std::uint64_t without = 0;  // but not this one
};
// The rule above. `owner_alive` must have been asked before this call, and this call made before the shard is read.
Visibility visibility_of(const Mark& mark, bool owner_alive, std::uint64_t sealed_upto);
// " WHERE <txn column> ..." for a table of an open shard.
std::string visibility_sql(const TableDef& table, const Visibility& visibility);

// The writer's side. Used by one thread at a time.
class OpenShard {
 public:
  // Makes the files <directory>/<file>, -wal, .mark. They survive power loss, as something that can be read.
  static void create_files(const std::string& directory, const std::string& file);
  // `durable`: its files and its line in spool.db survive power loss, and so does each of its commits.
  OpenShard(const std::string& directory, const std::string& file, std::int64_t id, bool durable = false);

  std::int64_t id() const { return id_; }
  const std::string& file() const { return file_; }
  const Mark& mark() const { return mark_; }
  Database& db() { return db_; }
  bool durable() const { return durable_; }

  // Opens a write transaction. false: the shard is fenced or somebody holds its lock; take another shard.
  bool begin();
  // Adds rows to the open transaction under the number the next publish() will show.
  void insert(const TablePtr& table, const RowBuffer& rows);
  // Removes what the open transaction added to `table` after its first `keep` rows. Only for a shard with no other rows.
  void truncate(const TableDef& table, std::int64_t keep);
  void prepare();   // commits the write transaction: durable, not yet visible
  void publish(std::int64_t now_ms) noexcept;
  // Undoes an open or prepared transaction. false: its rows are still there behind the abort mark; drop the shard.
  bool abort() noexcept;
  // SQLite undid the open transaction by itself (a full disk does that): all that is left is abort().
  bool undone() const { return open_ && sqlite3_get_autocommit(db_.get()); }
  void abandon() noexcept;  // in a forked child: forgets the handles without touching them

 private:
  struct PerTable {
    TablePtr def;
    Statement insert;
    std::int64_t rows_before = -1;  // largest rowid before the transaction; -1: not part of it
  };
  PerTable& table(const TablePtr& def);

  std::string file_;
  std::int64_t id_;
  bool durable_;
  Mark mark_;
  ForkedFile forked_;
  BufferView view_;  // before db_: the buffer tables of db_ read through it
  Database db_;
  std::map<std::string, PerTable> tables_;  // by open_name
  std::map<int, bool> buffer_tables_;  // by number of columns
  Statement begin_, commit_, rollback_;
  std::uint64_t txn_ = 1;
  bool open_ = false, prepared_ = false;
  bool in_doubt_ = false;  // a failed COMMIT may yet lie whole in the log and come to life when the log is recovered
};

// A reader's pinned view of an open shard. Used by one thread at a time.
class OpenShardReader {
 public:
  OpenShardReader(const std::string& directory, const std::string& file, std::int64_t id);
  std::int64_t id() const { return id_; }
  const std::string& file() const { return file_; }
  const Mark& mark() const { return mark_; }
  Database& db() { return db_; }
  void pin(const Visibility& visibility);  // begins the read transaction
  void unpin() noexcept;
  const Visibility& visibility() const { return visibility_; }
  bool has_table(const TableDef& table);
  std::vector<std::string> declarations(const std::string& table_name);  // those it has rows of (table_def.h), in one order

 private:
  std::string file_;
  std::int64_t id_;
  Mark mark_;
  ForkedFile forked_;
  Database db_;
  Visibility visibility_;
  bool pinned_ = false;
};

// Closes a shard to its writer. false: its lock was taken the whole time (a writer in the middle of a transaction).
bool fence_shard(const std::string& directory, const std::string& file, int wait_ms);

// Removes the files of an open shard, the main file first: without its log it would read as an empty shard.
void remove_open_files(const std::string& path);

// The largest transaction number in any table, also of transactions that are not visible.
std::uint64_t last_transaction(Database& db);

}  // namespace ts
