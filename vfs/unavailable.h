// Unavailable: Code::kUnavailable with what a retry needs to know. Thrown by stores, decided on by RetryingStore.
#pragma once
#include <cstdint>
#include <string>

#include "ext/base/error.h"

namespace ts {

class Unavailable : public Error {
 public:
  Unavailable(const std::string& message, bool outcome_unknown, std::int64_t retry_after_ms = 0)
      : Error(Code::kUnavailable, message), outcome_unknown_(outcome_unknown), retry_after_ms_(retry_after_ms) {}

  // The request may have been carried out: it was sent and no answer that says otherwise came back.
  bool outcome_unknown() const noexcept { return outcome_unknown_; }
  // What the server asked for (Retry-After); 0: nothing.
  std::int64_t retry_after_ms() const noexcept { return retry_after_ms_; }

 private:
  bool outcome_unknown_;
  std::int64_t retry_after_ms_;
};

}  // namespace ts
