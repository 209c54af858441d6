// A Store in memory with S3's laws, for tests: it counts, remembers and, where a test asks, delays and fails requests.
//
// Thread-safe, also its settings. Hooks run without its lock: they may throw (a fault), block (to hold a request in
// flight), or change the store itself (another writer).
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ext/base/clock.h"
#include "vfs/store.h"

namespace ts_test {

class MemoryStore : public ts::Store {
 public:
  enum class Kind { kList, kGet, kPut, kRemove };
  struct Request {
    Kind kind = Kind::kGet;
    std::string key;           // the prefix of a list
    std::string etag;          // of a get: what it was pinned to
    std::uint64_t offset = 0;  // of a get
    std::uint64_t length = 0;  // of a get: asked for; of a put: of the object
  };
  using Hook = std::function<void(const Request&)>;

  explicit MemoryStore(std::string location = "s3://memory", ts::Clock& clock = ts::Clock::system());

  ts::ListPage list(std::string_view prefix, std::string_view start_after, const ts::Cancel* cancel = nullptr) override;
  ts::Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                      const ts::Cancel* cancel = nullptr) override;
  ts::PutResult put_if_absent(std::string_view key, std::string_view bytes, const ts::Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const ts::Cancel* cancel = nullptr) override;
  std::string describe() const override { return location_; }

  // What a test does behind the reader's back; not counted, no hook, no delay.
  std::string overwrite(const std::string& key, std::string bytes);  // returns the ETag
  std::optional<std::string> bytes_of(const std::string& key) const;
  void forget(const std::string& key);
  std::vector<std::string> keys() const;

  // Settings.
  void before(Hook hook);                             // each request, before it has any effect
  void after(Hook hook);                              // each request that succeeded: a throw here is an answer lost on its way
  void fail_next(int count, const ts::Error& error);  // the next `count` requests fail before they have an effect
  void set_latency_ms(std::int64_t ms);               // each request waits so long first; a Cancel ends the wait
  void set_page_size(std::size_t keys);               // of a list; 1000 as S3

  // What happened since the start or reset_counts().
  std::uint64_t requests() const;
  std::uint64_t count(Kind kind) const;
  std::uint64_t gets() const { return count(Kind::kGet); }
  std::uint64_t lists() const { return count(Kind::kList); }
  std::uint64_t puts() const { return count(Kind::kPut); }
  std::uint64_t bytes_read() const;  // given out by gets
  std::uint64_t most_in_flight() const;
  std::vector<Request> log() const;
  void reset_counts();

 private:
  struct Object {
    std::shared_ptr<const std::string> bytes;  // shared: a slow reader keeps what it was given
    std::string etag;
  };

  template <class Effect>
  auto run(const Request& request, const ts::Cancel* cancel, Effect&& effect);
  void begin(const Request& request, const ts::Cancel* cancel);
  void delay(const Request& request, const ts::Cancel* cancel);
  [[noreturn]] void fail(ts::Code code, const std::string& what, std::string_view key) const;

  const std::string location_;
  ts::Clock& clock_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Object, std::less<>> objects_;
  Hook before_;
  Hook after_;
  int failures_ = 0;  // still to come; the text is kept apart, since copies of an Error share it across threads
  ts::Code failure_code_ = ts::Code::kUnavailable;
  std::string failure_text_;
  std::int64_t latency_ms_ = 0;
  std::size_t page_size_ = 1000;
  std::vector<Request> log_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t most_in_flight_ = 0;
};

}  // namespace ts_test
