// The records of a partition: <table>/<partition>/merge-NNNNNN.json says which of its files count. Pure.
//
// Records are cumulative, so the one with the highest number is enough. It says which names are dead (replaced by a merged file, expired,
// or left behind by a merge that came to nothing; for ever, wherever such a name turns up) and which merged files count. Without a
// record all shards of a partition count, and no merged file does.
//
// Laws, held by check_successor(): what is dead stays dead; what is dead is never live; each record has the next number.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ext/archive/shard_name.h"
#include "ext/archive/table_def.h"

namespace ts {

constexpr std::size_t kMaxRecordBytes = std::size_t{32} << 20;  // 1.2 million dead names: a month of ten writers has 90,000
constexpr std::int64_t kMaxRecordSequence = 999'999;

// A file in <partition>/merged/. Its name tells rows and range.
struct MergedFile {
  ShardName name;
  std::uint64_t size = 0;
  std::string etag;
};

// Names that were declared dead together, by the id that each ends with.
struct DeadNames {
  std::int64_t remove_from_ms = 0;  // since 1970: earlier than that their files are not removed, for readers may be at them
  std::vector<UlidBits> ids;        // ascending
};

struct MergeRecord {
  std::string partition;
  std::int64_t sequence = 0;  // 0: there is no record yet
  std::string id;             // a ULID that its writer has made for it: tells whose it is
  std::vector<DeadNames> dead;
  std::vector<MergedFile> live;  // in the order of their names

  bool is_dead(UlidBits id) const { return death(id) != nullptr; }
  bool is_dead(const std::string& ulid) const { return is_dead(ulid_bits(ulid)); }
  const DeadNames* death(UlidBits id) const;  // null: it is not dead
  std::size_t dead_names() const;

  // The record after this one: the same content, the next number, an id of its own.
  MergeRecord next(std::string id) const;
  // Declares names dead; those of merged files are live no longer. Names that are dead already are left as they were.
  void bury(std::vector<UlidBits> ids, std::int64_t remove_from_ms);
  void add_live(MergedFile file);
};

// Throws kCorrupt where `next` breaks a law: whoever makes a record has made a mistake.
void check_successor(const MergeRecord& before, const MergeRecord& next);

std::string merge_record_key(const TableDef& table, const std::string& partition, std::int64_t sequence);
// The number in the last part of a record's key, "merge-000001.json"; nullopt: it is none.
std::optional<std::int64_t> merge_record_sequence(std::string_view last_part);
// Of the file, which lies in the partition of its rows.
std::string merged_file_key(const TableDef& table, const ShardName& name);

// Throws kFull where it would be larger than kMaxRecordBytes.
std::string merge_record_to_json(const MergeRecord& record, const TableDef& table);
// `object` names it in errors. kTooNew for an unknown format; kCorrupt for anything that does not parse or breaks a rule of the format:
// hostile bytes give a record that keeps the laws, or an error.
MergeRecord merge_record_from_json(std::string_view json, const TableDef& table, const std::string& partition, std::int64_t sequence,
                                   const std::string& object);

}  // namespace ts
