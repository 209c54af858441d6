// The recurrences, a search for the factors by halving steps, and the variance of a forecast.
#include "sql/holt_winters.h"

#include <cmath>
#include <limits>

namespace ts {
namespace {

constexpr double kNormal95 = 1.959963984540054;  // half the width of 95 of 100, in standard deviations

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value / static_cast<double>(values.size());
  return sum;
}

struct State {
  double level = 0, trend = 0, error = 0;  // error: the sum of squares so far
  std::vector<double> seasonal;            // what each place of the season adds
};

// Before the first value: the trend is the second season's mean against the first's, the level lies on the line through them, and
// the seasonal parts are what the first season has above that line. So a line plus a season is forecast without any error.
State start(std::span<const double> values, std::size_t season) {
  const auto length = static_cast<double>(season);
  State state;
  const double first = mean(values.first(season));
  state.trend = (mean(values.subspan(season, season)) - first) / length;
  state.level = first - state.trend * (length + 1) / 2;
  for (std::size_t i = 0; i < season; ++i) state.seasonal.push_back(values[i] - (state.level + state.trend * static_cast<double>(i + 1)));
  return state;
}

void follow(State& state, std::span<const double> values, std::size_t season, const Smoothing& by) {
  std::size_t place = 0;
  for (const double value : values) {
    double& seasonal = state.seasonal[place];
    const double expected = state.level + state.trend;
    const double level = by.alpha * (value - seasonal) + (1 - by.alpha) * expected;
    state.error += (value - expected - seasonal) * (value - expected - seasonal);
    state.trend = by.beta * (level - state.level) + (1 - by.beta) * state.trend;
    if (season > 1) seasonal = by.gamma * (value - level) + (1 - by.gamma) * seasonal;
    state.level = level;
    if (++place == season) place = 0;
  }
}

// How much of one error is still in the forecast `steps` later.
double weight(std::size_t steps, std::size_t season, const Smoothing& by) {
  const double seasonal = season > 1 && steps % season == 0 ? by.gamma * (1 - by.alpha) : 0;
  return by.alpha * (1 + static_cast<double>(steps) * by.beta) + seasonal;
}

}  // namespace

Smoothing fit_smoothing(std::span<const double> values, std::size_t season, const GivenSmoothing& given) {
  const State begin = start(values, season);
  const auto error_of = [&](const std::array<double, 3>& by) {
    State state = begin;
    follow(state, values, season, {by[0], by[1], by[2]});
    return std::isnan(state.error) ? std::numeric_limits<double>::infinity() : state.error;
  };
  std::vector<std::size_t> free;
  std::array<double, 3> best{};
  for (std::size_t i = 0; i < 3; ++i) {
    best[i] = given[i].value_or(0);
    if (!given[i] && (i < 2 || season > 1)) free.push_back(i);
  }
  double least = error_of(best);
  const auto consider = [&](const std::array<double, 3>& by) {
    const double error = error_of(by);
    if (error >= least) return false;
    least = error;
    best = by;
    return true;
  };
  // A coarse grid first, because the error has several valleys; then steps along each axis, halved where none leads down.
  constexpr std::size_t kGrid = 5;
  std::size_t combinations = 1;
  for (std::size_t i = 0; i < free.size(); ++i) combinations *= kGrid;
  for (std::size_t n = 1; n < combinations; ++n) {
    std::array<double, 3> by = best;
    std::size_t rest = n;
    for (const std::size_t i : free) by[i] = static_cast<double>(rest % kGrid) / (kGrid - 1), rest /= kGrid;
    consider(by);
  }
  for (double step = 0.125; step > 1e-5;) {
    bool better = false;
    for (const std::size_t i : free) {
      for (const double sign : {1.0, -1.0}) {
        std::array<double, 3> by = best;
        by[i] = std::min(1.0, std::max(0.0, by[i] + sign * step));
        better = (by[i] != best[i] && consider(by)) || better;
      }
    }
    if (!better) step /= 2;
  }
  return {best[0], best[1], best[2]};
}

std::vector<ForecastPoint> forecast(std::span<const double> values, std::size_t season, const Smoothing& smoothing, std::size_t horizon) {
  State state = start(values, season);
  follow(state, values, season, smoothing);
  const double variance = state.error / static_cast<double>(values.size());
  std::vector<ForecastPoint> points;
  double weights = 1;
  for (std::size_t h = 1; h <= horizon; ++h) {
    const double seasonal = state.seasonal[(values.size() + h - 1) % season];
    const double value = state.level + static_cast<double>(h) * state.trend + seasonal;
    const double reach = kNormal95 * std::sqrt(variance * weights);
    points.push_back({value, value - reach, value + reach});
    weights += weight(h, season, smoothing) * weight(h, season, smoothing);
  }
  return points;
}

}  // namespace ts
