// From what the user wrote to a Store: the schemes, and one spelling for each place. Makes no request.
#include "ext/base/limits.h"
#include "vfs/caching_store.h"
#include "vfs/file_store.h"
#include "vfs/hedging_store.h"
#include "vfs/http_store.h"
#include "vfs/indexed_store.h"
#include "vfs/repinned_store.h"
#include "vfs/retrying_store.h"
#include "vfs/s3_store.h"
#include "vfs/store.h"
#include "vfs/url.h"

namespace ts {
namespace {

enum class Scheme { kS3, kFile, kHttp };

[[noreturn]] void refuse(const std::string& why, std::string_view location) {
  throw Error(Code::kBadInput, "location: " + why + ": " + printable(location, 512));
}

Scheme scheme_of(const StoreOptions& options) {
  const std::string_view location = options.location;
  if (location.empty()) refuse("it is empty; write location='s3://bucket/prefix' or location='file:///dir'", location);
  // Before anything is shown: a secret that somebody wrote into it must not come back in the message.
  const std::size_t scheme = location.find("://");
  const std::string_view authority =
      scheme == std::string_view::npos ? std::string_view() : location.substr(scheme + 3, location.find('/', scheme + 3) - scheme - 3);
  if (authority.find('@') != std::string_view::npos) {
    throw Error(Code::kBadInput,
                "location: credentials do not belong into a location, which is stored in the database; use the environment or a "
                "profile");
  }
  for (unsigned char c : location) {
    if (c < ' ' || c == 0x7f) refuse("control characters are not allowed", location);
  }
  if (location.find('?') != std::string_view::npos || location.find('#') != std::string_view::npos) {
    const std::string_view plain = location.substr(0, location.find_first_of("?#"));
    refuse("'?' and '#' are not allowed; options such as endpoint are arguments of their own", plain);
  }
  if (location.starts_with("s3://")) return Scheme::kS3;
  if (location.starts_with("file:")) return Scheme::kFile;
  if (location.starts_with("gs://") || location.starts_with("gcs://")) {
    refuse(
        "Google Cloud Storage is reached through its S3 interface; write s3://bucket/prefix with "
        "endpoint='https://storage.googleapis.com' and HMAC keys",
        location);
  }
  if (location.starts_with("http://") || location.starts_with("https://")) return Scheme::kHttp;
  if (location.starts_with("az://") || location.starts_with("azblob://") || location.starts_with("abfs://") ||
      location.starts_with("abfss://") || location.starts_with("azure://")) {
    refuse("Azure Blob Storage is not supported; use s3:// (a gateway that speaks S3) or file:///", location);
  }
  if (location.starts_with("/")) refuse("a directory is written file:///dir", location);
  refuse("the scheme is not supported; write s3://bucket/prefix or file:///dir", location);
}

// "https://host[:port]/path" in one spelling.
std::string web_location(const std::string& location) {
  const std::optional<Url> url = parse_url(location);
  if (!url) refuse("it is no URL; a published archive is written https://host/path, an S3 server as endpoint='https://...'", location);
  std::string path = url->path;
  while (path.ends_with('/')) path.pop_back();
  if ((path + "/").find("/../") != std::string::npos || (path + "/").find("/./") != std::string::npos) {
    refuse("'.' and '..' are not allowed; write the path out", location);
  }
  return url->origin() + path;
}

void check_snapshot(const std::string& token) {
  if (token.empty() || is_digest(token)) return;
  throw Error(Code::kBadInput, "timeseries: snapshot is no token of ts_snapshot: " + printable(token, 100));
}

}  // namespace

std::string normalise_location(const StoreOptions& options) {
  const Scheme scheme = scheme_of(options);
  if (scheme == Scheme::kFile) return "file://" + file_location_directory(options.location);
  if (scheme == Scheme::kHttp) return web_location(options.location);
  const S3Config config = s3_config(options);
  return config.location.text() + "@" + (config.endpoint.empty() ? "https://s3.amazonaws.com" : config.endpoint);
}

namespace {

std::shared_ptr<Store> patient(std::shared_ptr<Store> store, const StoreOptions& options) {
  auto retrying = std::make_shared<RetryingStore>(std::move(store));
  if (!options.hedge) return retrying;
  return std::make_shared<HedgingStore>(std::move(retrying));
}

std::shared_ptr<Store> open_unlisted(const StoreOptions& options, Scheme scheme) {
  if (scheme == Scheme::kFile) return std::make_shared<FileStore>(file_location_directory(options.location), list_page_size());
  if (scheme == Scheme::kHttp) {
    return std::make_shared<RepinnedStore>(patient(make_http_store(web_location(options.location)), options));
  }
  S3Config config = s3_config(options);
  config.page_size = list_page_size();
  config.stall_timeout_ms = stall_timeout_ms();
  return patient(std::make_shared<S3Store>(std::move(config)), options);
}

std::shared_ptr<Store> open_uncached(const StoreOptions& options) {
  const Scheme scheme = scheme_of(options);
  check_snapshot(options.snapshot);
  std::shared_ptr<Store> store = open_unlisted(options, scheme);
  if (scheme != Scheme::kHttp && options.snapshot.empty()) return store;
  return std::make_shared<IndexedStore>(std::move(store), options.snapshot);
}

}  // namespace

bool is_read_only(const StoreOptions& options) { return !options.snapshot.empty() || scheme_of(options) == Scheme::kHttp; }

std::shared_ptr<Store> open_store(const StoreOptions& options) {
  std::shared_ptr<Store> store = open_uncached(options);
  if (options.cache_dir.empty()) return store;
  if (options.cache_dir[0] != '/') {
    throw Error(Code::kBadInput, "timeseries: cache_dir='" + options.cache_dir + "' is no absolute path; write cache_dir='/path'");
  }
  return std::make_shared<CachingStore>(store, normalise_location(options), options.cache_dir, options.cache_size);
}

}  // namespace ts
