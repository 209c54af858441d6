// What the storage tests share: the real S3 server (S3_ENDPOINT), a made-up environment, a clock of the test, a Cancel.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "ext/base/cancel.h"
#include "ext/base/clock.h"
#include "vfs/credentials.h"
#include "vfs/s3_store.h"

namespace ts_test {

// A fresh bucket of the real server. Fails the test when S3_ENDPOINT is not set.
class S3Server {
 public:
  static S3Server& get();
  const std::string& bucket() const { return bucket_; }
  std::string fresh_prefix();
  ts::StoreOptions options(const std::string& prefix) const;
  std::unique_ptr<ts::S3Store> store(const std::string& prefix, std::size_t page_size = 1000) const;
  // An unconditional PUT, as somebody else's tool would do it.
  void overwrite(const std::string& prefix, const std::string& key, const std::string& bytes) const;

 private:
  S3Server();
  void put(const std::string& path, const std::string& bytes) const;
  std::string bucket_;
  std::atomic<int> prefixes_{0};
};

// An environment that holds exactly this, files that hold exactly this.
struct World {
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> files;
  ts::HttpFunction http = ts::http_send;
  ts::Clock* clock = &ts::Clock::system();
  ts::Surroundings around() const;  // refers to this World
};

class FakeClock : public ts::Clock {
 public:
  std::atomic<std::int64_t> now{1'795'000'000'000};
  std::atomic<std::int64_t> steady{0};
  std::atomic<std::int64_t> longest_sleep{0};
  std::int64_t now_ms() override { return now; }
  std::int64_t steady_ms() override { return steady; }
  void sleep_ms(std::int64_t ms) override {
    now += ms;
    steady += ms;
    if (ms > longest_sleep) longest_sleep = ms;
  }
};

struct TestCancel : ts::Cancel {
  std::atomic<bool> stop{false};
  mutable std::atomic<std::uint64_t> requests{0};
  mutable std::atomic<std::uint64_t> bytes{0};
  bool cancelled() const override { return stop; }
  void charge(std::uint64_t r, std::uint64_t b) const override { requests += r, bytes += b; }
};

// The message and code of the Error that `body` throws; fails the test when it throws none.
struct Thrown {
  ts::Code code;
  std::string message;
  bool has(const std::string& part) const { return message.find(part) != std::string::npos; }
};
template <typename Body>
Thrown thrown(Body body) {
  try {
    body();
  } catch (const ts::Error& error) {
    return {error.code(), error.what()};
  }
  return {ts::Code::kNoMemory, "nothing was thrown"};
}

}  // namespace ts_test
