// spool.db: its schema and its transitions.
#include "ext/archive/spool_db.h"

#include <utility>

#include "ext/base/clock.h"
#include "ext/base/failpoint.h"

namespace ts {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS spool(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tab(
  name TEXT PRIMARY KEY, schema TEXT NOT NULL, checked INTEGER NOT NULL DEFAULT 0,
  uploads INTEGER NOT NULL DEFAULT 0, upload_errors INTEGER NOT NULL DEFAULT 0,
  last_error TEXT, last_upload_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open_shard(
  id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
  created_ms INTEGER NOT NULL, retired_ms INTEGER NOT NULL DEFAULT 0, files INTEGER NOT NULL DEFAULT 1,
  sealed_upto INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sealed(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, tab TEXT NOT NULL, key TEXT NOT NULL UNIQUE, file TEXT NOT NULL UNIQUE,
  rows INTEGER NOT NULL, bytes INTEGER NOT NULL, state TEXT NOT NULL, etag TEXT NOT NULL DEFAULT '',
  stored_ms INTEGER NOT NULL DEFAULT 0, local INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS sealed_state ON sealed(state, seq);
CREATE INDEX IF NOT EXISTS open_state ON open_shard(state, id);
CREATE TABLE IF NOT EXISTS source(seq INTEGER, shard INTEGER, PRIMARY KEY(shard, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS declared(
  tab TEXT, id TEXT, schema TEXT NOT NULL, checked INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(tab, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS archive(tab TEXT PRIMARY KEY, number INTEGER NOT NULL, schema TEXT NOT NULL) WITHOUT ROWID;
)sql";

constexpr const char* kFormat = "1";
constexpr int kBusyMs = 10'000;  // only other short transactions of this spool

}  // namespace

SpoolDb::SpoolDb(const std::string& directory, const std::string& location)
    : forked_(directory + "/spool.db"), db_(directory + "/spool.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
  sqlite3_busy_timeout(db_.get(), kBusyMs);
  // Becoming a WAL file is the one step that does not call the busy handler: several processes may begin at once.
  std::int64_t until = Clock::system().steady_ms() + kBusyMs;
  for (;;) {
    try {
      create(directory, location);
      break;
    } catch (const Error& e) {
      if (e.code() != Code::kBusy || Clock::system().steady_ms() > until) throw;
      Clock::system().sleep_ms(5);
    }
  }
  Statement get = db_.prepare("SELECT value FROM spool WHERE key=?1");
  get.bind(1, std::string_view("format"));
  if (!get.step() || get.text(0) != kFormat) {
    throw Error(Code::kTooNew, "spool: " + directory + " was made by another version of timeseries; choose another spool=");
  }
  get.reset();
  get.bind(1, std::string_view("location"));
  if (!get.step() || get.text(0) != location) {
    throw Error(Code::kBadInput, "spool: " + directory + " holds rows for " + get.text(0) + ", not for " + location +
                                     "; choose another spool= for this location");
  }
}

void SpoolDb::create(const std::string& directory, const std::string& location) {
  Statement wal = db_.prepare("PRAGMA journal_mode=WAL");
  if (!wal.step() || wal.text(0) != "wal") {
    throw Error(Code::kUnsupported, "spool: no write-ahead log on this file system: " + directory +
                                        "; choose a local directory with spool='/path'");
  }
  wal.reset();
  db_.exec("PRAGMA synchronous=FULL");
  Statement known = db_.prepare("SELECT 1 FROM sqlite_schema WHERE name='archive'");
  bool made = known.step();
  known.reset();
  if (made) return;
  transaction([&] {
    db_.exec(kSchema);
    add_declarations();
    Statement set = db_.prepare("INSERT OR IGNORE INTO spool VALUES('format',?1),('location',?2)");
    set.bind(1, std::string_view(kFormat)).bind(2, std::string_view(location));
    set.run();
  });
}

// A spool of before there could be several declarations of a table.
void SpoolDb::add_declarations() {
  Statement there = db_.prepare("SELECT 1 FROM pragma_table_info('sealed') WHERE name='declared'");
  if (!there.step()) db_.exec("ALTER TABLE sealed ADD COLUMN declared TEXT NOT NULL DEFAULT ''");
}

Statement& SpoolDb::cached(const char* sql) {
  Statement& statement = statements_[sql];
  if (!statement) statement = db_.prepare(sql);
  statement.reset();
  return statement;
}

template <class Body>
void SpoolDb::transaction(Body&& body) {
  db_.exec("BEGIN IMMEDIATE");
  try {
    body();
    db_.exec("COMMIT");
  } catch (...) {
    if (!sqlite3_get_autocommit(db_.get())) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

void SpoolDb::abandon() noexcept {
  for (auto& [sql, statement] : statements_) new Statement(std::move(statement));
  statements_.clear();
  db_.abandon();
}

std::vector<OpenRow> SpoolDb::read_open(Statement& rows) {
  std::vector<OpenRow> out;
  while (rows.step()) out.push_back({rows.int64(0), rows.text(1), rows.text(2), rows.int64(3), rows.int64(4)});
  rows.reset();
  return out;
}

std::vector<SealedRow> SpoolDb::read_sealed(Statement& rows) {
  std::vector<SealedRow> out;
  while (rows.step()) {
    out.push_back({rows.int64(0), rows.text(1), rows.text(2), rows.text(3), rows.int64(4), rows.int64(5), rows.text(6), rows.text(7),
                   rows.text(8)});
  }
  rows.reset();
  return out;
}

SpoolState SpoolDb::state() {
  SpoolState state;
  db_.exec("BEGIN");
  try {
    state.open = read_open(cached("SELECT id,file,state,created_ms,sealed_upto FROM open_shard WHERE state IN ('open','rotated')"
                                  " ORDER BY id DESC"));
    state.sealed = pending();
    Statement& last = cached("SELECT seq FROM sqlite_sequence WHERE name='sealed'");
    if (last.step()) state.last_seq = last.int64(0);
    last.reset();
    db_.exec("COMMIT");
  } catch (...) {
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  return state;
}

std::string SpoolDb::schema_json(const std::string& table, const std::string& declared) {
  Statement& get = cached("SELECT schema FROM tab WHERE name=?1 AND ?2='' UNION ALL SELECT schema FROM declared WHERE tab=?1 AND id=?2");
  get.bind(1, std::string_view(table)).bind(2, std::string_view(declared));
  std::string json = get.step() ? get.text(0) : "";
  get.reset();
  return json;
}

void SpoolDb::remember_schema(const std::string& table, const std::string& json, const std::string& declared) {
  if (declared.empty()) {
    Statement& set = cached("INSERT OR IGNORE INTO tab(name,schema) VALUES(?1,?2)");
    set.bind(1, std::string_view(table)).bind(2, std::string_view(json));
    set.run();
  } else {
    Statement& set = cached("INSERT OR IGNORE INTO declared(tab,id,schema) VALUES(?1,?2,?3)");
    set.bind(1, std::string_view(table)).bind(2, std::string_view(declared)).bind(3, std::string_view(json));
    set.run();
  }
}

bool SpoolDb::archive_checked(const std::string& table, const std::string& declared) {
  Statement& get = cached("SELECT checked FROM tab WHERE name=?1 AND ?2='' UNION ALL SELECT checked FROM declared WHERE tab=?1 AND id=?2");
  get.bind(1, std::string_view(table)).bind(2, std::string_view(declared));
  bool checked = get.step() && get.int64(0);
  get.reset();
  return checked;
}

void SpoolDb::set_archive_checked(const std::string& table, const std::string& declared) {
  if (declared.empty()) {
    Statement& set = cached("UPDATE tab SET checked=1 WHERE name=?1");
    set.bind(1, std::string_view(table));
    set.run();
  } else {
    Statement& set = cached("UPDATE declared SET checked=1 WHERE tab=?1 AND id=?2");
    set.bind(1, std::string_view(table)).bind(2, std::string_view(declared));
    set.run();
  }
}

std::vector<DeclaredRow> SpoolDb::declarations() {
  std::vector<DeclaredRow> found;
  Statement& rows = cached("SELECT name, '' FROM tab UNION ALL SELECT tab, id FROM declared ORDER BY 1, 2");
  while (rows.step()) found.push_back({rows.text(0), rows.text(1)});
  rows.reset();
  return found;
}

std::optional<ArchiveRow> SpoolDb::archive_schema(const std::string& table) {
  std::optional<ArchiveRow> found;
  Statement& get = cached("SELECT number,schema FROM archive WHERE tab=?1");
  get.bind(1, std::string_view(table));
  if (get.step()) found = ArchiveRow{get.int64(0), get.text(1)};
  get.reset();
  return found;
}

void SpoolDb::remember_archive(const std::string& table, std::int64_t number, const std::string& json) {
  Statement& set = cached("INSERT INTO archive(tab,number,schema) VALUES(?1,?2,?3)"
                          " ON CONFLICT(tab) DO UPDATE SET number=?2, schema=?3 WHERE number<?2");
  set.bind(1, std::string_view(table)).bind(2, number).bind(3, std::string_view(json));
  set.run();
}

std::vector<std::string> SpoolDb::tables() {
  std::vector<std::string> names;
  Statement& rows = cached("SELECT name FROM tab ORDER BY name");
  while (rows.step()) names.push_back(rows.text(0));
  rows.reset();
  return names;
}

TableStatus SpoolDb::status(const std::string& table) {
  TableStatus status;
  Statement& get = cached("SELECT uploads,upload_errors,last_upload_ms,last_error FROM tab WHERE name=?1");
  get.bind(1, std::string_view(table));
  if (get.step()) status = {get.int64(0), get.int64(1), get.int64(2), get.text(3)};
  get.reset();
  return status;
}

void SpoolDb::count_upload(const std::string& table, std::int64_t now_ms) {
  Statement& set = cached("UPDATE tab SET uploads=uploads+1, last_error=NULL, last_upload_ms=?2 WHERE name=?1");
  set.bind(1, std::string_view(table)).bind(2, now_ms);
  set.run();
}

void SpoolDb::count_error(const std::string& table, const std::string& error) {
  Statement& set = cached("UPDATE tab SET upload_errors=upload_errors+1, last_error=?2 WHERE name=?1");
  set.bind(1, std::string_view(table)).bind(2, std::string_view(error));
  set.run();
}

std::int64_t SpoolDb::add_open(const std::string& file, std::int64_t now_ms, bool durable, const std::function<void(std::int64_t)>& lock) {
  std::int64_t id = 0;
  if (!durable) db_.exec("PRAGMA synchronous=NORMAL");
  struct Full {
    sqlite3* db;
    ~Full() { sqlite3_exec(db, "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr); }
  } full{db_.get()};
  transaction([&] {
    Statement& add = cached("INSERT INTO open_shard(file,state,created_ms) VALUES(?1,'open',?2)");
    add.bind(1, std::string_view(file)).bind(2, now_ms);
    add.run();
    id = sqlite3_last_insert_rowid(db_.get());
    lock(id);
  });
  return id;
}

void SpoolDb::set_rotated(std::int64_t id) {
  Statement& set = cached("UPDATE open_shard SET state='rotated' WHERE id=?1 AND state='open'");
  set.bind(1, id);
  set.run();
}

std::vector<OpenRow> SpoolDb::open_rows(const char* state) {
  Statement& rows = cached("SELECT id,file,state,created_ms,sealed_upto FROM open_shard WHERE state=?1 ORDER BY id");
  rows.bind(1, std::string_view(state));
  return read_open(rows);
}

bool SpoolDb::is_retired(std::int64_t id) {
  Statement& get = cached("SELECT 1 FROM open_shard WHERE id=?1 AND state IN ('open','rotated')");
  get.bind(1, id);
  bool live = get.step();
  get.reset();
  return !live;
}

bool SpoolDb::is_sealed(std::int64_t id, std::int64_t upto) {
  Statement& get = cached("SELECT 1 FROM open_shard WHERE id=?1 AND state IN ('open','rotated') AND sealed_upto<?2");
  get.bind(1, id).bind(2, upto);
  bool waits = get.step();
  get.reset();
  return !waits;
}

void SpoolDb::set_vanished(std::int64_t id, std::int64_t now_ms) {
  Statement& set = cached("UPDATE open_shard SET state='retired', retired_ms=?2 WHERE id=?1 AND state IN ('open','rotated')");
  set.bind(1, id).bind(2, now_ms);
  set.run();
}

bool SpoolDb::seal(const std::vector<SealedFrom>& shards, std::vector<SealedRow>& files, std::int64_t now_ms) {
  bool ours = true;
  transaction([&] {
    for (const SealedFrom& shard : shards) {
      Statement& take = cached(shard.whole ? "UPDATE open_shard SET state='retired', retired_ms=?2"
                                             " WHERE id=?1 AND sealed_upto=?3 AND state='rotated'"
                                           : "UPDATE open_shard SET sealed_upto=?2"
                                             " WHERE id=?1 AND sealed_upto=?3 AND state IN ('open','rotated')");
      take.bind(1, shard.id).bind(2, shard.whole ? now_ms : shard.upto).bind(3, shard.after);
      take.run();
      ours = ours && sqlite3_changes(db_.get()) == 1;
    }
    if (!ours) {
      db_.exec("ROLLBACK; BEGIN");
      return;
    }
    for (SealedRow& row : files) {
      insert_sealed(row);
      for (const SealedFrom& shard : shards) {
        Statement& from = cached("INSERT INTO source(seq,shard) VALUES(?1,?2)");
        from.bind(1, row.seq).bind(2, shard.id);
        from.run();
      }
    }
    TS_FAILPOINT("seal.before_commit");
  });
  return ours;
}

void SpoolDb::insert_sealed(SealedRow& row) {
  Statement& add = cached("INSERT INTO sealed(tab,key,file,rows,bytes,state,declared) VALUES(?1,?2,?3,?4,?5,'sealed',?6)");
  add.bind(1, std::string_view(row.table)).bind(2, std::string_view(row.key)).bind(3, std::string_view(row.file));
  add.bind(4, row.rows).bind(5, row.bytes).bind(6, std::string_view(row.declared));
  add.run();
  row.seq = sqlite3_last_insert_rowid(db_.get());
}

std::vector<SealedRow> SpoolDb::add_sealed(std::vector<SealedRow>& files) {
  std::vector<SealedRow> known;
  transaction([&] {
    for (SealedRow& row : files) {
      Statement& find = cached("SELECT seq,state='lost' FROM sealed WHERE key=?1");
      find.bind(1, std::string_view(row.key));
      bool there = find.step(), lost = there && find.int64(1);
      row.seq = there ? find.int64(0) : 0;
      find.reset();
      if (lost) {
        Statement& again = cached("UPDATE sealed SET file=?2, bytes=?3, state='sealed', local=1 WHERE seq=?1");
        again.bind(1, row.seq).bind(2, std::string_view(row.file)).bind(3, row.bytes);
        again.run();
      } else if (there) {
        known.push_back(row);
      } else {
        insert_sealed(row);
      }
    }
  });
  return known;
}

std::vector<SealedRow> SpoolDb::pending() {
  return read_sealed(cached("SELECT seq,tab,key,file,rows,bytes,state,etag,declared FROM sealed WHERE state IN ('sealed','attempted')"
                            " ORDER BY seq"));
}

std::vector<SealedRow> SpoolDb::rows_of(const std::string& table, const char* state) {
  Statement& rows = cached("SELECT seq,tab,key,file,rows,bytes,state,etag,declared FROM sealed WHERE tab=?1 AND state=?2 ORDER BY seq");
  rows.bind(1, std::string_view(table)).bind(2, std::string_view(state));
  return read_sealed(rows);
}

std::vector<std::string> SpoolDb::keys_after(const std::string& table, std::int64_t seq) {
  std::vector<std::string> keys;
  Statement& rows = cached("SELECT key FROM sealed WHERE seq>?1 AND tab=?2");
  rows.bind(1, seq).bind(2, std::string_view(table));
  while (rows.step()) keys.push_back(rows.text(0));
  rows.reset();
  return keys;
}

bool SpoolDb::remembers_since(std::int64_t seq) {
  Statement& get = cached("SELECT (SELECT count(*) FROM sealed WHERE seq>?1)"
                          " >= coalesce((SELECT seq FROM sqlite_sequence WHERE name='sealed'),0)-?1");
  get.bind(1, seq);
  bool all = get.step() && get.int64(0);
  get.reset();
  return all;
}

std::optional<std::vector<SealedRow>> SpoolDb::stored_since(const std::string& table, std::int64_t seq,
                                                            const std::vector<std::int64_t>& waiting, std::int64_t upto) {
  constexpr const char* kLater = "SELECT seq,tab,key,file,rows,bytes,state,etag,declared FROM sealed WHERE seq>?1 AND seq<=?2 AND tab=?3";
  std::vector<SealedRow> found;
  auto add = [&](std::int64_t after, std::int64_t last) {
    Statement& rows = cached(kLater);
    rows.bind(1, after).bind(2, last).bind(3, std::string_view(table));
    const std::vector<SealedRow> here = read_sealed(rows);
    for (const SealedRow& row : here) {
      if (row.state == "stored") found.push_back(row);
    }
    return !here.empty();
  };
  for (std::int64_t one : waiting) {
    if (!add(one - 1, one)) return std::nullopt;
  }
  add(seq, upto);
  if (!remembers_since(seq)) return std::nullopt;
  return found;
}

std::vector<std::int64_t> SpoolDb::files_from(const std::string& table, std::int64_t shard) {
  std::vector<std::int64_t> out;
  Statement& rows = cached("SELECT s.seq FROM source f JOIN sealed s ON s.seq=f.seq WHERE f.shard=?1 AND s.tab=?2");
  rows.bind(1, shard).bind(2, std::string_view(table));
  while (rows.step()) out.push_back(rows.int64(0));
  rows.reset();
  return out;
}

bool SpoolDb::is_pending(std::int64_t seq) {
  Statement& get = cached("SELECT 1 FROM sealed WHERE seq=?1 AND state IN ('sealed','attempted')");
  get.bind(1, seq);
  bool pending = get.step();
  get.reset();
  return pending;
}

void SpoolDb::set_attempted(std::int64_t seq) {
  Statement& set = cached("UPDATE sealed SET state='attempted' WHERE seq=?1 AND state='sealed'");
  set.bind(1, seq);
  set.run();
}

bool SpoolDb::set_stored(std::int64_t seq, const std::string& etag, std::int64_t now_ms) {
  Statement& set = cached("UPDATE sealed SET state='stored', etag=?2, stored_ms=?3 WHERE seq=?1 AND state<>'stored'");
  set.bind(1, seq).bind(2, std::string_view(etag)).bind(3, now_ms);
  set.run();
  return sqlite3_changes(db_.get()) == 1;
}

void SpoolDb::set_lost(std::int64_t seq) {
  Statement& set = cached("UPDATE sealed SET state='lost', local=0 WHERE seq=?1 AND state IN ('sealed','attempted')");
  set.bind(1, seq);
  set.run();
}

bool SpoolDb::knows_sealed_file(const std::string& file) {
  Statement& get = cached("SELECT 1 FROM sealed WHERE file=?1");
  get.bind(1, std::string_view(file));
  bool known = get.step();
  get.reset();
  return known;
}

bool SpoolDb::knows_open_file(const std::string& file) {
  Statement& get = cached("SELECT 1 FROM open_shard WHERE file=?1");
  get.bind(1, std::string_view(file));
  bool known = get.step();
  get.reset();
  return known;
}

std::vector<OpenRow> SpoolDb::retired_with_files() {
  return read_open(cached("SELECT id,file,state,created_ms,sealed_upto FROM open_shard WHERE state='retired' AND files=1 ORDER BY id"));
}

void SpoolDb::set_files_gone(std::int64_t id) {
  Statement& set = cached("UPDATE open_shard SET files=0 WHERE id=?1 AND state='retired'");
  set.bind(1, id);
  set.run();
}

std::vector<SealedRow> SpoolDb::stored_with_files() {
  return read_sealed(cached("SELECT seq,tab,key,file,rows,bytes,state,etag,declared FROM sealed WHERE state='stored' AND local=1"
                            " ORDER BY seq"));
}

void SpoolDb::set_local_gone(std::int64_t seq) {
  Statement& set = cached("UPDATE sealed SET local=0 WHERE seq=?1 AND state='stored'");
  set.bind(1, seq);
  set.run();
}

void SpoolDb::purge(std::int64_t now_ms) {
  Statement& due = cached("SELECT EXISTS(SELECT 1 FROM sealed WHERE state='stored' AND local=0 AND stored_ms<?1)"
                          " OR EXISTS(SELECT 1 FROM open_shard WHERE state='retired' AND files=0 AND retired_ms<?1)");
  due.bind(1, now_ms - kKeepMs);
  bool any = due.step() && due.int64(0);
  due.reset();
  if (!any) return;
  transaction([&] {
    for (const char* sql : {"DELETE FROM sealed WHERE state='stored' AND local=0 AND stored_ms<?1",
                            "DELETE FROM source WHERE seq NOT IN (SELECT seq FROM sealed)",
                            "DELETE FROM open_shard WHERE state='retired' AND files=0 AND retired_ms<?1"
                            " AND id NOT IN (SELECT shard FROM source)"}) {
      Statement& remove = cached(sql);
      if (sqlite3_bind_parameter_count(remove.get())) remove.bind(1, now_ms - kKeepMs);
      remove.run();
    }
  });
}

}  // namespace ts
