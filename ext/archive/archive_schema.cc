// Reading, publishing and comparing the archive's schema objects.
#include "ext/archive/archive_schema.h"

namespace ts {

std::string highest_schema_key(Store& store, const std::string& directory, const Cancel* cancel) {
  std::string prefix = directory + "/schema-", highest, after;
  for (bool more = true; more;) {
    ListPage page = store.list(prefix, after, cancel);
    for (const ObjectInfo& object : page.objects) {
      std::string number = object.key.substr(prefix.size());
      bool known = number.size() == 11 && number.substr(6) == ".json" && number.find_first_not_of("0123456789") == 6;
      if (!known) {
        throw Error(Code::kTooNew, "archive: written by a newer version (unknown object " + object_name(store, object.key) +
                                       "); upgrade timeseries");
      }
      highest = after = object.key;
    }
    more = page.more && !page.objects.empty();
  }
  return highest;
}

std::optional<Schema> read_archive_schema(Store& store, const std::string& directory, const Cancel* cancel) {
  std::string key = highest_schema_key(store, directory, cancel);
  if (key.empty()) return std::nullopt;
  Range range = store.get_range(key, "", 0, kMaxSchemaBytes, cancel);
  if (range.object_size > kMaxSchemaBytes) throw Error(Code::kCorrupt, "archive: schema object too large: " + object_name(store, key));
  return schema_from_json(range.bytes, object_name(store, key));
}

void check_archive_schema(Store& store, const TableDef& table, const Schema& archive) {
  if (auto difference = contradiction(table.schema, archive)) {
    throw Error(Code::kBadInput, "archive: the declaration of " + table.name + " contradicts the archive at " +
                                     object_name(store, table.directory) + ": " + *difference +
                                     "; declare it as the archive does, or choose another table= or location=");
  }
}

void settle_archive_schema(Store& store, const TableDef& table, const Cancel* cancel) {
  try {
    if (auto archive = read_archive_schema(store, table.directory, cancel)) return check_archive_schema(store, table, *archive);
  } catch (const Error& e) {
    if (e.code() != Code::kForbidden) throw;
    store.put_if_absent(table.directory + "/schema-000001.json", schema_to_json(table.schema), cancel);
    return;
  }
  PutResult put = store.put_if_absent(table.directory + "/schema-000001.json", schema_to_json(table.schema), cancel);
  if (put.stored) return;
  // Another first writer was faster: its schema counts.
  auto archive = read_archive_schema(store, table.directory, cancel);
  if (archive) check_archive_schema(store, table, *archive);
}

}  // namespace ts
