// Where an S3 object lives: what the user wrote about bucket, prefix and endpoint, checked, and the URL made of it. Pure.
//
// A custom endpoint and a bucket with dots use path style (https://host/bucket/key), AWS the virtual host
// (https://bucket.s3.region.amazonaws.com/key). No secret may stand in a location or an endpoint.
#pragma once
#include <string>
#include <string_view>

namespace ts {

struct S3Location {
  std::string bucket;
  std::string prefix;        // without '/' at either end; may be empty
  std::string text() const;  // "s3://bucket/prefix"
};

// 's3://bucket/prefix'; throws kBadInput with the remedy.
S3Location parse_s3_location(std::string_view location);

// "https://host[:port][/path]" in one spelling; AWS's own addresses and "" become "" (AWS). Throws kBadInput.
std::string normalise_endpoint(std::string_view endpoint);

// Whether it looks like a region ([a-z0-9-], at most 32): it becomes part of a host name.
bool valid_region(std::string_view region);

enum class Addressing { kAutomatic, kPath, kVirtualHost };

struct S3Address {
  std::string origin;  // "https://bucket.s3.eu-west-1.amazonaws.com"
  std::string host;    // the Host header
  std::string path;    // percent-encoded, what is sent and signed
};

// `key`: the whole key; empty names the bucket. `endpoint`: normalised.
S3Address s3_address(const std::string& endpoint, const std::string& region, const std::string& bucket, std::string_view key,
                     Addressing addressing);

}  // namespace ts
