// HTTP requests over libcurl: the only file that includes curl.
//
// Each slot of the pool is an easy handle with a multi handle of its own, which keeps the connection: curl_easy_perform
// would look at a cancel only once a second, and a shared connection cache is not thread-safe in libcurl.
#include "vfs/http.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>

#include "ext/base/clock.h"
#include "ext/base/file.h"
#include "vfs/spare_sockets.h"
#include "vfs/url.h"

namespace ts {
namespace {

constexpr int kPollMs = 20;  // a Cancel is polled at least every 50 ms

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

[[noreturn]] void throw_interrupted(const Url& url) { throw Error(Code::kInterrupted, "http: interrupted: " + url.origin()); }

// TLS libraries of older libcurls may raise SIGPIPE, whose default ends the host: it is swallowed in this thread.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigset_t block;
    sigemptyset(&block);
    sigaddset(&block, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &block, &before_);
  }
  ~NoSigpipe() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    if (!was_pending_ && sigismember(&pending, SIGPIPE) == 1) {
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, SIGPIPE);
      int got = 0;
      sigwait(&one, &got);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t before_;
  bool was_pending_ = false;
};

struct Slot {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  std::string origin;  // of the connection it holds
  std::uint64_t last_used = 0;

  Slot() : easy(curl_easy_init()), multi(curl_multi_init()) {
    if (!easy || !multi) {
      if (easy) curl_easy_cleanup(easy);
      if (multi) curl_multi_cleanup(multi);
      throw Error(Code::kNoMemory, "http: libcurl has no handle for us");
    }
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
  }
  ~Slot() {
    NoSigpipe guard;
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
};

// The slots of one process. A child of fork gets a pool of its own and leaks its parent's: those sockets are shared.
class Pool {
 public:
  static Pool& of_this_process() {
    static std::atomic<Pool*> current{nullptr};
    Pool* pool = current.load();
    while (!pool || pool->generation_ != fork_generation()) {
      auto fresh = std::make_unique<Pool>();
      if (current.compare_exchange_strong(pool, fresh.get())) return *fresh.release();
    }
    return *pool;
  }

  Pool() : generation_(fork_generation()) {}

  SpareSockets& spares() { return spares_; }

  // Connections for `count` requests: those that are idle, and spare ones.
  void connect_ahead(const std::string& origin, int count) {
    {
      std::lock_guard lock(mutex_);
      for (const auto& slot : idle_) count -= slot->origin == origin ? 1 : 0;
    }
    spares_.open(origin, count);
  }

  // Waits for a slot; prefers one that holds a connection to `url`.
  std::unique_ptr<Slot> take(const Url& url, const Cancel* cancel) {
    const std::string origin = url.origin();
    std::unique_lock lock(mutex_);
    while (idle_.empty() && in_use_ >= kMaxConnections) {
      returned_.wait_for(lock, std::chrono::milliseconds(kPollMs));
      if (cancel) {
        lock.unlock();
        if (cancel->cancelled()) throw_interrupted(url);
        lock.lock();
      }
    }
    auto best = std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& slot) { return slot->origin == origin; });
    std::unique_ptr<Slot> slot;
    if (best != idle_.rend()) {
      slot = std::move(*best);
      idle_.erase(std::next(best).base());
    } else if (static_cast<int>(idle_.size()) + in_use_ < kMaxConnections) {
      slot = std::make_unique<Slot>();
    } else {
      slot = std::move(idle_.front());  // the one unused for longest: its connection is given up
      idle_.erase(idle_.begin());
    }
    slot->origin = origin;
    ++in_use_;
    return slot;
  }

  void give_back(std::unique_ptr<Slot> slot) noexcept {
    {
      std::lock_guard lock(mutex_);
      --in_use_;
      idle_.push_back(std::move(slot));  // never grows past kMaxConnections: reserved
    }
    returned_.notify_one();
  }

 private:
  const std::uint64_t generation_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Slot>> idle_ = reserved();  // guarded by mutex_, ordered by last use
  int in_use_ = 0;                                        // guarded by mutex_
  SpareSockets spares_;

  static std::vector<std::unique_ptr<Slot>> reserved() {
    std::vector<std::unique_ptr<Slot>> slots;
    slots.reserve(kMaxConnections);
    return slots;
  }
};

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error(Code::kUnsupported, "http: libcurl cannot be initialised");
}

