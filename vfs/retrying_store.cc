// RetryingStore: the loop, the sleep and the question who won a put.
#include "vfs/retrying_store.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "vfs/unavailable.h"

namespace ts {
namespace {

constexpr std::int64_t kSliceMs = 20;  // a Cancel is polled at least this often

double system_random() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

std::string seconds(std::int64_t ms) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(ms) / 1000);
  return text.data();
}

std::string tried(const std::string& message, int tries, std::int64_t elapsed_ms) {
  if (tries == 1) return message;
  return message + " (" + std::to_string(tries) + " tries in " + seconds(elapsed_ms) + ")";
}

}  // namespace

RetryingStore::RetryingStore(std::shared_ptr<Store> inner, Clock& clock, RetryPolicies policies, std::function<double()> random)
    : inner_(std::move(inner)), clock_(clock), policies_(policies), random_(random ? std::move(random) : system_random) {}

void RetryingStore::sleep(std::int64_t ms, const Cancel* cancel) {
  for (;;) {
    if (cancel && cancel->cancelled()) {
      throw Error(Code::kInterrupted, "store: interrupted while waiting for another try: " + describe());
    }
    if (ms <= 0) return;
    const std::int64_t slice = std::min(ms, kSliceMs);
    clock_.sleep_ms(slice);
    ms -= slice;
  }
}

// `outcome_unknown` becomes true once a try may have been carried out without our knowing.
template <typename Try>
auto RetryingStore::retry(const RetryPolicy& policy, const Cancel* cancel, bool* outcome_unknown, Try attempt) {
  const std::int64_t begin = clock_.steady_ms();
  double ceiling = static_cast<double>(policy.base_ms);
  for (int tries = 1;; ++tries) {
    std::int64_t wait = 0;
    try {
      return attempt();
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      const auto* told = dynamic_cast<const Unavailable*>(&error);
      if (!told || told->outcome_unknown()) *outcome_unknown = true;
      wait = static_cast<std::int64_t>(random_() * std::min(ceiling, static_cast<double>(policy.cap_ms)));
      if (told && told->retry_after_ms() > 0) wait = std::min(told->retry_after_ms(), policy.retry_after_cap_ms);
      const std::int64_t elapsed = clock_.steady_ms() - begin;
      if (tries >= policy.attempts || (tries >= 2 && elapsed + wait > policy.budget_ms)) {
        throw Unavailable(tried(error.what(), tries, elapsed), *outcome_unknown, told ? told->retry_after_ms() : 0);
      }
    }
    ceiling *= 4;
    sleep(wait, cancel);
  }
}

ListPage RetryingStore::list(std::string_view prefix, std::string_view start_after, const Cancel* cancel) {
  bool unknown = false;
  return retry(policies_.read, cancel, &unknown, [&] { return inner_->list(prefix, start_after, cancel); });
}

Range RetryingStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                               const Cancel* cancel) {
  bool unknown = false;
  return retry(policies_.read, cancel, &unknown, [&] { return inner_->get_range(key, etag, offset, length, cancel); });
}

PutResult RetryingStore::put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel) {
  bool unknown = false;
  PutResult result = retry(policies_.put, cancel, &unknown, [&] { return inner_->put_if_absent(key, bytes, cancel); });
  if (result.stored || !unknown) return result;
  return read_back(key, bytes, cancel);
}

PutResult RetryingStore::read_back(std::string_view key, std::string_view bytes, const Cancel* cancel) {
  try {
    Range found = get_range(key, {}, 0, bytes.size() + 1, cancel);
    if (found.bytes == bytes) return {true, std::move(found.etag)};
    return {};
  } catch (const Error& error) {
    if (error.code() == Code::kForbidden) return {true, {}};
    if (error.code() == Code::kNotFound) {
      throw Unavailable("store: an object that was there is gone again: " + object_name(*this, key), true);
    }
    throw;
  }
}

void RetryingStore::remove(std::string_view key, const Cancel* cancel) {
  bool unknown = false;
  retry(policies_.read, cancel, &unknown, [&] { inner_->remove(key, cancel); });
}

}  // namespace ts
