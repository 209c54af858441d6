// Targets of the archive's texts: names and keys, JSON rows and schemas, times.
#include "ext/archive/listed_key.h"
#include "ext/archive/merge_record.h"
#include "ext/base/time_bucket.h"
#include "ext/table/json_rows.h"
#include "tests/fuzz/targets.h"
#include "vfs/credentials.h"

using namespace ts;

namespace ts_fuzz {
namespace {

constexpr Precision kPrecisions[] = {Precision::kSeconds, Precision::kMillis, Precision::kMicros, Precision::kNanos};

TableDef table_of(Precision precision, Partition partition) {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}, {"v", "REAL", false, false, "", ""}};
  schema.time_column = 0;
  schema.precision = precision;
  schema.partition = partition;
  return *make_table_def("cpu", schema);
}

}  // namespace

// A name is written in exactly one way, and what is no name is nobody's shard.
void run_names(std::string_view bytes) {
  for (Precision precision : kPrecisions) {
    if (auto name = parse_shard_name(bytes, precision)) {
      hold(format_shard_name(*name, precision) == bytes, "a name is written in one way");
      hold(is_ulid(name->id), "its id is a ULID");
    }
    for (Partition partition : {Partition::kHour, Partition::kDay, Partition::kMonth}) {
      static_cast<void>(is_partition_name(bytes, partition));
      ListedKey listed = classify_key("cpu/" + std::string(bytes), table_of(precision, partition));
      if (listed.kind != ListedKey::Kind::kShard) continue;
      std::string key = "cpu/" + partition_name(listed.name.start, precision, partition) + "/" + format_shard_name(listed.name, precision);
      hold(key == "cpu/" + std::string(bytes), "a key is written in one way");
    }
  }
  answered([&] {
    std::string directory = table_directory(bytes);
    hold(directory.size() <= 255 && directory.find('/') == std::string::npos, "a table's directory is one part of a path");
    hold(directory != "." && directory != "..", "and leads nowhere else");
  });
  std::string writer = writer_name(bytes);
  hold(!writer.empty() && writer.size() <= 63 && writer.find_first_of("/_ ") == std::string::npos, "a writer is part of a name");
}

// Rows or an error with a position; a schema that is taken is written and taken again.
void run_json(std::string_view bytes) {
  TableDef table = table_of(Precision::kMillis, Partition::kDay);
  answered([&] {
    for (const JsonRow& row : parse_json_rows(bytes, table.schema, 0)) hold(row.size() == 3, "a value for each column");
  });
  answered([&] {
    Schema schema = schema_from_json(bytes, "x");
    hold(schema.time_column >= 0, "a schema has a time");
    hold(!contradiction(schema, schema_from_json(schema_to_json(schema), "x")), "a schema is read as it was written");
    static_cast<void>(shard_columns_sql(schema) + declared_columns_sql(schema));
  });
}

// A record that is taken keeps the laws, is written and taken again, and may be followed.
void run_records(std::string_view bytes) {
  const TableDef table = table_of(Precision::kMillis, Partition::kDay);
  answered([&] {
    MergeRecord record = merge_record_from_json(bytes, table, "2026-11-23", 1, "x");
    for (const MergedFile& file : record.live) {
      hold(!record.is_dead(file.name.id), "what is dead is not live");
      hold(merged_file_key(table, file.name).starts_with("cpu/2026-11-23/merged/"), "a merged file lies in its partition");
      hold(file.etag.find_first_of("\r\n\"") == std::string::npos, "an ETag is part of a header");
    }
    const std::string json = merge_record_to_json(record, table);
    hold(merge_record_to_json(merge_record_from_json(json, table, "2026-11-23", 1, "x"), table) == json, "it is written in one way");
    MergeRecord next = record.next("01K00000000000000000000000");
    if (record.id == next.id) return;
    next.bury({ulid_bits("01K00000000000000000000001")}, 1);
    check_successor(record, next);
  });
}

// A time that is taken is written and taken again.
void run_times(std::string_view bytes) {
  for (Precision precision : kPrecisions) {
    if (auto time = parse_timestamp(bytes, precision)) {
      hold(*time >= min_timestamp(precision) && *time <= max_timestamp(precision), "a time is within its limits");
      hold(parse_timestamp(format_timestamp(*time, precision), precision) == time, "a time is read as it was written");
      for (Partition partition : {Partition::kHour, Partition::kDay, Partition::kMonth}) {
        std::string name = partition_name(*time, precision, partition);
        hold(is_partition_name(name, partition), "a time has a partition");
        hold(partition_start(*time, precision, partition) <= *time, "which begins no later");
      }
    }
    if (auto time = parse_compact(bytes, precision)) hold(format_compact(*time, precision) == bytes, "it is written in one way");
  }
  static_cast<void>(parse_expiration(std::string(bytes)));
  static_cast<void>(ulid_time_ms(bytes));
}

}  // namespace ts_fuzz
