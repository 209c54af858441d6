// Cancel: on whose behalf a request is made. It can call the wait off, and it is charged for what was asked.
#pragma once
#include <cstdint>

namespace ts {

class Cancel {
 public:
  virtual ~Cancel() = default;
  // A person pressed Ctrl-C, or the work is no longer wanted. Polled at least every 50 ms. Thread-safe.
  virtual bool cancelled() const = 0;
  // One request went out (each try of a retried one counts) and `bytes` of object or listing came back. Thread-safe.
  virtual void charge(std::uint64_t requests, std::uint64_t bytes) const { (void)requests, (void)bytes; }
  // A cache on disk answered instead. Thread-safe.
  virtual void cache_hit() const {}
};

}  // namespace ts
