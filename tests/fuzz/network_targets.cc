// Targets of what comes over the network and out of profile files: XML, headers, URLs, what is signed.
#include <algorithm>

#include "ext/base/digest.h"
#include "tests/fuzz/targets.h"
#include "vfs/archive_index.h"
#include "vfs/credentials.h"
#include "vfs/remote_uri.h"
#include "vfs/s3_answer.h"
#include "vfs/s3_location.h"
#include "vfs/sigv4.h"
#include "vfs/url.h"

using namespace ts;

namespace ts_fuzz {
namespace {

bool line(std::string_view text) { return text.find_first_of("\r\n") == std::string_view::npos; }

}  // namespace

// Keys of a listing ascend within their prefix, whatever the server says.
void run_listings(std::string_view bytes) {
  answered([&] {
    S3Listing listing = parse_listing(bytes, "a/cpu/", "a/cpu/2", "s3://bucket/a/cpu/");
    std::string before = "a/cpu/2";
    for (const ObjectInfo& object : listing.objects) {
      hold(object.key > before && object.key.starts_with("a/cpu/"), "keys ascend within the prefix");
      hold(!object.etag.empty() && object.size <= INT64_MAX, "each has an ETag and a size");
      before = object.key;
    }
    hold(!listing.truncated || !listing.objects.empty(), "more comes after something");
  });
  static_cast<void>(parse_sts_keys(bytes));
  for (int status : {200, 301, 400, 403, 404, 409, 412, 500, 503}) {
    HttpResponse response;
    response.status = status;
    response.body = bytes;
    S3Error error = parse_error(response);
    answered([&] { throw_s3_error(response, error, "s3://bucket/a", "s3:GetObject"); });
    hold(error.code.size() <= 64 && line(error.code) && line(error.region), "a stranger's words are short");
  }
}

// What is signed is what is sent; the secret is in nothing that leaves.
void run_signatures(std::string_view bytes) {
  std::vector<std::string> parts = split(bytes, 6);
  SigV4Request request;
  request.method = parts[0];
  request.path = percent_encode(parts[1], true);
  request.canonical_query = encode_query({{parts[2], parts[3]}, {parts[3], parts[2]}});
  request.headers = {{"host", parts[4]}, {"x-amz-date", "20261123T000000Z"}, {"Range", parts[5]}};
  request.payload_hash = hex(sha256(bytes));
  const std::string secret = "the-secret-key-of-this-test";
  SigV4 signed_once = sign_v4(request, {"AKID", secret, "eu-west-1", "s3", "20261123T000000Z"});
  hold(signed_once.signature.size() == 64, "a signature is 32 bytes in hex");
  hold(signed_once.authorization.find(secret) == std::string::npos, "no secret leaves");
  hold(sign_v4(request, {"AKID", secret, "eu-west-1", "s3", "20261123T000000Z"}).signature == signed_once.signature, "it is a function");
  hold(percent_decode(percent_encode(bytes)) == std::string(bytes), "encoding is undone");
  if (auto url = parse_url(bytes)) {
    auto again = parse_url(url->origin() + url->path + (url->query.empty() ? "" : "?" + url->query));
    hold(again && again->origin() == url->origin() && again->path == url->path, "a URL is read as it was written");
  }
  answered([&] { static_cast<void>(parse_s3_location(bytes)); });
  answered([&] { static_cast<void>(normalise_endpoint(std::string(bytes))); });
  answered([&] { static_cast<void>(split_s3_name(bytes)); });
  static_cast<void>(without_secrets(bytes));
}

// A profile file, and no file of another kind, makes credentials; nothing is asked of the network.
void run_profiles(std::string_view bytes) {
  Surroundings around;
  around.environment = [](const char* name) { return std::string(std::string_view(name) == "HOME" ? "/home/x" : ""); };
  around.read_file = [&](const std::string&) { return std::optional<std::string>(std::string(bytes)); };
  around.http = [](const HttpRequest&, const Cancel*) -> HttpResponse { throw Error(Code::kUnavailable, "no network here"); };
  around.clock = &Clock::system();
  answered([&] {
    Profile profile = load_profile(around, "");
    answered([&] { static_cast<void>(resolve_region(around, profile, "")); });
    answered([&] { static_cast<void>(resolve_endpoint(around, profile, "")); });
  });
  answered([&] {
    auto keys = CredentialChain(around, "").get(nullptr);
    hold(keys != nullptr, "keys or an error");
  });
}

// A 206 is taken only when it is exactly the range asked for.
void run_headers(std::string_view bytes) {
  std::vector<std::string> parts = split(bytes, 4);
  HttpResponse response;
  response.status = 206;
  response.headers = {{"content-range", parts[0]}, {"retry-after", parts[1]}, {"content-encoding", parts[2]}, {"etag", parts[3]}};
  for (std::uint64_t length : {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1} << 40}) {
    for (std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{90}, std::uint64_t{UINT64_MAX} - 5}) {
      for (std::size_t sent : {std::size_t{0}, std::size_t{1}, std::size_t{10}}) {
        response.body.assign(sent, 'x');
        std::string why;
        auto size = check_partial_content(response, offset, length, why);
        hold(size || !why.empty(), "a refusal says why");
        hold(!size || (sent > 0 && sent <= length && *size >= offset + sent), "what came is what was asked for");
      }
    }
  }
  hold(retry_after_ms(response) >= 0 && retry_after_ms(response) <= 86'400'000, "nobody waits longer than a day");
  static_cast<void>(unsatisfied_size(response));
  static_cast<void>(unquoted(parts[3]));
}

// A root and a page that are taken name no other place, ascend, and are read as they were written.
void run_indexes(std::string_view bytes) {
  answered([&] {
    const IndexRoot root = read_index_root(bytes, "x");
    const IndexRoot again = read_index_root(write_index_root(root), "x");
    hold(again.pages.size() == root.pages.size(), "a root is read as it was written");
    for (const IndexPage& page : root.pages) hold(is_digest(page.sha256), "a page is named by its digest");
  });
  answered([&] {
    // The digest is right, as a stranger's would be; first, last and count are of whoever wrote the root.
    const std::vector<std::string> parts = split(bytes, 3);
    const std::uint64_t keys = static_cast<std::uint64_t>(std::count(parts[2].begin(), parts[2].end(), '[')) - 1;
    const IndexPage page{hex(sha256(parts[2])), parts[2].size(), keys, parts[0], parts[1]};
    const std::vector<ObjectInfo> objects = read_index_page(parts[2], page, "x");
    hold(!objects.empty() && objects.front().key == page.first && objects.back().key == page.last, "a page keeps its root's word");
    for (std::size_t i = 1; i < objects.size(); i++) hold(objects[i - 1].key < objects[i].key, "keys ascend");
    for (const ObjectInfo& object : objects) hold(object.key.find("..") != 0 && object.key[0] != '/', "no key leads elsewhere");
  });
}

}  // namespace ts_fuzz
