// Cancel: on whose behalf a request is made. It can call the wait off, refuse to pay, and is charged for what was asked.
#pragma once
#include <algorithm>
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
  // Asked before each request goes out, with the most bytes of an object that it can bring (a listing brings none): throws kOverLimit
  // where that is more than may be spent. Thread-safe, as is the next.
  virtual void admit(std::uint64_t bytes) const { (void)bytes; }
  // So many bytes less came than were admitted.
  virtual void spare(std::uint64_t bytes) const { (void)bytes; }
};

// One request's admission: what it does not bring is given back.
class Admission {
 public:
  Admission(const Cancel* cancel, std::uint64_t most_bytes) : cancel_(cancel), left_(most_bytes) {
    if (cancel_) cancel_->admit(most_bytes);
  }
  ~Admission() {
    if (cancel_ && left_ > 0) cancel_->spare(left_);
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  void came(std::uint64_t bytes) noexcept { left_ -= std::min(left_, bytes); }

 private:
  const Cancel* const cancel_;
  std::uint64_t left_;
};

}  // namespace ts
