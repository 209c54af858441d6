// Tests of the VFSs: what opens and what is refused, how many requests it takes, and what a failure says.
//
// The last cases need an S3 server, as tests/run.sh starts it (S3_ENDPOINT, AWS_*), and create its bucket `test`.
#include "vfs/remote_vfs.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "ext/base/clock.h"
#include "ext/base/page_checksum.h"
#include "ext/base/sqlite.h"
#include "tests/support/memory_store.h"
#include "tests/support/sqlite_fixture.h"
#include "vfs/sigv4.h"
#include "vfs/url.h"

using ts::Code;
using ts::Database;
using ts::Mount;
using ts::RangedFile;
using ts::Statement;
using ts_test::MemoryStore;

namespace {

constexpr int kReadOnlyUri = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
constexpr int kReadWriteUri = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
constexpr std::size_t kMiB = 1 << 20;

std::string serialized(Database& db) {
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(db.get(), "main", &size, 0);
  REQUIRE(bytes != nullptr);
  std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return out;
}

// An SQLite file with table t(id INTEGER PRIMARY KEY, pad TEXT) of `rows` rows, about 100 bytes each.
std::string database_bytes(int rows, int page_bytes = 4096) {
  Database db = ts_test::open_memory();
  db.exec("PRAGMA page_size=" + std::to_string(page_bytes));
  db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, pad TEXT)");
  db.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(rows) +
          ") INSERT INTO t SELECT i, printf('%090d', i) FROM n");
  return serialized(db);
}

// A shard's pages with checksums: t(id, pad) in leaves and interior pages, and v(id, long) whose values lie in pages of their own.
std::string checksummed_bytes(bool ours = true) {
  Database db = ts_test::open_memory();
  int reserved = ts::kPageChecksumBytes;
  REQUIRE(sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) == SQLITE_OK);
  db.exec("PRAGMA page_size=512");
  if (ours) db.exec("PRAGMA application_id=" + std::to_string(ts::kApplicationId));
  db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, pad TEXT); CREATE TABLE v(id INTEGER PRIMARY KEY, long BLOB)");
  db.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<300) INSERT INTO t SELECT i, printf('%090d', i) FROM n");
  db.exec("INSERT INTO v VALUES(1, randomblob(5000))");
  std::string bytes = serialized(db);
  for (std::size_t at = 0; at < bytes.size(); at += 512) ts::stamp_page(bytes.data() + at, 512);
  return bytes;
}

std::int64_t number(Database& db, std::string_view sql) {
  Statement query = db.prepare(sql);
  const bool row = query.step();  // may throw, which REQUIRE would swallow
  REQUIRE(row);
  return query.int64(0);
}

std::string text(Database& db, std::string_view sql) {
  Statement query = db.prepare(sql);
  const bool row = query.step();  // may throw, which REQUIRE would swallow
  REQUIRE(row);
  return query.text(0);
}

// One object in memory, mounted as listed.
struct World {
  explicit World(std::string bytes, const ts::Cancel* cancel = nullptr) {
    const std::size_t size = bytes.size();
    const std::string etag = store->overwrite("x.sqlite", std::move(bytes));
    file = std::make_shared<RangedFile>(store, "x.sqlite", etag, size);
    mount = std::make_unique<Mount>(file, cancel);
  }
  Database open() { return Database(mount->uri(), kReadOnlyUri); }

  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  std::shared_ptr<RangedFile> file;
  std::unique_ptr<Mount> mount;
};