// A transfer's state as libcurl's callbacks see it. They never throw: the first exception waits in `thrown`.
struct Transfer {
  const HttpRequest& request;
  CURL* easy;
  Pool& pool;
  std::string origin;
  HttpResponse response;
  int spare_fd = -1;             // connected already
  std::uint64_t body_bytes = 0;  // that came back, kept or not
  std::uint64_t header_bytes = 0;
  int sends = 0;
  bool too_long = false;
  bool cut = false;
  std::exception_ptr thrown;

  std::size_t on_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kMaxResponseHeaders) return 0;
    if (line.starts_with("HTTP/")) {  // a new head: what came before was a 100 Continue
      response.headers.clear();
      return line.size();
    }
    std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      response.headers.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
    }
    return line.size();
  }

  std::size_t on_body(std::string_view bytes) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    const bool wanted = status == request.wanted_status;
    const std::uint64_t limit = wanted ? request.max_body : kMaxErrorBody;
    body_bytes += bytes.size();
    const std::uint64_t room = limit - response.body.size();
    response.body.append(bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size()))));
    if (bytes.size() <= room) return bytes.size();
    (wanted ? too_long : cut) = true;
    return 0;  // ends the transfer and closes the connection
  }

  // Only what may be sent again goes over a spare connection, of which the server may have thought better.
  int open_socket(const SocketAddress& address, int type, int protocol) {
    if (!request.once) spare_fd = pool.spares().take(address);
    if (spare_fd >= 0) return spare_fd;
    const int fd = ::socket(address.bytes.ss_family, type, protocol);
    if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    pool.spares().remember(origin, address);
    if (request.connect_ahead > 0) pool.connect_ahead(origin, request.connect_ahead);
    return fd;
  }

  template <typename Body>
  std::size_t guarded(Body body) noexcept {
    try {
      return body();
    } catch (...) {
      thrown = std::current_exception();
      return 0;
    }
  }
};

extern "C" {
static size_t ts_http_header(char* data, size_t size, size_t count, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  return transfer->guarded([&] { return transfer->on_header({data, size * count}); });
}
static size_t ts_http_body(char* data, size_t size, size_t count, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  return transfer->guarded([&] { return transfer->on_body({data, size * count}); });
}
static curl_socket_t ts_http_open_socket(void* self, curlsocktype, curl_sockaddr* to) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  curl_socket_t fd = CURL_SOCKET_BAD;
  transfer->guarded([&]() -> std::size_t {
    fd = transfer->open_socket(SocketAddress(&to->addr, static_cast<socklen_t>(to->addrlen)), to->socktype, to->protocol);
    return 0;
  });
  return fd;
}
static int ts_http_socket_made(void* self, curl_socket_t fd, curlsocktype) noexcept {
  return fd == static_cast<Transfer*>(self)->spare_fd ? CURL_SOCKOPT_ALREADY_CONNECTED : CURL_SOCKOPT_OK;
}
// Called before each time the request goes out; libcurl sends again by itself when a kept connection turns out dead.
static int ts_http_before_send(void* self, char*, char*, int, int) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  if (transfer->request.once && transfer->sends > 0) return CURL_PREREQFUNC_ABORT;
  ++transfer->sends;
  return CURL_PREREQFUNC_OK;
}
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList header_list(const HttpRequest& request) {
  HeaderList list;
  auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw Error(Code::kNoMemory, "http: out of memory");
    list.release();
    list.reset(longer);
  };
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of(std::string_view("\r\n\0:", 4)) != std::string::npos ||
        value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      throw HttpError(Code::kBadInput, HttpFault::kBadRequest, false, "a header holds a line break", "");
    }
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  add("Expect:");  // waiting for 100 Continue costs a round trip or, where it is not known, a second
  return list;
}

