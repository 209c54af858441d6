// Merge records as JSON, and what may follow what.
#include "ext/archive/merge_record.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <tuple>

#include "ext/base/error.h"

namespace ts {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr std::size_t kUlidSize = 26;
constexpr std::size_t kMaxEtag = 256;             // S3's are 32 to 40 bytes
constexpr std::size_t kMostGroups = 64;           // of dead names; of more the oldest are joined
constexpr std::size_t kMostJsonMarks = 1u << 20;  // a tree of values takes far more memory than its text: 200,000 live files have fewer

bool by_name(const MergedFile& a, const MergedFile& b) {
  return std::tie(a.name.start, a.name.end, a.name.rows, a.name.writer, a.name.id) <
         std::tie(b.name.start, b.name.end, b.name.rows, b.name.writer, b.name.id);
}

bool contains(const std::vector<UlidBits>& ids, UlidBits id) { return std::binary_search(ids.begin(), ids.end(), id); }

// It becomes a request's header.
bool is_etag(const std::string& text) {
  return !text.empty() && text.size() <= kMaxEtag &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"'; });
}

class Reader {
 public:
  Reader(const TableDef& table, const std::string& partition, const std::string& object)
      : table_(table), partition_(partition), object_(object) {}

  MergeRecord read(std::string_view text, std::int64_t sequence) const {
    if (text.size() > kMaxRecordBytes) fail("is larger than 32 MiB");
    if (std::count_if(text.begin(), text.end(), [](char c) { return c == ',' || c == '[' || c == '{'; }) > std::ptrdiff_t{kMostJsonMarks}) {
      fail("has too many values");
    }
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (json.is_discarded()) fail("does not parse as JSON");
    if (!json.is_object()) fail("is no JSON object");
    const std::int64_t format = integer(json, "format");
    if (format != kFormat) {
      throw Error(Code::kTooNew, "merge record: written by a newer version, its format is " + std::to_string(format) +
                                     " and this version reads 1; upgrade timeseries: " + object_);
    }
    if (this->text(json, "table") != table_.name) fail("says another table than its key");
    if (this->text(json, "partition") != partition_) fail("says another partition than its key");
    if (integer(json, "sequence") != sequence) fail("says another sequence than its key");
    MergeRecord record;
    record.partition = partition_;
    record.sequence = sequence;
    record.id = this->text(json, "id");
    if (!is_ulid(record.id)) fail("has an \"id\" that is no ULID");
    for (const Json& group : array(json, "dead")) record.dead.push_back(dead_names(group));
    for (const Json& file : array(json, "live")) record.live.push_back(merged_file(file));
    check_laws(record);
    return record;
  }

 private:
  [[noreturn]] void fail(const std::string& happened) const {
    throw Error(Code::kCorrupt, "merge record: " + happened + ": " + object_);
  }

  const Json& field(const Json& json, const char* key) const {
    const auto found = json.is_object() ? json.find(key) : json.end();
    if (!json.is_object() || found == json.end()) fail("lacks \"" + std::string(key) + "\"");
    return *found;
  }
  std::int64_t integer(const Json& json, const char* key) const {
    const Json& value = field(json, key);
    const bool fits = value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
    if (!fits || value.get<std::int64_t>() < 0) fail("has a \"" + std::string(key) + "\" that is no whole number");
    return value.get<std::int64_t>();
  }
  std::string text(const Json& json, const char* key) const {
    const Json& value = field(json, key);
    if (!value.is_string()) fail("has a \"" + std::string(key) + "\" that is no text");
    return value.get<std::string>();
  }
  const Json& array(const Json& json, const char* key) const {
    const Json& value = field(json, key);
    if (!value.is_array()) fail("has a \"" + std::string(key) + "\" that is no array");
    return value;
  }

  DeadNames dead_names(const Json& json) const {
    DeadNames group;
    group.remove_from_ms = integer(json, "remove_from_ms");
    const Json& value = field(json, "ids");
    if (!value.is_string()) fail("has \"ids\" that are no text");
    const std::string_view ids = value.get_ref<const std::string&>();
    if (ids.empty() || ids.size() % kUlidSize != 0) fail("has \"ids\" that are no row of ULIDs");
    group.ids.reserve(ids.size() / kUlidSize);
    for (std::size_t at = 0; at < ids.size(); at += kUlidSize) {
      const std::string_view id = ids.substr(at, kUlidSize);
      if (!is_ulid(id)) fail("has \"ids\" that are no row of ULIDs");
      group.ids.push_back(ulid_bits(id));
      if (group.ids.size() > 1 && !(group.ids[group.ids.size() - 2] < group.ids.back())) fail("has \"ids\" that do not ascend");
    }
    return group;
  }

  MergedFile merged_file(const Json& json) const {
    MergedFile file;
    const Schema& schema = table_.schema;
    const std::string name = text(json, "name");
    auto parsed = parse_shard_name(name, schema.precision);
    if (!parsed) fail("has a live file whose \"name\" is no shard's");
    file.name = *parsed;
    if (partition_name(file.name.start, schema.precision, schema.partition) != partition_ ||
        partition_name(file.name.end, schema.precision, schema.partition) != partition_) {
      fail("has a live file of another partition");
    }
    file.size = static_cast<std::uint64_t>(integer(json, "bytes"));
    if (file.size == 0) fail("has a live file without bytes");
    file.etag = text(json, "etag");
    if (!is_etag(file.etag)) fail("has an \"etag\" that is none");
    return file;
  }

  void check_laws(const MergeRecord& record) const {
    for (std::size_t i = 0; i < record.live.size(); i++) {
      if (i > 0 && !by_name(record.live[i - 1], record.live[i])) fail("has live files that do not ascend");
      if (record.is_dead(record.live[i].name.id)) fail("has a file that is live and dead");
    }
  }

