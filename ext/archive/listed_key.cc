// Reserved first, then the name, then what it says.
#include "ext/archive/listed_key.h"

namespace ts {

ListedKey classify_key(const std::string& key, const TableDef& table) {
  using Kind = ListedKey::Kind;
  const Schema& schema = table.schema;
  std::string below = key.substr(table.directory.size() + 1);
  if (is_reserved(below)) {
    bool schema_object = below.substr(0, 7) == "schema-" && below.find('/') == std::string::npos;
    return {schema_object ? Kind::kSchema : Kind::kReserved, {}};
  }
  auto slash = below.find('/');
  if (slash == std::string::npos || below.find('/', slash + 1) != std::string::npos) return {};
  std::string partition = below.substr(0, slash);
  auto name = parse_shard_name(below.substr(slash + 1), schema.precision);
  if (!name || !is_partition_name(partition, schema.partition)) return {};
  bool possible = name->start <= name->end && name->rows > 0 &&
                  partition_name(name->start, schema.precision, schema.partition) == partition &&
                  partition_name(name->end, schema.precision, schema.partition) == partition;
  return {possible ? Kind::kShard : Kind::kContradiction, *name};
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
