// What S3 servers answer: listings that must not be believed, and errors.
#include <doctest/doctest.h>

#include "tests/support/s3_fixture.h"
#include "vfs/s3_answer.h"
#include "vfs/unavailable.h"

using namespace ts;
using namespace ts_test;

namespace {

std::string item(const std::string& key, const std::string& size = "1", const std::string& etag = "&quot;e&quot;") {
  return "<Contents><Key>" + key + "</Key><Size>" + size + "</Size><ETag>" + etag + "</ETag></Contents>";
}

std::string listing(const std::string& items, const std::string& truncated = "false", bool encoded = true) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         std::string(encoded ? "<EncodingType>url</EncodingType>" : "") + "<IsTruncated>" + truncated + "</IsTruncated>" + items +
         "</ListBucketResult>";
}

S3Listing parse(const std::string& xml, const std::string& prefix = "p/", const std::string& after = "") {
  return parse_listing(xml, prefix, after, "s3://bucket/p/");
}

Thrown refused(const std::string& xml, const std::string& after = "") {
  const Thrown error = thrown([&] { parse(xml, "p/", after); });
  CHECK(error.code == Code::kCorrupt);
  return error;
}

Thrown error_of(int status, const std::string& code, Headers headers = {}) {
  HttpResponse response{status, std::move(headers), code.empty() ? "" : "<Error><Code>" + code + "</Code><Message></Message></Error>"};
  return thrown([&] { throw_s3_error(response, parse_error(response), "s3://bucket/k", "s3:GetObject"); });
}

}  // namespace

TEST_CASE("s3 answer: keys are decoded only when the server says that it encoded them") {
  S3Listing got = parse(listing(item("p/a%20b%2Bc+d", "42")));
  REQUIRE(got.objects.size() == 1);
  CHECK(got.objects[0].key == "p/a b+c d");
  CHECK(got.objects[0].size == 42);
  CHECK(got.objects[0].etag == "e");
  CHECK(!got.truncated);
  got = parse(listing(item("p/a%20+b &amp; c"), "true", false));
  CHECK(got.objects[0].key == "p/a%20+b & c");
  CHECK(got.truncated);
  CHECK(parse(listing("")).objects.empty());
}

TEST_CASE("s3 answer: a listing out of order, twice the same or before its start is corrupt and names the key") {
  CHECK(refused(listing(item("p/b") + item("p/a"))).has("s3://bucket/p/a"));
  CHECK(refused(listing(item("p/a") + item("p/a"))).has("byte order"));
  CHECK(refused(listing(item("p/b")), "p/b").has("s3://bucket/p/b"));
  CHECK(refused(listing(item("p/a")), "p/b").has("byte order"));
}

TEST_CASE("s3 answer: a key outside the prefix is corrupt") {
  CHECK(refused(listing(item("q/a"))).has("s3://bucket/q/a"));
  CHECK(refused(listing(item("p"))).has("prefix"));
}

TEST_CASE("s3 answer: a page that says more and holds nothing is corrupt") { CHECK(refused(listing("", "true")).has("more")); }

TEST_CASE("s3 answer: what is no listing is corrupt") {
  for (const std::string& xml : {std::string("<ListBuck"), std::string(""), std::string("<html></html>"), listing(item("p/a", "-1")),
                                 listing(item("p/a", "")), listing(item("p/a", "1x")), listing(item("p/a", "99999999999999999999")),
                                 listing(item("p/a%4")), listing(item("")), listing(item("p/a", "1", "")), listing("<Contents/>"),
                                 listing(item("p/a"), "maybe"), std::string("<ListBucketResult></ListBucketResult>")}) {
    CAPTURE(xml);
    refused(xml);
  }
}

