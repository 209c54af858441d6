// Aggregates of a table's rows by time bucket and tags: what a rollup computes of one file, and merges into one answer.
//
// A group is a bucket and a series: the values of the tags that are grouped by, equal as GROUP BY takes them (by the column's
// collation, 1 as 1.0). Its statistics are SQLite's: NULLs are left out; sum and avg take text and blobs by their numeric
// prefix; min and max compare by storage class. Beyond SQLite, sums of integers are exact in 128 bits and those of reals
// compensated (Neumaier), so that neither the order of rows nor their spread over files shows. Not thread-safe.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ext/archive/scan.h"
#include "ext/base/time_bucket.h"

namespace ts {

enum Statistic : unsigned {
  kCount = 1,
  kSum = 2,  // and the average
  kMin = 4,
  kMax = 8,
  kFirst = 16,  // the value, NULL too, of the row with the smallest time; of several the one that sorts first
  kLast = 32,   // and of the largest; of several the one that sorts last
};

enum class Collation { kBinary, kNocase, kRtrim };
Collation collation_of(const Column& column);

struct Measure {
  int column = 0;
  unsigned statistics = 0;
  Collation collation = Collation::kBinary;  // of min and max
};

struct RollupSpec {
  TimeBucket bucket;
  std::vector<int> tags;  // columns that are grouped by
  std::vector<Collation> tag_collations;
  std::vector<Measure> measures;
  bool some_buckets = false;          // only these are wanted:
  std::vector<std::int64_t> buckets;  // starts, ascending

  bool wants(std::int64_t bucket_start) const;
  bool wants_some_of(std::int64_t first, std::int64_t last) const;  // a bucket that holds times of [first, last]
};

// Rows of one series within one bucket, in the order of time.
struct Run {
  std::size_t rows = 0;  // at least one, at most 2^31
  std::int64_t first_time = 0, last_time = 0;
  std::size_t first_rows = 1, last_rows = 1;  // so many have the first time, and the last

  static Run of(const std::int64_t* times, std::size_t rows);
};

// The doubles values[i] / scale.
struct Decimals {
  const std::int64_t* values;
  double scale;  // a power of ten
};

class PartialAggregates {
 public:
  static constexpr std::uint32_t kUnwanted = UINT32_MAX;

  explicit PartialAggregates(std::shared_ptr<const RollupSpec> spec);
  PartialAggregates(PartialAggregates&&) = default;
  PartialAggregates& operator=(PartialAggregates&&) = default;
  const RollupSpec& spec() const { return *spec_; }

  // The number of these tags as they are written: cells of spec.tags in a RowBuffer's encoding.
  std::uint32_t series(std::string_view tags);
  // The number of the group of rows with such tags at a time; kUnwanted: its bucket is not asked for.
  std::uint32_t group(std::uint32_t series, std::int64_t time) {
    if (series == last_series_ && time >= last_start_ && time <= last_end_) return last_group_;
    return find_group(series, time);
  }

  void add_rows(std::uint32_t group, std::int64_t rows) { *at<std::int64_t>(group, 0) += rows; }
  // One value, of spec.measures[measure].
  void add(std::uint32_t group, std::size_t measure, std::int64_t time, const Cell& cell);
  // The values of a run, all of one kind. `nulls`: one byte for each, not 0 where the value is NULL; nullptr: none is.
  // Doubles are no NaN.
  void add_run(std::uint32_t group, std::size_t measure, const Run& run, const std::int64_t* values, const std::uint8_t* nulls = nullptr);
  void add_run(std::uint32_t group, std::size_t measure, const Run& run, const double* values, const std::uint8_t* nulls = nullptr);
  void add_run(std::uint32_t group, std::size_t measure, const Run& run, Decimals values, const std::uint8_t* nulls = nullptr);

  // Takes in what another one of the same spec holds.
  void merge(const PartialAggregates& other);

  std::size_t groups() const { return keys_.size(); }
  std::int64_t bucket(std::uint32_t group) const { return keys_[group].bucket; }
  std::int64_t rows(std::uint32_t group) const { return *at<std::int64_t>(group, 0); }
  // As one of its rows has them: where several that are equal are written differently, as the one that sorts first.
  std::string_view tags(std::uint32_t group) const { return written_[keys_[group].written].tags; }
  Cell tag(std::uint32_t group, std::size_t index) const;
  // Valid until the aggregates change. kSum throws "integer overflow" where only integers were added and their sum is none.
  Cell result(std::uint32_t group, std::size_t measure, Statistic statistic) const;
  Cell average(std::uint32_t group, std::size_t measure) const;

  // All groups by bucket, ascending or descending, then by their tags in order, ascending.
  std::vector<std::uint32_t> ordered(bool descending) const;

 private:
  struct Key {
    std::int64_t bucket = 0;
    std::uint32_t series = 0;   // the same for all tags that are equal
    std::uint32_t written = 0;  // the group's own
  };
  struct Written {
    std::string tags;
    std::uint32_t series = 0;
  };
  struct Sum;
  struct Stored;
  struct Extreme;
  struct Edge;
  struct Layout {  // where the parts of a measure lie in a group's state; 0: not wanted
    std::size_t count = 0, sum = 0, min = 0, max = 0, first = 0, last = 0;
  };
  static constexpr std::size_t kBlockGroups = 64;

  template <class Part>
  Part* at(std::uint32_t group, std::size_t offset) const {
    return reinterpret_cast<Part*>(blocks_[group / kBlockGroups].get() + (group % kBlockGroups) * state_bytes_ + offset);
  }
  std::uint32_t find_group(std::uint32_t series, std::int64_t time);
  std::uint32_t intern(std::uint32_t written, std::int64_t bucket);
  void grow_slots();
  void add_integers(std::uint32_t group, std::size_t measure, const std::int64_t* values, std::size_t rows, const std::uint8_t* nulls,
                    double scale);
  void add_number(Extreme& extreme, bool min, const Cell& cell, Collation collation);
  template <class Value>
  void add_edges(std::uint32_t group, std::size_t measure, const Run& run, const std::uint8_t* nulls, Value&& value);
  void offer(Edge& edge, bool first, std::int64_t time, const Cell& cell);
  void store(Stored& stored, const Cell& cell);
  Cell cell_of(const Stored& stored) const;
  Cell extreme_of(const Extreme& extreme, bool min) const;

  std::shared_ptr<const RollupSpec> spec_;
  std::vector<Layout> layouts_;
  std::size_t state_bytes_ = 0;
  bool plain_keys_ = true;  // tags that differ in bytes differ, unless one is real

  std::unordered_map<std::string, std::uint32_t> series_by_key_, written_by_tags_;
  std::vector<Written> written_;
  std::string last_tags_, key_;
  std::uint32_t last_written_ = kUnwanted;

  std::vector<Key> keys_;             // by group
  std::vector<std::uint32_t> slots_;  // hash table of groups, each plus one
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::string> bytes_;  // texts and blobs that states refer to

  std::uint32_t last_series_ = kUnwanted, last_group_ = kUnwanted;
  std::int64_t last_start_ = 1, last_end_ = 0;
};

// SQLite's comparison of texts under a collation.
int compare_text(std::string_view a, std::string_view b, Collation collation);

// What sum() takes a value for, as sqlite3_value_numeric_type and sqlite3_value_double see it: text that is an integer counts
// as one, anything else that is no number by its numeric prefix.
Cell number_of(const Cell& cell);

}  // namespace ts
