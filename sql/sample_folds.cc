// The folds: rates of counters and gauges, least squares, smoothing, and what one window holds.
#include "sql/sample_folds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sql/statistics.h"

namespace ts {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double seconds(std::int64_t from, std::int64_t to, const FoldContext& context) {
  __extension__ using Wide = __int128;
  return static_cast<double>(Wide{to} - from) / context.units_per_second;
}

// The gap between a window's end and the sample next to it, as far as the samples are taken to reach into it.
double reach(double gap, double average) { return gap >= average * 1.1 ? average / 2 : gap; }

// A fold that goes from sample to sample.
class Change {
 public:
  explicit Change(bool counter, bool per_second) : counter_(counter), per_second_(per_second) {}
  void next(const Sample& sample, const FoldContext&) {
    if (count_ == 0) first_ = sample;
    if (count_ > 0 && counter_ && sample.value < last_.value) resets_.add(last_.value);
    last_ = sample;
    ++count_;
  }
  double answer(const FoldContext& context) const;

 private:
  bool counter_, per_second_;
  std::int64_t count_ = 0;
  Sample first_, last_;
  Sum resets_;  // of the values before them
};

double Change::answer(const FoldContext& context) const {
  if (count_ < 2) return kNone;
  const double sampled = seconds(first_.ts, last_.ts, context);
  Sum sum = resets_;
  sum.add(last_.value);
  sum.add(-first_.value);
  const double result = sum.value();
  if (!context.bounded) return !per_second_ ? result : sampled > 0 ? result / sampled : kNone;
  if (sampled <= 0) return kNone;
  const double average = sampled / static_cast<double>(count_ - 1);
  double before = reach(seconds(context.from, first_.ts, context), average);
  const double after = reach(seconds(last_.ts, context.to, context), average);
  if (counter_ && result > 0 && first_.value >= 0) before = std::min(before, sampled * (first_.value / result));  // a counter began at 0
  double factor = (sampled + before + after) / sampled;
  if (per_second_) factor /= seconds(context.from, context.to, context);
  return result * factor;
}

struct Delta : Change {
  Delta() : Change(false, false) {}
};
struct Increase : Change {
  Increase() : Change(true, false) {}
};
struct Rate : Change {
  Rate() : Change(true, true) {}
};

// What the last two samples say.
template <bool kRate>
class LastTwo {
 public:
  void next(const Sample& sample, const FoldContext&) {
    before_ = last_;
    last_ = sample;
    ++count_;
  }
  double answer(const FoldContext& context) const {
    if (count_ < 2 || last_.ts == before_.ts) return kNone;
    if (!kRate) return last_.value - before_.value;
    const double risen = last_.value < before_.value ? last_.value : last_.value - before_.value;
    return risen / seconds(before_.ts, last_.ts, context);
  }

 private:
  std::int64_t count_ = 0;
  Sample before_, last_;
};

// How many samples differ from the one before: all, or those below it.
template <bool kOnlyBelow>
class Differences {
 public:
  void next(const Sample& sample, const FoldContext&) {
    if (any_ && (kOnlyBelow ? sample.value < last_ : sample.value != last_)) ++count_;
    any_ = true;
    last_ = sample.value;
  }
  double answer(const FoldContext&) const { return any_ ? static_cast<double>(count_) : kNone; }

 private:
  bool any_ = false;
  double last_ = 0;
  std::int64_t count_ = 0;
};

// Least squares, with x in seconds since the first sample.
template <bool kPredict>
class Line {
 public:
  void next(const Sample& sample, const FoldContext& context) {
    if (count_++ == 0) first_ = sample;
    last_ = sample.ts;
    constant_ = constant_ && sample.value == first_.value;
    const double since = seconds(first_.ts, sample.ts, context);
    x_.add(since), y_.add(sample.value), xy_.add(since * sample.value), xx_.add(since * since);
  }
  double answer(const FoldContext& context) const {
    if (count_ < 2 || (constant_ ? std::isinf(first_.value) : first_.ts == last_)) return kNone;
    const auto n = static_cast<double>(count_);
    const double variance = xx_.value() - x_.value() * x_.value() / n;
    const double slope = constant_ ? 0 : (xy_.value() - x_.value() * y_.value() / n) / variance;
    if (!kPredict) return slope;
    const double at_first = constant_ ? first_.value : y_.value() / n - slope * x_.value() / n;
    return at_first + slope * (context.parameters[0] - static_cast<double>(first_.ts)) / context.units_per_second;
  }