  const TableDef& table_;
  const std::string& partition_;
  const std::string& object_;
};

}  // namespace

// ---------------------------------------------------------------- what a record says

const DeadNames* MergeRecord::death(UlidBits id) const {
  for (const DeadNames& group : dead) {
    if (contains(group.ids, id)) return &group;
  }
  return nullptr;
}

std::size_t MergeRecord::dead_names() const {
  std::size_t names = 0;
  for (const DeadNames& group : dead) names += group.ids.size();
  return names;
}

MergeRecord MergeRecord::next(std::string its_id) const {
  MergeRecord record = *this;
  record.sequence++;
  record.id = std::move(its_id);
  return record;
}

void MergeRecord::bury(std::vector<UlidBits> ids, std::int64_t remove_from_ms) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::erase_if(live, [&](const MergedFile& file) { return contains(ids, ulid_bits(file.name.id)); });
  std::erase_if(ids, [this](UlidBits id) { return is_dead(id); });
  if (ids.empty()) return;
  dead.push_back({remove_from_ms, std::move(ids)});
  if (dead.size() <= kMostGroups) return;
  DeadNames &first = dead[0], &second = dead[1];
  std::vector<UlidBits> both;
  both.reserve(first.ids.size() + second.ids.size());
  std::merge(first.ids.begin(), first.ids.end(), second.ids.begin(), second.ids.end(), std::back_inserter(both));
  second = {std::max(first.remove_from_ms, second.remove_from_ms), std::move(both)};
  dead.erase(dead.begin());
}

void MergeRecord::add_live(MergedFile file) { live.insert(std::upper_bound(live.begin(), live.end(), file, by_name), std::move(file)); }

void check_successor(const MergeRecord& before, const MergeRecord& next) {
  auto refuse = [&](const std::string& why) {
    throw Error(Code::kCorrupt, "merge record: " + why + ": record " + std::to_string(next.sequence) + " of " + next.partition);
  };
  if (next.partition != before.partition || next.sequence != before.sequence + 1) refuse("does not follow the one before");
  if (next.sequence > kMaxRecordSequence) refuse("the partition has had all 999999 records");
  if (!is_ulid(next.id) || next.id == before.id) refuse("has no id of its own");
  for (const DeadNames& group : before.dead) {
    if (!std::all_of(group.ids.begin(), group.ids.end(), [&](UlidBits id) { return next.is_dead(id); })) refuse("forgets a dead name");
  }
  for (const MergedFile& file : next.live) {
    if (next.is_dead(file.name.id)) refuse("would bring back a dead file");
  }
  for (const MergedFile& file : before.live) {
    const bool kept = std::any_of(next.live.begin(), next.live.end(), [&](const MergedFile& f) { return f.name.id == file.name.id; });
    if (!kept && !next.is_dead(file.name.id)) refuse("loses a live file");
  }
}

// ---------------------------------------------------------------- keys

std::string merge_record_key(const TableDef& table, const std::string& partition, std::int64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return table.directory + "/" + partition + "/merge-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits + ".json";
}

std::optional<std::int64_t> merge_record_sequence(std::string_view last_part) {
  constexpr std::string_view kBefore = "merge-", kBehind = ".json";
  if (last_part.size() != kBefore.size() + 6 + kBehind.size()) return std::nullopt;
  if (!last_part.starts_with(kBefore) || !last_part.ends_with(kBehind)) return std::nullopt;
  std::int64_t sequence = 0;
  for (const char digit : last_part.substr(kBefore.size(), 6)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    sequence = 10 * sequence + (digit - '0');
  }
  return sequence > 0 ? std::optional(sequence) : std::nullopt;
}

std::string merged_file_key(const TableDef& table, const ShardName& name) {
  const Schema& schema = table.schema;
  return table.directory + "/" + partition_name(name.start, schema.precision, schema.partition) + "/merged/" +
         format_shard_name(name, schema.precision);
}

// ---------------------------------------------------------------- JSON

std::string merge_record_to_json(const MergeRecord& record, const TableDef& table) {
  using Ordered = nlohmann::ordered_json;
  Ordered dead = Ordered::array(), live = Ordered::array();
  for (const DeadNames& group : record.dead) {
    std::string ids;
    ids.reserve(group.ids.size() * kUlidSize);
    for (UlidBits id : group.ids) ids += ulid_text(id);
    Ordered names;
    names["remove_from_ms"] = group.remove_from_ms;
    names["ids"] = std::move(ids);
    dead.push_back(std::move(names));
  }
  for (const MergedFile& file : record.live) {
    Ordered one;
    one["name"] = format_shard_name(file.name, table.schema.precision);
    one["bytes"] = file.size;
    one["etag"] = file.etag;
    live.push_back(std::move(one));
  }
  Ordered json;
  json["format"] = kFormat;
  json["table"] = table.name;
  json["partition"] = record.partition;
  json["sequence"] = record.sequence;
  json["id"] = record.id;
  json["live"] = std::move(live);
  json["dead"] = std::move(dead);
  std::string text = json.dump();
  if (text.size() > kMaxRecordBytes) {
    throw Error(Code::kFull, "merge record: would be larger than 32 MiB: " + std::to_string(record.dead_names()) +
                                 " names of partition " + record.partition + " have been replaced; a shorter partition= has fewer");
  }
  return text;
}

MergeRecord merge_record_from_json(std::string_view json, const TableDef& table, const std::string& partition, std::int64_t sequence,
                                   const std::string& object) {
  return Reader(table, partition, object).read(json, sequence);
}

}  // namespace ts