// What opening these bytes says.
std::string refusal(std::string bytes, Code expected) {
  World world(std::move(bytes));
  CHECK_THROWS_AS(world.open(), ts::Error);
  try {
    world.mount->rethrow_read_error();
  } catch (const ts::Error& e) {
    CHECK(e.code() == expected);
    CHECK(ts::last_vfs_error() == e.what());
    return e.what();
  }
  return "";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("remote_vfs: registering twice is once, and none is the default") {
  CHECK(ts::register_remote_vfs() == SQLITE_OK);
  sqlite3_vfs* s3 = sqlite3_vfs_find("s3");
  REQUIRE(s3 != nullptr);
  CHECK(ts::register_remote_vfs() == SQLITE_OK);
  CHECK(sqlite3_vfs_find("s3") == s3);
  CHECK(sqlite3_vfs_find("timeseries-s3") == nullptr);
  CHECK(sqlite3_vfs_find("http") != nullptr);
  CHECK(sqlite3_vfs_find(nullptr) != s3);
}

TEST_CASE("remote_vfs: every page size gives the rows that were stored") {
  for (int page_bytes = 512; page_bytes <= 65536; page_bytes *= 2) {
    CAPTURE(page_bytes);
    World world(database_bytes(60000, page_bytes));
    Database db = world.open();
    CHECK(number(db, "PRAGMA page_size") == page_bytes);
    CHECK(text(db, "PRAGMA integrity_check") == "ok");
    CHECK(number(db, "SELECT count(*) FROM t WHERE pad = printf('%090d', id)") == 60000);
  }
}

TEST_CASE("remote_vfs: opening and scanning a 3 MiB file is 1 GET and no other request") {
  World world(database_bytes(30000));
  REQUIRE(world.file->size() > 5 * kMiB / 2);
  REQUIRE(world.file->size() < 7 * kMiB / 2);
  Database db = world.open();
  CHECK(number(db, "SELECT sum(length(pad)) FROM t") == 30000 * 90);
  CHECK(world.store->requests() == 1);
  CHECK(world.store->bytes_read() == world.file->size());
}

TEST_CASE("remote_vfs: a sequential scan of 20 MiB is at most 9 GETs and reads nearly no byte twice") {
  for (const int page_bytes : {4096, 65536}) {
    CAPTURE(page_bytes);
    World world(database_bytes(200000, page_bytes));
    REQUIRE(world.file->size() > 19 * kMiB);
    Database db = world.open();
    CHECK(number(db, "SELECT sum(length(pad)) FROM t") == 200000 * 90);
    CHECK(world.store->requests() <= 9);
    CHECK(world.store->bytes_read() <= world.file->size() + kMiB / 2);
  }
}

TEST_CASE("remote_vfs: a scan downwards of 20 MiB is at most 14 GETs") {
  World world(database_bytes(200000));
  Database db = world.open();
  CHECK(number(db, "SELECT sum(length(pad)) FROM (SELECT pad FROM t ORDER BY id DESC LIMIT 200000)") == 200000 * 90);
  CHECK(world.store->requests() <= 14);
  CHECK(world.store->bytes_read() <= world.file->size() + kMiB);
}

TEST_CASE("remote_vfs: a point query in a 50 MiB file is 3 GETs and 384 KiB") {
  World world(database_bytes(500000));
  REQUIRE(world.file->size() > 48 * kMiB);
  Database db = world.open();
  CHECK(text(db, "SELECT pad FROM t WHERE id = 333333").substr(84) == "333333");
  CHECK(world.store->requests() == 3);  // the head, an interior page, a leaf
  CHECK(world.store->bytes_read() == kMiB * 3 / 8);
}

TEST_CASE("remote_vfs: an object replaced in the middle of a scan ends the scan with an error that names it") {
  World world(database_bytes(200000));
  Database db = world.open();
  Statement scan = db.prepare("SELECT pad FROM t");
  for (int i = 0; i < 100; ++i) REQUIRE(scan.step());
  world.store->overwrite("x.sqlite", database_bytes(200001));
  const auto to_the_end = [&] {
    while (scan.step()) {
    }
  };
  CHECK_THROWS_AS(to_the_end(), ts::Error);
  CHECK(contains(ts::last_vfs_error(), "s3://memory/x.sqlite"));
  CHECK(contains(ts::last_vfs_error(), "changed"));
  try {
    world.mount->rethrow_read_error();
    FAIL("nothing was thrown");
  } catch (const ts::Error& e) {
    CHECK(e.code() == Code::kChanged);
    CHECK(contains(e.what(), "s3://memory/x.sqlite"));
  }
  CHECK_NOTHROW(world.mount->rethrow_read_error());  // told once
}

TEST_CASE("remote_vfs: a changed byte in any page of a shard with checksums ends the statement, and the page is named") {
  const std::string bytes = checksummed_bytes();
  const auto read_all = [](World& world) {
    try {
      Database db = world.open();
      return number(db, "SELECT (SELECT total(length(pad)) FROM t) + (SELECT total(length(hex(long))) FROM v)");
    } catch (const ts::Error&) {
      world.mount->rethrow_read_error();
      throw;
    }
  };
  {
    World whole(bytes);
    CHECK(read_all(whole) == 300 * 90 + 10000);
  }
  for (std::size_t page = 0; page < bytes.size() / 512; page++) {
    for (std::size_t at : {std::size_t{150}, std::size_t{511}}) {
      std::string changed = bytes;
      changed[page * 512 + at] = static_cast<char>(changed[page * 512 + at] ^ 4);
      World world(changed);
      try {
        read_all(world);
        FAIL("page ", page + 1, ": the changed byte ", at, " was not noticed");
      } catch (const ts::Error& e) {
        CHECK(e.code() == Code::kCorrupt);
        CHECK(e.what() == "shard: page " + std::to_string(page + 1) + " is damaged (its checksum is wrong): s3://memory/x.sqlite" +
                              "; restore the object, or empty cache_dir if the object itself is whole");
      }
    }
  }
}

TEST_CASE("remote_vfs: what others keep in reserved bytes is theirs") {
  std::string bytes = checksummed_bytes(false);
  for (std::size_t at = 511; at < bytes.size(); at += 512) bytes[at] = 'x';
  World world(bytes);
  Database db = world.open();
  CHECK(number(db, "SELECT count(*) FROM t") == 300);
}

TEST_CASE("remote_vfs: a WAL-mode file is refused with a sentence") {
  std::string bytes = database_bytes(10);
  bytes[18] = bytes[19] = 2;
  CHECK(refusal(bytes, Code::kUnsupported)
            .ends_with(": s3://memory/x.sqlite is in WAL mode; run PRAGMA journal_mode=DELETE on it before uploading"));
}

TEST_CASE("remote_vfs: an empty object, other bytes, a truncated and a damaged file are refused with a sentence") {
  const std::string bytes = database_bytes(1000);
  CHECK(refusal("", Code::kCorrupt).ends_with(": s3://memory/x.sqlite is empty, not an SQLite database"));
  CHECK(refusal("<html>", Code::kCorrupt).ends_with(": s3://memory/x.sqlite is not an SQLite database"));
  CHECK(refusal(std::string(100000, 'x'), Code::kCorrupt).ends_with(": s3://memory/x.sqlite is not an SQLite database"));
  CHECK(refusal(bytes.substr(0, 99), Code::kCorrupt).ends_with(": s3://memory/x.sqlite is not an SQLite database"));
  CHECK(contains(refusal(bytes.substr(0, bytes.size() - 1), Code::kCorrupt), "s3://memory/x.sqlite is truncated: "));
  std::string damaged = bytes;
  damaged[16] = 3;
  CHECK(contains(refusal(damaged, Code::kCorrupt), "s3://memory/x.sqlite is damaged: impossible page size 768"));
}

TEST_CASE("remote_vfs: a file without the page count of newer writers opens") {
  std::string bytes = database_bytes(1000);
  bytes[92] = static_cast<char>(bytes[92] + 1);  // the count is not valid for this change counter
  World old(bytes);
  Database opened = old.open();
  CHECK(number(opened, "SELECT count(*) FROM t") == 1000);
}

TEST_CASE("remote_vfs: opening for writing gives a read-only database, and no request looks for a journal") {
  World world(database_bytes(1000));
  std::string uri = world.mount->uri();
  uri.resize(uri.find("&mode=ro"));
  Database db(uri, kReadWriteUri);
  CHECK(sqlite3_db_readonly(db.get(), "main") == 1);
  CHECK(number(db, "SELECT count(*) FROM t") == 1000);
  for (const char* sql : {"INSERT INTO t VALUES(NULL,'x')", "CREATE TABLE u(a)", "PRAGMA user_version=7", "DROP TABLE t"}) {
    CHECK(sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr) == SQLITE_READONLY);
  }
  CHECK(number(db, "SELECT count(*) FROM t") == 1000);
  CHECK(world.store->requests() == 1);
  CHECK(world.store->gets() == 1);
}

