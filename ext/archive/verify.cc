// Listing the objects, and looking into each.
#include "ext/archive/verify.h"

#include <algorithm>

#include "ext/archive/shard_files.h"
#include "ext/archive/shard_rows.h"

namespace ts {

// ---------------------------------------------------------------- the walk

ArchiveWalk::ArchiveWalk(Store& store, const TableDef& table, std::string start_after)
    : store_(store), table_(table), after_(std::max(std::move(start_after), table.directory + "/")) {}

std::vector<Verdict> ArchiveWalk::next(std::size_t most, const Cancel* cancel) {
  while (at_ == page_.size()) {
    if (!more_) return {};
    ListPage listed = store_.list(table_.directory + "/", after_, cancel);
    check_listing(store_, listed, table_.directory + "/", after_);
    more_ = listed.more;
    page_ = std::move(listed.objects);
    at_ = 0;
    if (!page_.empty()) after_ = page_.back().key;
  }
  std::vector<Verdict> found;
  for (; found.size() < most && at_ < page_.size(); at_++) {
    Verdict verdict;
    verdict.object = page_[at_];
    verdict.listed = classify_key(verdict.object.key, table_);
    place(verdict);
    found.push_back(std::move(verdict));
  }
  return found;
}

// What the listing alone tells.
void ArchiveWalk::place(Verdict& found) {
  const ShardName& name = found.listed.name;
  switch (found.listed.kind) {
    case ListedKey::Kind::kSchema: return;
    case ListedKey::Kind::kForeign:
      found.state = "foreign";
      found.problem = "its name is no shard's: queries leave it out";
      return;
    case ListedKey::Kind::kReserved:
      found.state = "newer";
      found.problem = "a newer version wrote it: queries fail until timeseries is upgraded";
      return;
    case ListedKey::Kind::kContradiction:
      found.state = "damaged";
      found.problem = "its name contradicts itself or its partition: every query fails that lists it";
      return;
    case ListedKey::Kind::kShard: break;
  }
  std::erase_if(ends_, [&](std::int64_t end) { return end < name.start; });  // starts ascend
  found.overlaps = static_cast<std::int64_t>(ends_.size());
  if (!first_) found.gap = name.start > latest_ ? name.start - latest_ : 0;
  ends_.push_back(name.end);
  latest_ = first_ ? name.end : std::max(latest_, name.end);
  first_ = false;
}

// ---------------------------------------------------------------- one shard

namespace {

// Every page as SQLite reads it, its checksum included (remote_vfs.h), and the trees of all tables.
void check_structure(Database& db, Verdict& verdict, const std::string& object) {
  auto refuse = [&](const std::string& why) { throw Error(Code::kCorrupt, "shard: " + why + ": " + object); };
  auto number = [&](const char* name) {
    Statement get = db.prepare(std::string("PRAGMA ") + name);
    return get.step() ? get.int64(0) : 0;
  };
  verdict.pages = number("page_count");
  auto bytes = static_cast<std::uint64_t>(verdict.pages * number("page_size"));
  if (bytes != verdict.object.size) {
    refuse("has " + std::to_string(verdict.object.size) + " bytes where its header says " + std::to_string(bytes));
  }
  Statement check = db.prepare("PRAGMA integrity_check(1)");
  std::string said = check.step() ? check.text(0) : "nothing";
  if (said != "ok") refuse("integrity_check says " + said);
  int reserved = -1;  // asks
  verdict.checksums = sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) == SQLITE_OK &&
                      reserved == static_cast<int>(kPageChecksumBytes);
}

// Every value is decoded, also of columns that the table does not have any more; number and range of the rows are what the name says.
void check_rows(ShardFile& file, const ShardName& name, const std::string& object, const Cancel* cancel) {
  const TablePtr& table = file.columns()->file;
  const ColumnMapPtr own = same_columns(table);
  std::unique_ptr<PackedShard> packed;
  if (file.packed()) packed = std::make_unique<PackedShard>(file.db(), table, own, object, file.packed()->remote());
  AllRows all(file.db(), packed.get(), *own);
  RowBuffer rows(static_cast<int>(table->schema.columns.size()));
  std::int64_t count = 0, first = INT64_MAX, last = INT64_MIN;
  while (all.next(rows)) {
    if (cancel && cancel->cancelled()) throw Error(Code::kInterrupted, "ts_verify: interrupted");
    for (std::size_t row = 0; row < rows.rows(); row++) {
      Cell time = rows.cell(row, table->schema.time_column);
      if (time.type != SQLITE_INTEGER) throw Error(Code::kCorrupt, "shard: a row without a time: " + object);
      first = std::min(first, time.integer);
      last = std::max(last, time.integer);
    }
    count += static_cast<std::int64_t>(rows.rows());
  }
  auto demand = [&](const char* what, std::int64_t found, std::int64_t said) {
    if (found == said) return;
    throw Error(Code::kCorrupt, "shard: its " + std::string(what) + " is " + std::to_string(found) + " where its name says " +
                                    std::to_string(said) + ": " + object);
  };
  demand("number of rows", count, name.rows);
  demand("first time", first, name.start);
  demand("last time", last, name.end);
}

}  // namespace

void verify_shard(const std::shared_ptr<Store>& store, const TablePtr& table, Verdict& verdict, const Cancel* cancel) {
  const ShardName& name = verdict.listed.name;
  const ObjectInfo& object = verdict.object;
  std::string full_name = object_name(*store, object.key);
  try {
    ShardFile file(store, table, {object.key, object.etag, "", object.size, name.start, name.end, name.rows}, cancel);
    try {
      check_structure(file.db(), verdict, full_name);
      check_rows(file, name, full_name, cancel);
    } catch (const Error& e) {
      file.explain(e);
    }
  } catch (const Error& e) {
    switch (e.code()) {
      case Code::kCorrupt:
      case Code::kUnsupported: verdict.state = "damaged"; break;  // the latter: a file in WAL mode
      case Code::kTooNew: verdict.state = "newer"; break;
      case Code::kChanged:
      case Code::kNotFound: verdict.state = "gone"; break;
      default: throw;
    }
    verdict.problem = e.what();
  }
}

}  // namespace ts
