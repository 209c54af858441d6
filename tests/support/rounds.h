// Rounds: holds a store's requests until as many of them are there as a test expects at once, round by round.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "tests/support/memory_store.h"

namespace ts_test {

// None of a round is answered before all of them have come: one after the other would wait for ever. What comes after the last
// round is answered at once. Lives as long as the store is asked.
class Rounds {
 public:
  Rounds(MemoryStore& store, std::vector<int> sizes) : sizes_(std::move(sizes)) {
    store.before([this](const MemoryStore::Request&) { arrive(); });
  }
  int left() const {
    std::lock_guard lock(mutex_);
    return static_cast<int>(sizes_.size() - round_);
  }

 private:
  void arrive() {
    std::unique_lock lock(mutex_);
    const std::size_t mine = round_;
    if (mine == sizes_.size()) return;
    if (++here_ < sizes_[mine]) return complete_.wait(lock, [&] { return round_ > mine; });
    round_++;
    here_ = 0;
    complete_.notify_all();
  }

  const std::vector<int> sizes_;
  mutable std::mutex mutex_;
  std::condition_variable complete_;
  std::size_t round_ = 0;  // guarded by mutex_, as the next
  int here_ = 0;
};

}  // namespace ts_test
