// Time as an argument: the wall clock, a steady clock and sleeping, so that tests own all three.
#pragma once
#include <cstdint>

namespace ts {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t now_ms() = 0;      // since 1970-01-01 UTC
  virtual std::int64_t steady_ms() = 0;   // never goes back
  virtual void sleep_ms(std::int64_t ms) = 0;
  static Clock& system();
};

}  // namespace ts
