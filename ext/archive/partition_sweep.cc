// Listing a partition; declaring, proving, removing.
#include "ext/archive/partition_sweep.h"

#include <algorithm>
#include <iterator>

#include "ext/archive/listed_key.h"
#include "ext/base/failpoint.h"

namespace ts {
namespace {

template <class Each>
void list_folder(Store& store, const std::string& prefix, const Cancel* cancel, Each&& each) {
  std::string after;
  for (bool more = true; more;) {
    const ListPage page = store.list(prefix, after, cancel);
    check_listing(store, page, prefix, after);
    for (const ObjectInfo& object : page.objects) each(object);
    if (!page.objects.empty()) after = page.objects.back().key;
    more = page.more;
  }
}

const PartitionFiles::File* find_file(const std::vector<PartitionFiles::File>& files, const std::string& key) {
  auto found = std::find_if(files.begin(), files.end(), [&](const PartitionFiles::File& file) { return file.object.key == key; });
  return found == files.end() ? nullptr : &*found;
}

[[noreturn]] void refuse_live(const Store& store, const TableDef& table, const MergeRecord& record, const MergedFile& file) {
  throw Error(Code::kCorrupt, "archive: merge record " + std::to_string(record.sequence) + " of partition " + record.partition +
                                  " names a file that is not in the store as it says; nothing of the partition is removed: " +
                                  object_name(store, merged_file_key(table, file.name)));
}

// What a merge has left behind: in merged/, and no record speaks of it.
std::vector<UlidBits> left_behind(const PartitionFiles& files, std::int64_t before_ms) {
  std::vector<UlidBits> ids;
  for (const PartitionFiles::File& file : files.merged) {
    const auto& live = files.record.live;
    const bool named = std::any_of(live.begin(), live.end(), [&](const MergedFile& m) { return m.name.id == file.name.id; });
    if (!named && !files.record.is_dead(file.name.id) && ulid_time_ms(file.name.id) < before_ms) ids.push_back(ulid_bits(file.name.id));
  }
  return ids;
}

// Asked of the store itself, after the record was read: a cache would have what is gone. False: there is a newer record by now.
bool prove_live(Store& store, const TableDef& table, PartitionCommits& commits, const MergeRecord& record,
                const Cancel* cancel) {
  if (record.live.empty()) return true;
  std::vector<PartitionFiles::File> there;
  list_folder(store, table.directory + "/" + record.partition + "/merged/", cancel,
              [&](const ObjectInfo& object) { there.push_back({object, {}}); });
  for (const MergedFile& file : record.live) {
    const PartitionFiles::File* found = find_file(there, merged_file_key(table, file.name));
    if (found && found->object.size == file.size && found->object.etag == file.etag) continue;
    if (commits.read(record.partition, cancel).sequence != record.sequence) return false;
    refuse_live(store, table, record, file);
  }
  return true;
}

}  // namespace

std::vector<PartitionFiles::File> PartitionFiles::counting(const Store& store, const TableDef& table) const {
  std::vector<File> files;
  std::copy_if(shards.begin(), shards.end(), std::back_inserter(files), [this](const File& file) { return !record.is_dead(file.name.id); });
  for (const MergedFile& live : record.live) {
    const File* found = find_file(merged, merged_file_key(table, live.name));
    if (!found || found->object.size != live.size) refuse_live(store, table, record, live);
    files.push_back(*found);
  }
  return files;
}

namespace {

PartitionFiles list_once(Store& store, const TableDef& table, const std::string& partition, const Cancel* cancel) {
  PartitionFiles files;
  files.record.partition = partition;
  ObjectInfo highest;
  list_folder(store, table.directory + "/" + partition + "/", cancel, [&](const ObjectInfo& object) {
    const ListedKey listed = classify_key(object.key, table);
    switch (listed.kind) {
      case ListedKey::Kind::kShard: return files.shards.push_back({object, listed.name});
      case ListedKey::Kind::kMerged: return files.merged.push_back({object, listed.name});
      case ListedKey::Kind::kRecord: highest = object; return;
      case ListedKey::Kind::kReserved:
        throw Error(Code::kTooNew,
                    "archive: written by a newer version (unknown object " + object_name(store, object.key) + "); upgrade timeseries");
      case ListedKey::Kind::kContradiction:
        throw Error(Code::kCorrupt, "archive: a shard's name contradicts itself or its partition: " + object_name(store, object.key));
      default: return;
    }
  });
  if (!highest.key.empty()) files.record = read_merge_record(store, table, partition, highest, cancel);
  return files;
}

bool all_live_listed(const PartitionFiles& files, const TableDef& table) {
  const auto& live = files.record.live;
  return std::all_of(live.begin(), live.end(),
                     [&](const MergedFile& file) { return find_file(files.merged, merged_file_key(table, file.name)) != nullptr; });
}

}  // namespace

PartitionFiles list_partition(Store& store, const TableDef& table, const std::string& partition, const Cancel* cancel) {
  for (;;) {
    PartitionFiles files = list_once(store, table, partition, cancel);
    // Between a record's page and that of a live file somebody may have replaced and removed it.
    if (all_live_listed(files, table)) return files;
    if (PartitionCommits(store, table, "archive").read(partition, cancel).sequence == files.record.sequence) return files;
  }
}

Swept sweep_partition(Store& store, const TableDef& table, PartitionCommits& commits, const std::string& partition, std::int64_t now_ms,
                      std::int64_t unnamed_ms, const Cancel* cancel) {
  PartitionFiles files = list_partition(store, table, partition, cancel);
  TS_FAILPOINT("sweep.listed");
  for (auto ids = left_behind(files, now_ms - unnamed_ms); !ids.empty(); ids = left_behind(files, now_ms - unnamed_ms)) {
    MergeRecord next = files.record.next(new_ulid());
    next.bury(std::move(ids), now_ms);
    if (commits.commit(files.record, next, cancel)) {
      files.record = std::move(next);
    } else {
      files = list_partition(store, table, partition, cancel);
    }
    TS_FAILPOINT("sweep.declared");
  }
  std::vector<const PartitionFiles::File*> due;
  for (const auto* list : {&files.shards, &files.merged}) {
    for (const PartitionFiles::File& file : *list) {
      const DeadNames* death = files.record.death(ulid_bits(file.name.id));
      if (death && death->remove_from_ms <= now_ms) due.push_back(&file);
    }
  }
  Swept swept;
  if (due.empty()) return swept;
  if (!prove_live(store, table, commits, files.record, cancel)) return swept;  // whoever wrote that sees to the rest
  TS_FAILPOINT("sweep.proved");
  for (const PartitionFiles::File* file : due) {
    store.remove(file->object.key, cancel);
    swept.files++;
    swept.bytes += file->object.size;
    TS_FAILPOINT("sweep.removed");
  }
  return swept;
}

}  // namespace ts
