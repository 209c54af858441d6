// Reading the records of many partitions side by side, and keeping those that were read: they never change.
#pragma once
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ext/archive/merge_record.h"
#include "vfs/store.h"

namespace ts {

using MergeRecordPtr = std::shared_ptr<const MergeRecord>;

// Of one location, shared by the process's connections. Thread-safe; the least recently used go.
class KnownRecords {
 public:
  static constexpr std::size_t kMostBytes = 64u << 20;
  explicit KnownRecords(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}

  MergeRecordPtr find(const ObjectInfo& object);  // null: not known
  void keep(const ObjectInfo& object, MergeRecordPtr record);

 private:
  using Entry = std::pair<std::string, MergeRecordPtr>;
  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::map<std::string, std::list<Entry>::iterator> by_object_;
  std::size_t bytes_ = 0;
};

// The records in these objects, in their order. Asks the store for those that are not known, all at once.
std::vector<MergeRecordPtr> read_merge_records(Store& store, const TableDef& table, const std::vector<ObjectInfo>& objects,
                                               KnownRecords& known, const Cancel* cancel);

}  // namespace ts
