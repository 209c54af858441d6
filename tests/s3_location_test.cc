// S3 locations, endpoints and the URLs made of them.
#include <doctest/doctest.h>

#include "tests/support/s3_fixture.h"
#include "vfs/s3_location.h"

using namespace ts;
using namespace ts_test;

TEST_CASE("s3 location: bucket and prefix come apart, and one slash at the end means nothing") {
  CHECK(parse_s3_location("s3://bucket").text() == "s3://bucket");
  CHECK(parse_s3_location("s3://bucket/").text() == "s3://bucket");
  CHECK(parse_s3_location("s3://my.bucket-1/a/b c/").prefix == "a/b c");
  CHECK(parse_s3_location("s3://bucket/a/b").bucket == "bucket");
}

TEST_CASE("s3 location: S3's rules for bucket names hold") {
  const std::string many(64, 'a');
  for (const std::string bucket :
       {"", "ab", many.c_str(), "Bucket", "buck_et", "-bucket", "bucket-", ".bucket", "buc..ket", "192.168.5.4", "b\xC3\xA4r"}) {
    CAPTURE(bucket);
    CHECK(thrown([&] { parse_s3_location("s3://" + bucket + "/p"); }).code == Code::kBadInput);
  }
  CHECK_NOTHROW(parse_s3_location("s3://" + std::string(63, 'a')));
}

TEST_CASE("s3 location: prefixes with empty, dot or endless parts are refused") {
  for (const std::string prefix : {"/a", "a//b", "a/../b", "./a", "..", "a//"}) {
    CAPTURE(prefix);
    CHECK(thrown([&] { parse_s3_location("s3://bucket/" + prefix); }).code == Code::kBadInput);
  }
  CHECK(thrown([&] { parse_s3_location("s3://bucket/" + std::string(513, 'a')); }).has("512"));
}

TEST_CASE("s3 location: an endpoint has one spelling, and AWS's own addresses are AWS") {
  CHECK(normalise_endpoint("") == "");
  CHECK(normalise_endpoint("HTTP://Host:80/") == "http://host");
  CHECK(normalise_endpoint("https://host:9000/base/") == "https://host:9000/base");
  for (const char* aws : {"https://s3.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/", "https://s3-eu-west-1.amazonaws.com",
                          "https://s3.dualstack.us-east-2.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn"}) {
    CAPTURE(aws);
    CHECK(normalise_endpoint(aws) == "");
  }
  CHECK(normalise_endpoint("https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com") != "");
  CHECK(normalise_endpoint("https://s3.amazonaws.com.evil.example") != "");
  for (const char* wrong : {"host:9000", "ftp://h", "http://h/?x=1", "http://h#x", "http://h h"}) {
    CHECK(thrown([&] { normalise_endpoint(wrong); }).code == Code::kBadInput);
  }
}

TEST_CASE("s3 location: secrets in a location or an endpoint are refused and not repeated") {
  for (const char* text : {"http://key:hunter2@host", "https://hunter2@host:1", "key:hunter2@host"}) {
    const Thrown error = thrown([&] { normalise_endpoint(text); });
    CHECK(error.code == Code::kBadInput);
    CHECK(!error.has("hunter2"));
  }
  const Thrown error = thrown([&] { parse_s3_location("s3://AKIA:hunter2@bucket/p"); });
  CHECK(error.code == Code::kBadInput);
  CHECK(!error.has("hunter2"));
}

TEST_CASE("s3 location: AWS gets the virtual host, dots and custom endpoints the path style") {
  S3Address address = s3_address("", "eu-west-1", "bucket", "a b/c", Addressing::kAutomatic);
  CHECK(address.origin == "https://bucket.s3.eu-west-1.amazonaws.com");
  CHECK(address.host == "bucket.s3.eu-west-1.amazonaws.com");
  CHECK(address.path == "/a%20b/c");
  CHECK(s3_address("", "eu-west-1", "bucket", "", Addressing::kAutomatic).path == "/");
  CHECK(s3_address("", "cn-north-1", "bucket", "", Addressing::kAutomatic).host == "bucket.s3.cn-north-1.amazonaws.com.cn");
  address = s3_address("", "eu-west-1", "my.bucket", "k", Addressing::kAutomatic);
  CHECK(address.origin == "https://s3.eu-west-1.amazonaws.com");
  CHECK(address.path == "/my.bucket/k");
  address = s3_address("http://127.0.0.1:9000/base", "x", "bucket", "k", Addressing::kAutomatic);
  CHECK(address.origin == "http://127.0.0.1:9000");
  CHECK(address.path == "/base/bucket/k");
  CHECK(s3_address("http://h:9000", "x", "bucket", "", Addressing::kPath).path == "/bucket");
  address = s3_address("http://h:9000", "x", "bucket", "k", Addressing::kVirtualHost);
  CHECK(address.host == "bucket.h:9000");
  CHECK(address.path == "/k");
}

TEST_CASE("s3 location: only what looks like a region can become part of a host name") {
  CHECK(valid_region("us-east-1"));
  for (const char* wrong : {"", "us.evil", "US", "a/b", "a@b"}) CHECK(!valid_region(wrong));
  CHECK(!valid_region(std::string(33, 'a')));
}
