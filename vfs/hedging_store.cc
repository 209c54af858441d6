// HedgingStore: the race of two requests, and when the second one starts.
#include "vfs/hedging_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "ext/base/worker_pool.h"

namespace ts {

// Thread-safe.
class HedgingStore::Pace {
 public:
  // LISTs, and ranges of up to 64 KiB, 256 KiB, 1 MiB, 4 MiB and more: within one of these the sizes hardly tell in the time.
  enum Kind : std::size_t { kList, kSmallestRange, kKinds = 6 };
  static Kind kind_of(std::uint64_t length) {
    std::size_t kind = kSmallestRange;
    for (std::uint64_t most = 64 << 10; length > most && kind + 1 < kKinds; most *= 4) kind++;
    return static_cast<Kind>(kind);
  }

  explicit Pace(HedgePolicy policy) : policy_(policy) {}

  void begun() {
    std::lock_guard lock(mutex_);
    // What is saved while all goes well is not spent at once when all goes badly.
    credit_ = std::min(credit_ + 1, policy_.one_in * policy_.most_at_once);
  }
  void took(Kind kind, std::int64_t ms) {
    std::lock_guard lock(mutex_);
    Recent& recent = recent_[kind];
    recent.ms[recent.count++ % recent.ms.size()] = ms;
  }
  // True: a second request may start, and ended() follows.
  bool may_ask_again(Kind kind, std::int64_t elapsed_ms) {
    if (elapsed_ms < policy_.floor_ms) return false;
    std::lock_guard lock(mutex_);
    const Recent& recent = recent_[kind];
    if (credit_ < policy_.one_in || running_ >= policy_.most_at_once || recent.count < policy_.known) return false;
    if (elapsed_ms < policy_.factor * percentile_95(recent)) return false;
    credit_ -= policy_.one_in;
    running_++;
    return true;
  }
  void ended() {
    std::lock_guard lock(mutex_);
    running_--;
  }

 private:
  struct Recent {
    std::array<std::int64_t, 128> ms;
    std::size_t count = 0;  // ever; the last ones are kept
  };
  static std::int64_t percentile_95(const Recent& recent) {
    std::array<std::int64_t, 128> sorted = recent.ms;
    const std::size_t count = std::min(recent.count, sorted.size());
    if (count == 0) return 0;
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(count * 95 / 100);
    std::nth_element(sorted.begin(), at, sorted.begin() + static_cast<std::ptrdiff_t>(count));
    return *at;
  }

  const HedgePolicy policy_;
  std::mutex mutex_;
  std::array<Recent, kKinds> recent_;  // guarded by mutex_, as the next
  std::int64_t credit_ = 0;            // in parts of a second request: each read brings one, one_in make a whole
  std::int64_t running_ = 0;
};

namespace {

using Pace = HedgingStore::Pace;
constexpr std::chrono::milliseconds kPollInterval{20};  // Cancel's law

// The second request. Shared by the call and the task that makes it: whichever ends last. Its Cancel counts it as sent also when
// the call returns before it ends.
template <class Answer>
class Second : public Cancel {
 public:
  Second(const Cancel* caller, std::shared_ptr<Pace> pace) : caller_(caller), pace_(std::move(pace)) {}

  bool cancelled() const override {
    std::lock_guard lock(caller_mutex_);
    return left_ || (caller_ && caller_->cancelled());
  }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override {
    std::lock_guard lock(caller_mutex_);
    charged_ = true;
    if (caller_) caller_->charge(requests, bytes);
  }
  void admit(std::uint64_t bytes) const override {
    std::lock_guard lock(caller_mutex_);
    if (caller_) caller_->admit(bytes);
  }
  void spare(std::uint64_t bytes) const override {
    std::lock_guard lock(caller_mutex_);
    if (caller_) caller_->spare(bytes);
  }

  void run(const std::function<Answer(const Cancel*)>& ask) noexcept {
    std::optional<Answer> answer;
    try {
      if (!cancelled()) answer = ask(this);
    } catch (...) {
      // The first request decides.
    }
    pace_->ended();
    std::lock_guard lock(mutex_);
    if (answer) answer_ = std::move(answer);
    ended_ = true;
    changed_.notify_all();
  }

