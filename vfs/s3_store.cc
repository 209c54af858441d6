// S3Store: the four calls, and the one place that signs and sends.
#include "vfs/s3_store.h"

#include <algorithm>

#include "ext/base/digest.h"
#include "vfs/s3_answer.h"
#include "vfs/sigv4.h"
#include "vfs/spare_sockets.h"
#include "vfs/unavailable.h"

namespace ts {

namespace {

constexpr std::size_t kMaxKey = 1024;          // S3's limit
constexpr std::uint64_t kMaxPut = 5ull << 30;  // S3's limit for one PUT
constexpr std::string_view kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// The server knows the request but not its condition.
bool refuses_condition(const HttpResponse& response, const S3Error& error) {
  return response.status == 501 || (response.status == 400 && error.code == "NotImplemented");
}

bool stale_token(const S3Error& error) {
  return error.code == "ExpiredToken" || error.code == "TokenRefreshRequired" || error.code == "InvalidToken";
}

}  // namespace

// One request, before signing.
struct S3Store::Call {
  std::string method;
  std::string key;     // whole; empty: the bucket
  std::string object;  // for messages
  Query query;
  Headers headers;  // signed
  std::string_view body;
  std::string payload_hash{kEmptyHash};
  int wanted_status = 200;
  std::uint64_t max_body = kMaxErrorBody;
  bool once = false;
  int connect_ahead = 0;
};

S3Config s3_config(const StoreOptions& options, const Surroundings& around) {
  S3Config config;
  config.location = parse_s3_location(options.location);
  const Profile profile = load_profile(around, options.profile);
  config.endpoint = normalise_endpoint(resolve_endpoint(around, profile, options.endpoint));
  config.region = resolve_region(around, profile, options.region);
  if (!valid_region(config.region)) {
    throw Error(Code::kBadInput,
                "s3: the region is not like 'eu-west-1': " + printable(config.region, 64) + "; check region and AWS_REGION");
  }
  const std::string style = around.environment("TIMESERIES_ADDRESSING");
  if (style == "path") {
    config.addressing = Addressing::kPath;
  } else if (style == "virtual") {
    config.addressing = Addressing::kVirtualHost;
  } else if (!style.empty()) {
    throw Error(Code::kBadInput, "s3: TIMESERIES_ADDRESSING is 'path' or 'virtual', not '" + printable(style, 64) + "'");
  }
  if (!options.anonymous) config.credentials = std::make_shared<CredentialChain>(around, options.profile);
  config.http = around.http;
  config.clock = around.clock;
  return config;
}

S3Store::S3Store(S3Config config)
    : config_(std::move(config)),
      key_prefix_(config_.location.prefix.empty() ? "" : config_.location.prefix + "/"),
      region_(config_.region) {}

std::string S3Store::describe() const { return config_.location.text(); }

std::string S3Store::region() const {
  std::lock_guard lock(mutex_);
  return region_;
}

bool S3Store::conditional() const {
  std::lock_guard lock(mutex_);
  return conditional_;
}

std::string S3Store::whole_key(std::string_view key) const {
  std::string whole = key_prefix_ + std::string(key);
  if (key.empty() || whole.size() > kMaxKey) {
    throw Error(Code::kBadInput, "s3: a key has 1 to 1024 bytes: " + describe() + "/" + printable(key));
  }
  return whole;
}

HttpRequest S3Store::signed_request(const Call& call, const std::string& region, const Credentials* keys) const {
  const S3Address address = s3_address(config_.endpoint, region, config_.location.bucket, call.key, config_.addressing);
  const std::string query = encode_query(call.query);
  HttpRequest request;
  request.method = call.method;
  request.url = address.origin + address.path + (query.empty() ? "" : "?" + query);
  request.headers = call.headers;
  request.body = call.body;
  request.wanted_status = call.wanted_status;
  request.max_body = call.max_body;
  request.once = call.once;
  request.connect_ahead = call.connect_ahead;
  request.stall_timeout_ms = config_.stall_timeout_ms;
  if (keys) {
    const std::string date = amz_date(config_.clock->now_ms());
    request.headers.emplace_back("x-amz-content-sha256", call.payload_hash);
    request.headers.emplace_back("x-amz-date", date);
    if (!keys->session_token.empty()) request.headers.emplace_back("x-amz-security-token", keys->session_token);
    SigV4Request to_sign{call.method, address.path, query, request.headers, call.payload_hash};
    to_sign.headers.emplace_back("host", address.host);
    const SigV4 signature = sign_v4(to_sign, {keys->access_key_id, keys->secret_access_key, region, "s3", date});
    request.headers.emplace_back("Authorization", signature.authorization);
  }
  if (call.method == "GET") request.headers.emplace_back("Accept-Encoding", "identity");
  return request;
}

HttpResponse S3Store::send(const Call& call, const Cancel* cancel) {
  bool redirected = false, refreshed = false;
  for (;;) {
    const std::string region = this->region();
    const std::shared_ptr<const Credentials> keys = config_.credentials ? config_.credentials->get(cancel) : nullptr;
    HttpResponse response;
    try {
      response = config_.http(signed_request(call, region, keys.get()), cancel);
    } catch (const HttpError& fault) {
      throw_s3_fault(fault, call.object);
    } catch (const Error& error) {
      if (error.code() != Code::kInterrupted) throw;
      throw Error(Code::kInterrupted, "s3: interrupted: " + call.object);
    }
    if (response.status < 300 || response.status == 412 || response.status == 416) return response;
    const S3Error error = parse_error(response);
    const bool elsewhere = response.status == 301 || response.status == 307 || response.status == 400;
    if (elsewhere && !redirected && !error.region.empty() && error.region != region) {
      std::lock_guard lock(mutex_);
      region_ = error.region;
      redirected = true;
    } else if (keys && !refreshed && stale_token(error)) {
      config_.credentials->expire(keys);
      refreshed = true;
    } else {
      return response;
    }
  }
}

ListPage S3Store::list(std::string_view prefix, std::string_view start_after, const Cancel* cancel) {
  Call call;
  const std::string whole_prefix = key_prefix_ + std::string(prefix);
  std::string after = start_after.empty() ? "" : key_prefix_ + std::string(start_after);
  call.method = "GET";
  call.object = describe() + "/" + printable(prefix);
  call.max_body = kMaxListing;
  call.connect_ahead = SpareSockets::kMost;  // whoever lists reads next
  for (;;) {
    call.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", std::to_string(config_.page_size)}};
    if (!whole_prefix.empty()) call.query.emplace_back("prefix", whole_prefix);
    if (!after.empty()) call.query.emplace_back("start-after", after);
    const HttpResponse response = send(call, cancel);
    if (response.status != 200) throw_s3_error(response, parse_error(response), call.object, "s3:ListBucket");
    const std::string place = "s3://" + config_.location.bucket + "/" + printable(whole_prefix);
    S3Listing listing = parse_listing(response.body, whole_prefix, after, place);
    ListPage page;
    page.more = listing.truncated;
    page.objects.reserve(listing.objects.size());
    if (!listing.objects.empty()) after = listing.objects.back().key;
    for (ObjectInfo& object : listing.objects) {
      if (object.key.size() == key_prefix_.size()) continue;  // the marker some tools make for a folder: the location itself
      object.key.erase(0, key_prefix_.size());
      page.objects.push_back(std::move(object));
    }
    if (!page.objects.empty() || !page.more) return page;
  }
}

Range S3Store::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length, const Cancel* cancel) {
  Call call;
  call.method = "GET";
  call.key = whole_key(key);
  call.object = object_name(*this, printable(key));
  call.headers.emplace_back("Range", range_header(offset, length));
  if (!etag.empty()) call.headers.emplace_back("If-Match", "\"" + std::string(etag) + "\"");
  call.wanted_status = 206;
  call.max_body = std::max<std::uint64_t>(length, 1);
  HttpResponse response = send(call, cancel);

  Range range;
  range.etag = unquoted(response.header("etag"));
  if (response.status == 206) {
    std::string why;
    const auto size = check_partial_content(response, offset, length, why);
    if (!size) throw Error(Code::kCorrupt, "s3: " + why + ": " + call.object + "; check for a proxy between here and the server");
    if (!etag.empty() && range.etag != etag) {
      throw Error(Code::kChanged, "s3: the object was changed after it was listed: " + call.object);
    }
    range.object_size = *size;
    if (length > 0) range.bytes = std::move(response.body);
    return range;
  }
  if (response.status == 416) {
    range.etag = etag;
    range.object_size = unsatisfied_size(response).value_or(0);
    return range;
  }
  if (response.status == 200) {
    throw Error(Code::kUnsupported, "s3: the server ignores the Range header: " + call.object +
                                        "; the endpoint (or a proxy before it) must support ranged reads");
  }
  if (response.status == 412) throw Error(Code::kChanged, "s3: the object was changed after it was listed: " + call.object);
  const S3Error error = parse_error(response);
  if (response.status == 404 && !etag.empty()) {
    throw Error(Code::kChanged, "s3: " + std::string(error.code == "NoSuchBucket" ? "the bucket" : "the object") +
                                    " is gone although it was listed: " + call.object);
  }
  throw_s3_error(response, error, call.object, "s3:GetObject");
}

