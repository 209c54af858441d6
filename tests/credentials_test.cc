// The credential chain in made-up worlds, and over HTTP against a responder on loopback.
#include <doctest/doctest.h>

#include <thread>

#include "tests/support/responder.h"
#include "tests/support/s3_fixture.h"
#include "vfs/credentials.h"

using namespace ts;
using namespace ts_test;

namespace {

// A world without metadata service.
World world() {
  World w;
  w.environment = {{"HOME", "/home/u"}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  return w;
}

std::string key_of(const World& w, const std::string& profile = "") {
  return CredentialChain(w.around(), profile).get(nullptr)->access_key_id;
}

std::string json_keys(const std::string& id, const std::string& expiration) {
  return R"({"Code":"Success","AccessKeyId":")" + id + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" + expiration + "\"}";
}

}  // namespace

TEST_CASE("credentials: the environment comes first, with its session token") {
  World w = world();
  w.environment.insert({{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_SESSION_TOKEN", "token"}});
  w.files["/home/u/.aws/credentials"] = "[default]\naws_access_key_id=AKFILE\naws_secret_access_key=s\n";
  const auto keys = CredentialChain(w.around(), "").get(nullptr);
  CHECK(keys->access_key_id == "AKENV");
  CHECK(keys->secret_access_key == "secret");
  CHECK(keys->session_token == "token");
}

TEST_CASE("credentials: half a key in the environment is an error that names the other half") {
  World w = world();
  w.environment["AWS_ACCESS_KEY_ID"] = "AKENV";
  CHECK(thrown([&] { key_of(w); }).has("AWS_SECRET_ACCESS_KEY is not"));
  w = world();
  w.environment["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  const Thrown error = thrown([&] { key_of(w); });
  CHECK(error.has("AWS_ACCESS_KEY_ID is not"));
  CHECK(!error.has("hunter2"));
}

TEST_CASE("credentials: a key with a line break is refused and not shown") {
  World w = world();
  w.environment.insert({{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hunter2\n"}});
  const Thrown error = thrown([&] { key_of(w); });
  CHECK(error.code == Code::kForbidden);
  CHECK(!error.has("hunter2"));
}

TEST_CASE("credentials: profiles are read from both files, with comments, spaces and nested sections") {
  World w = world();
  w.files["/home/u/.aws/credentials"] =
      "# comment\n[default]\naws_access_key_id = AKDEFAULT "
      "\naws_secret_access_key=s\n\n[work]\r\naws_access_key_id=AKWORK\r\naws_secret_access_key=s\r\n";
  w.files["/home/u/.aws/config"] =
      "[default]\nregion = eu-west-1 ; here\ns3 =\n  max_concurrent_requests = 20\n[profile work]\nregion=eu-north-1\nservices = mine\n"
      "endpoint_url = https://plain.example\n[services mine]\ndynamodb =\n  endpoint_url = http://wrong\ns3 =\n  endpoint_url = "
      "http://right:9000\n";
  CHECK(key_of(w) == "AKDEFAULT");
  CHECK(key_of(w, "work") == "AKWORK");
  const Surroundings around = w.around();
  CHECK(resolve_region(around, load_profile(around, ""), "") == "eu-west-1");
  CHECK(resolve_region(around, load_profile(around, "work"), "") == "eu-north-1");
  CHECK(resolve_endpoint(around, load_profile(around, ""), "") == "");
  CHECK(resolve_endpoint(around, load_profile(around, "work"), "") == "http://right:9000");
  w.environment["AWS_PROFILE"] = "work";
  CHECK(key_of(w) == "AKWORK");
}

TEST_CASE("credentials: AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE are respected") {
  World w = world();
  w.environment.insert({{"AWS_SHARED_CREDENTIALS_FILE", "/elsewhere"}, {"AWS_CONFIG_FILE", "~/conf"}});
  w.files["/elsewhere"] = "[default]\naws_access_key_id=AK2\naws_secret_access_key=s\n";
  w.files["/home/u/conf"] = "[default]\nregion=r-1\n";
  CHECK(key_of(w) == "AK2");
  CHECK(load_profile(w.around(), "").value("region") == "r-1");
}

TEST_CASE("credentials: a profile that the table names is asked alone, also when the environment has keys") {
  World w = world();
  w.environment.insert({{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
  w.files["/home/u/.aws/credentials"] = "[work]\naws_access_key_id=AKWORK\naws_secret_access_key=s\n[bare]\n";
  CHECK(key_of(w, "work") == "AKWORK");
  CHECK(thrown([&] { key_of(w, "bare"); }).has("'bare'"));
  const Thrown error = thrown([&] { key_of(w, "typo"); });
  CHECK(error.code == Code::kBadInput);
  CHECK(error.has("no profile 'typo'"));
}

TEST_CASE("credentials: a profile that needs SSO or a process says that it is not supported") {
  World w = world();
  w.files["/home/u/.aws/config"] = "[default]\nsso_session = x\n[profile p]\ncredential_process = /bin/x\n";
  CHECK(thrown([&] { key_of(w); }).has("sso_session"));
  CHECK(thrown([&] { key_of(w, "p"); }).has("credential_process"));
}

TEST_CASE("credentials: region and endpoint come from option, environment, profile, default, in this order") {
  World w = world();
  const Surroundings around = w.around();
  Profile profile;
  CHECK(resolve_region(around, profile, "") == "us-east-1");
  profile.values = {{"region", "from-profile"}, {"endpoint_url", "http://profile"}};
  CHECK(resolve_region(around, profile, "") == "from-profile");
  CHECK(resolve_endpoint(around, profile, "") == "http://profile");
  w.environment["AWS_DEFAULT_REGION"] = "from-default";
  w.environment["AWS_ENDPOINT_URL"] = "http://general";
  CHECK(resolve_region(around, profile, "") == "from-default");
  CHECK(resolve_endpoint(around, profile, "") == "http://general");
  w.environment["AWS_REGION"] = "from-region";
  w.environment["AWS_ENDPOINT_URL_S3"] = "http://s3";
  CHECK(resolve_region(around, profile, "") == "from-region");
  CHECK(resolve_endpoint(around, profile, "") == "http://s3");
  CHECK(resolve_region(around, profile, "option") == "option");
  CHECK(resolve_endpoint(around, profile, "http://option") == "http://option");
}

TEST_CASE("credentials: when there are none the error lists what was looked at and names anonymous=1") {
  const Thrown error = thrown([&] { key_of(world()); });
  CHECK(error.code == Code::kForbidden);
  for (const char* part : {"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "profile 'default'", "~/.aws/credentials", "AWS_CONTAINER",
                           "instance metadata (disabled)", "anonymous=1"}) {
    CAPTURE(part);
    CHECK(error.has(part));
  }
}

TEST_CASE("credentials: web identity exchanges the token file at STS, with the token in the body") {
  Responder sts([](const ts_test::Request&) {
    return Reply{
        200,
        {},
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKSTS</AccessKeyId>"
        "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"};
  });
  World w = world();
  w.environment.insert({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                        {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
                        {"AWS_ROLE_SESSION_NAME", "me"},
                        {"AWS_ENDPOINT_URL_STS", sts.url() + "/"}});
  w.files["/token"] = "jwt.jwt\n";
  CHECK(key_of(w) == "AKSTS");
  const ts_test::Request seen = sts.requests().at(0);
  CHECK(seen.method == "POST");
  CHECK(seen.target == "/");
  CHECK(seen.body ==
        "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&Version=2011-06-15&WebIdentityToken="
        "jwt.jwt");
  CHECK(seen.header("content-type") == "application/x-www-form-urlencoded");
  w.files.clear();
  CHECK(thrown([&] { key_of(w); }).has("/token"));
  w.environment.erase("AWS_ROLE_ARN");
  CHECK(thrown([&] { key_of(w); }).has("AWS_ROLE_ARN is not"));
}

TEST_CASE("credentials: an STS that refuses is kForbidden, one that is down kUnavailable, and nothing else is asked") {
  std::atomic<int> status{403};
  Responder sts([&](const ts_test::Request&) { return Reply{status, {}, "<ErrorResponse>jwt-secret</ErrorResponse>"}; });
  World w = world();
  w.environment.insert({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}, {"AWS_ROLE_ARN", "r"}, {"AWS_ENDPOINT_URL_STS", sts.url()}});
  w.files["/token"] = "jwt-secret";
  w.files["/home/u/.aws/credentials"] = "[default]\naws_access_key_id=AK\naws_secret_access_key=s\n";
  Thrown error = thrown([&] { key_of(w); });
  CHECK(error.code == Code::kForbidden);
  CHECK(!error.has("jwt-secret"));
  status = 503;
  CHECK(thrown([&] { key_of(w); }).code == Code::kUnavailable);
  status = 200;
  CHECK(thrown([&] { key_of(w); }).has("not understood"));
}

TEST_CASE("credentials: the container's endpoint is asked with its authorization token") {
  Responder container([](const ts_test::Request&) { return Reply{200, {}, json_keys("AKECS", "2099-01-01T00:00:00.5Z")}; });
  World w = world();
  w.environment.insert(
      {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url() + "/creds"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x"}});
  CHECK(key_of(w) == "AKECS");
  w.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
  w.files["/token"] = "from-file\n";
  CHECK(key_of(w) == "AKECS");
  CHECK(container.requests().at(0).target == "/creds");
  CHECK(container.requests().at(0).header("authorization") == "Basic x");
  CHECK(container.requests().at(1).header("authorization") == "from-file");
}

TEST_CASE("credentials: a plain http container endpoint elsewhere is never asked") {
  int asked = 0;
  World w = world();
  w.http = [&](const HttpRequest& request, const Cancel*) {
    ++asked;
    CHECK(request.direct);
    return HttpResponse{200, {}, json_keys("AK", "2099-01-01T00:00:00Z")};
  };
  for (const char* uri : {"http://evil.example/", "http://127.evil.example/", "http://169.254.170.3/", "http://10.0.0.1/",
                          "ftp://127.0.0.1/", "nonsense", "http://u:p@127.0.0.1/"}) {
    CAPTURE(uri);
    w.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = uri;
    CHECK(thrown([&] { key_of(w); }).code == Code::kForbidden);
  }
  CHECK(asked == 0);
  for (const char* uri : {"https://anywhere.example/", "http://localhost/", "http://127.9.9.9:80/", "http://[::1]/",
                          "http://169.254.170.2/", "http://169.254.170.23/v1", "http://[fd00:ec2::23]/v1"}) {
    CAPTURE(uri);
    w.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = uri;
    CHECK(key_of(w) == "AK");
  }
  CHECK(asked == 7);
  w.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@evil.example/";
  CHECK(thrown([&] { key_of(w); }).code == Code::kForbidden);
  CHECK(asked == 7);
}

TEST_CASE("credentials: instance metadata is asked by IMDSv2 with its token") {
  Responder metadata([](const ts_test::Request& request) {
    if (request.method == "PUT" && request.target == "/latest/api/token") return Reply{200, {}, "tok"};
    if (request.header("x-aws-ec2-metadata-token") != "tok") return Reply{401, {}, ""};
    if (request.target == "/latest/meta-data/iam/security-credentials/") return Reply{200, {}, "my-role\n"};
    if (request.target == "/latest/meta-data/iam/security-credentials/my-role")
      return Reply{200, {}, json_keys("AKIMDS", "2099-01-01T00:00:00Z")};
    return Reply{404, {}, ""};
  });
  World w = world();
  w.environment.erase("AWS_EC2_METADATA_DISABLED");
  w.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadata.url();
  CHECK(key_of(w) == "AKIMDS");
  REQUIRE(metadata.requests().size() == 3);
  CHECK(metadata.requests().at(0).header("x-aws-ec2-metadata-token-ttl-seconds") == "21600");
}

TEST_CASE("credentials: a missing metadata service or role is no credentials, and is remembered for a moment") {
  Responder metadata([](const ts_test::Request& request) { return request.method == "PUT" ? Reply{200, {}, "tok"} : Reply{404, {}, ""}; });
  FakeClock clock;
  World w = world();
  w.clock = &clock;
  w.environment.erase("AWS_EC2_METADATA_DISABLED");
  w.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadata.url();
  CredentialChain chain(w.around(), "");
  CHECK(thrown([&] { chain.get(nullptr); }).has("the instance has no role"));
  CHECK(thrown([&] { chain.get(nullptr); }).has("anonymous=1"));
  CHECK(metadata.requests().size() == 2);
  clock.sleep_ms(5'001);
  CHECK(thrown([&] { chain.get(nullptr); }).has("anonymous=1"));
  CHECK(metadata.requests().size() == 4);
  w.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1";
  CHECK(thrown([&] { key_of(w); }).has("instance metadata (no answer)"));
}

TEST_CASE("credentials: they are fetched anew five minutes before they expire, and kept when that fails") {
  FakeClock clock;
  clock.now = *parse_expiration("2026-11-23T12:00:00Z");
  int asked = 0;
  bool up = true;
  World w = world();
  w.clock = &clock;
  w.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://localhost/";
  w.http = [&](const HttpRequest&, const Cancel*) {
    ++asked;
    if (!up) return HttpResponse{500, {}, ""};
    return HttpResponse{200, {}, json_keys("AK" + std::to_string(asked), asked == 1 ? "2026-11-23T13:00:00Z" : "2026-11-23T14:00:00Z")};
  };
  CredentialChain chain(w.around(), "");
  CHECK(chain.get(nullptr)->access_key_id == "AK1");
  clock.sleep_ms(54 * 60'000);
  CHECK(chain.get(nullptr)->access_key_id == "AK1");
  CHECK(asked == 1);
  clock.sleep_ms(2 * 60'000);
  up = false;
  CHECK(chain.get(nullptr)->access_key_id == "AK1");
  CHECK(chain.get(nullptr)->access_key_id == "AK1");
  CHECK(asked == 2);  // not at every request
  clock.sleep_ms(31'000);
  up = true;
  CHECK(chain.get(nullptr)->access_key_id == "AK3");
  clock.sleep_ms(3 * 3600'000);
  up = false;
  CHECK(thrown([&] { chain.get(nullptr); }).code == Code::kUnavailable);
}

TEST_CASE("credentials: one thread fetches while others wait, and those that were called expired are fetched anew") {
  std::atomic<int> asked{0};
  World w = world();
  w.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://localhost/";
  w.http = [&](const HttpRequest&, const Cancel*) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return HttpResponse{200, {}, json_keys("AK" + std::to_string(++asked), "2099-01-01T00:00:00Z")};
  };
  CredentialChain chain(w.around(), "");
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { good += chain.get(nullptr)->access_key_id == "AK1"; });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 8);
  CHECK(asked == 1);
  const auto old = chain.get(nullptr);
  chain.expire(old);
  CHECK(chain.get(nullptr)->access_key_id == "AK2");
  chain.expire(old);  // somebody was slow to tell
  CHECK(chain.get(nullptr)->access_key_id == "AK2");
}

TEST_CASE("credentials: requests for them are not charged") {
  Responder container([](const ts_test::Request&) { return Reply{200, {}, json_keys("AK", "2099-01-01T00:00:00Z")}; });
  World w = world();
  w.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container.url();
  TestCancel cancel;
  CredentialChain(w.around(), "").get(&cancel);
  CHECK(cancel.requests == 0);
}

TEST_CASE("credentials: expirations are read with and without a fraction, and nothing else is") {
  CHECK(parse_expiration("1970-01-02T00:00:01Z") == 86'401'000);
  CHECK(parse_expiration("2026-11-23T07:16:00.123Z") == 1'795'418'160'000);
  CHECK(parse_expiration("2026-11-23T07:16:00+00:00") == 1'795'418'160'000);
  for (const char* wrong :
       {"", "tomorrow", "2026-11-23", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T07:16:00", "2026-11-23T25:00:00Z"}) {
    CAPTURE(wrong);
    CHECK(!parse_expiration(wrong));
  }
}
