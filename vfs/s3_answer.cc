// S3's XML by pugixml, and its errors as sentences.
#include "vfs/s3_answer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <pugixml.hpp>

#include "vfs/s3_location.h"
#include "vfs/unavailable.h"
#include "vfs/url.h"

namespace ts {
namespace {

[[noreturn]] void corrupt(const std::string& what, const std::string& place) {
  throw Error(Code::kCorrupt, "s3: the server's listing is wrong: " + what + ": " + place);
}

const char* text_of(pugi::xml_node node, const char* name, const std::string& place) {
  const pugi::xml_node child = node.child(name);
  if (!child) corrupt(std::string("an element <") + name + "> is missing", place);
  return child.text().get();
}

}  // namespace

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

S3Listing parse_listing(std::string_view xml, std::string_view prefix, std::string_view start_after, const std::string& place) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!parsed) corrupt(std::string("it is no XML (") + parsed.description() + ")", place);
  const pugi::xml_node root = document.child("ListBucketResult");
  if (!root) corrupt("it has no ListBucketResult", place);
  const bool encoded = std::strcmp(root.child("EncodingType").text().get(), "url") == 0;

  S3Listing listing;
  const std::string_view truncated = text_of(root, "IsTruncated", place);
  if (truncated != "true" && truncated != "false") corrupt("IsTruncated is neither true nor false", place);
  listing.truncated = truncated == "true";
  std::string before(start_after);
  for (const pugi::xml_node node : root.children("Contents")) {
    ObjectInfo object;
    const std::string_view key = text_of(node, "Key", place);
    std::optional<std::string> decoded = encoded ? percent_decode(key, true) : std::string(key);
    if (!decoded || decoded->empty()) corrupt("a key is badly encoded (" + printable(key, 256) + ")", place);
    object.key = std::move(*decoded);
    const std::string name = place.substr(0, place.size() - std::min(place.size(), prefix.size())) + printable(object.key);
    if (!std::string_view(object.key).starts_with(prefix)) corrupt("a key outside the prefix asked for", name);
    if (object.key <= before) corrupt("keys are not in byte order after \"" + printable(before, 256) + "\"", name);
    const std::string_view size = text_of(node, "Size", place);
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
    if (error != std::errc() || end != size.data() + size.size() || object.size > static_cast<std::uint64_t>(INT64_MAX)) {
      corrupt("a size is no number", name);
    }
    object.etag = unquoted(text_of(node, "ETag", place));
    if (object.etag.empty()) corrupt("an object has no ETag", name);
    before = object.key;
    listing.objects.push_back(std::move(object));
  }
  if (listing.truncated && listing.objects.empty()) corrupt("it says there is more, but holds nothing", place);
  return listing;
}

S3Error parse_error(const HttpResponse& response) {
  S3Error error;
  std::string region(response.header("x-amz-bucket-region"));
  pugi::xml_document document;
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const pugi::xml_node root = document.child("Error");
    error.code = root.child_value("Code");
    if (region.empty()) region = root.child_value("Region");
  }
  const bool plain = std::all_of(error.code.begin(), error.code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
  });
  if (!plain || error.code.size() > 64) error.code.clear();
  if (valid_region(region)) error.region = region;
  return error;
}

std::optional<StsKeys> parse_sts_keys(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node keys =
      document.child("AssumeRoleWithWebIdentityResponse").child("AssumeRoleWithWebIdentityResult").child("Credentials");
  if (!keys) return std::nullopt;
  return StsKeys{keys.child_value("AccessKeyId"), keys.child_value("SecretAccessKey"), keys.child_value("SessionToken"),
                 keys.child_value("Expiration")};
}

void throw_s3_error(const HttpResponse& response, const S3Error& error, const std::string& object, const std::string& action) {
  const int status = response.status;
  const std::string& code = error.code;
  const std::string answer = "HTTP " + std::to_string(status) + (code.empty() ? "" : " " + code);
  auto fail = [&](Code kind, const std::string& what, const std::string& remedy) {
    throw Error(kind, "s3: " + what + " (" + answer + "): " + object + (remedy.empty() ? "" : "; " + remedy));
  };
  if (code == "NoSuchBucket") fail(Code::kNotFound, "the bucket does not exist", "create it, or check its name and the endpoint");
  if (code == "NoSuchKey" || (status == 404 && code.empty())) fail(Code::kNotFound, "there is no such object", "");
  if (code == "InvalidAccessKeyId") {
    fail(Code::kForbidden, "the server does not know the access key", "check AWS_ACCESS_KEY_ID and that it belongs to this endpoint");
  }
  if (code == "SignatureDoesNotMatch") {
    fail(Code::kForbidden, "the server refuses the signature: the secret key does not belong to the access key",
         "check AWS_SECRET_ACCESS_KEY");
  }
  if (code == "ExpiredToken" || code == "TokenRefreshRequired" || code == "InvalidToken") {
    fail(Code::kForbidden, "the session token is expired or invalid", "renew AWS_SESSION_TOKEN and its keys");
  }
  if (code == "RequestTimeTooSkewed" || code == "RequestExpired") {
    fail(Code::kForbidden, "the server's clock and this machine's differ too much (clock skew)",
         "set this machine's clock, by NTP for example");
  }
  if (code == "RequestTimeout" || code == "SlowDown" || code == "IncompleteBody" || code == "BadDigest" ||
      code == "XAmzContentSHA256Mismatch" || code == "ConditionalRequestConflict" || code == "OperationAborted" || status == 408 ||
      status == 409 || status == 429 || status >= 500) {
    if (status != 501 && status != 505) {
      // These are refusals made before anything was stored; after the others nobody knows.
      const bool refused = status == 429 || status == 503 || status == 409 || status == 400;
      throw Unavailable("s3: the server cannot answer now (" + answer + "): " + object, !refused, retry_after_ms(response));
    }
  }
  if (!error.region.empty() && (status == 301 || status == 307 || status == 400)) {
    fail(Code::kBadInput, "the bucket is in region " + error.region, "write region='" + error.region + "'");
  }
  if (status >= 300 && status < 400) {
    fail(Code::kBadInput, "the server redirects to another address", "set endpoint and region to the bucket's own");
  }
  if (code == "AuthorizationHeaderMalformed") fail(Code::kBadInput, "the server refuses the region", "set region or AWS_REGION");
  if (status == 401 || status == 403) {
    fail(Code::kForbidden, "access denied", "the credentials need " + action + " there");
  }
  if (status == 404) fail(Code::kNotFound, "not found", "check the endpoint");
  if (status == 405 || status == 501) fail(Code::kUnsupported, "the server does not support this request", "check the endpoint");
  fail(Code::kUnsupported, "the server answered something unexpected", "check that the endpoint is an S3 server");
  throw Error(Code::kUnsupported, "s3: unexpected answer: " + object);
}

void throw_s3_fault(const HttpError& fault, const std::string& object) {
  const std::string message = "s3: " + fault.happened() + ": " + object + (fault.remedy().empty() ? "" : "; " + fault.remedy());
  if (fault.code() == Code::kUnavailable) throw Unavailable(message, fault.sent());
  throw Error(fault.code(), message);
}

}  // namespace ts