PutResult S3Store::put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel) {
  Call call;
  call.method = "PUT";
  call.key = whole_key(key);
  call.object = object_name(*this, printable(key));
  if (bytes.size() > kMaxPut) throw Error(Code::kBadInput, "s3: an object is at most 5 GiB: " + call.object);
  call.body = bytes;
  call.payload_hash = hex(sha256(bytes));
  call.once = true;
  call.headers.emplace_back("Content-Type", "application/octet-stream");
  const bool conditional = this->conditional();
  if (conditional) {
    call.headers.emplace_back("If-None-Match", "*");
    const HttpResponse response = send(call, cancel);
    if (response.status < 300) return {true, unquoted(response.header("etag"))};
    if (response.status == 412) return {};
    const S3Error error = parse_error(response);
    if (!refuses_condition(response, error)) throw_s3_error(response, error, call.object, "s3:PutObject");
    call.headers.pop_back();
  }
  // Without the condition two writers of one key could both win; names are used once, so a look is what is left to do.
  try {
    get_range(key, {}, 0, 1, cancel);
    return {};
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound && error.code() != Code::kForbidden) throw;
  }
  const HttpResponse response = send(call, cancel);
  if (response.status >= 300) throw_s3_error(response, parse_error(response), call.object, "s3:PutObject");
  if (conditional) {
    std::lock_guard lock(mutex_);
    conditional_ = false;
  }
  return {true, unquoted(response.header("etag"))};
}

void S3Store::remove(std::string_view key, const Cancel* cancel) {
  Call call;
  call.method = "DELETE";
  call.key = whole_key(key);
  call.object = object_name(*this, printable(key));
  const HttpResponse response = send(call, cancel);
  if (response.status < 300) return;
  const S3Error error = parse_error(response);
  if (response.status == 404 && error.code != "NoSuchBucket") return;
  throw_s3_error(response, error, call.object, "s3:DeleteObject");
}

}  // namespace ts
