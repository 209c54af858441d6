// The archive's schema objects: <table>/schema-NNNNNN.json, the highest number counts. Each is published once and never changed.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "ext/archive/table_def.h"
#include "ext/base/cancel.h"
#include "vfs/store.h"

namespace ts {

constexpr std::uint64_t kMaxSchemaBytes = 1u << 20;  // 1,000 columns fit many times

// Key of the table's highest schema object that sorts after `after`, or "".
std::string highest_schema_key(Store& store, const std::string& table_directory, const Cancel* cancel, std::string after = "");

struct ArchiveSchema {
  std::int64_t number = 0;
  Schema schema;
};
using ArchiveSchemaPtr = std::shared_ptr<const ArchiveSchema>;

std::string schema_key(const std::string& table_directory, std::int64_t number);

// The newest schema in the archive; null: there is none yet. One LIST, and a GET where it is newer than what is known.
ArchiveSchemaPtr read_archive_schema(Store& store, const std::string& table_directory, const Cancel* cancel,
                                     const ArchiveSchemaPtr& known = nullptr);

// The newest schema of a table's archive that this process has seen: by it columns of other names are known. Thread-safe.
class KnownArchive {
 public:
  ArchiveSchemaPtr newest() const;  // null: none was seen
  void offer(const ArchiveSchemaPtr& schema);
  // One that is newer than `seen`, of the store unless it is known already; else what is known. Of several that ask one makes the request.
  ArchiveSchemaPtr look(const ArchiveSchemaPtr& seen, Store& store, const std::string& table_directory, const Cancel* cancel);

 private:
  mutable std::mutex mutex_;  // guards newest_
  std::mutex asking_;
  ArchiveSchemaPtr newest_;
};

// Publishes the table's schema if it is the first, else compares: throws kBadInput naming the contradicting column. Returns the
// archive's schema as far as it may be read. A credential that may only create is enough: where reading is forbidden an existing
// schema is taken as agreeing, and readers find a contradiction in the shards.
ArchiveSchemaPtr settle_archive_schema(Store& store, const TableDef& table, const Cancel* cancel);

// Throws kBadInput when the archive's schema contradicts the table's.
void check_archive_schema(Store& store, const TableDef& table, const Schema& archive);

// What helps against a contradiction: "add it with SELECT ts_add_column('cpu', '\"note\" TEXT'), ...", or `otherwise`.
std::string contradiction_remedy(const TableDef& table, const Schema& archive, const std::string& otherwise);

// What a table does not declare of the archive's newest schema, as a sentence for whoever runs it; nullopt: nothing.
std::optional<std::string> behind_archive(const TableDef& table, const ArchiveSchema& archive);

}  // namespace ts
