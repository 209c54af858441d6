// HTTP requests over libcurl: blocking, cancellable, on a pool of kept-alive connections of this process.
//
// Laws: redirects are never followed and TLS is always verified. A body longer than asked for is cut off and is an error.
// There is no limit on a request's whole time, only on connecting, on silence and on the pace of a body. A Cancel is polled at
// least every 50 ms and charged for each request sent and the body that came back. A child of fork makes connections of its own.
// Messages name scheme and host only: a URL's path and query may hold signatures.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ext/base/cancel.h"
#include "ext/base/error.h"

namespace ts {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr int kMaxConnections = 32;                 // more do not speed up a reader and are rude to a server
constexpr std::uint64_t kMaxErrorBody = 64 * 1024;  // enough for any error text; the rest is not read
constexpr std::uint64_t kMaxResponseHeaders = 64 * 1024;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string_view body;    // must live as long as the call
  int wanted_status = 200;  // the answer whose body may be `max_body` long; others are cut at kMaxErrorBody
  std::uint64_t max_body = 0;
  bool once = false;    // never sent a second time over a fresh connection (libcurl does so by itself otherwise)
  bool direct = false;  // never through a proxy: metadata services
  int connect_ahead = 0;  // so many requests to the same origin may follow at once: connections for them are opened meanwhile
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t stall_timeout_ms = 20'000;  // silence in both directions
  std::uint64_t least_bytes_per_s = 1024;  // of a body that has begun, over each stall timeout: a drip would hold a reader for days
};

struct HttpResponse {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;

  // The value of the last header of that (lower case) name; empty when there is none.
  std::string_view header(std::string_view name) const;
};

enum class HttpFault { kDns, kConnect, kTls, kCertificate, kStalled, kLost, kTooLong, kMalformed, kBadRequest };

// A request without a (whole) answer. The message is "http: <happened>; <remedy>".
class HttpError : public Error {
 public:
  HttpError(Code code, HttpFault fault, bool sent, std::string happened, std::string remedy);
  HttpFault fault() const noexcept { return fault_; }
  bool sent() const noexcept { return sent_; }  // the server may have carried it out
  const std::string& happened() const noexcept { return happened_; }
  const std::string& remedy() const noexcept { return remedy_; }

 private:
  HttpFault fault_;
  bool sent_;
  std::string happened_;
  std::string remedy_;
};

// Throws HttpError, or Error(kInterrupted). Thread-safe.
HttpResponse http_send(const HttpRequest& request, const Cancel* cancel);

// http_send or what a test puts in its place.
using HttpFunction = std::function<HttpResponse(const HttpRequest&, const Cancel*)>;

// "bytes=0-99" for `length` bytes from `offset` (at least one byte).
std::string range_header(std::uint64_t offset, std::uint64_t length);

// The object's size from a 206 that answers range_header(offset, length) exactly: right Content-Range, right number of
// bytes, no content encoding. Otherwise nothing, and `why` says what is wrong.
std::optional<std::uint64_t> check_partial_content(const HttpResponse& response, std::uint64_t offset, std::uint64_t length,
                                                   std::string& why);

// The size in the "Content-Range: bytes */123" of a 416, when it is there.
std::optional<std::uint64_t> unsatisfied_size(const HttpResponse& response);

// Retry-After in seconds as milliseconds; 0 when it is absent or a date.
std::int64_t retry_after_ms(const HttpResponse& response);

}  // namespace ts
