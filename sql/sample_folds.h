// What the ordered aggregates compute, over samples in the order of their time. Pure.
//
// A fold answers NaN for what has no answer (too few samples, no time between them), which SQL sees as NULL. Sums are
// compensated. The rules are Prometheus' own, so that a query translated from PromQL answers the same.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ts {

struct Sample {
  std::int64_t ts = 0;
  double value = 0;
};
using Samples = std::span<const Sample>;

// The samples ordered by ts, equal ones as they came; in `copy` where they are not `sorted` already.
Samples in_order(Samples samples, bool sorted, std::vector<Sample>& copy);

// What a fold may know beside the samples.
struct FoldContext {
  double units_per_second = 1;
  bool bounded = false;  // whether the samples are those of (from, to], and rates are extrapolated to it
  std::int64_t from = 0, to = 0;
  double parameters[2] = {0, 0};  // the fold's own
};

enum class Parameters { kNone, kTime, kShare, kFactors };  // behind the ts: a ts, a number, two numbers between 0 and 1
constexpr int count_of(Parameters parameters) { return parameters == Parameters::kFactors ? 2 : parameters == Parameters::kNone ? 0 : 1; }

// A fold that is given one sample after the other, in the order of their time.
class Folding {
 public:
  virtual ~Folding() = default;
  virtual void next(const Sample& sample, const FoldContext& context) = 0;
  virtual double answer(const FoldContext& context) const = 0;
};

struct Fold {
  std::string_view name;
  double (*fold)(Samples, const FoldContext&);
  bool counts;        // whether the answer is an INTEGER
  bool extrapolates;  // whether it takes from, to as an aggregate
  Parameters parameters;
  bool only_grid;  // the aggregate itself takes no ts: only the form for grids is registered
  std::unique_ptr<Folding> (*begin)();  // nullptr where only_grid
};
extern const std::span<const Fold> kFolds;

}  // namespace ts