 private:
  std::int64_t count_ = 0, last_ = 0;
  bool constant_ = true;
  Sample first_;
  Sum x_, y_, xy_, xx_;
};

class Smoothing {
 public:
  void next(const Sample& sample, const FoldContext& context) {
    const double smoothing = context.parameters[0], trending = context.parameters[1];
    if (count_ == 0) {
      level_ = sample.value;
    } else {
      trend_ = count_ == 1 ? sample.value - level_ : trending * (level_ - before_) + (1 - trending) * trend_;
      before_ = level_;
      level_ = smoothing * sample.value + (1 - smoothing) * (level_ + trend_);
    }
    ++count_;
  }
  double answer(const FoldContext&) const { return count_ < 2 ? kNone : level_; }

 private:
  std::int64_t count_ = 0;
  double before_ = 0, level_ = 0, trend_ = 0;
};

// The area below the values: by trapezoids, or, of a step that holds until the next sample, as an average over time.
template <bool kSteps>
class Area {
 public:
  void next(const Sample& sample, const FoldContext& context) {
    if (count_++ == 0) {
      first_ = sample.ts;
    } else {
      const double height = kSteps ? last_.value : last_.value / 2 + sample.value / 2;
      sum_.add(height * seconds(last_.ts, sample.ts, context));
    }
    last_ = sample;
  }
  double answer(const FoldContext& context) const {
    if (count_ < 2 || (kSteps && first_ == last_.ts)) return kNone;
    return kSteps ? sum_.value() / seconds(first_, last_.ts, context) : sum_.value();
  }

 private:
  std::int64_t count_ = 0, first_ = 0;
  Sample last_;
  Sum sum_;
};

template <class Going>
double over(Samples samples, const FoldContext& context) {
  Going going;
  for (const Sample& sample : samples) going.next(sample, context);
  return going.answer(context);
}

template <class Going>
class GoingOn final : public Folding {
 public:
  void next(const Sample& sample, const FoldContext& context) override { going_.next(sample, context); }
  double answer(const FoldContext& context) const override { return going_.answer(context); }

