// The subtypes by which a value tells the unit it counts in: what the ts functions return is marked with one. Pure.
#pragma once
#include <optional>

#include "ext/base/timestamp.h"

namespace ts {

// Bytes that no known extension uses; SQLite's JSON functions use 74 ('J').
constexpr unsigned kSubtypeSeconds = 0x51;
constexpr unsigned kSubtypeMillis = 0x52;
constexpr unsigned kSubtypeMicros = 0x53;
constexpr unsigned kSubtypeNanos = 0x54;

constexpr unsigned subtype_of_precision(Precision precision) {
  switch (precision) {
    case Precision::kSeconds: return kSubtypeSeconds;
    case Precision::kMillis: return kSubtypeMillis;
    case Precision::kMicros: return kSubtypeMicros;
    case Precision::kNanos: break;
  }
  return kSubtypeNanos;
}

// nullopt: the value is not marked with a unit.
constexpr std::optional<Precision> precision_of_subtype(unsigned subtype) {
  switch (subtype) {
    case kSubtypeSeconds: return Precision::kSeconds;
    case kSubtypeMillis: return Precision::kMillis;
    case kSubtypeMicros: return Precision::kMicros;
    case kSubtypeNanos: return Precision::kNanos;
    default: return std::nullopt;
  }
}

}  // namespace ts
