// Time buckets on the clock of a zone, and all buckets of a range.
//
// A bucket of an hour or less keeps the clock's offset, so that an hour that comes twice is two buckets; a longer one begins when
// the clock first shows its beginning. Errors begin with the label and are kBadInput.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "ext/base/time_bucket.h"
#include "sql/time_zone.h"

namespace ts {

// Zones by name, each read once.
class Zones {
 public:
  const TimeZone& at(std::string_view name, const std::string& label);

 private:
  std::map<std::string, TimeZone, std::less<>> zones_;
};

// The start of a bucket whose grid is moved by less than a width. Throws where the grid leaves the integers.
std::int64_t moved_start(const TimeBucket& bucket, std::int64_t time, std::int64_t shift, const std::string& label);

// REQUIRES: ts lies within the limits of the precision.
std::int64_t local_start(const TimeBucket& bucket, std::int64_t ts, const TimeZone& zone, Precision precision, std::int64_t shift,
                         const std::string& label);

// The starts of all buckets that hold a time of [from, last], in order; UTC without a zone. REQUIRES: both within the limits.
std::vector<std::int64_t> bucket_starts(const TimeBucket& bucket, std::int64_t from, std::int64_t last, const TimeZone* zone,
                                        Precision precision, const std::string& label);

}  // namespace ts
