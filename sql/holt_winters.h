// Additive Holt-Winters smoothing (level, trend, season), its fit and its forecast. Pure.
//
// Winters, Forecasting Sales by Exponentially Weighted Moving Averages, 1960; the intervals are those of the model as a state
// space, Hyndman et al., Forecasting with Exponential Smoothing, 2008, 6.2.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace ts {

struct Smoothing {
  double alpha = 0, beta = 0, gamma = 0;  // of level, trend and season, each from 0 to 1
};
using GivenSmoothing = std::array<std::optional<double>, 3>;

struct ForecastPoint {
  double value = 0, lower = 0, upper = 0;  // the bounds hold 95 of 100 outcomes, if errors are normal
};

// The smoothing with the least squared error of forecasting each value from those before it; what is given stays. Deterministic.
// REQUIRES, here and below: season is at least 1, and there are two seasons of values; 1 is none.
Smoothing fit_smoothing(std::span<const double> values, std::size_t season, const GivenSmoothing& given);

std::vector<ForecastPoint> forecast(std::span<const double> values, std::size_t season, const Smoothing& smoothing, std::size_t horizon);

}  // namespace ts
