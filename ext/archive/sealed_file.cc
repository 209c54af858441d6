// Creating, describing and opening sealed shards.
#include "ext/archive/sealed_file.h"

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>

#include "ext/base/file.h"

namespace ts {
namespace {

constexpr std::string_view kChecksum = "cksumvfs";  // in timeseries_meta: what the reserved bytes of each page are

}  // namespace

int plain_page_size(std::size_t bytes) { return bytes >= (20u << 20) ? 65536 : bytes >= (1u << 20) ? 16384 : 4096; }

void put_meta(Database& db, const TableDef& table, const std::string& partition, const ShardName& name, int format) {
  Statement put = db.prepare("INSERT INTO timeseries_meta VALUES(?1,?2)");
  auto text = [&](std::string_view key, std::string_view value) {
    put.bind(1, key).bind(2, value);
    put.run();
  };
  auto number = [&](std::string_view key, std::int64_t value) {
    put.bind(1, key).bind(2, value);
    put.run();
  };
  number("format", format);
  text("table", table.name);
  text("partition", partition);
  text("precision", precision_text(table.schema.precision));
  text("time_column", table.schema.columns[static_cast<std::size_t>(table.schema.time_column)].name);
  number("start", name.start);
  number("end", name.end);
  number("rows", name.rows);
  text("writer", name.writer);
  text("id", name.id);
  text("schema", schema_to_json(table.schema));
  text("checksum", kChecksum);
}

Database create_sealed(const std::string& path, int page_size, int format) {
  Database db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  int reserved = kPageChecksumBytes;
  int rc = sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  if (rc != SQLITE_OK) throw_sqlite(db.get(), rc, "cannot reserve bytes for checksums in " + path);
  db.exec("PRAGMA page_size=" + std::to_string(page_size));
  db.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE");
  db.exec("PRAGMA application_id=" + std::to_string(kApplicationId));
  db.exec("PRAGMA user_version=" + std::to_string(format));
  return db;
}

void stamp_sealed(const std::string& path) {
  struct File {
    int fd;
    ~File() { ::close(fd); }
  } file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (file.fd < 0) throw_errno("cannot open", path);
  constexpr std::size_t kAtOnce = 1 << 20;  // whole pages of every size
  std::string bytes(std::min<std::uint64_t>(kAtOnce, file_size(path)), '\0');
  std::size_t page_bytes = 0;
  for (off_t at = 0;;) {
    ssize_t got = ::pread(file.fd, bytes.data(), bytes.size(), at);
    if (got < 0) throw_errno("cannot read", path);
    auto count = static_cast<std::size_t>(got);
    if (at == 0) page_bytes = has_page_checksums({bytes.data(), count}) ? page_bytes_of({bytes.data(), count}) : 0;
    if (page_bytes == 0 || count % page_bytes != 0) {
      throw Error(Code::kCorrupt, "seal: no file of whole pages with room for checksums: " + path);
    }
    if (count == 0) return;
    for (std::size_t page = 0; page < count; page += page_bytes) stamp_page(bytes.data() + page, page_bytes);
    if (::pwrite(file.fd, bytes.data(), count, at) != got) throw_errno("cannot write", path);
    at += got;
  }
}

void check_pages(std::string_view file, const std::string& object) {
  if (std::uint64_t page = damaged_page(file)) throw Error(Code::kCorrupt, "shard: " + damaged_page_text(page) + ": " + object);
}

namespace {

[[noreturn]] void refuse(Code code, const std::string& object, const std::string& why) {
  throw Error(code, "shard: " + why + ": " + object);
}

// Exactly the columns that the file says it has: a renamed, missing or computed one would answer with something else.
void check_columns(Database& db, const TableDef& table, const std::string& object) {
  const std::vector<Column>& columns = table.schema.columns;
  Statement info = db.prepare("PRAGMA main.table_xinfo(" + quote_identifier(table.name) + ")");
  constexpr int kName = 1, kType = 2, kHidden = 6;
  std::size_t at = 0;
  for (; info.step(); at++) {
    bool same = at < columns.size() && ::strcasecmp(info.text(kName).c_str(), columns[at].name.c_str()) == 0 &&
                ::strcasecmp(info.text(kType).c_str(), columns[at].type.c_str()) == 0 && info.int64(kHidden) == 0;
    std::string found = quote_identifier(info.text(kName));
    if (!same) refuse(Code::kCorrupt, object, "its table is not what its schema says, from column " + found + " on");
  }
  if (at != columns.size()) refuse(Code::kCorrupt, object, "its table lacks the column " + quote_identifier(columns[at].name));
}

std::int64_t pragma(Database& db, const char* name, const std::string& object) {
  try {
    Statement get = db.prepare(std::string("PRAGMA ") + name);
    return get.step() ? get.int64(0) : 0;
  } catch (const Error& e) {
    if (e.code() == Code::kCorrupt) refuse(Code::kCorrupt, object, "not an SQLite file, or damaged");
    throw;
  }
}

// Only an ordinary table may answer for the rows: no view, trigger or virtual table of a stranger runs here.
void check_tables(Database& db, const TableDef& table, const std::string& object) {
  Statement kind = db.prepare(
      "SELECT count(*), sum(type='table' AND rootpage>0 AND lower(name) IN (lower(?1),'timeseries_meta')),"
      " sum(type NOT IN ('table')) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  kind.bind(1, std::string_view(table.name));
  if (!kind.step() || kind.int64(0) != 2 || kind.int64(1) != 2) refuse(Code::kCorrupt, object, "does not hold the two tables of a shard");
}

// The first table that is read must be one.
void check_meta(Database& db, const std::string& object) {
  Statement find = db.prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND rootpage>0 AND lower(name)='timeseries_meta'");
  if (!find.step()) refuse(Code::kCorrupt, object, "does not hold the tables of a packed shard");
}

}  // namespace

SealedFile open_sealed(const std::string& uri, const TableDef& table, const std::string& key, const std::string& object,
                       const LookForSchema& look) {
  Database db(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  int ignored = 0;
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, &ignored);
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
  // Else a column that the file does not have would be read as a string: its own name, in every row.
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_DQS_DML, 0, &ignored);
  if (pragma(db, "application_id", object) != kApplicationId) refuse(Code::kCorrupt, object, "not a timeseries shard");
  std::int64_t version = pragma(db, "user_version", object);
  if (version > kFormatPacked) {
    refuse(Code::kTooNew, object, "written by a newer version (format " + std::to_string(version) + "); upgrade timeseries");
  }
  if (version != kFormatRows && version != kFormatPacked) {
    refuse(Code::kCorrupt, object, "unknown format version " + std::to_string(version));
  }
  db.exec("PRAGMA cell_size_check=ON");
  version == kFormatRows ? check_tables(db, table, object) : check_meta(db, object);

