// The grid is the local clock's; each of its times is turned into a time of UTC.
#include "sql/local_bucket.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ext/base/error.h"

namespace ts {
namespace {

constexpr std::size_t kMaxBuckets = 1'000'000;  // 8 MB

std::int64_t floor_seconds(std::int64_t time, std::int64_t units) { return time / units - (time % units < 0 ? 1 : 0); }

std::int64_t offset_at(std::int64_t ts, const TimeZone& zone, std::int64_t units) { return zone.offset(floor_seconds(ts, units)) * units; }

bool keeps_offset(const TimeBucket& bucket, std::int64_t units) { return bucket.width() && *bucket.width() <= 3'600 * units; }

// The first time of (before, after] with another offset than `before`. REQUIRES: there is one.
std::int64_t transition_between(std::int64_t before, std::int64_t after, const TimeZone& zone, std::int64_t units) {
  const std::int64_t offset = offset_at(before, zone, units);
  while (after - before > 1) {
    const std::int64_t middle = before + (after - before) / 2;
    (offset_at(middle, zone, units) == offset ? before : after) = middle;
  }
  return after;
}

// The least and the greatest time that the zone's clock shows in [from, last]: it may be put back next to either end.
std::pair<std::int64_t, std::int64_t> local_range(std::int64_t from, std::int64_t last, const TimeZone* zone, std::int64_t units) {
  if (!zone) return {from, last};
  const std::int64_t day = 86'400 * units;
  std::int64_t times[] = {from, from, from, last, last, last};
  const auto around = [&](std::int64_t before, std::int64_t after, std::int64_t* found) {
    if (offset_at(before, *zone, units) == offset_at(after, *zone, units)) return;
    found[0] = transition_between(before, after, *zone, units);
    found[1] = found[0] - 1;
  };
  around(from, last - from < day ? last : from + day, times + 1);
  around(last - from < day ? from : last - day, last, times + 3);
  for (std::int64_t& time : times) time += offset_at(time, *zone, units);
  const auto [least, most] = std::minmax_element(std::begin(times), std::end(times));
  return {*least, *most};
}

void add_start(std::vector<std::int64_t>& starts, std::int64_t start, const std::string& label) {
  if (starts.size() == kMaxBuckets) {
    throw Error(Code::kBadInput, label + ": more than " + std::to_string(kMaxBuckets) + " buckets; take a wider width");
  }
  starts.push_back(start);
}

}  // namespace

const TimeZone& Zones::at(std::string_view name, const std::string& label) {
  auto found = zones_.find(name);
  if (found == zones_.end()) found = zones_.emplace(std::string(name), TimeZone::load(std::string(name), label)).first;
  return found->second;
}

std::int64_t moved_start(const TimeBucket& bucket, std::int64_t time, std::int64_t shift, const std::string& label) {
  std::int64_t moved = 0, start = 0;
  if (!__builtin_sub_overflow(time, shift, &moved) && !__builtin_add_overflow(bucket.start(moved), shift, &start)) return start;
  throw Error(Code::kBadInput, label + ": the bucket begins before all times; write a narrower width");
}

std::int64_t local_start(const TimeBucket& bucket, std::int64_t ts, const TimeZone& zone, Precision precision, std::int64_t shift,
                         const std::string& label) {
  const std::int64_t units = units_per_second(precision);
  const std::int64_t offset = offset_at(ts, zone, units);
  const std::int64_t start = moved_start(bucket, ts + offset, shift, label);
  if (keeps_offset(bucket, units)) return start - offset;
  const std::int64_t start_second = floor_seconds(start, units);
  return zone.utc_of(start_second) * units + (start - start_second * units);
}

std::vector<std::int64_t> bucket_starts(const TimeBucket& bucket, std::int64_t from, std::int64_t last, const TimeZone* zone,
                                        Precision precision, const std::string& label) {
  const std::int64_t units = units_per_second(precision);
  std::vector<std::int64_t> starts;
  const auto start_of = [&](std::int64_t ts) { return zone ? local_start(bucket, ts, *zone, precision, 0, label) : bucket.start(ts); };
  const auto next_of = [&](std::int64_t ts) { return bucket.next(ts).value_or(INT64_MAX); };
  if (from > last) return starts;
  if (!zone || !keeps_offset(bucket, units)) {
    // Walks the local grid; a whole day that a clock skips begins together with the one after it.
    const auto [least, most] = local_range(from, last, zone, units);
    const std::int64_t final_bucket = bucket.start(most);
    for (std::int64_t at = bucket.start(least);; at = next_of(at)) {
      const std::int64_t second = floor_seconds(at, units);
      add_start(starts, zone ? zone->utc_of(second) * units + (at - second * units) : at, label);
      if (at >= final_bucket) break;
    }
  } else {
    // Walks time by widths; where the offset changes in between, the first bucket after the change may begin out of turn.
    for (std::int64_t at = from;;) {
      add_start(starts, start_of(at), label);
      if (at == last) break;
      const std::int64_t next = last - at <= *bucket.width() ? last : at + *bucket.width();
      if (offset_at(at, *zone, units) != offset_at(next, *zone, units)) {
        const std::int64_t change = transition_between(at, next, *zone, units);
        add_start(starts, start_of(change - 1), label);
        add_start(starts, start_of(change), label);
      }
      at = next;
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

}  // namespace ts
