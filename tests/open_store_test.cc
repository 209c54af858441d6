// Locations: their one spelling, and what is refused with which remedy.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

#include "ext/base/digest.h"
#include "ext/base/file.h"
#include "tests/support/s3_fixture.h"
#include "vfs/store.h"

using namespace ts;
using namespace ts_test;

namespace {

std::string normal(const std::string& location, const std::string& endpoint = "http://127.0.0.1:1") {
  StoreOptions options;
  options.location = location;
  options.endpoint = endpoint;
  return normalise_location(options);
}

Thrown refused(const std::string& location) {
  CAPTURE(location);
  const Thrown error = thrown([&] { normal(location); });
  CHECK(error.code == Code::kBadInput);
  StoreOptions options;
  options.location = location;
  CHECK(thrown([&] { open_store(options); }).code == Code::kBadInput);
  return error;
}

}  // namespace

TEST_CASE("open store: two spellings of one place have the same text") {
  CHECK(normal("s3://bucket/a/") == "s3://bucket/a@http://127.0.0.1:1");
  CHECK(normal("s3://bucket/a", "HTTP://127.0.0.1:1/") == "s3://bucket/a@http://127.0.0.1:1");
  CHECK(normal("s3://bucket") == "s3://bucket@http://127.0.0.1:1");
  CHECK(normal("s3://bucket/a", "https://s3.eu-west-1.amazonaws.com") == "s3://bucket/a@https://s3.amazonaws.com");
  CHECK(normal("file:///a/b") == "file:///a/b");
  CHECK(normal("https://Example.com/a/b//") == "https://example.com/a/b");
  CHECK(normal("http://127.0.0.1:8080/") == "http://127.0.0.1:8080");
  CHECK(normal("file:///a//b/./c/") == "file:///a/b/c");
}

TEST_CASE("open store: other schemes and relative paths are refused with the remedy") {
  CHECK(refused("").has("location="));
  CHECK(refused("gs://bucket").has("endpoint='https://storage.googleapis.com'"));
  CHECK(refused("azblob://c").has("Azure"));
  CHECK(refused("https://").has("endpoint="));
  CHECK(refused("https://h/a/../b").has("'..'"));
  CHECK(refused("ftp://h").has("s3://bucket/prefix"));
  CHECK(refused("/tmp/x").has("file:///dir"));
  CHECK(refused("tmp").has("file:///dir"));
  CHECK(refused("file://host/dir").has("three slashes"));
  CHECK(refused("file:dir").has("file:///dir"));
  CHECK(refused("file:/dir").has("file:///dir"));
  CHECK(refused("file://").has("file:///dir"));
  CHECK(refused("file:///").has("root"));
}

TEST_CASE("open store: dots, queries, fragments and control characters are refused") {
  CHECK(refused("file:///a/../b").has("'..'"));
  CHECK(refused("s3://bucket/../b").has("'..'"));
  refused("s3://bucket/a?endpoint=x");
  refused("file:///a#b");
  refused("file:///a\nb");
  refused(std::string("file:///a\0b", 11));
}

TEST_CASE("open store: a secret in a location is refused and not repeated") {
  for (const char* location : {"s3://AKIA:hunter2@bucket/p", "https://u:hunter2@h/x", "gs://hunter2@b", "s3://bucket/p?secret=hunter2"}) {
    CHECK(!refused(location).has("hunter2"));
  }
}

TEST_CASE("open store: a file store works, and opening it makes nothing") {
  const std::string directory = (std::filesystem::temp_directory_path() / ("open-" + hex(random_bytes(8)))).string();
  StoreOptions options;
  options.location = "file://" + directory + "/";
  auto store = open_store(options);
  CHECK(!std::filesystem::exists(directory));
  CHECK(store->describe() == "file://" + directory);
  CHECK(store->put_if_absent("a/b", "x").stored);
  CHECK(std::filesystem::exists(directory + "/a/b"));
  std::filesystem::remove_all(directory);
}

TEST_CASE("open store: an S3 store is named without its endpoint, and opening it makes no request") {
  StoreOptions options;
  options.location = "s3://bucket/prefix";
  options.endpoint = "http://127.0.0.1:1";
  CHECK(open_store(options)->describe() == "s3://bucket/prefix");
  options.region = "evil.example/";
  CHECK(thrown([&] { open_store(options); }).has("region"));
}