TEST_CASE("remote_vfs: ATTACH works beside a local database, and joins with it") {
  World world(database_bytes(1000));
  Database db(":memory:", kReadWriteUri);
  db.exec("CREATE TABLE wanted(id); INSERT INTO wanted VALUES (5),(500),(5000)");
  db.exec("ATTACH " + ts::quote_literal(world.mount->uri()) + " AS remote");
  CHECK(number(db, "SELECT count(*) FROM wanted JOIN remote.t USING(id)") == 2);
  db.exec("DETACH remote");
}

TEST_CASE("remote_vfs: a sort that spills and a temp table work on a remote connection") {
  World world(database_bytes(100000));
  Database db = world.open();
  db.exec("PRAGMA cache_size=10; PRAGMA temp.cache_size=10; PRAGMA temp_store=FILE");
  CHECK(number(db, "SELECT count(*) FROM (SELECT pad FROM t ORDER BY pad DESC, id LIMIT 1000000)") == 100000);
  db.exec("CREATE TEMP TABLE copy AS SELECT * FROM t ORDER BY pad DESC");
  CHECK(number(db, "SELECT count(*) FROM copy JOIN t USING(id, pad)") == 100000);
}

TEST_CASE("remote_vfs: the VFS tells its name and keeps SQLite's other functions") {
  World world(database_bytes(10));
  Database db = world.open();
  char* name = nullptr;
  REQUIRE(sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_VFSNAME, &name) == SQLITE_OK);
  CHECK(contains(world.mount->uri(), std::string("vfs=") + name));
  sqlite3_free(name);
  CHECK(number(db, "SELECT julianday('now') > 2460000 AND random() != random()") == 1);
}

