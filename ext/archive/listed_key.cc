// Reserved first, then the name, then what it says.
#include "ext/archive/listed_key.h"

#include "ext/archive/merge_record.h"

namespace ts {

ListedKey classify_key(const std::string& key, const TableDef& table) {
  using Kind = ListedKey::Kind;
  const Schema& schema = table.schema;
  std::string below = key.substr(table.directory.size() + 1);
  constexpr std::string_view kMergedFolder = "merged/";
  const std::size_t slash = below.find('/');
  const std::string partition = below.substr(0, slash);
  std::string_view file = slash == std::string::npos ? std::string_view() : std::string_view(below).substr(slash + 1);
  Kind kind = Kind::kShard;
  if (is_reserved(below)) {
    if (slash == std::string::npos) return {below.starts_with("schema-") ? Kind::kSchema : Kind::kReserved, {}};
    if (!is_partition_name(partition, schema.partition)) return {Kind::kReserved, {}};
    if (auto sequence = merge_record_sequence(file)) return {Kind::kRecord, {}, *sequence};
    if (!file.starts_with(kMergedFolder)) return {Kind::kReserved, {}};
    file.remove_prefix(kMergedFolder.size());
    kind = Kind::kMerged;
  }
  const auto name = file.find('/') == std::string_view::npos ? parse_shard_name(file, schema.precision) : std::nullopt;
  if (!name || !is_partition_name(partition, schema.partition)) return {kind == Kind::kMerged ? Kind::kReserved : Kind::kForeign, {}};
  bool possible = name->start <= name->end && name->rows > 0 &&
                  partition_name(name->start, schema.precision, schema.partition) == partition &&
                  partition_name(name->end, schema.precision, schema.partition) == partition;
  return {possible ? kind : Kind::kContradiction, *name};
}

void check_listing(const Store& store, const ListPage& page, const std::string& prefix, const std::string& after) {
  const std::string* before = &after;
  for (const ObjectInfo& object : page.objects) {
    if (object.key <= *before) {
      throw Error(Code::kCorrupt, "list: the store's listing is out of order at " + object_name(store, object.key));
    }
    before = &object.key;
  }
  if (page.more && page.objects.empty()) {
    throw Error(Code::kCorrupt, "list: the store's listing makes no progress: " + object_name(store, prefix));
  }
}

}  // namespace ts
