// Ranged reads of one web server's files.
#include "vfs/http_store.h"

#include <algorithm>

#include "vfs/s3_answer.h"
#include "vfs/unavailable.h"
#include "vfs/url.h"

namespace ts {
namespace {

// Weak ETags and times cannot be asked for with If-Match; they are compared with what came back.
bool strong(std::string_view etag) { return !etag.starts_with("W/") && !etag.starts_with("time:"); }

std::string pin_of(const HttpResponse& response, std::uint64_t size) {
  if (std::string_view etag = response.header("etag"); !etag.empty()) return unquoted(etag);
  return "time:" + std::string(response.header("last-modified")) + ":" + std::to_string(size);
}

class HttpStore : public Store {
 public:
  HttpStore(std::string base, HttpFunction http) : base_(std::move(base)), http_(std::move(http)) {}

  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length, const Cancel* cancel) override {
    HttpRequest request;
    request.url = key.empty() ? base_ : base_ + "/" + std::string(key);
    request.headers = {{"Range", range_header(offset, length)}, {"Accept-Encoding", "identity"}};
    if (!etag.empty() && strong(etag)) request.headers.emplace_back("If-Match", "\"" + std::string(etag) + "\"");
    request.wanted_status = 206;
    request.max_body = std::max<std::uint64_t>(length, 1);
    const std::string object = shown(request.url);
    HttpResponse response;
    try {
      response = http_(request, cancel);
    } catch (const HttpError& fault) {
      const std::string message = "http: " + fault.happened() + ": " + object + (fault.remedy().empty() ? "" : "; " + fault.remedy());
      if (fault.code() == Code::kUnavailable) throw Unavailable(message, fault.sent());
      throw Error(fault.code(), message);
    }
    return range_of(std::move(response), etag, offset, length, object);
  }

  ListPage list(std::string_view, std::string_view, const Cancel*) override { unsupported("be listed"); }
  PutResult put_if_absent(std::string_view, std::string_view, const Cancel*) override { unsupported("be written to"); }
  void remove(std::string_view, const Cancel*) override { unsupported("be written to"); }
  std::string describe() const override { return shown(base_); }

 private:
  [[noreturn]] void unsupported(const char* what) const {
    throw Error(Code::kUnsupported,
                std::string("http: a web server cannot ") + what + ": " + describe() + "; use an s3:// or file:// location");
  }

  // A query may be a signature.
  static std::string shown(const std::string& url) { return printable(url.substr(0, url.find('?'))); }

  static Range range_of(HttpResponse response, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                        const std::string& object) {
    const int status = response.status;
    const std::string answer = " (HTTP " + std::to_string(status) + "): " + object;
    Range range;
    if (status == 206) {
      std::string why;
      const auto size = check_partial_content(response, offset, length, why);
      if (!size) throw Error(Code::kCorrupt, "http: " + why + ": " + object + "; check for a proxy between here and the server");
      range.object_size = *size;
      range.etag = pin_of(response, *size);
      if (!etag.empty() && range.etag != etag) throw Error(Code::kChanged, "http: the file changed while it was read: " + object);
      if (length > 0) range.bytes = std::move(response.body);
      return range;
    }
    if (status == 416) {
      range.etag = etag;
      range.object_size = unsatisfied_size(response).value_or(0);
      return range;
    }
    if (status == 200)
      throw Error(Code::kUnsupported, "http: the server ignores the Range header" + answer + "; it must support ranged reads");
    if (status == 412) throw Error(Code::kChanged, "http: the file changed while it was read" + answer);
    if (status == 404 || status == 410) {
      if (!etag.empty()) throw Error(Code::kChanged, "http: the file vanished while it was read" + answer);
      throw Error(Code::kNotFound, "http: no such file" + answer);
    }
    if (status == 401 || status == 403) throw Error(Code::kForbidden, "http: access denied" + answer + "; a signed URL may have expired");
    if (status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505)) {
      throw Unavailable("http: the server cannot answer now" + answer, false, retry_after_ms(response));
    }
    if (status >= 300 && status < 400) {
      throw Error(Code::kBadInput, "http: the server redirects to another address" + answer + "; open the final address");
    }
    throw Error(Code::kUnsupported, "http: the server answered something unexpected" + answer);
  }

  const std::string base_;
  const HttpFunction http_;
};

}  // namespace

std::shared_ptr<Store> make_http_store(const std::string& base_url, HttpFunction http) {
  const std::optional<Url> url = parse_url(base_url);
  if (!url) throw Error(Code::kBadInput, "http: it is no http or https URL: " + printable(base_url.substr(0, base_url.find('?')), 256));
  if (url->userinfo)
    throw Error(Code::kBadInput, "http: a URL with user:password@ is refused; it would be stored with the database's name");
  std::string base = base_url;
  if (url->query.empty()) {
    while (base.ends_with('/')) base.pop_back();
  }
  return std::make_shared<HttpStore>(std::move(base), std::move(http));
}

}  // namespace ts