TEST_CASE("s3 answer: each error has its code and its remedy, without the server's message") {
  struct Row {
    int status;
    const char* code;
    Code kind;
    const char* says;
  };
  for (const Row& row :
       {Row{404, "NoSuchBucket", Code::kNotFound, "the bucket does not exist"}, Row{404, "NoSuchKey", Code::kNotFound, "no such object"},
        Row{403, "AccessDenied", Code::kForbidden, "s3:GetObject"}, Row{403, "", Code::kForbidden, "access denied"},
        Row{403, "SignatureDoesNotMatch", Code::kForbidden, "AWS_SECRET_ACCESS_KEY"},
        Row{403, "InvalidAccessKeyId", Code::kForbidden, "AWS_ACCESS_KEY_ID"},
        Row{400, "ExpiredToken", Code::kForbidden, "AWS_SESSION_TOKEN"}, Row{403, "RequestTimeTooSkewed", Code::kForbidden, "clock skew"},
        Row{503, "SlowDown", Code::kUnavailable, "HTTP 503 SlowDown"}, Row{500, "", Code::kUnavailable, "HTTP 500"},
        Row{400, "RequestTimeout", Code::kUnavailable, "cannot answer now"},
        Row{409, "ConditionalRequestConflict", Code::kUnavailable, "cannot answer now"},
        Row{429, "", Code::kUnavailable, "cannot answer now"}, Row{501, "NotImplemented", Code::kUnsupported, "does not support"},
        Row{405, "MethodNotAllowed", Code::kUnsupported, "does not support"}, Row{301, "PermanentRedirect", Code::kBadInput, "region"},
        Row{418, "", Code::kUnsupported, "unexpected"}}) {
    CAPTURE(row.status);
    CAPTURE(row.code);
    const Thrown error = error_of(row.status, row.code);
    CHECK(error.code == row.kind);
    CHECK(error.has(row.says));
    CHECK(error.has("s3://bucket/k"));
    CHECK(error.message.starts_with("s3: "));
  }
}

TEST_CASE("s3 answer: after a 503, 429, 409 or 400 nothing was stored, after a 500 nobody knows") {
  for (auto [status, code, unknown] : std::initializer_list<std::tuple<int, const char*, bool>>{{503, "SlowDown", false},
                                                                                                {429, "", false},
                                                                                                {409, "OperationAborted", false},
                                                                                                {400, "RequestTimeout", false},
                                                                                                {500, "", true},
                                                                                                {504, "", true}}) {
    HttpResponse response{status, {{"retry-after", "7"}}, std::string("<Error><Code>") + code + "</Code></Error>"};
    try {
      throw_s3_error(response, parse_error(response), "s3://bucket/k", "s3:PutObject");
    } catch (const Unavailable& error) {
      CHECK(error.outcome_unknown() == unknown);
      CHECK(error.retry_after_ms() == 7'000);
    }
  }
}

TEST_CASE("s3 answer: a stranger's code and region are taken only when they look like ones") {
  HttpResponse response{400, {{"x-amz-bucket-region", "evil.example/"}}, "<Error><Code>&lt;b&gt;</Code><Region>eu-west-1</Region></Error>"};
  CHECK(parse_error(response).code == "");
  CHECK(parse_error(response).region == "");
  response.headers.clear();
  CHECK(parse_error(response).region == "eu-west-1");
  CHECK(error_of(400, "AuthorizationHeaderMalformed", {{"x-amz-bucket-region", "eu-west-3"}}).has("region='eu-west-3'"));
}

TEST_CASE("s3 answer: only an answer of STS has keys") {
  const auto keys = parse_sts_keys(
      "<AssumeRoleWithWebIdentityResponse "
      "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials>"
      "<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>E</Expiration></"
      "Credentials>"
      "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
  REQUIRE(keys);
  CHECK(keys->access_key_id + keys->secret_access_key + keys->session_token + keys->expiration == "ASTE");
  CHECK(!parse_sts_keys("<ErrorResponse/>"));
  CHECK(!parse_sts_keys("nonsense"));
}
