// Reading, publishing and comparing the archive's schema objects.
#include "ext/archive/archive_schema.h"

#include <algorithm>

#include "ext/base/sql_tokens.h"
#include "ext/base/sqlite.h"

namespace ts {

namespace {

constexpr std::size_t kDigits = 6;

}  // namespace

std::string highest_schema_key(Store& store, const std::string& directory, const Cancel* cancel, std::string after) {
  std::string prefix = directory + "/schema-", highest;
  for (bool more = true; more;) {
    ListPage page = store.list(prefix, after, cancel);
    for (const ObjectInfo& object : page.objects) {
      std::string number = object.key.substr(prefix.size());
      bool known = number.size() == kDigits + 5 && number.substr(kDigits) == ".json" && number.find_first_not_of("0123456789") == kDigits;
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

std::string schema_key(const std::string& directory, std::int64_t number) {
  std::string digits = std::to_string(number);
  return directory + "/schema-" + std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits + ".json";
}

ArchiveSchemaPtr read_archive_schema(Store& store, const std::string& directory, const Cancel* cancel, const ArchiveSchemaPtr& known) {
  std::string key = highest_schema_key(store, directory, cancel, known ? schema_key(directory, known->number) : "");
  if (key.empty()) return known;
  Range range = store.get_range(key, "", 0, kMaxSchemaBytes, cancel);
  if (range.object_size > kMaxSchemaBytes) throw Error(Code::kCorrupt, "archive: schema object too large: " + object_name(store, key));
  auto read = std::make_shared<ArchiveSchema>();
  read->number = std::stoll(key.substr(key.size() - kDigits - 5, kDigits));
  read->schema = schema_from_json(range.bytes, object_name(store, key));
  return read;
}

// ---------------------------------------------------------------- what a process knows

ArchiveSchemaPtr KnownArchive::newest() const {
  std::lock_guard lock(mutex_);
  return newest_;
}

void KnownArchive::offer(const ArchiveSchemaPtr& schema) {
  std::lock_guard lock(mutex_);
  if (schema && (!newest_ || schema->number > newest_->number)) newest_ = schema;
}

ArchiveSchemaPtr KnownArchive::look(const ArchiveSchemaPtr& seen, Store& store, const std::string& directory, const Cancel* cancel) {
  std::lock_guard lock(asking_);
  ArchiveSchemaPtr known = newest();
  if (known && (!seen || known->number > seen->number)) return known;
  offer(read_archive_schema(store, directory, cancel, known));
  return newest();
}

// ---------------------------------------------------------------- tables that agree with it

void check_archive_schema(Store& store, const TableDef& table, const Schema& archive) {
  if (auto difference = contradiction(table.schema, archive)) {
    throw Error(Code::kBadInput,
                "archive: the declaration of " + table.name + " contradicts the archive at " + object_name(store, table.directory) + ": " +
                    *difference +
                    contradiction_remedy(table, archive, "; declare it as the archive does, or choose another table= or location="));
  }
}

std::string contradiction_remedy(const TableDef& table, const Schema& archive, const std::string& otherwise) {
  const Column* unknown = unknown_column(table.schema, archive);
  if (!unknown || unknown == &table.schema.columns[static_cast<std::size_t>(table.schema.time_column)]) return otherwise;
  return "; a column is added to an archive with SELECT ts_add_column(" + quote_literal(table.name) + ", " +
         quote_literal(column_text(*unknown)) + ") over a table that does not declare it; or leave it out";
}

std::optional<std::string> behind_archive(const TableDef& table, const ArchiveSchema& archive) {
  std::string news;
  auto tell = [&](const std::string& what) { news += (news.empty() ? "" : ", ") + what; };
  for (const Column& column : table.schema.columns) {
    const Column* known = known_column(archive.schema, column.name);
    if (!known) continue;
    if (known < archive.schema.columns.data() || known >= archive.schema.columns.data() + archive.schema.columns.size()) {
      tell("without " + in_quotes(column.name) + ", which was dropped");
    } else if (!same_word(known->name, column.name)) {
      tell("with " + in_quotes(column.name) + " renamed to " + in_quotes(known->name));
    }
  }
  for (const Column& column : archive.schema.columns) {
    if (column.added == 0) continue;
    const auto& declared = table.schema.columns;
    if (std::none_of(declared.begin(), declared.end(), [&](const Column& c) { return known_column(archive.schema, c.name) == &column; })) {
      tell("with " + column_text(column));
    }
  }
  if (news.empty()) return std::nullopt;
  return "archive: " + table.name + " has a newer schema in the archive, number " + std::to_string(archive.number) +
         ", than is declared here: " + news +
         "; rows go on being written and read as declared; declare the table anew, or without columns, to have the newer one";
}

ArchiveSchemaPtr settle_archive_schema(Store& store, const TableDef& table, const Cancel* cancel) {
  const std::string first = schema_key(table.directory, 1);
  auto agreed = [&](ArchiveSchemaPtr archive) {
    if (archive) check_archive_schema(store, table, archive->schema);
    return archive;
  };
  try {
    if (auto archive = read_archive_schema(store, table.directory, cancel)) return agreed(archive);
  } catch (const Error& e) {
    if (e.code() != Code::kForbidden) throw;
    store.put_if_absent(first, schema_to_json(table.schema), cancel);
    return nullptr;
  }
  PutResult put = store.put_if_absent(first, schema_to_json(table.schema), cancel);
  if (put.stored) return std::make_shared<ArchiveSchema>(ArchiveSchema{1, table.schema});
  // Another first writer was faster: its schema counts.
  return agreed(read_archive_schema(store, table.directory, cancel));
}

}  // namespace ts
