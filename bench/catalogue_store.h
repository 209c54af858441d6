// A Store that holds as many objects of one table as asked for, made up when they are listed: S3's laws, no bytes. It counts its LISTs.
//
// Objects follow one another in time at even steps, so their names sort as they are numbered. Thread-safe.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "ext/archive/shard_name.h"
#include "ext/archive/table_def.h"
#include "vfs/store.h"

namespace ts_bench {

class CatalogueStore : public ts::Store {
 public:
  // Object n of `count` begins at first + n * step, in the table's unit, and ends just before the next one.
  CatalogueStore(ts::TablePtr table, std::int64_t first, std::int64_t step, std::int64_t count)
      : table_(std::move(table)), first_(first), step_(step), count_(count) {}

  ts::ListPage list(std::string_view prefix, std::string_view start_after, const ts::Cancel* cancel = nullptr) override;
  ts::Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                      const ts::Cancel* cancel = nullptr) override;
  ts::PutResult put_if_absent(std::string_view key, std::string_view bytes, const ts::Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const ts::Cancel* cancel = nullptr) override;
  std::string describe() const override { return "s3://catalogue"; }

  ts::ShardName name(std::int64_t n) const;
  std::string key(std::int64_t n) const;

  void set_latency_ms(std::int64_t ms) { latency_ms_ = ms; }  // of each LIST
  std::vector<std::string> lists() const;                     // where each began
  std::int64_t most_in_flight() const { return most_in_flight_; }
  void reset_counts();

 private:
  static constexpr std::int64_t kPage = 1000;
  ts::TablePtr table_;
  const std::int64_t first_, step_, count_;
  std::atomic<std::int64_t> latency_ms_{0}, in_flight_{0}, most_in_flight_{0};
  mutable std::mutex mutex_;  // guards lists_
  std::vector<std::string> lists_;
};

}  // namespace ts_bench
