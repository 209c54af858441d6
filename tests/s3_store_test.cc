// S3Store against servers that refuse, lie, redirect and vanish: a responder, and the real server for its own errors.
#include <doctest/doctest.h>

#include <thread>

#include "ext/base/file.h"
#include "tests/support/responder.h"
#include "tests/support/s3_fixture.h"
#include "vfs/retrying_store.h"
#include "vfs/s3_store.h"
#include "vfs/unavailable.h"

using namespace ts;
using namespace ts_test;

namespace {

// Keys of a user, in a world of their own.
struct User {
  World world;
  User() {
    world.environment = {{"AWS_ACCESS_KEY_ID", "AKTEST"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  }
  S3Config config(const std::string& endpoint, const std::string& location = "s3://bucket/prefix") const {
    StoreOptions options;
    options.location = location;
    options.endpoint = endpoint;
    return s3_config(options, world.around());
  }
};

Reply s3_error(int status, const std::string& code, std::vector<std::pair<std::string, std::string>> headers = {},
               const std::string& more = "") {
  return Reply{status, std::move(headers), "<Error><Code>" + code + "</Code><Message></Message>" + more + "</Error>"};
}

Reply part(const std::string& bytes, const std::string& range, const std::string& etag = "\"e\"") {
  return Reply{206, {{"Content-Range", range}, {"ETag", etag}}, bytes};
}

// A responder and a store on it.
struct Bench {
  User user;
  Responder server;
  S3Store store;
  explicit Bench(Responder::Handler handler) : server(std::move(handler)), store(user.config(server.url())) {}
  Thrown get_error(const std::string& etag = "e", std::uint64_t offset = 0, std::uint64_t length = 10) {
    const Thrown error = thrown([&] { store.get_range("dir/k", etag, offset, length); });
    CHECK(error.has("s3://bucket/prefix/dir/k"));
    CHECK(error.message.starts_with("s3: "));
    CHECK(!error.has("hunter2"));
    return error;
  }
};

std::string page(const std::string& keys_and_more) {
  return "<ListBucketResult><EncodingType>url</EncodingType>" + keys_and_more + "</ListBucketResult>";
}
std::string item(const std::string& key) { return "<Contents><Key>" + key + "</Key><Size>1</Size><ETag>\"e\"</ETag></Contents>"; }

}  // namespace

TEST_CASE("s3 store: a GET carries range, pin, identity and a signature over them") {
  Bench bench([](const ts_test::Request&) { return part("0123456789", "bytes 5-14/100"); });
  const Range range = bench.store.get_range("dir/a b", "e", 5, 10);
  CHECK(range.bytes == "0123456789");
  CHECK(range.object_size == 100);
  const ts_test::Request seen = bench.server.requests().at(0);
  CHECK(seen.target == "/bucket/prefix/dir/a%20b");
  CHECK(seen.header("range") == "bytes=5-14");
  CHECK(seen.header("if-match") == "\"e\"");
  CHECK(seen.header("accept-encoding") == "identity");
  CHECK(seen.header("x-amz-content-sha256").size() == 64);
  CHECK(seen.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKTEST/"));
  CHECK(seen.header("authorization").find("SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date,") != std::string::npos);
}

TEST_CASE("s3 store: the session token goes out and is signed, and an anonymous request has no signature") {
  User user;
  user.world.environment["AWS_SESSION_TOKEN"] = "tok";
  Responder server([](const ts_test::Request&) { return part("x", "bytes 0-0/1"); });
  S3Store(user.config(server.url())).get_range("k", "", 0, 1);
  CHECK(server.requests().at(0).header("x-amz-security-token") == "tok");
  CHECK(server.requests().at(0).header("authorization").find("x-amz-security-token") != std::string::npos);
  StoreOptions options;
  options.location = "s3://bucket";
  options.endpoint = server.url();
  options.anonymous = true;
  S3Store(s3_config(options, user.world.around())).get_range("k", "", 0, 1);
  CHECK(server.requests().at(1).header("authorization") == "");
  CHECK(server.requests().at(1).header("x-amz-date") == "");
}

TEST_CASE("s3 store: AWS is reached by the virtual host and TIMESERIES_ADDRESSING decides otherwise") {
  User user;
  std::vector<std::string> urls;
  user.world.http = [&](const HttpRequest& request, const Cancel*) {
    urls.push_back(request.url);
    return HttpResponse{206, {{"content-range", "bytes 0-0/1"}, {"etag", "\"e\""}}, "x"};
  };
  user.world.environment["AWS_REGION"] = "eu-west-1";
  S3Store(user.config("")).get_range("k", "", 0, 1);
  S3Store(user.config("", "s3://my.bucket")).get_range("k", "", 0, 1);
  user.world.environment["TIMESERIES_ADDRESSING"] = "virtual";
  S3Store(user.config("http://h:9000")).get_range("k", "", 0, 1);
  user.world.environment["TIMESERIES_ADDRESSING"] = "path";
  S3Store(user.config("")).get_range("k", "", 0, 1);
  CHECK(urls == std::vector<std::string>{"https://bucket.s3.eu-west-1.amazonaws.com/prefix/k",
                                         "https://s3.eu-west-1.amazonaws.com/my.bucket/k", "http://bucket.h:9000/prefix/k",
                                         "https://s3.eu-west-1.amazonaws.com/bucket/prefix/k"});
  user.world.environment["TIMESERIES_ADDRESSING"] = "other";
  CHECK(thrown([&] { user.config(""); }).has("TIMESERIES_ADDRESSING"));
}

TEST_CASE("s3 store: a 200 to a ranged request is cut off and an error") {
  Bench bench([](const ts_test::Request&) { return Reply{200, {{"ETag", "\"e\""}}, std::string(10'000'000, 'x')}; });
  TestCancel cancel;
  const Thrown error = thrown([&] { bench.store.get_range("k", "e", 0, 10, &cancel); });
  CHECK(error.code == Code::kUnsupported);
  CHECK(error.has("Range"));
  CHECK(cancel.bytes < 1'000'000);
}

TEST_CASE("s3 store: a wrong Content-Range, a short or long body and an encoded one are errors") {
  Reply reply;
  std::mutex mutex;
  Bench bench([&](const ts_test::Request&) {
    std::lock_guard lock(mutex);
    return reply;
  });
  auto with = [&](Reply next) {
    std::lock_guard lock(mutex);
    reply = std::move(next);
  };
  with(part("0123456789", "bytes 1-10/100"));
  CHECK(bench.get_error().code == Code::kCorrupt);
  with(part("0123456789", ""));
  CHECK(bench.get_error().code == Code::kCorrupt);
  with(part("01234", "bytes 0-9/100"));
  CHECK(bench.get_error().code == Code::kCorrupt);
  Reply truncated = part("01234", "bytes 0-9/100");
  truncated.content_length = 10;
  with(truncated);
  CHECK(bench.get_error().code == Code::kUnavailable);
  with(part("0123456789ABC", "bytes 0-9/100"));
  CHECK(bench.get_error().has("longer than was asked for"));
  Reply gzip = part("0123456789", "bytes 0-9/100");
  gzip.headers.emplace_back("Content-Encoding", "gzip");
  with(gzip);
  CHECK(bench.get_error().has("Content-Encoding gzip"));
  with(part("0123456789", "bytes 0-9/100", "\"other\""));
  CHECK(bench.get_error().code == Code::kChanged);
}

TEST_CASE("s3 store: 412 and 404 of a pinned read are kChanged, 416 is empty") {
  std::atomic<int> status{412};
  Bench bench([&](const ts_test::Request&) { return s3_error(status, status == 404 ? "NoSuchKey" : ""); });
  CHECK(bench.get_error().code == Code::kChanged);
  status = 404;
  CHECK(bench.get_error().code == Code::kChanged);
  CHECK(bench.get_error("").code == Code::kNotFound);
  status = 416;
  CHECK(bench.store.get_range("k", "e", 1000, 10).bytes.empty());
}

TEST_CASE("s3 store: a region redirect is learned and the request signed anew, once") {
  for (int status : {301, 307, 400}) {
    Bench bench([status](const ts_test::Request& request) {
      if (request.header("authorization").find("/eu-west-3/s3/") != std::string::npos) return part("x", "bytes 0-0/1");
      if (status == 400) return s3_error(400, "AuthorizationHeaderMalformed", {}, "<Region>eu-west-3</Region>");
      return s3_error(status, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-3"}});
    });
    CHECK(bench.store.get_range("k", "", 0, 1).bytes == "x");
    CHECK(bench.store.get_range("k", "", 0, 1).bytes == "x");
    CHECK(bench.server.requests().size() == 3);
  }
  std::atomic<int> count{0};
  Bench circle([&](const ts_test::Request&) {
    return s3_error(301, "PermanentRedirect", {{"x-amz-bucket-region", "r-" + std::to_string(++count)}});
  });
  CHECK(circle.get_error().has("region='r-2'"));
  CHECK(count == 2);
}

TEST_CASE("s3 store: a 503 is kUnavailable with its Retry-After, and RetryingStore waits for it") {
  std::atomic<int> left{2};
  User user;
  Responder server([&](const ts_test::Request&) {
    return left-- > 0 ? s3_error(503, "SlowDown", {{"Retry-After", "2"}}) : part("x", "bytes 0-0/1");
  });
  FakeClock clock;
  user.world.clock = &clock;
  RetryingStore store(std::make_shared<S3Store>(user.config(server.url())), clock);
  CHECK(store.get_range("k", "", 0, 1).bytes == "x");
  CHECK(clock.steady == 4'000);
  left = 100;
  const Thrown error = thrown([&] { store.get_range("k", "", 0, 1); });
  CHECK(error.code == Code::kUnavailable);
  CHECK(error.has("HTTP 503 SlowDown"));
  CHECK(error.has("4 tries in 6.0 s"));
}

TEST_CASE("s3 store: a put carries its condition and its hash, and 412 means taken") {
  std::atomic<int> status{200};
  Bench bench([&](const ts_test::Request&) { return Reply{status, {{"ETag", "\"new\""}}, ""}; });
  const PutResult put = bench.store.put_if_absent("k", "abc");
  CHECK(put.stored);
  CHECK(put.etag == "new");
  const ts_test::Request seen = bench.server.requests().at(0);
  CHECK(seen.method == "PUT");
  CHECK(seen.body == "abc");
  CHECK(seen.header("if-none-match") == "*");
  CHECK(seen.header("x-amz-content-sha256") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  status = 412;
  CHECK(!bench.store.put_if_absent("k", "abc").stored);
}

TEST_CASE("s3 store: a 412 after a lost reply is our own success") {
  std::mutex mutex;
  std::string stored;
  Bench bench([&](const ts_test::Request& request) {
    std::lock_guard lock(mutex);
    if (request.method == "GET" && stored.empty()) return s3_error(404, "NoSuchKey");
    if (request.method == "GET") return part(stored, "bytes 0-" + std::to_string(stored.size() - 1) + "/" + std::to_string(stored.size()));
    if (!stored.empty()) return s3_error(412, "PreconditionFailed");
    stored = request.body;
    Reply lost;
    lost.drop = true;
    return lost;
  });
  FakeClock clock;
  RetryingStore store(std::make_shared<S3Store>(bench.user.config(bench.server.url())), clock);
  CHECK(thrown([&] { store.get_range("k", "", 0, 1); }).code == Code::kNotFound);  // leaves a connection that libcurl may trust too much
  CHECK(store.put_if_absent("k", "mine").stored);
  CHECK(!store.put_if_absent("k", "another").stored);
}

TEST_CASE("s3 store: a 409 is tried again and says that nothing was stored") {
  Bench bench([](const ts_test::Request&) { return s3_error(409, "ConditionalRequestConflict"); });
  try {
    bench.store.put_if_absent("k", "x");
    FAIL("nothing was thrown");
  } catch (const Unavailable& error) {
    CHECK(!error.outcome_unknown());
  }
}

TEST_CASE("s3 store: a server that refuses the condition gets puts without it, after a look, and that is remembered") {
  for (int refusal : {501, 400}) {
    std::mutex mutex;
    std::map<std::string, std::string> objects;
    Bench bench([&](const ts_test::Request& request) {
      std::lock_guard lock(mutex);
      if (request.method == "GET") return objects.count(request.target) ? part("x", "bytes 0-0/5") : s3_error(404, "NoSuchKey");
      if (!request.header("if-none-match").empty()) return s3_error(refusal, "NotImplemented");
      objects[request.target] = request.body;
      return Reply{200, {{"ETag", "\"e\""}}, ""};
    });
    CHECK(bench.store.put_if_absent("k", "first").stored);
    CHECK(!bench.store.put_if_absent("k", "second").stored);
    CHECK(bench.store.put_if_absent("k2", "first").stored);
    int conditional = 0;
    for (const auto& request : bench.server.requests()) conditional += !request.header("if-none-match").empty();
    CHECK(conditional == 1);
    CHECK(objects.at("/bucket/prefix/k") == "first");
  }
}

TEST_CASE("s3 store: other refusals of a put keep the condition") {
  Bench bench([](const ts_test::Request&) { return s3_error(403, "AccessDenied"); });
  const Thrown error = thrown([&] { bench.store.put_if_absent("k", "x"); });
  CHECK(error.code == Code::kForbidden);
  CHECK(error.has("s3:PutObject"));
  CHECK(bench.server.requests().size() == 1);
}

TEST_CASE("s3 store: expired credentials are fetched anew once, then it is an error") {
  std::atomic<bool> always{false};
  std::atomic<int> served{0};
  Responder server([&](const ts_test::Request& request) {
    if (always || request.header("x-amz-security-token") == "t1") return s3_error(400, "ExpiredToken");
    return part("x", "bytes 0-0/1");
  });
  Responder container([&](const ts_test::Request&) {
    const std::string n = std::to_string(++served);
    return Reply{200, {}, R"({"AccessKeyId":"A","SecretAccessKey":"S","Token":"t)" + n + R"(","Expiration":"2099-01-01T00:00:00Z"})"};
  });
  User user;
  user.world.environment.erase("AWS_ACCESS_KEY_ID");
  user.world.environment.erase("AWS_SECRET_ACCESS_KEY");
  user.world.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container.url();
  S3Store store(user.config(server.url()));
  CHECK(store.get_range("k", "", 0, 1).bytes == "x");
  CHECK(served == 2);
  always = true;
  const Thrown error = thrown([&] { store.get_range("k", "", 0, 1); });
  CHECK(error.code == Code::kForbidden);
  CHECK(error.has("expired"));
  CHECK(served == 3);
}

TEST_CASE("s3 store: a listing is asked for by prefix, start and page size and gives keys relative to the location") {
  Bench bench([](const ts_test::Request&) {
    return Reply{200, {}, page("<IsTruncated>true</IsTruncated>" + item("prefix/cpu/a") + item("prefix/cpu/b"))};
  });
  const ListPage got = bench.store.list("cpu/", "cpu/9 +");
  REQUIRE(got.objects.size() == 2);
  CHECK(got.objects[0].key == "cpu/a");
  CHECK(got.more);
  CHECK(bench.server.requests().at(0).target ==
        "/bucket?encoding-type=url&list-type=2&max-keys=1000&prefix=prefix%2Fcpu%2F&start-after=prefix%2Fcpu%2F9%20%2B");
}

TEST_CASE("s3 store: a marker object of the location itself is passed over, also when it is all of a page") {
  Bench bench([](const ts_test::Request& request) {
    if (request.target.find("start-after") == std::string::npos)
      return Reply{200, {}, page("<IsTruncated>true</IsTruncated>" + item("prefix/"))};
    return Reply{200, {}, page("<IsTruncated>false</IsTruncated>" + item("prefix/a"))};
  });
  const ListPage got = bench.store.list("", "");
  REQUIRE(got.objects.size() == 1);
  CHECK(got.objects[0].key == "a");
  CHECK(!got.more);
}

TEST_CASE("s3 store: a listing that is malformed, out of order or foreign is corrupt and names the place") {
  std::mutex mutex;
  std::string body;
  Bench bench([&](const ts_test::Request&) {
    std::lock_guard lock(mutex);
    return Reply{200, {}, body};
  });
  for (const std::string& wrong :
       {std::string("<ListBucketResult><Con"), page("<IsTruncated>false</IsTruncated>" + item("prefix/b") + item("prefix/a")),
        page("<IsTruncated>false</IsTruncated>" + item("other/a")), page("<IsTruncated>true</IsTruncated>"), page(item("prefix/a")),
        std::string("<html>login</html>")}) {
    {
      std::lock_guard lock(mutex);
      body = wrong;
    }
    const Thrown error = thrown([&] { bench.store.list("", ""); });
    CHECK(error.code == Code::kCorrupt);
    CHECK(error.has("s3://bucket/"));
  }
}

TEST_CASE("s3 store: silence and a cancel end a request, and both name the object") {
  User user;
  Responder server([](const ts_test::Request&) {
    Reply reply;
    reply.stall_before = true;
    return reply;
  });
  S3Config config = user.config(server.url());
  config.stall_timeout_ms = 200;
  S3Store store(config);
  Thrown error = thrown([&] { store.get_range("k", "", 0, 1); });
  CHECK(error.code == Code::kUnavailable);
  CHECK(error.has("no byte came"));
  CHECK(error.has("s3://bucket/prefix/k"));

  S3Store patient(user.config(server.url()));
  std::int64_t best = 1'000;
  for (int attempt = 0; attempt < 3 && best >= 100; ++attempt) {
    TestCancel cancel;
    const std::size_t seen = server.requests().size();
    std::atomic<std::int64_t> stopped{0};
    std::thread stopper([&] {
      while (server.requests().size() == seen) std::this_thread::yield();
      stopped = Clock::system().steady_ms();
      cancel.stop = true;
    });
    error = thrown([&] { patient.get_range("k", "", 0, 1, &cancel); });
    const std::int64_t ended = Clock::system().steady_ms();
    stopper.join();
    best = std::min(best, ended - stopped);
    CHECK(error.code == Code::kInterrupted);
    CHECK(error.has("s3://bucket/prefix/k"));
  }
  CHECK(best < 100);
}

TEST_CASE("s3 store: no server, no host and no TLS say so with the object's name") {
  User user;
  int port;
  {
    Responder gone([](const ts_test::Request&) { return Reply{}; });
    port = gone.port();
  }
  auto error_at = [&](const std::string& endpoint) { return thrown([&] { S3Store(user.config(endpoint)).get_range("k", "", 0, 1); }); };
  Thrown error = error_at("http://127.0.0.1:" + std::to_string(port));
  CHECK(error.code == Code::kUnavailable);
  CHECK(error.message == "s3: connection refused by 127.0.0.1:" + std::to_string(port) +
                             ": s3://bucket/prefix/k; check that the server runs and is reachable");
  error = error_at("http://no-such-host.invalid");
  CHECK(error.code == Code::kUnavailable);
  CHECK(error.has("no-such-host.invalid cannot be resolved: s3://bucket/prefix/k; "));
  Responder plain([](const ts_test::Request&) { return Reply{}; });
  CHECK(error_at("https://" + plain.authority()).has("TLS handshake"));
}

TEST_CASE("s3 store: the real server's refusals are told apart and hold no secret") {
  S3Server& server = S3Server::get();
  User user;
  auto error_with = [&](const std::string& id, const std::string& secret, const std::string& bucket) {
    user.world.environment["AWS_ACCESS_KEY_ID"] = id;
    user.world.environment["AWS_SECRET_ACCESS_KEY"] = secret;
    S3Store store(user.config(environment("S3_ENDPOINT"), "s3://" + bucket + "/prefix"));
    const Thrown listed = thrown([&] { store.list("", ""); });
    const Thrown got = thrown([&] { store.get_range("k", "", 0, 1); });
    const Thrown put = thrown([&] { store.put_if_absent("k", "x"); });
    CHECK(listed.code == got.code);
    CHECK(put.code == got.code);
    CHECK(!got.has(secret));
    return got;
  };
  const std::string id = environment("AWS_ACCESS_KEY_ID"), secret = environment("AWS_SECRET_ACCESS_KEY");
  Thrown error = error_with(id, "wrong-secret", server.bucket());
  CHECK(error.code == Code::kForbidden);
  CHECK(error.has("AWS_SECRET_ACCESS_KEY"));
  error = error_with("AKNOBODY", secret, server.bucket());
  CHECK(error.code == Code::kForbidden);
  CHECK(error.has("AWS_ACCESS_KEY_ID"));
  error = error_with(id, secret, "no-such-bucket-" + server.bucket());
  CHECK(error.code == Code::kNotFound);
  CHECK(error.has("the bucket does not exist"));
  CHECK(error.has("s3://no-such-bucket-" + server.bucket() + "/prefix/k"));
}

TEST_CASE("s3 store: the real server refuses an anonymous reader and a skewed clock") {
  S3Server& server = S3Server::get();
  ts::StoreOptions options = server.options(server.fresh_prefix());
  options.anonymous = true;
  CHECK(thrown([&] { S3Store(s3_config(options)).list("", ""); }).code == Code::kForbidden);
  FakeClock clock;
  clock.now = Clock::system().now_ms() - 3600'000;
  options.anonymous = false;
  S3Config config = s3_config(options);
  config.clock = &clock;
  const Thrown error = thrown([&] { S3Store(config).list("", ""); });
  CHECK(error.code == Code::kForbidden);
  CHECK(error.has("clock skew"));
}

TEST_CASE("s3 store: the real server lists twelve hundred keys in two pages") {
  S3Server& server = S3Server::get();
  auto store = server.store(server.fresh_prefix());
  std::vector<std::thread> threads;
  std::atomic<int> stored{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 1200; i += 8) stored += store->put_if_absent("many/" + std::to_string(10'000 + i), "").stored;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(stored == 1200);
  TestCancel cancel;
  ListPage first = store->list("many/", "", &cancel);
  CHECK(first.objects.size() == 1000);
  REQUIRE(first.more);
  ListPage second = store->list("many/", first.objects.back().key, &cancel);
  CHECK(second.objects.size() == 200);
  CHECK(!second.more);
  CHECK(second.objects.front().key == "many/11000");
  CHECK(cancel.requests == 2);
}