 private:
  Going going_;
};
template <class Going>
std::unique_ptr<Folding> begin() {
  return std::make_unique<GoingOn<Going>>();
}

double sum_of(Samples samples, const FoldContext&) {
  if (samples.empty()) return kNone;
  Sum sum;
  for (const Sample& sample : samples) sum.add(sample.value);
  return sum.value();
}
// Where the sum leaves the doubles, the average need not.
double avg_of(Samples samples, const FoldContext& context) {
  const auto n = static_cast<double>(samples.size());
  const double sum = sum_of(samples, context);
  if (!std::isinf(sum)) return sum / n;
  Sum shares;
  for (const Sample& sample : samples) shares.add(sample.value / n);
  return shares.value();
}
bool lower(const Sample& a, const Sample& b) { return a.value < b.value; }
double min_of(Samples samples, const FoldContext&) {
  return samples.empty() ? kNone : std::min_element(samples.begin(), samples.end(), lower)->value;
}
double max_of(Samples samples, const FoldContext&) {
  return samples.empty() ? kNone : std::max_element(samples.begin(), samples.end(), lower)->value;
}
double number_of(Samples samples, const FoldContext&) { return samples.empty() ? kNone : static_cast<double>(samples.size()); }
double first_of(Samples samples, const FoldContext&) { return samples.empty() ? kNone : samples.front().value; }
double last_of(Samples samples, const FoldContext&) { return samples.empty() ? kNone : samples.back().value; }

std::vector<double> values_of(Samples samples) {
  std::vector<double> values(samples.size());
  std::transform(samples.begin(), samples.end(), values.begin(), [](const Sample& sample) { return sample.value; });
  return values;
}
double quantile_in(Samples samples, const FoldContext& context) {
  std::vector<double> values = values_of(samples);
  return quantile_of(values, context.parameters[0]);
}
double median_of(Samples samples, const FoldContext&) {
  std::vector<double> values = values_of(samples);
  return quantile_of(values, 0.5);
}
double mad_in(Samples samples, const FoldContext&) {
  std::vector<double> values = values_of(samples);
  return mad_of(values);
}
Spread spread_of(Samples samples) {
  Spread spread;
  for (const Sample& sample : samples) spread.change(sample.value, 1);
  return spread;
}
template <bool kSample>
double variance_of(Samples samples, const FoldContext&) {
  return spread_of(samples).variance(kSample);
}
template <bool kSample>
double deviation_of(Samples samples, const FoldContext&) {
  return spread_of(samples).standard_deviation(kSample);
}

constexpr Fold kAll[] = {
    {"delta", over<Delta>, false, true, Parameters::kNone, false, begin<Delta>},
    {"increase", over<Increase>, false, true, Parameters::kNone, false, begin<Increase>},
    {"rate", over<Rate>, false, true, Parameters::kNone, false, begin<Rate>},
    {"idelta", over<LastTwo<false>>, false, false, Parameters::kNone, false, begin<LastTwo<false>>},
    {"irate", over<LastTwo<true>>, false, false, Parameters::kNone, false, begin<LastTwo<true>>},
    {"num_resets", over<Differences<true>>, true, false, Parameters::kNone, false, begin<Differences<true>>},
    {"num_changes", over<Differences<false>>, true, false, Parameters::kNone, false, begin<Differences<false>>},
    {"deriv", over<Line<false>>, false, false, Parameters::kNone, false, begin<Line<false>>},
    {"predict_linear", over<Line<true>>, false, false, Parameters::kTime, false, begin<Line<true>>},
    {"double_exponential_smoothing", over<Smoothing>, false, false, Parameters::kFactors, false, begin<Smoothing>},
    {"integral", over<Area<false>>, false, false, Parameters::kNone, false, begin<Area<false>>},
    {"time_weight", over<Area<true>>, false, false, Parameters::kNone, false, begin<Area<true>>},
    {"sum", sum_of, false, false, Parameters::kNone, true, nullptr},
    {"avg", avg_of, false, false, Parameters::kNone, true, nullptr},
    {"min", min_of, false, false, Parameters::kNone, true, nullptr},
    {"max", max_of, false, false, Parameters::kNone, true, nullptr},
    {"count", number_of, true, false, Parameters::kNone, true, nullptr},
    {"first", first_of, false, false, Parameters::kNone, true, nullptr},
    {"last", last_of, false, false, Parameters::kNone, true, nullptr},
    {"quantile", quantile_in, false, false, Parameters::kShare, true, nullptr},
    {"median", median_of, false, false, Parameters::kNone, true, nullptr},
    {"mad", mad_in, false, false, Parameters::kNone, true, nullptr},
    {"stddev_pop", deviation_of<false>, false, false, Parameters::kNone, true, nullptr},
    {"stddev_samp", deviation_of<true>, false, false, Parameters::kNone, true, nullptr},
    {"var_pop", variance_of<false>, false, false, Parameters::kNone, true, nullptr},
    {"var_samp", variance_of<true>, false, false, Parameters::kNone, true, nullptr},
};

}  // namespace

Samples in_order(Samples samples, bool sorted, std::vector<Sample>& copy) {
  if (sorted) return samples;
  copy.assign(samples.begin(), samples.end());
  std::stable_sort(copy.begin(), copy.end(), [](const Sample& a, const Sample& b) { return a.ts < b.ts; });
  return copy;
}

const std::span<const Fold> kFolds = kAll;

}  // namespace ts
