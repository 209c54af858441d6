// AWS Signature Version 4, as S3 uses it: every intermediate text is visible. Pure: no I/O, no clock.
//
// S3's rules: the path is encoded once and never normalised; x-amz-content-sha256 and, where there is one, the session
// token are among the signed headers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ts {

struct SigV4Request {
  std::string method;
  std::string path;                                          // percent-encoded, exactly as sent; empty means "/"
  std::string canonical_query;                               // from encode_query(), exactly as sent
  std::vector<std::pair<std::string, std::string>> headers;  // those to sign; Host and x-amz-date among them
  std::string payload_hash;                                  // hex SHA-256 of the body, the value of x-amz-content-sha256
};

struct SigV4Scope {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;
  std::string service;
  std::string amz_date;  // "20130524T000000Z"
};

struct SigV4 {
  std::string canonical_request;
  std::string string_to_sign;
  std::string signature;      // hex
  std::string authorization;  // value of the Authorization header
};

SigV4 sign_v4(const SigV4Request& request, const SigV4Scope& scope);

// "20130524T000000Z" from milliseconds since 1970 (years 1970 to 9999).
std::string amz_date(std::int64_t now_ms);

}  // namespace ts
