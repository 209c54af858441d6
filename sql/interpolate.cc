// Gathers all samples of the partition, which the frame hands over before the first row is answered.
#include "sql/interpolate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "sql/aggregate_support.h"
#include "sql/sample_folds.h"

namespace ts {
namespace {

struct Function {
  std::string name;
  Precision precision = Precision::kMillis;
};

struct Row {
  std::optional<std::int64_t> ts;
  std::optional<double> value;
};

double between(const Sample& before, const Sample& after, std::int64_t ts) {
  __extension__ using Wide = __int128;
  if (before.value == after.value || before.ts == ts) return before.value;
  const double part = static_cast<double>(Wide{ts} - before.ts) / static_cast<double>(Wide{after.ts} - before.ts);
  return std::lerp(before.value, after.value, part);
}

struct Interpolation {
  using Definition = Function;
  std::vector<Sample> samples;  // all of the partition: a row that has left the frame still is a neighbour
  Frame<Row> rows;
  bool answered = false, moved = false;  // moved: a row has left since the last answer, as one does between two of them

  void step(const Function& function, int, sqlite3_value** argv) {
    if (answered) wrong_frame(function);
    Row row;
    if (!is_null(argv[1])) row.ts = time_argument(argv[1], function.precision, function.name);
    if (!is_null(argv[0])) row.value = number_argument(argv[0], function.name);
    if (row.ts && row.value) samples.push_back({*row.ts, *row.value});
    rows.add(row);
  }
  void inverse(const Function& function, int, sqlite3_value**) {
    if (!answered || moved) wrong_frame(function);
    rows.drop();
    moved = true;
  }
  void result(const Function& function, sqlite3_context* context, bool last) {
    if (last && !answered && !rows.empty()) wrong_frame(function);  // an aggregate: no row is the current one
    if (last || rows.empty()) return sqlite3_result_null(context);
    if (answered && !moved) wrong_frame(function);
    if (!answered) std::stable_sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.ts < b.ts; });
    answered = true;
    moved = false;
    const auto value = value_of(rows.items().front());
    value ? sqlite3_result_double(context, *value) : sqlite3_result_null(context);
  }

 private:
  [[noreturn]] static void wrong_frame(const Function& function) {
    throw Error(Code::kBadInput, function.name + ": the frame does not tell which row is the current one; write " + function.name +
                                     "(value, ts) OVER (... ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)");
  }
  std::optional<double> value_of(const Row& row) const {
    if (row.value || !row.ts) return row.value;
    const auto earlier = [](const Sample& sample, std::int64_t ts) { return sample.ts < ts; };
    const auto after = std::lower_bound(samples.begin(), samples.end(), *row.ts, earlier);
    if (after == samples.end()) return std::nullopt;
    if (after->ts == *row.ts) return after->value;
    return after == samples.begin() ? std::nullopt : std::optional(between(*(after - 1), *after, *row.ts));
  }
};

}  // namespace

int register_interpolate(sqlite3* db) {
  return guard(
      [&] {
        const Registrar add(db);
        for (const UnitForm& form : kUnitForms) {
          add.aggregate<Interpolation>({std::string("interpolate") + form.suffix, form.precision}, 2);
        }
      },
      [](const char*) {});
}

}  // namespace ts
