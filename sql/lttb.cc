// Samples are gathered, ordered by ts, and chosen from in one pass.
#include "sql/lttb.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sql/aggregate_support.h"
#include "sql/sample_json.h"

namespace ts {
namespace {

constexpr std::int64_t kMaxPoints = 1'000'000;  // 30 MB of JSON

struct Function {
  std::string name;
  Precision precision = Precision::kMillis;
};

// Counted from the first sample, in doubles.
struct Point {
  double x = 0, y = 0;
};

struct Gathered {
  using Definition = Function;
  Frame<Sample> samples;
  bool sorted = true, null_points = false;
  std::int64_t points = 0;

  void step(const Function& function, int, sqlite3_value** argv) {
    if (is_null(argv[0]) || is_null(argv[1])) return;
    null_points = is_null(argv[2]);
    points = sqlite3_value_int64(argv[2]);
    if (!null_points && (points < 2 || points > kMaxPoints)) {
      throw Error(Code::kBadInput, function.name + ": " + shown_value(argv[2]) + " is no number of points; write 2 to " +
                                       std::to_string(kMaxPoints));
    }
    const Sample sample{time_argument(argv[1], function.precision, function.name), number_argument(argv[0], function.name)};
    sorted = sorted && (samples.empty() || samples.newest().ts <= sample.ts);
    samples.add(sample);
  }
  void inverse(const Function&, int, sqlite3_value** argv) {
    if (!is_null(argv[0]) && !is_null(argv[1])) samples.drop();
  }
  void result(const Function&, sqlite3_context* context, bool) {
    if (samples.empty() || null_points) return sqlite3_result_null(context);
    std::vector<Sample> copy;
    const Samples ordered = in_order(samples.items(), sorted, copy);
    std::string json = "[";
    for (const std::size_t i : lttb(ordered, static_cast<std::size_t>(points))) append_sample(json, ordered[i].ts, ordered[i].value);
    result_json(context, json + "]");
  }
};

Point point(Samples samples, std::size_t i) {
  __extension__ using Wide = __int128;
  return {static_cast<double>(Wide{samples[i].ts} - samples[0].ts), samples[i].value};
}

Point average(Samples samples, std::size_t begin, std::size_t end) {
  Point sum;
  for (std::size_t i = begin; i < end; ++i) {
    sum.x += point(samples, i).x;
    sum.y += samples[i].value;
  }
  const auto count = static_cast<double>(end - begin);
  return {sum.x / count, sum.y / count};
}

// Twice the area of a triangle.
double area(Point a, Point b, Point c) { return std::fabs((a.x - c.x) * (b.y - a.y) - (a.x - b.x) * (c.y - a.y)); }

}  // namespace

std::vector<std::size_t> lttb(Samples samples, std::size_t n) {
  std::vector<std::size_t> chosen(std::min(n, samples.size()));
  std::iota(chosen.begin(), chosen.end(), 0);
  if (samples.size() <= n) return chosen;
  chosen.back() = samples.size() - 1;
  const auto begin_of = [&](std::size_t bucket) {  // in whole numbers, so that no sample falls between two
    return bucket >= n - 2 ? samples.size() - 1 : bucket * (samples.size() - 2) / (n - 2) + 1;
  };
  for (std::size_t bucket = 0; bucket + 2 < n; ++bucket) {
    const std::size_t begin = begin_of(bucket), end = begin_of(bucket + 1);
    const Point before = point(samples, chosen[bucket]);
    const Point behind = average(samples, end, std::max(begin_of(bucket + 2), end + 1));
    double largest = -1;
    chosen[bucket + 1] = begin;
    for (std::size_t i = begin; i < end; ++i) {
      const double here = area(before, point(samples, i), behind);
      if (here > largest) largest = here, chosen[bucket + 1] = i;  // NaN, next to infinities, is never larger
    }
  }
  return chosen;
}

int register_lttb(sqlite3* db) {
  return guard(
      [&] {
        const Registrar add(db);
        for (const UnitForm& form : kUnitForms) {
          add.aggregate<Gathered>({std::string("lttb") + form.suffix, form.precision}, 3, marking_flags());
        }
      },
      [](const char*) {});
}

}  // namespace ts