TEST_CASE("remote_vfs: many connections and threads read one mount at once") {
  World world(database_bytes(100000));  // above the limit of whole files, below what a file keeps in memory: nothing is forgotten
  std::atomic<int> right{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i) {
    readers.emplace_back([&] {
      Database db = world.open();
      Statement sum = db.prepare("SELECT sum(length(pad)) FROM t");
      right += sum.step() && sum.int64(0) == 100000 * 90;
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(right == 6);
  // They read each other's blocks, however far apart the machine lets them fall: a GET is for a block that nobody had asked for.
  CHECK(world.store->requests() <= world.file->size() / (64 << 10) + 1);
  CHECK(world.store->bytes_read() <= 2 * world.file->size());  // what lies between such blocks may come along again
}

TEST_CASE("remote_vfs: a mount that is gone opens nothing and reads nothing more") {
  World world(database_bytes(200000));
  Database db = world.open();
  const std::string uri = world.mount->uri();
  world.mount.reset();
  CHECK_THROWS_AS(Database(uri, kReadOnlyUri), ts::Error);
  CHECK(contains(ts::last_vfs_error(), "nothing is mounted"));
  CHECK_THROWS_AS(db.exec("SELECT sum(length(pad)) FROM t"), ts::Error);
  CHECK(contains(ts::last_vfs_error(), "no longer mounted: s3://memory/x.sqlite"));
}

namespace {

struct Account : ts::Cancel {
  bool cancelled() const override { return on; }
  void charge(std::uint64_t requests, std::uint64_t) const override { charged += requests; }
  std::atomic<bool> on{false};
  mutable std::atomic<std::uint64_t> charged{0};
};

}  // namespace

TEST_CASE("remote_vfs: a mount polls and charges its Cancel, and an interrupt is SQLITE_INTERRUPT") {
  Account cancel;
  World world(database_bytes(200000), &cancel);
  Database db = world.open();
  CHECK(number(db, "SELECT count(*) FROM (SELECT 1 FROM t LIMIT 10)") == 10);
  CHECK(cancel.charged == world.store->requests());
  cancel.on = true;
  CHECK(sqlite3_exec(db.get(), "SELECT sum(length(pad)) FROM t", nullptr, nullptr, nullptr) == SQLITE_INTERRUPT);
  try {
    world.mount->rethrow_read_error();
    FAIL("nothing was thrown");
  } catch (const ts::Error& e) {
    CHECK(e.code() == Code::kInterrupted);
  }
  cancel.on = false;
  CHECK(number(db, "SELECT count(*) FROM t") == 200000);  // the connection survives
}

TEST_CASE("remote_vfs: with any one GET of a query failing there is its error and no answer") {
  const std::string bytes = database_bytes(200000);
  int failed = 0;
  for (int nth = 0;; ++nth) {
    World world(bytes);
    std::atomic<int> asked{0};
    world.store->before([&](const MemoryStore::Request&) {
      if (asked++ == nth) throw ts::Error(Code::kUnavailable, "memory: 503: s3://memory/x.sqlite");
    });
    bool threw = false;
    std::int64_t sum = 20000100000;
    try {
      Database db = world.open();
      sum = number(db, "SELECT sum(id) FROM t");
    } catch (const ts::Error&) {
      threw = true;
      CHECK_THROWS_WITH_AS(world.mount->rethrow_read_error(), "memory: 503: s3://memory/x.sqlite", ts::Error);
    }
    CHECK(sum == 20000100000);
    CHECK(threw == (asked > nth));
    if (!threw) break;
    ++failed;
  }
  CHECK(failed >= 8);
}

TEST_CASE("remote_vfs: xGetLastError gives the sentence to who passes a buffer, and no errno") {
  refusal("no database", Code::kCorrupt);
  char buffer[200] = "";
  sqlite3_vfs* vfs = sqlite3_vfs_find("s3");
  REQUIRE(vfs != nullptr);
  vfs->xGetLastError(vfs, sizeof buffer, buffer);
  CHECK(contains(buffer, "is not an SQLite database"));
  CHECK(vfs->xGetLastError(vfs, 0, nullptr) == 0);
}

TEST_CASE("remote_vfs: the last error is this thread's, and another thread's where this one had none") {
  refusal("mine", Code::kCorrupt);
  const std::string mine = ts::last_vfs_error();
  std::string theirs;
  std::thread([&] { theirs = ts::last_vfs_error(); }).join();
  CHECK(theirs == mine);
}

// ---- names that users write ----

namespace {

std::string open_failure(const std::string& uri) {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  sqlite3* db = nullptr;
  const int rc = sqlite3_open_v2(uri.c_str(), &db, kReadOnlyUri, nullptr);
  sqlite3_close_v2(db);
  CHECK(rc != SQLITE_OK);
  return ts::last_vfs_error();
}

}  // namespace

TEST_CASE("remote_vfs: what is no name of an object is refused with the form that is wanted") {
  CHECK(contains(open_failure("file:x.sqlite?vfs=s3"), "write file:s3://bucket/key.sqlite?vfs=s3"));
  CHECK(contains(open_failure("file:x.sqlite?vfs=http"), "write file:https://host/x.sqlite?vfs=http"));
}

TEST_CASE("remote_vfs: an unknown parameter of s3 is an error, and no secret in a name is repeated") {
  std::string message = open_failure("file:s3://bucket/x.sqlite?vfs=s3&secret_access_key=topsecret");
  CHECK(contains(message, "unknown parameter 'secret_access_key': s3://bucket/x.sqlite"));
  CHECK(!contains(message, "topsecret"));
  message = open_failure("file:s3://AKIA:topsecret@bucket/x.sqlite?vfs=s3");
  CHECK(contains(message, "credentials"));
  CHECK(!contains(message, "topsecret"));
}

// ---- on the real S3 server ----

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE_MESSAGE(value != nullptr, "set ", std::string(name), " (tests/run.sh starts a server and sets it)");
  return value;
}

std::string endpoint() { return environment("S3_ENDPOINT"); }

// A key that no other run has, in bucket `test`.
std::string fresh_key(const std::string& name) {
  Database db = ts_test::open_memory();
  return "remote_vfs_test/" + text(db, "SELECT hex(randomblob(8))") + "/" + name;
}

std::shared_ptr<ts::Store> bucket() {
  ts::StoreOptions options;
  options.location = "s3://test";
  options.endpoint = endpoint();
  options.hedge = false;  // tests count requests, also on a machine that stalls
  return ts::open_store(options);
}

// The key of a new object of these bytes.
std::string uploaded(const std::string& bytes, const std::string& name = "x.sqlite") {
  const std::string key = fresh_key(name);
  const ts::PutResult put = bucket()->put_if_absent(key, bytes);  // may throw, which REQUIRE would swallow
  REQUIRE(put.stored);
  return key;
}

std::string s3_uri(const std::string& key) { return "file:s3://test/" + key + "?vfs=s3&endpoint=" + endpoint(); }

// A URL that lets anybody read the object for an hour.
std::string presigned(const std::string& key) {
  const std::string date = ts::amz_date(ts::Clock::system().now_ms());
  const std::string region = environment("AWS_REGION");
  const ts::SigV4Scope scope{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"), region, "s3", date};
  ts::SigV4Request request;
  request.method = "GET";
  request.path = "/test/" + ts::percent_encode(key, true);
  request.canonical_query =
      ts::encode_query({{"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
                        {"X-Amz-Credential", scope.access_key_id + "/" + date.substr(0, 8) + "/" + region + "/s3/aws4_request"},
                        {"X-Amz-Date", date},
                        {"X-Amz-Expires", "3600"},
                        {"X-Amz-SignedHeaders", "host"}});
  request.headers = {{"host", endpoint().substr(endpoint().find("://") + 3)}};
  request.payload_hash = "UNSIGNED-PAYLOAD";
  const std::string signature = ts::sign_v4(request, scope).signature;
  return endpoint() + request.path + "?" + request.canonical_query + "&X-Amz-Signature=" + signature;
}

}  // namespace

TEST_CASE("remote_vfs: s3 opens a database of the server by URI, small and large, whatever its key is called") {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  for (const int rows : {100, 100000}) {
    Database db(s3_uri(uploaded(database_bytes(rows))), kReadWriteUri);
    CHECK(number(db, "SELECT count(*) FROM t WHERE pad = printf('%090d', id)") == rows);
    CHECK(sqlite3_db_readonly(db.get(), "main") == 1);
    CHECK(text(db, "PRAGMA integrity_check") == "ok");
  }
  const std::string key = uploaded(database_bytes(10), "a b+c%d\xc3\xa9?.sqlite");
  Database db(s3_uri(ts::percent_encode(key, true)), kReadOnlyUri);
  CHECK(number(db, "SELECT count(*) FROM t") == 10);
}

TEST_CASE("remote_vfs: s3 ATTACHes, and a local copy is made with VACUUM INTO") {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  const std::string key = uploaded(database_bytes(1000));
  Database db(":memory:", kReadWriteUri);
  db.exec("ATTACH " + ts::quote_literal(s3_uri(key)) + " AS remote");
  CHECK(number(db, "SELECT max(id) FROM remote.t") == 1000);
  db.exec("VACUUM remote INTO 'file:/remote_vfs_test_copy?vfs=memdb'");
}

TEST_CASE("remote_vfs: s3 names the object that is missing, replaced or no database") {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  CHECK(contains(open_failure(s3_uri("remote_vfs_test/none.sqlite")), "s3://test/remote_vfs_test/none.sqlite"));
  std::string wal = database_bytes(10);
  wal[18] = wal[19] = 2;
  std::string key = uploaded(wal);
  CHECK(open_failure(s3_uri(key)) == "vfs s3: s3://test/" + key + " is in WAL mode; run PRAGMA journal_mode=DELETE on it before uploading");
  key = uploaded("");
  CHECK(open_failure(s3_uri(key)) == "vfs s3: s3://test/" + key + " is empty, not an SQLite database");

  key = uploaded(database_bytes(100000));
  Database db(s3_uri(key), kReadOnlyUri);
  CHECK(number(db, "SELECT count(*) FROM (SELECT 1 FROM t LIMIT 10)") == 10);
  bucket()->remove(key);
  REQUIRE(bucket()->put_if_absent(key, database_bytes(100001)).stored);
  CHECK(sqlite3_exec(db.get(), "SELECT sum(length(pad)) FROM t", nullptr, nullptr, nullptr) != SQLITE_OK);
  CHECK(contains(ts::last_vfs_error(), "s3://test/" + key));
}

TEST_CASE("remote_vfs: s3 with anonymous=1 sends no credentials, and a refusal is SQLITE_AUTH") {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  const std::string key = uploaded(database_bytes(10));
  sqlite3* db = nullptr;
  CHECK(sqlite3_open_v2((s3_uri(key) + "&anonymous=1").c_str(), &db, kReadOnlyUri, nullptr) == SQLITE_AUTH);
  sqlite3_close_v2(db);
  CHECK(contains(ts::last_vfs_error(), "s3://test/" + key));
}

TEST_CASE("remote_vfs: a mount of a listed 10 MiB object of the server reads its rows with 7 requests") {
  const std::shared_ptr<ts::Store> store = bucket();
  const std::string key = uploaded(database_bytes(100000));
  const ts::ListPage page = store->list(key, "");
  REQUIRE(page.objects.size() == 1);
  Account account;
  Mount mount(std::make_shared<RangedFile>(store, key, page.objects[0].etag, page.objects[0].size), &account);
  Database db(mount.uri(), kReadOnlyUri);
  CHECK(number(db, "SELECT count(*) FROM t WHERE pad = printf('%090d', id)") == 100000);
  CHECK(account.charged == 7);
}

TEST_CASE("remote_vfs: http opens a presigned URL by appending vfs=http") {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  for (const int rows : {100, 100000}) {
    Database db("file:" + presigned(uploaded(database_bytes(rows))) + "&vfs=http", kReadOnlyUri);
    CHECK(number(db, "SELECT count(*) FROM t WHERE pad = printf('%090d', id)") == rows);
  }
  const std::string key = uploaded(database_bytes(10), "a b+c%d\xc3\xa9.sqlite");
  Database db("file:" + presigned(key) + "&vfs=http", kReadOnlyUri);
  CHECK(number(db, "SELECT count(*) FROM t") == 10);
}

TEST_CASE("remote_vfs: a failure of a presigned URL names the file and no part of the signature") {
  REQUIRE(ts::register_remote_vfs() == SQLITE_OK);
  const std::string key = uploaded("no database");
  std::string message = open_failure("file:" + presigned(key) + "&vfs=http");
  CHECK(contains(message, endpoint() + "/test/" + key + " is not an SQLite database"));
  CHECK(!contains(message, "X-Amz"));
  message = open_failure("file:" + presigned("remote_vfs_test/none.sqlite") + "&vfs=http");
  CHECK(contains(message, endpoint() + "/test/remote_vfs_test/none.sqlite"));
  CHECK(!contains(message, "X-Amz"));
  message = open_failure("file:" + presigned(key) + "0&vfs=http");
  CHECK(contains(message, endpoint() + "/test/" + key));
  CHECK(!contains(message, "X-Amz"));
  CHECK(!contains(message, "Signature="));
}
