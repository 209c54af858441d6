// Tests of the names of remote databases.
#include "vfs/remote_uri.h"

#include <doctest/doctest.h>

#include "ext/base/error.h"

using ts::RemoteName;

namespace {

std::string refusal(RemoteName (*split)(std::string_view), std::string_view path) {
  try {
    split(path);
  } catch (const ts::Error& e) {
    CHECK(e.code() == ts::Code::kBadInput);
    return e.what();
  }
  return "";
}

RemoteName split_http(std::string_view path) { return ts::split_http_url(path, {}); }

}  // namespace

TEST_CASE("remote_uri: an s3 name is a bucket and a key, whatever stands in the key") {
  const RemoteName name = ts::split_s3_name("s3://bucket/dir/a b?c#d%/x@y.sqlite");
  CHECK(name.location == "s3://bucket");
  CHECK(name.key == "dir/a b?c#d%/x@y.sqlite");
}

TEST_CASE("remote_uri: what is no s3 object is refused with the form that is wanted") {
  for (const char* path : {"", "x.sqlite", "/tmp/x.sqlite", "s3:", "s3://", "s3:///key", "s3://bucket", "s3://bucket/"}) {
    CAPTURE(path);
    CHECK(refusal(ts::split_s3_name, path).find("write file:s3://bucket/key.sqlite?vfs=s3") != std::string::npos);
  }
}

TEST_CASE("remote_uri: credentials in an s3 name are refused and not repeated") {
  const std::string text = refusal(ts::split_s3_name, "s3://AKIA:secret@bucket/key");
  CHECK(text.find("credentials in a name: s3://bucket/key") != std::string::npos);
  CHECK(text.find("secret@") == std::string::npos);
}

TEST_CASE("remote_uri: a URL is requested as it was written before SQLite decoded it") {
  RemoteName name = split_http("https://host:8443/a b/c%d/x#1?.sqlite");
  CHECK(name.location == "https://host:8443/a%20b/c%25d");
  CHECK(name.key == "x%231%3F.sqlite");
  name = split_http("http://host/x.sqlite");
  CHECK(name.location == "http://host");
  CHECK(name.key == "x.sqlite");
  name = split_http("https://host/d\xc3\xa9j\xc3\xa0/(1)+2.sqlite");
  CHECK(name.location == "https://host/d%C3%A9j%C3%A0");
  CHECK(name.key == "%281%29%2B2.sqlite");
}

TEST_CASE("remote_uri: parameters become the query, encoded and ordered as signatures want it") {
  const RemoteName name = ts::split_http_url("https://host/x.sqlite", {{"X-Amz-Credential", "AK/2026/s3"}, {"c", ""}, {"b", "1+1=2&3"}});
  CHECK(name.key == "x.sqlite?X-Amz-Credential=AK%2F2026%2Fs3&b=1%2B1%3D2%263&c=");
}

TEST_CASE("remote_uri: what is no URL of a file is refused without its secrets") {
  for (const char* path : {"", "x.sqlite", "ftp://host/x", "https:/host/x", "https://", "https:///x", "https://host", "https://host/"}) {
    CAPTURE(path);
    CHECK(refusal(split_http, path).find("write file:https://host/x.sqlite?vfs=http") != std::string::npos);
  }
  CHECK(refusal(split_http, "https://user:pass@host/?sig=abc/").find("not the URL of a file: https://host/;") != std::string::npos);
}

TEST_CASE("remote_uri: without_secrets drops user, password and an http query, and nothing else") {
  CHECK(ts::without_secrets("https://user:p@ss@host:80/a@b?sig=1") == "https://host:80/a@b");
  CHECK(ts::without_secrets("http://host/x?q") == "http://host/x");
  CHECK(ts::without_secrets("http://host?q=/a@b") == "http://host");
  CHECK(ts::without_secrets("s3://bucket/k@y?z") == "s3://bucket/k@y?z");
  CHECK(ts::without_secrets("file:///dir/a@b?c") == "file:///dir/a@b?c");
  CHECK(ts::without_secrets("plain@name") == "plain@name");
}
