// spool.db: the only truth about what lies in a spool. Each transition of a shard is one transaction here.
//
//   open_shard: open -> rotated -> retired -> (row removed a day later)      files go after `retired` has committed
//               sealed_upto: its transactions up to this one are in sealed files although it is not retired
//   sealed:     sealed -> attempted -> stored -> (row removed a day later)   attempted: a PUT may have reached the store
//
// One SpoolDb is one connection, used by one thread at a time. Writers use synchronous=FULL: what is unlinked after a
// transition must never come back to life after a power loss.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ext/base/fork.h"
#include "ext/base/sqlite.h"

namespace ts {

struct OpenRow {
  std::int64_t id = 0;
  std::string file;
  std::string state;
  std::int64_t created_ms = 0;
  std::int64_t sealed_upto = 0;
};

// What a seal took from an open shard: transactions after..upto, or (whole) all that is left in it.
struct SealedFrom {
  std::int64_t id = 0;
  std::int64_t after = 0, upto = 0;
  bool whole = true;
};

struct SealedRow {
  std::int64_t seq = 0;
  std::string table;
  std::string key;   // of the object: table directory / partition / name
  std::string file;  // in <spool>/sealed
  std::int64_t rows = 0, bytes = 0;
  std::string state;
  std::string etag;
  std::string declared = "";  // which of its table's declarations it was written by
};

// A declaration of a table that writers of this spool have made.
struct DeclaredRow {
  std::string table;
  std::string declared;  // "": the first
};

struct ArchiveRow {
  std::int64_t number = 0;
  std::string schema_json;
};

// What one table's rows in this spool are, read in one transaction.
struct SpoolState {
  std::vector<OpenRow> open;      // open and rotated ones, newest first: readers must pin them in this order
  std::vector<SealedRow> sealed;  // not yet stored, of every table
  std::int64_t last_seq = 0;      // sealed files with a larger number are younger than this state
};

struct TableStatus {
  std::int64_t uploads = 0, upload_errors = 0, last_upload_ms = 0;
  std::string last_error;
};

class SpoolDb {
 public:
  static constexpr std::int64_t kKeepMs = 24 * 3600 * 1000;  // lineage of stored files: longer than any statement lists

  // Opens or creates; `location` must be the one it was created for.
  SpoolDb(const std::string& directory, const std::string& location);

  SpoolState state();

  // Tables, and how they are declared: the first declaration is of no number, later ones that differ have an id (table_def.h).
  std::string schema_json(const std::string& table, const std::string& declared = "");  // "" when unknown
  void remember_schema(const std::string& table, const std::string& json, const std::string& declared = "");
  bool archive_checked(const std::string& table, const std::string& declared = "");
  void set_archive_checked(const std::string& table, const std::string& declared = "");
  std::vector<std::string> tables();
  std::vector<DeclaredRow> declarations();
  // The newest schema of its archive that anybody here has seen.
  std::optional<ArchiveRow> archive_schema(const std::string& table);
  void remember_archive(const std::string& table, std::int64_t number, const std::string& json);
  TableStatus status(const std::string& table);
  void count_upload(const std::string& table, std::int64_t now_ms);
  void count_error(const std::string& table, const std::string& error);

  // open shards. add_open calls `lock(id)` inside the transaction, so that nobody sees the shard without its owner.
  // `durable`: survives power loss; otherwise nobody has to wait for the disk while spool.db is locked.
  std::int64_t add_open(const std::string& file, std::int64_t now_ms, bool durable, const std::function<void(std::int64_t)>& lock);
  void set_rotated(std::int64_t id);
  std::vector<OpenRow> open_rows(const char* state);  // oldest first
  bool is_retired(std::int64_t id);                   // or gone
  bool is_sealed(std::int64_t id, std::int64_t upto);  // its transactions up to this one are in sealed files
  void set_vanished(std::int64_t id, std::int64_t now_ms);  // its files are gone without our doing

  // One transaction: the rows of `shards` now live in `files`. false: somebody else was first, nothing changed.
  bool seal(const std::vector<SealedFrom>& shards, std::vector<SealedRow>& files, std::int64_t now_ms);

  // One transaction: files that came from no open shard. Returns those whose key is known already, which were not added. One whose
  // earlier file was lost takes its place.
  std::vector<SealedRow> add_sealed(std::vector<SealedRow>& files);

  // sealed files
  std::vector<SealedRow> pending();  // sealed and attempted, oldest first
  std::vector<SealedRow> rows_of(const std::string& table, const char* state);
  std::vector<std::string> keys_after(const std::string& table, std::int64_t seq);
  bool remembers_since(std::int64_t seq);  // none with a larger number has been purged
  // Those up to `upto` that are stored and, when `seq` was the last number, were not: either larger, or one of `waiting`. nullopt: some
  // of them have been purged.
  std::optional<std::vector<SealedRow>> stored_since(const std::string& table, std::int64_t seq, const std::vector<std::int64_t>& waiting,
                                                     std::int64_t upto);
  std::vector<std::int64_t> files_from(const std::string& table, std::int64_t shard);
  bool is_pending(std::int64_t seq);
  void set_attempted(std::int64_t seq);
  bool set_stored(std::int64_t seq, const std::string& etag, std::int64_t now_ms);  // false: it was already
  void set_lost(std::int64_t seq);                                                 // the local file is gone without our doing
  bool knows_sealed_file(const std::string& file);
  bool knows_open_file(const std::string& file);

  // Retired shards and stored files whose local files have not been removed yet.
  std::vector<OpenRow> retired_with_files();
  void set_files_gone(std::int64_t id);
  std::vector<SealedRow> stored_with_files();
  void set_local_gone(std::int64_t seq);
  void purge(std::int64_t now_ms);

  Database& db() { return db_; }
  void abandon() noexcept;

 private:
  Statement& cached(const char* sql);
  void insert_sealed(SealedRow& row);
  std::vector<OpenRow> read_open(Statement& rows);
  std::vector<SealedRow> read_sealed(Statement& rows);
  template <class Body>
  void transaction(Body&& body);

  void create(const std::string& directory, const std::string& location);
  void add_declarations();

  ForkedFile forked_;
  Database db_;
  std::map<std::string, Statement> statements_;
};

}  // namespace ts