  bool has_answered() const {
    std::lock_guard lock(mutex_);
    return answer_.has_value();
  }
  std::optional<Answer> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }
  // Until it has ended, or the caller gives up.
  void wait() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kPollInterval, [this] { return ended_; })) {
      lock.unlock();
      if (cancelled()) return;
      lock.lock();
    }
  }
  // The call returns.
  void leave() {
    std::lock_guard lock(caller_mutex_);
    if (caller_ && !charged_) caller_->charge(1, 0);
    caller_ = nullptr;
    left_ = true;
  }

 private:
  mutable std::mutex caller_mutex_;
  const Cancel* caller_;  // guarded by caller_mutex_, as the next two
  mutable bool charged_ = false;
  bool left_ = false;
  const std::shared_ptr<Pace> pace_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Answer> answer_;  // guarded by mutex_, as the next
  bool ended_ = false;
};

// One read: the first request in the caller's thread, whose Cancel this is, and perhaps a second one.
template <class Answer>
class Race : public Cancel {
 public:
  using Ask = std::function<Answer(const Cancel*)>;  // owns what it needs: it may run after the call has returned

  Race(std::shared_ptr<Pace> pace, Pace::Kind kind, Clock& clock, const Cancel* caller, Ask ask)
      : pace_(std::move(pace)), kind_(kind), clock_(clock), caller_(caller), ask_(std::move(ask)), begin_ms_(clock.steady_ms()) {}
  ~Race() override {
    if (second_) second_->leave();
  }

  Answer run() {
    pace_->begun();
    std::optional<Answer> answer;
    try {
      answer = ask_(this);
    } catch (const Error& error) {
      if (!second_) throw;
      if (error.code() == Code::kUnavailable) second_->wait();
      const bool cut_off = error.code() == Code::kUnavailable || error.code() == Code::kInterrupted;
      if (cut_off) answer = second_->take();
      if (!answer) throw;
    }
    pace_->took(kind_, clock_.steady_ms() - begin_ms_);
    return std::move(*answer);
  }

  // Asked by the first request as long as it waits.
  bool cancelled() const override {
    if (caller_ && caller_->cancelled()) return true;
    std::lock_guard lock(mutex_);
    if (second_) return second_->has_answered();
    if (sent_ == 0 && pace_->may_ask_again(kind_, clock_.steady_ms() - begin_ms_)) ask_again();
    return false;
  }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override {
    sent_ += requests;
    if (caller_) caller_->charge(requests, bytes);
  }
  void cache_hit() const override {
    if (caller_) caller_->cache_hit();
  }
  void admit(std::uint64_t bytes) const override {
    if (caller_) caller_->admit(bytes);
  }
  void spare(std::uint64_t bytes) const override {
    if (caller_) caller_->spare(bytes);
  }

 private:
  void ask_again() const noexcept {
    try {
      auto second = std::make_shared<Second<Answer>>(caller_, pace_);
      WorkerPool::hedgers().submit([second, ask = ask_] { second->run(ask); });
      second_ = std::move(second);
    } catch (...) {
      pace_->ended();  // no thread, no memory: the first one goes on alone
    }
  }

  const std::shared_ptr<Pace> pace_;
  const Pace::Kind kind_;
  Clock& clock_;
  const Cancel* const caller_;
  const Ask ask_;
  const std::int64_t begin_ms_;
  mutable std::atomic<std::uint64_t> sent_{0};  // requests of the first that have ended
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Second<Answer>> second_;  // written once, under mutex_
};

}  // namespace

HedgingStore::HedgingStore(std::shared_ptr<Store> inner, Clock& clock, HedgePolicy policy)
    : inner_(std::move(inner)), clock_(clock), pace_(std::make_shared<Pace>(policy)) {}

ListPage HedgingStore::list(std::string_view prefix, std::string_view start_after, const Cancel* cancel) {
  auto ask = [inner = inner_, prefix = std::string(prefix), after = std::string(start_after)](const Cancel* on_behalf) {
    return inner->list(prefix, after, on_behalf);
  };
  return Race<ListPage>(pace_, Pace::kList, clock_, cancel, ask).run();
}

Range HedgingStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                              const Cancel* cancel) {
  if (etag.empty()) return inner_->get_range(key, etag, offset, length, cancel);
  auto ask = [inner = inner_, key = std::string(key), etag = std::string(etag), offset, length](const Cancel* on_behalf) {
    return inner->get_range(key, etag, offset, length, on_behalf);
  };
  return Race<Range>(pace_, Pace::kind_of(length), clock_, cancel, ask).run();
}

}  // namespace ts
