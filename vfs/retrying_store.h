// RetryingStore: another Store, tried again while it is unavailable. One documented policy for each kind of call.
//
// Only Code::kUnavailable is tried again. Between two tries it sleeps a random part (full jitter) of base * 4^n, at most
// `cap_ms`, or what the server's Retry-After says, at most `retry_after_cap_ms`; a Cancel ends the sleep within 20 ms. No
// try begins later than `budget_ms` after the first, but the second one always does (the first may have met a dead
// connection). When a put's earlier try may have been carried out and a later one finds the key taken, the object is
// read back and compared: its bytes decide who won; where reading is forbidden it counts as ours.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "ext/base/clock.h"
#include "vfs/store.h"

namespace ts {

struct RetryPolicy {
  int attempts = 4;
  std::int64_t base_ms = 250;
  std::int64_t cap_ms = 4'000;
  std::int64_t retry_after_cap_ms = 5'000;
  std::int64_t budget_ms = 10'000;
};

struct RetryPolicies {
  RetryPolicy read;                               // get_range, list, remove
  RetryPolicy put{3, 250, 4'000, 5'000, 10'000};  // the uploader above tries for ever by itself
};

class RetryingStore : public Store {
 public:
  // `random` gives a number in [0, 1); the default is seeded by the system. `clock` must outlive the store.
  RetryingStore(std::shared_ptr<Store> inner, Clock& clock = Clock::system(), RetryPolicies policies = {},
                std::function<double()> random = {});

  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) override;
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                  const Cancel* cancel = nullptr) override;
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const Cancel* cancel = nullptr) override;
  std::string describe() const override { return inner_->describe(); }

 private:
  template <typename Try>
  auto retry(const RetryPolicy& policy, const Cancel* cancel, bool* outcome_unknown, Try attempt);
  void sleep(std::int64_t ms, const Cancel* cancel);
  PutResult read_back(std::string_view key, std::string_view bytes, const Cancel* cancel);

  const std::shared_ptr<Store> inner_;
  Clock& clock_;
  const RetryPolicies policies_;
  const std::function<double()> random_;
};

}  // namespace ts
