// S3Store: Store in an S3 bucket, by SigV4 over HTTP. Made for AWS and for Ceph's gateway; nothing here is retried but
// what only this layer can know: the bucket's region, expired credentials, a server without conditional PUT.
//
// Laws beyond those of Store: every ranged GET carries If-Match when an ETag is known and wants 206 with exactly the
// range asked for. A PUT is sent at most once per call and carries If-None-Match: *. A server that refuses the condition
// (501, NotImplemented) gets PUTs without it, after a look whether the key is free; that is remembered.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "ext/base/clock.h"
#include "vfs/credentials.h"
#include "vfs/http.h"
#include "vfs/s3_location.h"
#include "vfs/store.h"
#include "vfs/url.h"

namespace ts {

struct S3Config {
  S3Location location;
  std::string endpoint;  // normalised; empty: AWS
  std::string region = "us-east-1";
  Addressing addressing = Addressing::kAutomatic;
  std::shared_ptr<CredentialChain> credentials;  // null: anonymous
  HttpFunction http = http_send;
  Clock* clock = &Clock::system();
  std::size_t page_size = 1000;  // keys per LIST; servers give at most 1000
  std::int64_t stall_timeout_ms = 20'000;
};

// What the user wrote, the environment and the profile, resolved and checked. Makes no request.
S3Config s3_config(const StoreOptions& options, const Surroundings& around = Surroundings::system());

class S3Store : public Store {
 public:
  explicit S3Store(S3Config config);

  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) override;
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                  const Cancel* cancel = nullptr) override;
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const Cancel* cancel = nullptr) override;
  std::string describe() const override;

 private:
  struct Call;
  HttpResponse send(const Call& call, const Cancel* cancel);
  HttpRequest signed_request(const Call& call, const std::string& region, const Credentials* keys) const;
  std::string whole_key(std::string_view key) const;
  std::string region() const;
  bool conditional() const;

  const S3Config config_;
  const std::string key_prefix_;  // "prefix/" or empty
  mutable std::mutex mutex_;
  std::string region_;       // guarded by mutex_: as configured, or learned from a redirect
  bool conditional_ = true;  // guarded by mutex_: the server knows If-None-Match on PUT, as far as we know
};

}  // namespace ts
