// HedgingStore: another Store, whose slowest reads are asked a second time on another connection; the first answer wins.
//
// One slow answer is the latency of a whole query. Asked again are reads pinned by an ETag, whose answers are equal, and LISTs,
// either of which is as fresh as the call; never what writes. A read is due when it has taken `factor` times the 95th percentile of
// the recent ones of its kind and size, and `floor_ms`; not while it is tried again after an error, since that asks already. At most
// one in `one_in` is asked again, and `most_at_once` at a time. The request's own polling of its Cancel is the timer: no thread waits
// for it. The loser ends within one poll of Cancel; the caller's Cancel ends both, is charged for both, and is not touched once the
// call has returned. What the second one fails with is nobody's concern, and it saves a first one that is unavailable.
#pragma once
#include <cstdint>
#include <memory>

#include "ext/base/clock.h"
#include "vfs/store.h"

namespace ts {

struct HedgePolicy {
  std::int64_t floor_ms = 100;   // nobody waits noticeably for less
  std::int64_t factor = 2;       // of the 95th percentile
  std::size_t known = 16;        // answers of a kind and size before they have a percentile
  std::int64_t one_in = 10;      // what all servers together get more to do
  std::int64_t most_at_once = 4;  // an overloaded server is slow for everybody
};

class HedgingStore : public Store {
 public:
  // `clock` must outlive the store.
  explicit HedgingStore(std::shared_ptr<Store> inner, Clock& clock = Clock::system(), HedgePolicy policy = {});

  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) override;
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                  const Cancel* cancel = nullptr) override;
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) override {
    return inner_->put_if_absent(key, bytes, cancel);
  }
  void remove(std::string_view key, const Cancel* cancel = nullptr) override { inner_->remove(key, cancel); }
  bool adopt(std::string_view key, std::string_view etag, const std::string& path) noexcept override {
    return inner_->adopt(key, etag, path);
  }
  std::string describe() const override { return inner_->describe(); }

  class Pace;  // what is known of past reads, shared with those that are still under way

 private:
  const std::shared_ptr<Store> inner_;
  Clock& clock_;
  const std::shared_ptr<Pace> pace_;
};

}  // namespace ts
