// Spending: how much a statement may ask of the store, and how much of that it has asked. Thread-safe.
//
// Law: no request goes out that would pass a limit. What is asked for counts when it goes out, each try of a request that is tried
// again and each hedged one too; what was not sent after all is given back when the request ends.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "ext/base/cancel.h"
#include "ext/base/error.h"

namespace ts {

class Spending {
 public:
  // 0: no limit. Of several tables of a statement the smallest limit counts.
  void limit(std::int64_t most_requests, std::uint64_t most_bytes) {
    if (most_requests > 0) most_requests_ = std::min<std::uint64_t>(most_requests_, static_cast<std::uint64_t>(most_requests));
    if (most_bytes > 0) most_bytes_ = std::min<std::uint64_t>(most_bytes_, most_bytes);
  }

  void admit(std::uint64_t bytes) {
    if (requests_.fetch_add(1) >= most_requests_) {
      requests_--;
      refuse("max_requests is " + std::to_string(most_requests_) + ", and this statement needs another request");
    }
    const std::uint64_t before = bytes_.fetch_add(bytes);
    if (before > most_bytes_ || bytes > most_bytes_ - before) {
      requests_--;
      bytes_ -= bytes;
      refuse("max_bytes is " + std::to_string(most_bytes_) + ", of which this statement has asked for " + std::to_string(before) +
             " and needs another " + std::to_string(bytes));
    }
  }
  void spare(std::uint64_t bytes) { bytes_ -= bytes; }
  void sent_again(std::uint64_t requests) { requests_ += requests; }  // by libcurl, which asks nobody

  std::uint64_t requests() const { return requests_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  [[noreturn]] static void refuse(const std::string& why) {
    throw Error(Code::kOverLimit, "timeseries: " + why + "; bound the time, ask ts_explain what a range takes, or raise the limit");
  }
  std::atomic<std::uint64_t> most_requests_{UINT64_MAX}, most_bytes_{UINT64_MAX};
  std::atomic<std::uint64_t> requests_{0}, bytes_{0};
};

}  // namespace ts
