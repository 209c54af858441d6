// Who we are to S3: the chain environment -> web identity -> profile files -> container -> instance metadata (IMDSv2),
// and what the environment and the profile say about region and endpoint.
//
// Everything outside is an argument. Constructing makes no request. Credentials that expire are fetched anew five minutes
// before. A configured source that fails is an error; only one that is not configured is passed over. No secret is ever in
// a message. Requests for credentials are cancellable but not charged: they are not traffic of the archive.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "ext/base/clock.h"
#include "vfs/http.h"

namespace ts {

// The world as the chain sees it.
struct Surroundings {
  std::function<std::string(const char*)> environment;                      // "" when it is not set
  std::function<std::optional<std::string>(const std::string&)> read_file;  // nothing when it cannot be read
  HttpFunction http;
  Clock* clock = nullptr;

  static Surroundings system();
};

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;    // empty: long-lived keys
  std::int64_t expires_ms = 0;  // 0: never
  std::string source;           // for messages: "the environment", "profile 'x'"
};

// One profile of ~/.aws/config and ~/.aws/credentials, merged (credentials win).
struct Profile {
  std::string name;
  bool found = false;
  std::string files;                          // for messages
  std::map<std::string, std::string> values;  // "region", "aws_access_key_id", "s3.endpoint_url" (of its services section)
  std::string value(const std::string& name) const;
};

// `chosen`: the table's option; else AWS_PROFILE, else "default". Throws kBadInput when a chosen one does not exist.
Profile load_profile(const Surroundings& around, const std::string& chosen);

// option, AWS_REGION, AWS_DEFAULT_REGION, profile, "us-east-1".
std::string resolve_region(const Surroundings& around, const Profile& profile, const std::string& option);
// option, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, profile (services s3, then endpoint_url); empty: AWS.
std::string resolve_endpoint(const Surroundings& around, const Profile& profile, const std::string& option);

// Thread-safe; one thread fetches while the others wait.
class CredentialChain {
 public:
  // `chosen`: the table's profile option; when it is given, only that profile is asked.
  CredentialChain(Surroundings around, std::string chosen);

  // Throws kForbidden (nothing found, refused) or kUnavailable.
  std::shared_ptr<const Credentials> get(const Cancel* cancel);
  // The server called these expired: the next get() fetches anew, unless somebody already did.
  void expire(const std::shared_ptr<const Credentials>& refused);

 private:
  std::shared_ptr<const Credentials> fetch(const Cancel* cancel);

  const Surroundings around_;
  const std::string chosen_;
  std::mutex mutex_;
  std::condition_variable fetched_;
  std::shared_ptr<const Credentials> current_;  // guarded by mutex_
  bool fetching_ = false;                       // guarded by mutex_
  std::int64_t not_before_ms_ = 0;              // guarded by mutex_: no refresh of still valid credentials before
  std::string missing_;                         // guarded by mutex_: why nothing was found; asking again costs a second
  std::int64_t missing_until_ms_ = 0;           // guarded by mutex_
};

// Milliseconds since 1970 of "2026-11-23T07:16:00Z" (a fraction is allowed); nothing when it is no such time.
std::optional<std::int64_t> parse_expiration(const std::string& text);

}  // namespace ts
