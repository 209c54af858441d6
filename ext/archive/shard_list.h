// ShardList: stored shards in the order of their keys, in 72 bytes each. A name says what the numbers say, so it is made of them again.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ext/archive/shard_name.h"
#include "ext/archive/table_def.h"

namespace ts {

// A sealed shard of the snapshot. `path` is set while it lies in the spool; when it is gone from there it was stored.
struct ShardRef {
  std::string key, etag, path;
  std::uint64_t size = 0;
  std::int64_t start = 0, end = 0, rows = 0;
};

// A listing of millions is held in memory while a statement runs, and longer where max_staleness asks for it.
class ShardList {
 public:
  // `merged`: of files in the partitions' folders merged/, not of shards beside them.
  explicit ShardList(TablePtr table, bool merged = false) : table_(std::move(table)), merged_(merged) {}

  // Appends a shard, whose key sorts after those that are there.
  void add(const ShardName& name, std::string_view etag, std::uint64_t size);
  void append(const ShardList& other, std::size_t from);  // those of `other` from there on, which sort after those that are there
  void finish();  // nothing more comes: lets go of what was held in advance

  std::size_t size() const { return entries_.size(); }
  std::int64_t start(std::size_t i) const { return entries_[i].start; }
  std::int64_t end(std::size_t i) const { return entries_[i].end; }
  std::int64_t rows(std::size_t i) const { return entries_[i].rows; }
  std::uint64_t bytes(std::size_t i) const { return entries_[i].size; }
  // Which of `parts` the shard belongs to, from 1, by its id alone: the same for everybody.
  std::int64_t part(std::size_t i, std::int64_t parts) const {
    const UlidBits& id = entries_[i].ulid;
    return 1 + static_cast<std::int64_t>((id.low ^ id.high * 0x9e3779b97f4a7c15u) % static_cast<std::uint64_t>(parts));
  }
  UlidBits id(std::size_t i) const { return entries_[i].ulid; }
  std::string key(std::size_t i) const;
  ShardRef ref(std::size_t i) const;
  std::size_t after(std::string_view key) const;  // the first one whose key sorts after it
  std::optional<std::size_t> find(std::string_view key) const;
  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kPooled = 1u << 31;  // the ETag is no MD5 in hex: where it lies in etags_, and its length
  struct Entry {
    std::int64_t start, end, rows;
    std::uint64_t size;
    UlidBits ulid;
    std::array<unsigned char, 16> etag;
    std::uint32_t writer, etag_length;
  };
  std::uint32_t writer_index(const std::string& writer);
  std::string etag(const Entry& entry) const;

  TablePtr table_;
  bool merged_ = false;
  std::vector<Entry> entries_;
  std::vector<std::string> writers_;  // mostly few: one for each host
  std::unordered_map<std::string, std::uint32_t> writer_indexes_;  // until finish()
  std::string etags_;
};

// A shard of a list, which outlives this; or, where there is none, one by itself.
struct ShardPlace {
  const ShardList* list = nullptr;
  std::size_t index = 0;
  std::shared_ptr<const ShardRef> alone;
  ShardRef ref() const { return list ? list->ref(index) : *alone; }
  bool stored() const { return list || alone->path.empty(); }
  std::uint64_t bytes() const { return list ? list->bytes(index) : alone->size; }
  std::int64_t rows() const { return list ? list->rows(index) : alone->rows; }
};

}  // namespace ts
