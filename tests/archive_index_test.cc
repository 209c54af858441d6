// The texts of an index: read as they were written, and refused with a sentence when they are not what they must be.
#include <doctest/doctest.h>

#include "ext/base/digest.h"
#include "tests/support/memory_store.h"
#include "tests/support/s3_fixture.h"
#include "vfs/archive_index.h"

using namespace ts;
using namespace ts_test;

namespace {

IndexPage page_of(const std::string& bytes, const std::vector<ObjectInfo>& objects) {
  return {hex(sha256(bytes)), bytes.size(), objects.size(), objects.front().key, objects.back().key};
}

const std::vector<ObjectInfo> kObjects = {{"2026-11-23/a", 5, "e1"}, {"2026-11-23/b", 0, "12-3-4"}, {"schema-000001.json", 7, "x"}};

std::string with(const std::string& entry) { return "{\"format\":1,\"keys\":[" + entry + "]}"; }

Code refusal_of(const std::string& bytes, const std::string& first, const std::string& last, std::uint64_t keys = 1) {
  const IndexPage page{hex(sha256(bytes)), bytes.size(), keys, first, last};
  return thrown([&] { read_index_page(bytes, page, "s3://b/x"); }).code;
}

}  // namespace

TEST_CASE("archive index: a page is read as it was written") {
  const std::string bytes = write_index_page(kObjects);
  const std::vector<ObjectInfo> read = read_index_page(bytes, page_of(bytes, kObjects), "x");
  REQUIRE(read.size() == 3);
  for (std::size_t i = 0; i < 3; i++) {
    CHECK(read[i].key == kObjects[i].key);
    CHECK(read[i].size == kObjects[i].size);
    CHECK(read[i].etag == kObjects[i].etag);
  }
}

TEST_CASE("archive index: a root is read as it was written") {
  const std::string bytes = write_index_page(kObjects);
  const IndexRoot root = read_index_root(write_index_root({{page_of(bytes, kObjects)}}), "x");
  REQUIRE(root.pages.size() == 1);
  CHECK(root.pages[0].sha256 == hex(sha256(bytes)));
  CHECK(root.pages[0].bytes == bytes.size());
  CHECK(root.pages[0].keys == 3);
  CHECK(root.pages[0].first == "2026-11-23/a");
  CHECK(root.pages[0].last == "schema-000001.json");
  CHECK(read_index_root(write_index_root({}), "x").pages.empty());
}

TEST_CASE("archive index: a page of other bytes than its root names is refused, naming the object") {
  const std::string bytes = write_index_page(kObjects);
  const IndexPage page = page_of(bytes, kObjects);
  std::string changed = bytes;
  changed[changed.find("e1")] = 'f';
  for (const std::string& other : {changed, bytes + " ", std::string()}) {
    const Thrown error = thrown([&] { read_index_page(other, page, "s3://b/cpu!index/page-1.json"); });
    CHECK(error.code == Code::kCorrupt);
    CHECK(error.has("is not the page that its digest names: s3://b/cpu!index/page-1.json"));
  }
}

TEST_CASE("archive index: keys that lead elsewhere, are out of order or have no size are refused") {
  CHECK(refusal_of(with("[\"a\",1,\"e\"]"), "a", "a") == Code::kNoMemory);  // nothing was thrown
  for (const char* key : {"../a", "a/../b", "/a", "a/", "a//b", "a b", "", ".", "a\\\\b", "\\u0000"}) {
    CAPTURE(key);
    CHECK(refusal_of(with("[\"" + std::string(key) + "\",1,\"e\"]"), key, key) == Code::kCorrupt);
  }
  for (const char* entry : {"[\"a\",-1,\"e\"]", "[\"a\",1.5,\"e\"]", "[\"a\",18446744073709551615,\"e\"]", "[\"a\",1]", "[\"a\",1,\"\"]",
                            "[\"a\",1,\"e\\\"\"]", "[\"a\",1,\"e\\n\"]", "{}", "1"}) {
    CAPTURE(entry);
    CHECK(refusal_of(with(entry), "a", "a") == Code::kCorrupt);
  }
  CHECK(refusal_of(with("[\"b\",1,\"e\"],[\"a\",1,\"e\"]"), "b", "a", 2) == Code::kCorrupt);
  CHECK(refusal_of(with("[\"a\",1,\"e\"],[\"a\",1,\"e\"]"), "a", "a", 2) == Code::kCorrupt);
  CHECK(refusal_of(with("[\"a\",1,\"e\"]"), "a", "b") == Code::kCorrupt);
  CHECK(refusal_of(with("[\"a\",1,\"e\"]"), "a", "a", 2) == Code::kCorrupt);
}

TEST_CASE("archive index: roots that are no JSON, of a newer format or contradict themselves are refused") {
  const std::string digest(64, 'a');
  auto page = [&](const std::string& first, const std::string& last, const std::string& sha, const std::string& bytes = "9") {
    return "{\"sha256\":\"" + sha + "\",\"bytes\":" + bytes + ",\"keys\":1,\"first\":\"" + first + "\",\"last\":\"" + last + "\"}";
  };
  auto root = [](const std::string& pages) { return "{\"format\":1,\"pages\":[" + pages + "]}"; };
  CHECK(read_index_root(root(page("a", "b", digest) + "," + page("c", "c", digest)), "x").pages.size() == 2);
  for (const std::string& wrong :
       {std::string(), std::string("[]"), std::string("{"), std::string("{\"format\":1}"), root("1"), root(page("b", "a", digest)),
        root(page("a", "b", digest) + "," + page("b", "c", digest)), root(page("a", "b", "../../etc/passwd")),
        root(page("a", "b", std::string(64, 'A'))), root(page("a", "b", digest, "4194305")), root(page("a", "../b", digest))}) {
    CAPTURE(wrong);
    CHECK(thrown([&] { read_index_root(wrong, "x"); }).code == Code::kCorrupt);
  }
  CHECK(thrown([&] { read_index_root("{\"format\":2,\"pages\":[]}", "x"); }).code == Code::kTooNew);
  CHECK(thrown([&] { read_index_root(std::string(kMostRootBytes + 1, ' '), "x"); }).code == Code::kCorrupt);
}

TEST_CASE("archive index: the newest root is found by a few requests, and by one where nothing is newer") {
  for (std::int64_t newest : {0, 1, 2, 3, 7, 8, 9, 1000}) {
    MemoryStore store;
    for (std::int64_t i = 1; i <= newest; i++) store.overwrite(index_root_key("cpu", i), write_index_root({}));
    CHECK(newest_index_root(store, "cpu", 0, nullptr) == newest);
    CHECK(store.requests() <= 24);
    store.reset_counts();
    CHECK(newest_index_root(store, "cpu", newest, nullptr) == newest);
    CHECK(store.requests() == 1);
  }
}

TEST_CASE("archive index: a server that refuses what is not there is understood, but not one that refuses everything") {
  MemoryStore store;
  for (std::int64_t i = 1; i <= 3; i++) store.overwrite(index_root_key("cpu", i), write_index_root({}));
  store.before([&](const MemoryStore::Request& request) {
    if (!store.bytes_of(request.key)) throw Error(Code::kForbidden, "access denied");
  });
  CHECK(newest_index_root(store, "cpu", 0, nullptr) == 3);
  store.before([](const MemoryStore::Request&) { throw Error(Code::kForbidden, "access denied"); });
  CHECK(thrown([&] { newest_index_root(store, "cpu", 0, nullptr); }).code == Code::kForbidden);
}