  Statement meta = db.prepare("SELECT value FROM main.timeseries_meta WHERE key=?1");
  auto value = [&](std::string_view name) {
    meta.reset();
    meta.bind(1, name);
    return meta.step() ? meta.text(0) : std::string();
  };
  // A header that says nothing of the checksums which the writer made would leave every page unchecked.
  int reserved = -1;  // asks
  if (value("checksum") == kChecksum && (sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK ||
                                         reserved != static_cast<int>(kPageChecksumBytes))) {
    refuse(Code::kCorrupt, object, "its header says that its pages have no checksums, timeseries_meta that they have");
  }
  const Schema& schema = table.schema;
  constexpr std::string_view kMerged = "/merged";
  auto slash = key.rfind('/');
  std::string folder = key.substr(0, slash);
  if (folder.ends_with(kMerged)) folder.resize(folder.size() - kMerged.size());
  std::string partition = folder.substr(folder.rfind('/') + 1);
  auto name = parse_shard_name(key.substr(slash + 1), schema.precision);
  auto demand = [&](std::string_view what, const std::string& expected) {
    std::string found = value(what);
    if (found != expected) {
      refuse(Code::kCorrupt, object, "timeseries_meta says " + std::string(what) + "=" + found + " where its name says " + expected);
    }
  };
  if (!name) refuse(Code::kCorrupt, object, "its name is no shard name");
  demand("table", table.name);
  demand("partition", partition);
  demand("precision", std::string(precision_text(schema.precision)));
  demand("start", std::to_string(name->start));
  demand("end", std::to_string(name->end));
  demand("rows", std::to_string(name->rows));
  ColumnMapPtr columns = map_columns(table, schema_from_json(value("schema"), object), object, look);
  if (version == kFormatRows) check_columns(db, *columns->file, object);
  return {std::move(db), static_cast<int>(version), std::move(columns)};
}

}  // namespace ts
