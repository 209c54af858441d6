// The system's clocks.
#include "ext/base/clock.h"

#include <chrono>
#include <thread>

namespace ts {
namespace {
class SystemClock : public Clock {
 public:
  std::int64_t now_ms() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  std::int64_t steady_ms() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  void sleep_ms(std::int64_t ms) override { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
};
}  // namespace

Clock& Clock::system() {
  static SystemClock* clock = new SystemClock;  // never destroyed: background threads may outlive exit handlers
  return *clock;
}
}  // namespace ts
