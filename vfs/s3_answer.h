// What an S3 server answered: listings, and errors as ours. Pure: bytes in, values or Error out.
//
// Every byte comes from a stranger. A listing must be in byte order, within its prefix and after its start, otherwise it
// is kCorrupt: a reader that trusted it would lose rows. Error texts of servers are not shown (they may echo secrets, and
// Ceph's are empty); only the error's code is.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vfs/http.h"
#include "vfs/store.h"

namespace ts {

constexpr std::uint64_t kMaxListing = 16 << 20;  // 1000 keys of 1024 bytes, each byte as %XX, with room to spare

struct S3Listing {
  std::vector<ObjectInfo> objects;  // whole keys
  bool truncated = false;
};

// `prefix` and `start_after` are the whole keys asked for; `place` names them in messages.
S3Listing parse_listing(std::string_view xml, std::string_view prefix, std::string_view start_after, const std::string& place);

struct S3Error {
  std::string code;    // "NoSuchKey"; letters and digits only, empty when the body has none
  std::string region;  // where the bucket is, from x-amz-bucket-region or the body
};

S3Error parse_error(const HttpResponse& response);

// The Error for an answer that is not the one wanted; `object` is the object or place, `action` what the credentials
// need ("s3:GetObject").
[[noreturn]] void throw_s3_error(const HttpResponse& response, const S3Error& error, const std::string& object, const std::string& action);

// An HttpError (no answer) with the object's name.
[[noreturn]] void throw_s3_fault(const HttpError& fault, const std::string& object);

// The keys in an answer of STS AssumeRoleWithWebIdentity; nothing when it is no such answer.
struct StsKeys {
  std::string access_key_id, secret_access_key, session_token, expiration;
};
std::optional<StsKeys> parse_sts_keys(std::string_view xml);

// Without the quotes.
std::string unquoted(std::string_view etag);

}  // namespace ts
