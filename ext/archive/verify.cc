// Listing the objects, and looking into each.
#include "ext/archive/verify.h"

#include <algorithm>

#include "ext/archive/listing.h"
#include "ext/archive/partition_commit.h"
#include "ext/archive/shard_files.h"
#include "ext/archive/shard_rows.h"

namespace ts {

// ---------------------------------------------------------------- the walk

ArchiveWalk::ArchiveWalk(Store& store, const TableDef& table, std::string start_after)
    : store_(store), table_(table), start_(std::max(std::move(start_after), table.directory + "/")), after_(start_) {}

std::vector<Verdict> ArchiveWalk::next(std::size_t most, const Cancel* cancel) {
  std::vector<Verdict> found;
  while (at_ == page_.size()) {
    if (!more_) {
      name_missing(table_.directory + "0", found, cancel);
      return found;
    }
    ListPage listed = store_.list(table_.directory + "/", after_, cancel);
    check_listing(store_, listed, table_.directory + "/", after_);
    more_ = listed.more;
    page_ = std::move(listed.objects);
    at_ = 0;
    if (!page_.empty()) after_ = page_.back().key;
  }
  for (; found.size() < most && at_ < page_.size(); at_++) {
    Verdict verdict;
    verdict.object = page_[at_];
    verdict.listed = classify_key(verdict.object.key, table_);
    name_missing(verdict.object.key, found, cancel);
    const std::string border = partition_border(table_, verdict.object.key);
    if (border != verdict.object.key) look_up(border.substr(table_.directory.size() + 1), cancel);
    place(verdict, cancel);
    found.push_back(std::move(verdict));
  }
  return found;
}

// The record of the partition that the walk comes to. Where it cannot be read its own place says why, and no file of it is dead.
void ArchiveWalk::look_up(const std::string& partition, const Cancel* cancel) {
  if (record_ && record_->partition == partition) return;
  MergeRecord record;
  record.partition = partition;
  try {
    record = PartitionCommits(store_, table_, "ts_verify").read(partition, cancel);
  } catch (const Error& e) {
    if (e.code() != Code::kCorrupt && e.code() != Code::kTooNew && e.code() != Code::kChanged) throw;
  }
  record_ = std::move(record);
  live_ = 0;
  auto begun = [&] { return live_ < record_->live.size() && merged_file_key(table_, record_->live[live_].name) <= start_; };
  while (begun()) live_++;
}

// Live merged files that should have been listed before a key. A newer record may have replaced one since.
void ArchiveWalk::name_missing(const std::string& upto, std::vector<Verdict>& found, const Cancel* cancel) {
  for (; record_ && live_ < record_->live.size(); live_++) {
    const MergedFile& file = record_->live[live_];
    const std::string key = merged_file_key(table_, file.name);
    if (key >= upto) return;
    if (PartitionCommits(store_, table_, "ts_verify").read(record_->partition, cancel).is_dead(file.name.id)) continue;
    Verdict verdict;
    verdict.listed = {ListedKey::Kind::kMerged, file.name};
    try {
      const Range there = store_.get_range(key, "", 0, 1, cancel);  // stored since it was listed
      verdict.object = {key, there.object_size, there.etag};
    } catch (const Error& e) {
      if (e.code() != Code::kNotFound) throw;
      verdict.object = {key, file.size, file.etag};
      verdict.state = "missing";
      verdict.problem = "the partition's merge record " + std::to_string(record_->sequence) + " names it and it is not there: queries fail";
    }
    found.push_back(std::move(verdict));
  }
}

// Facts about ranges, of a file that counts.
void ArchiveWalk::follow(Verdict& found) {
  const ShardName& name = found.listed.name;
  std::erase_if(ends_, [&](std::int64_t end) { return end < name.start; });  // starts ascend, but for merged files
  found.overlaps = static_cast<std::int64_t>(ends_.size());
  if (!first_) found.gap = name.start > latest_ ? name.start - latest_ : 0;
  ends_.push_back(name.end);
  latest_ = first_ ? name.end : std::max(latest_, name.end);
  first_ = false;
}

// What the listing and the partition's record tell.
void ArchiveWalk::place(Verdict& found, const Cancel* cancel) {
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
    case ListedKey::Kind::kRecord:
      try {
        read_merge_record(store_, table_, record_->partition, found.object, cancel);
      } catch (const Error& e) {
        if (e.code() != Code::kCorrupt && e.code() != Code::kTooNew) throw;
        found.state = e.code() == Code::kTooNew ? "newer" : "damaged";
        found.problem = e.what();
      }
      return;
    case ListedKey::Kind::kShard:
    case ListedKey::Kind::kMerged: break;
  }
  if (const DeadNames* death = record_->death(ulid_bits(name.id))) {
    found.state = "dead";
    found.problem = "it was merged or has expired, and does not count; to be removed from " +
                    format_timestamp(death->remove_from_ms, Precision::kMillis) + " on";
    return;
  }
  if (found.listed.kind == ListedKey::Kind::kMerged) {
    const auto& live = record_->live;
    if (live_ == live.size() || merged_file_key(table_, live[live_].name) != found.object.key) {
      found.state = "unnamed";
      found.problem = "no record names it, and it does not count: a merge is under way, or came to nothing";
      return;
    }
    if (found.object.size != live[live_].size) {
      found.state = "damaged";
      found.problem = "it has " + std::to_string(found.object.size) + " bytes where the partition's merge record says " +
                      std::to_string(live[live_].size);
    }
    live_++;
  }
  follow(found);
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
