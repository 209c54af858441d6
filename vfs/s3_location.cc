// Checks and URLs of S3 locations.
#include "vfs/s3_location.h"

#include <algorithm>

#include "ext/base/error.h"
#include "vfs/url.h"

namespace ts {
namespace {

constexpr std::size_t kMaxPrefix = 512;  // of S3's 1024 bytes a key, the rest is for table, partition and name

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// S3's rules for bucket names; nullptr: fine.
const char* wrong_with_bucket(std::string_view bucket) {
  if (bucket.empty()) return "the bucket is missing; write s3://bucket/prefix";
  if (bucket.size() < 3 || bucket.size() > 63) return "a bucket name has 3 to 63 characters";
  if (!std::all_of(bucket.begin(), bucket.end(), [](char c) { return lower_or_digit(c) || c == '.' || c == '-'; })) {
    return "a bucket name has lower-case letters, digits, '-' and '.' only";
  }
  if (!lower_or_digit(bucket.front()) || !lower_or_digit(bucket.back())) return "a bucket name begins and ends with a letter or digit";
  if (bucket.find("..") != std::string_view::npos) return "a bucket name has no two dots in a row";
  if (bucket.find_first_not_of("0123456789.") == std::string_view::npos && std::count(bucket.begin(), bucket.end(), '.') == 3) {
    return "a bucket name is no IP address";
  }
  return nullptr;
}

// s3.amazonaws.com, s3.REGION.amazonaws.com[.cn], s3-REGION.amazonaws.com, s3.dualstack.REGION.amazonaws.com
bool is_aws(std::string_view host) {
  for (std::string_view end : {".amazonaws.com", ".amazonaws.com.cn"}) {
    if (!host.ends_with(end)) continue;
    host.remove_suffix(end.size());
    return host == "s3" ||
           ((host.starts_with("s3.") || host.starts_with("s3-")) && !host.starts_with("s3-accesspoint") &&
            !host.starts_with("s3-control") && std::count(host.begin(), host.end(), '.') <= (host.starts_with("s3.dualstack.") ? 2 : 1));
  }
  return false;
}

}  // namespace

std::string S3Location::text() const { return "s3://" + bucket + (prefix.empty() ? "" : "/" + prefix); }

S3Location parse_s3_location(std::string_view location) {
  std::string shown = printable(location);
  auto refuse = [&](const std::string& why) { throw Error(Code::kBadInput, "location: " + why + ": " + shown); };
  constexpr std::string_view kScheme = "s3://";
  if (!location.starts_with(kScheme)) refuse("a place in S3 is written s3://bucket/prefix");
  location.remove_prefix(kScheme.size());
  S3Location place;
  const std::size_t slash = location.find('/');
  place.bucket = location.substr(0, slash);
  if (place.bucket.find('@') != std::string::npos) {
    shown = "s3://...";
    refuse("credentials do not belong into a location, which is stored in the database; use the environment or a profile");
  }
  if (const char* why = wrong_with_bucket(place.bucket)) refuse(why);
  if (slash == std::string_view::npos) return place;
  std::string_view prefix = location.substr(slash + 1);
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.size() > kMaxPrefix) refuse("a prefix is at most 512 bytes long");
  for (std::size_t start = 0; !prefix.empty() && start <= prefix.size();) {
    const std::size_t end = std::min(prefix.find('/', start), prefix.size());
    const std::string_view part = prefix.substr(start, end - start);
    if (part.empty()) refuse("a prefix has no empty parts ('//')");
    if (part == "." || part == "..") refuse("'.' and '..' are not allowed in a location; write the prefix out");
    start = end + 1;
  }
  place.prefix = prefix;
  return place;
}

std::string normalise_endpoint(std::string_view endpoint) {
  if (endpoint.empty()) return "";
  const std::optional<Url> url = parse_url(endpoint);
  if ((url && url->userinfo) || (!url && endpoint.find('@') != std::string_view::npos)) {
    throw Error(Code::kBadInput,
                "endpoint: credentials do not belong into an endpoint, which is stored in the database; use the environment or a "
                "profile");
  }
  if (!url || !url->query.empty()) {
    throw Error(Code::kBadInput, "endpoint: it is written http://host:port or https://host: " + printable(endpoint, 256));
  }
  if (url->scheme == "https" && url->port == 0 && is_aws(url->host)) return "";
  std::string path = url->path;
  while (path.ends_with('/')) path.pop_back();
  return url->origin() + path;
}

bool valid_region(std::string_view region) {
  return !region.empty() && region.size() <= 32 &&
         std::all_of(region.begin(), region.end(), [](char c) { return lower_or_digit(c) || c == '-'; });
}

S3Address s3_address(const std::string& endpoint, const std::string& region, const std::string& bucket, std::string_view key,
                     Addressing addressing) {
  const std::string base =
      !endpoint.empty() ? endpoint : "https://s3." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
  const Url url = parse_url(base).value();
  if (addressing == Addressing::kAutomatic) {
    // A certificate for *.s3.amazonaws.com does not cover a bucket with dots.
    addressing = endpoint.empty() && bucket.find('.') == std::string::npos ? Addressing::kVirtualHost : Addressing::kPath;
  }
  S3Address address;
  const std::string encoded = percent_encode(key, true);
  if (addressing == Addressing::kVirtualHost) {
    address.host = bucket + "." + url.authority();
    address.path = url.path + "/" + encoded;
  } else {
    address.host = url.authority();
    address.path = url.path + "/" + bucket + (encoded.empty() ? "" : "/" + encoded);
  }
  address.origin = url.scheme + "://" + address.host;
  return address;
}

}  // namespace ts