// A private certificate authority, named as other clients let the user name it.
std::string certificate_file() {
  for (const char* name : {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (std::string path = environment(name); !path.empty()) return path;
  }
  return "";
}

void set_options(Transfer& transfer, const curl_slist* headers) {
  CURL* easy = transfer.easy;
  const HttpRequest& request = transfer.request;
  curl_easy_reset(easy);  // keeps the connection
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // a key may hold "/./"; what is sent is what was signed
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sqlite-timeseries");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024L);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a cancelled request does not wait for the resolver's thread
#endif
  if (request.direct) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  if (std::string path = certificate_file(); !path.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, path.c_str());
  if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  if (request.method != "GET" && request.method != "POST") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ts_http_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ts_http_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, ts_http_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, ts_http_socket_made);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, ts_http_before_send);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
}

// A slot for the time of one transfer.
class Lease {
 public:
  Lease(Pool& pool, const Url& url, const Cancel* cancel) : pool_(pool), slot_(pool.take(url, cancel)) {}
  ~Lease() {
    if (added_) curl_multi_remove_handle(slot_->multi, slot_->easy);
    curl_easy_reset(slot_->easy);  // no pointer into this transfer stays
    pool_.give_back(std::move(slot_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  CURL* easy() const { return slot_->easy; }
  CURLM* multi() const { return slot_->multi; }
  void add() {
    if (curl_multi_add_handle(multi(), easy()) != CURLM_OK) throw Error(Code::kNoMemory, "http: libcurl refuses a request");
    added_ = true;
  }

 private:
  Pool& pool_;
  std::unique_ptr<Slot> slot_;
  bool added_ = false;
};

// Something moved since the last call: headers, body, upload, or the request went out.
class Silence {
 public:
  explicit Silence(const Transfer& transfer) : transfer_(transfer), since_ms_(Clock::system().steady_ms()) {}
  std::int64_t lasted_ms() {
    curl_off_t uploaded = 0;
    curl_easy_getinfo(transfer_.easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    const std::uint64_t moved =
        transfer_.body_bytes + transfer_.header_bytes + static_cast<std::uint64_t>(uploaded) + static_cast<std::uint64_t>(transfer_.sends);
    const std::int64_t now = Clock::system().steady_ms();
    if (moved != seen_) seen_ = moved, since_ms_ = now;
    return now - since_ms_;
  }

 private:
  const Transfer& transfer_;
  std::uint64_t seen_ = 0;
  std::int64_t since_ms_;
};

HttpError stalled(const HttpRequest& request, const Url& url, bool sent) {
  return {Code::kUnavailable, HttpFault::kStalled, sent,
          "no byte came from " + url.authority() + " for " + std::to_string((request.stall_timeout_ms + 999) / 1000) + " s",
          "check the network and the server"};
}

// How fast a body comes, from its first byte on, looked at once in a stall timeout.
class Pace {
 public:
  explicit Pace(const Transfer& transfer) : transfer_(transfer) {}
  bool too_slow() {
    const std::uint64_t bytes = transfer_.body_bytes;
    const std::int64_t now = Clock::system().steady_ms();
    if (bytes == 0 || since_ms_ == 0) return begin(bytes, now);
    const std::int64_t lasted = now - since_ms_;
    if (lasted < transfer_.request.stall_timeout_ms) return false;
    if ((bytes - seen_) * 1000 < transfer_.request.least_bytes_per_s * static_cast<std::uint64_t>(lasted)) return true;
    return begin(bytes, now);
  }

 private:
  bool begin(std::uint64_t bytes, std::int64_t now) {
    seen_ = bytes;
    since_ms_ = bytes ? now : 0;
    return false;
  }
  const Transfer& transfer_;
  std::uint64_t seen_ = 0;
  std::int64_t since_ms_ = 0;  // 0: no body yet
};

HttpError too_slow(const HttpRequest& request, const Url& url) {
  return {Code::kUnavailable, HttpFault::kStalled, true,
          url.authority() + " sends too slowly (less than " + std::to_string(request.least_bytes_per_s) + " bytes a second for " +
              std::to_string((request.stall_timeout_ms + 999) / 1000) + " s)",
          "check the network and the server"};
}

HttpError failure_of(CURLcode code, const Transfer& transfer, const Url& url) {
  const std::string host = url.authority();
  const bool sent = transfer.sends > 0;
  long os_error = 0;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Code::kUnavailable, HttpFault::kDns, false,
              code == CURLE_COULDNT_RESOLVE_HOST ? "the host name " + url.host + " cannot be resolved"
                                                 : "the proxy's host name cannot be resolved",
              "check its spelling and DNS"};
    case CURLE_COULDNT_CONNECT:
      curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &os_error);
      return {Code::kUnavailable, HttpFault::kConnect, false,
              os_error == ECONNREFUSED ? "connection refused by " + host : "cannot connect to " + host,
              "check that the server runs and is reachable"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::kUnavailable, HttpFault::kConnect, sent,
              "no connection to " + host + " within " + std::to_string((transfer.request.connect_timeout_ms + 999) / 1000) + " s",
              "check that the server runs and is reachable"};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {Code::kForbidden, HttpFault::kCertificate, false, "the TLS certificate of " + host + " cannot be verified",
              "check the host name, or name the authority's file in AWS_CA_BUNDLE"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
      return {Code::kUnavailable, HttpFault::kTls, false, "the TLS handshake with " + host + " failed",
              "check that the endpoint speaks https"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:  // our header limit; longer bodies have their own error
      return {Code::kUnavailable, HttpFault::kMalformed, sent, "the answer of " + host + " is not proper HTTP",
              "check that the endpoint is an HTTP server"};
    case CURLE_URL_MALFORMAT: return {Code::kBadInput, HttpFault::kBadRequest, false, "the URL is malformed", ""};
    case CURLE_OUT_OF_MEMORY: return {Code::kNoMemory, HttpFault::kBadRequest, sent, "out of memory", ""};
    default:  // among them a request that is sent once only and met a dead connection
      return {Code::kUnavailable, HttpFault::kLost, sent, "the connection to " + host + " was lost", "check the network and the server"};
  }
}

void run(Lease& lease, Transfer& transfer, const Url& url, const Cancel* cancel) {
  lease.add();
  Silence silence(transfer);
  Pace pace(transfer);
  for (int running = 1;;) {
    CURLMcode result = curl_multi_perform(lease.multi(), &running);
    if (transfer.thrown) std::rethrow_exception(transfer.thrown);
    if (result != CURLM_OK) throw failure_of(CURLE_RECV_ERROR, transfer, url);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(lease.multi(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      if (transfer.too_long) {
        throw HttpError(Code::kCorrupt, HttpFault::kTooLong, true, "the answer is longer than was asked for", "");
      }
      if (message->data.result != CURLE_OK && !transfer.cut) throw failure_of(message->data.result, transfer, url);
      long status = 0;
      curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
      transfer.response.status = static_cast<int>(status);
      return;
    }
    if (cancel && cancel->cancelled()) throw_interrupted(url);
    const std::int64_t quiet = silence.lasted_ms();
    if (quiet >= transfer.request.stall_timeout_ms && transfer.sends > 0) throw stalled(transfer.request, url, true);
    if (pace.too_slow()) throw too_slow(transfer.request, url);
    std::int64_t wait = cancel ? kPollMs : 1000;
    if (transfer.sends > 0) wait = std::min(wait, transfer.request.stall_timeout_ms - quiet);
    curl_multi_poll(lease.multi(), nullptr, 0, static_cast<int>(std::max<std::int64_t>(wait, 1)), nullptr);
  }
}

bool parse_number(std::string_view text, std::uint64_t& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::uint64_t last_byte(std::uint64_t offset, std::uint64_t length) {
  constexpr std::uint64_t kMax = INT64_MAX;  // what servers can take
  length = std::max<std::uint64_t>(length, 1);
  return offset >= kMax || length > kMax - offset ? kMax : offset + length - 1;
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  auto found = std::find_if(headers.rbegin(), headers.rend(), [&](const auto& header) { return header.first == name; });
  return found == headers.rend() ? std::string_view() : found->second;
}

HttpError::HttpError(Code code, HttpFault fault, bool sent, std::string happened, std::string remedy)
    : Error(code, "http: " + happened + (remedy.empty() ? "" : "; " + remedy)),
      fault_(fault),
      sent_(sent),
      happened_(std::move(happened)),
      remedy_(std::move(remedy)) {}

HttpResponse http_send(const HttpRequest& request, const Cancel* cancel) {
  const std::optional<Url> url = parse_url(request.url);
  if (!url || url->userinfo) throw HttpError(Code::kBadInput, HttpFault::kBadRequest, false, "the URL is malformed", "");
  if (cancel && cancel->cancelled()) throw_interrupted(*url);
  initialise_curl();
  const HeaderList headers = header_list(request);
  NoSigpipe guard;
  Pool& pool = Pool::of_this_process();
  if (request.connect_ahead > 0) pool.connect_ahead(url->origin(), request.connect_ahead);
  Lease lease(pool, *url, cancel);
  Transfer transfer{request, lease.easy(), pool, url->origin(), {}, -1, 0, 0, 0, false, false, nullptr};
  set_options(transfer, headers.get());
  struct Charge {
    const Transfer& transfer;
    const Cancel* cancel;
    Admission admission;
    ~Charge() {
      admission.came(transfer.body_bytes);
      if (cancel && transfer.sends > 0) cancel->charge(static_cast<std::uint64_t>(transfer.sends), transfer.body_bytes);
    }
  } charge{transfer, cancel, {cancel, request.wanted_status == 206 ? request.max_body : 0}};
  run(lease, transfer, *url, cancel);
  return std::move(transfer.response);
}

std::string range_header(std::uint64_t offset, std::uint64_t length) {
  return "bytes=" + std::to_string(offset) + "-" + std::to_string(last_byte(offset, length));
}

std::optional<std::uint64_t> check_partial_content(const HttpResponse& response, std::uint64_t offset, std::uint64_t length,
                                                   std::string& why) {
  const std::string_view encoding = response.header("content-encoding");
  if (!encoding.empty() && lower(encoding) != "identity" && lower(encoding) != "aws-chunked") {
    why = "the object is stored with Content-Encoding " + printable(encoding, 32) + ", and ranges of it are not its bytes";
    return std::nullopt;
  }
  std::string_view text = response.header("content-range");
  why =
      "the server's Content-Range \"" + printable(text, 80) + "\" does not fit the range asked for (" + range_header(offset, length) + ")";
  if (!lower(text.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
  text = trimmed(text.substr(6));
  const std::size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  std::uint64_t first = 0, last = 0, size = 0;
  if (!parse_number(text.substr(0, dash), first) || !parse_number(text.substr(dash + 1, slash - dash - 1), last) ||
      !parse_number(text.substr(slash + 1), size)) {
    return std::nullopt;
  }
  if (size == 0 || size > static_cast<std::uint64_t>(INT64_MAX) || first != offset || first >= size ||
      last != std::min(last_byte(offset, length), size - 1)) {
    return std::nullopt;
  }
  if (response.body.size() != last - first + 1) {
    why = "the server sent " + std::to_string(response.body.size()) + " bytes of a range of " + std::to_string(last - first + 1);
    return std::nullopt;
  }
  why.clear();
  return size;
}

std::optional<std::uint64_t> unsatisfied_size(const HttpResponse& response) {
  std::string_view text = response.header("content-range");
  std::uint64_t size = 0;
  if (!text.starts_with("bytes */") || !parse_number(text.substr(8), size)) return std::nullopt;
  return size;
}

std::int64_t retry_after_ms(const HttpResponse& response) {
  std::uint64_t seconds = 0;
  if (!parse_number(response.header("retry-after"), seconds)) return 0;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, 86'400)) * 1000;
}

}  // namespace ts
