// Sealed and stored shards as a connection reads them: opened once, checked, kept in a small LRU, decoded by workers.
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "ext/archive/scan.h"
#include "ext/archive/sealed_file.h"
#include "ext/archive/shard_batches.h"
#include "ext/archive/shard_list.h"
#include "vfs/remote_vfs.h"
#include "vfs/store.h"

namespace ts {

// Where the plan asks for every row of a shard, their number is known from its name: throws kCorrupt naming `object`.
void check_complete(const ShardRef& ref, const ScanPlan& plan, std::int64_t rows, const std::string& object);

// An open sealed shard. Used by one thread at a time.
class ShardFile {
 public:
  // `bytes`: of the object, where somebody has begun to fetch it.
  ShardFile(std::shared_ptr<Store> store, TablePtr table, const ShardRef& ref, const Cancel* cancel,
            std::shared_ptr<RangedFile> bytes = nullptr);
  ~ShardFile() {
    if (remote_) remote_->end_prefetch();  // others may hold it, and what is under way uses the relay
  }
  Database& db() { return sealed_.db; }
  const PackedShard* packed() const { return packed_.get(); }  // null: format 1
  const ColumnMapPtr& columns() const { return sealed_.columns; }
  std::unique_ptr<BatchSource> batches(std::shared_ptr<const ScanPlan> plan);
  const std::string& id() const { return id_; }
  const std::shared_ptr<RangedFile>& bytes() const { return remote_; }  // null: it lies in the spool
  // On whose behalf it is read from now on; null: nobody's, before the statement's Cancel goes.
  void lend(const Cancel* cancel);
  // Throws the error behind SQLite's "disk I/O error", naming the object; else throws `error` naming it.
  [[noreturn]] void explain(const Error& error);
  static std::string id_of(const Store& store, const TableDef& table, const ShardRef& ref);

 private:
  struct Relay : Cancel {
    std::atomic<const Cancel*> target{nullptr};
    bool cancelled() const override {
      const Cancel* t = target.load();
      return t && t->cancelled();
    }
    void cache_hit() const override {
      if (const Cancel* t = target.load()) t->cache_hit();
    }
    void charge(std::uint64_t requests, std::uint64_t bytes) const override {
      if (const Cancel* t = target.load()) t->charge(requests, bytes);
    }
    void admit(std::uint64_t bytes) const override {
      if (const Cancel* t = target.load()) t->admit(bytes);
    }
    void spare(std::uint64_t bytes) const override {
      if (const Cancel* t = target.load()) t->spare(bytes);
    }
  };
  void open(const std::string& uri, const std::string& key, const std::string& object);
  void follow();

  std::string id_, object_;
  std::shared_ptr<Store> store_;
  TablePtr table_;
  Relay relay_;
  std::shared_ptr<RangedFile> remote_;
  std::unique_ptr<Mount> mount_;  // before sealed_: closed after it
  SealedFile sealed_;
  std::unique_ptr<PackedShard> packed_;
};

// Open shards files of one connection that no stream uses at the moment. Thread-safe.
class ShardFiles {
 public:
  static constexpr std::size_t kIdle = 32;  // each may hold 16 MiB of its bytes and, at 16 KiB pages, 351 KiB of page cache
  explicit ShardFiles(std::shared_ptr<AheadBytes> ahead = std::make_shared<AheadBytes>()) : ahead_(std::move(ahead)) {}
  std::unique_ptr<ShardFile> take(const std::string& id);
  void give_back(std::unique_ptr<ShardFile> file);
  const std::shared_ptr<AheadBytes>& ahead() const { return ahead_; }

 private:
  const std::shared_ptr<AheadBytes> ahead_;
  std::mutex mutex_;
  std::list<std::unique_ptr<ShardFile>> idle_;  // most recently used first
};

}  // namespace ts
