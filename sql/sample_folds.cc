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

double change(Samples samples, const FoldContext& context, bool counter, bool per_second) {
  if (samples.size() < 2) return kNone;
  const Sample &first = samples.front(), &last = samples.back();
  const double sampled = seconds(first.ts, last.ts, context);
  Sum sum;
  sum.add(last.value);
  sum.add(-first.value);
  for (std::size_t i = 1; counter && i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) sum.add(samples[i - 1].value);
  }
  const double result = sum.value();
  if (!context.bounded) return !per_second ? result : sampled > 0 ? result / sampled : kNone;
  if (sampled <= 0) return kNone;
  const double average = sampled / static_cast<double>(samples.size() - 1);
  double before = reach(seconds(context.from, first.ts, context), average);
  const double after = reach(seconds(last.ts, context.to, context), average);
  if (counter && result > 0 && first.value >= 0) before = std::min(before, sampled * (first.value / result));  // a counter began at 0
  double factor = (sampled + before + after) / sampled;
  if (per_second) factor /= seconds(context.from, context.to, context);
  return result * factor;
}

double delta(Samples samples, const FoldContext& context) { return change(samples, context, false, false); }
double increase(Samples samples, const FoldContext& context) { return change(samples, context, true, false); }
double rate(Samples samples, const FoldContext& context) { return change(samples, context, true, true); }

double idelta(Samples samples, const FoldContext&) {
  const std::size_t n = samples.size();
  return n < 2 || samples[n - 1].ts == samples[n - 2].ts ? kNone : samples[n - 1].value - samples[n - 2].value;
}

double irate(Samples samples, const FoldContext& context) {
  const std::size_t n = samples.size();
  if (n < 2 || samples[n - 1].ts == samples[n - 2].ts) return kNone;
  const double last = samples[n - 1].value, before = samples[n - 2].value;
  return (last < before ? last : last - before) / seconds(samples[n - 2].ts, samples[n - 1].ts, context);
}

template <class Law>
double count_neighbours(Samples samples, Law law) {
  if (samples.empty()) return kNone;
  double count = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) count += law(samples[i - 1].value, samples[i].value) ? 1 : 0;
  return count;
}

double num_resets(Samples samples, const FoldContext&) {
  return count_neighbours(samples, [](double before, double now) { return now < before; });
}
double num_changes(Samples samples, const FoldContext&) {
  return count_neighbours(samples, [](double before, double now) { return now != before; });
}

struct Line {
  double slope = kNone, at_origin = kNone;
};

// Least squares, with x in seconds since `origin`.
Line line_through(Samples samples, std::int64_t origin, const FoldContext& context) {
  if (samples.size() < 2) return {};
  const auto constant = [&](const Sample& sample) { return sample.value == samples.front().value; };
  if (std::all_of(samples.begin(), samples.end(), constant)) {
    return std::isinf(samples.front().value) ? Line{} : Line{0, samples.front().value};
  }
  Sum x, y, xy, xx;
  for (const Sample& sample : samples) {
    const double since = seconds(origin, sample.ts, context);
    x.add(since), y.add(sample.value), xy.add(since * sample.value), xx.add(since * since);
  }
  const auto n = static_cast<double>(samples.size());
  const double variance = xx.value() - x.value() * x.value() / n;
  if (samples.front().ts == samples.back().ts) return {};
  const double slope = (xy.value() - x.value() * y.value() / n) / variance;
  return {slope, y.value() / n - slope * x.value() / n};
}

double deriv(Samples samples, const FoldContext& context) {
  return samples.empty() ? kNone : line_through(samples, samples.front().ts, context).slope;
}

double predict_linear(Samples samples, const FoldContext& context) {
  if (samples.empty()) return kNone;
  const Line line = line_through(samples, samples.front().ts, context);
  return line.at_origin + line.slope * (context.parameters[0] - static_cast<double>(samples.front().ts)) / context.units_per_second;
}

double double_exponential_smoothing(Samples samples, const FoldContext& context) {
  if (samples.size() < 2) return kNone;
  const double smoothing = context.parameters[0], trending = context.parameters[1];
  double before = 0, level = samples[0].value, trend = samples[1].value - samples[0].value;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (i > 1) trend = trending * (level - before) + (1 - trending) * trend;
    before = level;
    level = smoothing * samples[i].value + (1 - smoothing) * (level + trend);
  }
  return level;
}

double integral(Samples samples, const FoldContext& context) {
  if (samples.size() < 2) return kNone;
  Sum sum;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    sum.add((samples[i - 1].value / 2 + samples[i].value / 2) * seconds(samples[i - 1].ts, samples[i].ts, context));
  }
  return sum.value();
}

double time_weight(Samples samples, const FoldContext& context) {
  if (samples.size() < 2 || samples.front().ts == samples.back().ts) return kNone;
  Sum sum;
  for (std::size_t i = 1; i < samples.size(); ++i) sum.add(samples[i - 1].value * seconds(samples[i - 1].ts, samples[i].ts, context));
  return sum.value() / seconds(samples.front().ts, samples.back().ts, context);
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
    {"delta", delta, false, true, Parameters::kNone, false},
    {"increase", increase, false, true, Parameters::kNone, false},
    {"rate", rate, false, true, Parameters::kNone, false},
    {"idelta", idelta, false, false, Parameters::kNone, false},
    {"irate", irate, false, false, Parameters::kNone, false},
    {"num_resets", num_resets, true, false, Parameters::kNone, false},
    {"num_changes", num_changes, true, false, Parameters::kNone, false},
    {"deriv", deriv, false, false, Parameters::kNone, false},
    {"predict_linear", predict_linear, false, false, Parameters::kTime, false},
    {"double_exponential_smoothing", double_exponential_smoothing, false, false, Parameters::kFactors, false},
    {"integral", integral, false, false, Parameters::kNone, false},
    {"time_weight", time_weight, false, false, Parameters::kNone, false},
    {"sum", sum_of, false, false, Parameters::kNone, true},
    {"avg", avg_of, false, false, Parameters::kNone, true},
    {"min", min_of, false, false, Parameters::kNone, true},
    {"max", max_of, false, false, Parameters::kNone, true},
    {"count", number_of, true, false, Parameters::kNone, true},
    {"first", first_of, false, false, Parameters::kNone, true},
    {"last", last_of, false, false, Parameters::kNone, true},
    {"quantile", quantile_in, false, false, Parameters::kShare, true},
    {"median", median_of, false, false, Parameters::kNone, true},
    {"mad", mad_in, false, false, Parameters::kNone, true},
    {"stddev_pop", deviation_of<false>, false, false, Parameters::kNone, true},
    {"stddev_samp", deviation_of<true>, false, false, Parameters::kNone, true},
    {"var_pop", variance_of<false>, false, false, Parameters::kNone, true},
    {"var_samp", variance_of<true>, false, false, Parameters::kNone, true},
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
