// A spool in a directory of its own: for tests of what lies in one.
#pragma once
#include <memory>
#include <string>

#include "ext/archive/spool.h"
#include "ext/archive/table_def.h"

namespace ts_test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// (ts TIMESTAMP, host TEXT TAG, value): precision ms, partitions of a day.
ts::TablePtr small_table(const std::string& name = "cpu");
// Adds one row.
void add_row(ts::RowBuffer& rows, std::int64_t time, std::string_view host, std::int64_t value);
// "1,2,3": the values of an open shard's rows that count.
std::string values_of(ts::OpenShardReader& reader, const ts::TableDef& table, const ts::Visibility& visibility);
ts::SpoolConfig spool_config(const TempDir& dir);

}  // namespace ts_test
