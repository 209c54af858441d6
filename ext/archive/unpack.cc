// Reading a shard by what it says of itself, and writing its rows.
#include "ext/archive/unpack.h"

#include <unistd.h>

#include <cerrno>

#include "ext/archive/plain_writer.h"
#include "ext/archive/sealed_file.h"
#include "ext/archive/shard_rows.h"
#include "ext/base/file.h"

namespace ts {
namespace {

// Table and name, out of the file: whoever downloaded it may have called it as he likes.
struct Identity {
  TablePtr table;
  std::string partition;
  ShardName name;
};

Identity identity_of(const std::string& path) {
  auto refuse = [&](const std::string& why) { throw Error(Code::kCorrupt, "ts_unpack: " + why + ": " + path); };
  Database db(immutable_uri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  int ignored = 0;
  sqlite3_db_config(db.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
  auto value = [&](const std::string& key) {
    try {
      Statement get = db.prepare("SELECT value FROM main.timeseries_meta WHERE key=?1");
      get.bind(1, std::string_view(key));
      if (get.step()) return get.text(0);
    } catch (const Error&) {
      refuse("not a timeseries shard");
    }
    refuse("its timeseries_meta has no " + key);
    return std::string();
  };
  auto number = [&](const std::string& key) {
    try {
      return static_cast<std::int64_t>(std::stoll(value(key)));
    } catch (const std::logic_error&) {
      refuse("its timeseries_meta has no number for " + key);
      return std::int64_t{0};
    }
  };
  Identity identity;
  identity.table = make_table_def(value("table"), schema_from_json(value("schema"), path));
  identity.partition = value("partition");
  identity.name = {number("start"), number("end"), number("rows"), value("writer"), value("id")};
  return identity;
}

std::int64_t copy_rows(SealedFile& from, const Identity& identity, const std::string& source, const std::string& path,
                       const std::function<void()>& check) {
  const TableDef& table = *identity.table;
  RowBuffer rows(static_cast<int>(table.schema.columns.size()));
  constexpr std::size_t kPlainBytes = 40;  // of a row, about
  PlainWriter to(path, table, identity.partition, identity.name, static_cast<std::size_t>(identity.name.rows) * kPlainBytes);
  std::int64_t count = 0;
  std::unique_ptr<PackedShard> packed;
  if (from.format == kFormatPacked) packed = std::make_unique<PackedShard>(from.db, identity.table, source);
  const ColumnMapPtr own = same_columns(identity.table);
  for (AllRows all(from.db, packed.get(), *own); all.next(rows);) {
    to.add(rows);
    count += static_cast<std::int64_t>(rows.rows());
    check();
  }
  to.finish();
  if (count == identity.name.rows) return count;
  throw Error(Code::kCorrupt,
              "ts_unpack: holds " + std::to_string(count) + " rows where it says " + std::to_string(identity.name.rows) + ": " + source);
}

}  // namespace

std::int64_t unpack_shard(const std::string& source, const std::string& target, const std::function<void()>& check) {
  if (!file_exists(source)) throw Error(Code::kNotFound, "ts_unpack: there is no such file: " + source);
  if (file_exists(target)) throw Error(Code::kBadInput, "ts_unpack: the target exists; choose a new name: " + target);
  Identity identity = identity_of(source);
  std::string key =
      identity.table->directory + "/" + identity.partition + "/" + format_shard_name(identity.name, identity.table->schema.precision);
  SealedFile from = open_sealed(immutable_uri(source), *identity.table, key, source);
  std::string temporary = target + ".unpacking";
  remove_file(temporary);
  try {
    std::int64_t rows = copy_rows(from, identity, source, temporary, check);
    sync_file(temporary);
    // A link, not a rename: a file that appeared meanwhile is not replaced.
    if (::link(temporary.c_str(), target.c_str()) != 0) throw_errno("ts_unpack: cannot create", target);
    remove_file(temporary);
    return rows;
  } catch (...) {
    remove_file(temporary);
    throw;
  }
}

}  // namespace ts
