// Store: the one interface to storage. Keys are relative to the location ("cpu/2026-11-23/....sqlite").
//
// Laws, held by tests/store_contract_test.cc against every implementation:
//  * put_if_absent is atomic: no reader ever sees part of an object; of several writers of a key exactly one wins.
//  * list is consistent after put: what put_if_absent has returned is in every later list.
//  * list returns keys in ascending byte order, each once, pages joined by start_after.
//  * get_range with an ETag returns bytes of exactly that object or fails with Code::kChanged (also when it is gone
//    although it was listed); without an ETag a missing object is Code::kNotFound.
//  * Every method may be called by several threads at once. A non-null Cancel ends a wait with Code::kInterrupted.
//  * Errors name the object ("s3://bucket/prefix/key"), what happened and, where there is one, the remedy; no secret.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ext/base/cancel.h"
#include "ext/base/error.h"

namespace ts {

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  // without quotes
};

struct ListPage {
  std::vector<ObjectInfo> objects;
  bool more = false;  // ask again with start_after = objects.back().key
};

struct Range {
  std::string bytes;             // shorter than asked for only at the end of the object
  std::uint64_t object_size = 0;
  std::string etag;              // without quotes
};

struct PutResult {
  bool stored = false;  // false: an object of that key exists already (412); nothing was changed
  std::string etag;     // of the object stored by this call
};

class Store {
 public:
  virtual ~Store() = default;

  // One page of the keys that begin with `prefix` and sort after `start_after`.
  virtual ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) = 0;

  // At most `length` bytes from `offset`. `etag` may be empty: any version. offset past the end: empty bytes.
  virtual Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                          const Cancel* cancel = nullptr) = 0;

  // Publishes `bytes` under `key` if there is nothing yet.
  virtual PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) = 0;

  // Removes an object; one that is not there is no error.
  virtual void remove(std::string_view key, const Cancel* cancel = nullptr) = 0;

  // `path` holds exactly the bytes of the object that was stored as `etag`, and nobody needs the file any more. A store with a cache may
  // take it: true, and it is gone from `path`. False: it lies where it was.
  virtual bool adopt(std::string_view key, std::string_view etag, const std::string& path) noexcept {
    (void)key, (void)etag, (void)path;
    return false;
  }

  // The location for messages, without secrets: "s3://bucket/prefix", "file:///dir".
  virtual std::string describe() const = 0;
};

// The key as a person would name it: describe() + "/" + key.
inline std::string object_name(const Store& store, std::string_view key) {
  return store.describe() + "/" + std::string(key);
}

// What the user wrote about a location. Empty: from the environment, profile or default. No secrets in here.
struct StoreOptions {
  std::string location;  // 's3://bucket/prefix', 'file:///dir', and read-only 'https://host/path' of what was published
  std::string endpoint;  // 'http://127.0.0.1:9000'; default AWS
  std::string region;
  std::string profile;
  std::string snapshot;  // a token of ts_snapshot: the archive as it was then; empty: as it is now
  bool anonymous = false;
  bool hedge = true;             // the slowest reads are asked again (vfs/hedging_store.h)
  std::string cache_dir;         // pinned ranges are kept there; empty: nowhere
  std::uint64_t cache_size = 0;  // bytes
};

// A location in one spelling: two that mean the same place have the same text (it keys the spool and the cache).
// "s3://bucket/prefix@https://endpoint", "file:///dir", "https://host/path". Throws kBadInput with the remedy. Makes no request.
std::string normalise_location(const StoreOptions& options);

// A web server's archive, or a snapshot.
bool is_read_only(const StoreOptions& options);

// The store at a location; where it is remote with retry and hedging, where a cache_dir is given with a cache around it. Makes no request.
std::shared_ptr<Store> open_store(const StoreOptions& options);

}  // namespace ts
