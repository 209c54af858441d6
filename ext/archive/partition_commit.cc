// The proof, the read and the commit.
#include "ext/archive/partition_commit.h"

#include "ext/archive/archive_schema.h"
#include "ext/archive/listed_key.h"
#include "ext/base/failpoint.h"

namespace ts {
namespace {

// A 412 after a lost reply may be read back as our own success, the bytes being the same: once by bad luck, not three times.
constexpr int kProofs = 3;

}  // namespace

void prove_conditional_put(Store& store, const std::string& table_directory, const std::string& what, const Cancel* cancel) {
  const std::string archive = object_name(store, table_directory);
  const std::string key = highest_schema_key(store, table_directory, cancel);
  if (key.empty()) throw Error(Code::kNotFound, what + ": there is no table yet at " + archive);
  const std::string bytes = store.get_range(key, "", 0, kMaxSchemaBytes, cancel).bytes;
  for (int i = 0; i < kProofs; i++) {
    if (!store.put_if_absent(key, bytes, cancel).stored) return;
  }
  throw Error(Code::kUnsupported, what + ": the store overwrites an object although asked not to (it ignores or refuses If-None-Match: *), "
                                         "so two machines could undo each other's work; use a store with conditional PUTs: " +
                                      archive);
}

MergeRecord read_merge_record(Store& store, const TableDef& table, const std::string& partition, const ObjectInfo& object,
                              const Cancel* cancel) {
  const std::string name = object_name(store, object.key);
  if (object.size > kMaxRecordBytes) throw Error(Code::kCorrupt, "merge record: is larger than 32 MiB: " + name);
  const auto sequence = merge_record_sequence(object.key.substr(object.key.rfind('/') + 1));
  Range there = store.get_range(object.key, object.etag, 0, kMaxRecordBytes + 1, cancel);
  return merge_record_from_json(there.bytes, table, partition, sequence.value_or(0), name);
}

MergeRecord PartitionCommits::read(const std::string& partition, const Cancel* cancel) {
  const std::string folder = table_.directory + "/" + partition + "/", prefix = folder + "merge-";
  ObjectInfo highest;
  std::string after;
  for (bool more = true; more;) {
    ListPage page = store_.list(prefix, after, cancel);
    check_listing(store_, page, prefix, after);
    for (const ObjectInfo& object : page.objects) {
      if (!merge_record_sequence(object.key.substr(folder.size()))) {
        throw Error(Code::kTooNew,
                    "archive: written by a newer version (unknown object " + object_name(store_, object.key) + "); upgrade timeseries");
      }
    }
    if (!page.objects.empty()) highest = page.objects.back(), after = highest.key;
    more = page.more;
  }
  if (!highest.key.empty()) return read_merge_record(store_, table_, partition, highest, cancel);
  MergeRecord none;
  none.partition = partition;
  return none;
}

std::string PartitionCommits::id_in_store(const MergeRecord& record, const std::string& key, const Cancel* cancel) {
  Range there = store_.get_range(key, "", 0, kMaxRecordBytes + 1, cancel);
  return merge_record_from_json(there.bytes, table_, record.partition, record.sequence, object_name(store_, key)).id;
}

bool PartitionCommits::commit(const MergeRecord& before, const MergeRecord& next, const Cancel* cancel) {
  check_successor(before, next);
  const std::string bytes = merge_record_to_json(next, table_), key = merge_record_key(table_, next.partition, next.sequence);
  if (!proved_) prove_conditional_put(store_, table_.directory, what_, cancel);
  proved_ = true;
  TS_FAILPOINT("merge.commit");
  try {
    if (store_.put_if_absent(key, bytes, cancel).stored) {
      TS_FAILPOINT("merge.committed");
      return true;
    }
  } catch (const Error& e) {
    if (e.code() != Code::kUnavailable) throw;
    try {
      return id_in_store(next, key, cancel) == next.id;  // what lies there tells, if anything does
    } catch (const Error&) {
      // Nothing that can be read: whether it arrives is not known.
    }
    throw;
  }
  return id_in_store(next, key, cancel) == next.id;  // ours, if an earlier reply was lost
}

}  // namespace ts
