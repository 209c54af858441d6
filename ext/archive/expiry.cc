// Which partitions are old, and their last record.
#include "ext/archive/expiry.h"

#include <algorithm>

#include "ext/archive/listed_key.h"
#include "ext/archive/listing.h"
#include "ext/base/failpoint.h"

namespace ts {

std::vector<std::string> Expiry::old_partitions(std::int64_t before, std::size_t most, const Cancel* cancel) {
  std::vector<std::string> found;
  const Schema& schema = table_.schema;
  // The first partition that has younger rows: it, and what sorts behind it, is never looked at.
  const std::string end = table_.directory + "/" +
                          partition_name(std::clamp(before, table_.min_time, table_.max_time), schema.precision, schema.partition);
  const std::string prefix = table_.directory + "/";
  std::string after = prefix;
  for (bool more = true; more && after < end;) {
    const ListPage page = store_.list(prefix, after, cancel);
    check_listing(store_, page, prefix, after);
    for (const ObjectInfo& object : page.objects) {
      after = object.key;
      if (after >= end) return found;
      const ListedKey::Kind kind = classify_key(object.key, table_).kind;
      if (kind != ListedKey::Kind::kShard && kind != ListedKey::Kind::kMerged) continue;
      std::string partition = partition_border(table_, object.key).substr(prefix.size());
      if (!found.empty() && found.back() == partition) continue;
      if (found.size() == most) return found;
      found.push_back(std::move(partition));
    }
    more = page.more;
  }
  return found;
}

OldPartition Expiry::count(const std::string& partition, const PartitionFiles& files) {
  OldPartition old{partition};
  auto add = [&](const ShardName& name, std::uint64_t bytes) {
    old.files++;
    old.rows += name.rows;
    old.bytes += bytes;
  };
  for (const PartitionFiles::File& file : files.shards) {
    if (!files.record.is_dead(file.name.id)) add(file.name, file.object.size);
  }
  for (const MergedFile& file : files.record.live) add(file.name, file.size);
  return old;
}

OldPartition Expiry::look(const std::string& partition, const Cancel* cancel) {
  return count(partition, list_partition(store_, table_, partition, cancel));
}

OldPartition Expiry::expire(const std::string& partition, std::int64_t now_ms, const Cancel* cancel) {
  OldPartition old{partition};
  for (;;) {
    const PartitionFiles files = list_partition(store_, table_, partition, cancel);
    TS_FAILPOINT("expire.listed");
    old = count(partition, files);
    if (old.files == 0) break;
    std::vector<UlidBits> ids;
    for (const PartitionFiles::File& file : files.shards) ids.push_back(ulid_bits(file.name.id));
    for (const MergedFile& file : files.record.live) ids.push_back(ulid_bits(file.name.id));
    MergeRecord last = files.record.next(new_ulid());
    last.bury(std::move(ids), now_ms + grace_ms_);
    if (commits_.commit(files.record, last, cancel)) break;
  }
  TS_FAILPOINT("expire.declared");
  old.removed = sweep_partition(store_, table_, commits_, partition, now_ms, std::max(grace_ms_, kUnnamedMs), cancel).files;
  return old;
}

}  // namespace ts
