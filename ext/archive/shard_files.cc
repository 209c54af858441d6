// Sealed shards: opening them from the spool or the store, and keeping them open.
#include "ext/archive/shard_files.h"

#include "ext/base/file.h"

namespace ts {

std::string ShardFile::id_of(const Store& store, const TableDef& table, const ShardRef& ref) {
  return object_name(store, ref.key) + "#" + ref.etag + "#" + table.shape;
}

ShardFile::ShardFile(std::shared_ptr<Store> store, TablePtr table, const ShardRef& ref, const Cancel* cancel,
                     std::shared_ptr<RangedFile> bytes)
    : id_(id_of(*store, *table, ref)), object_(object_name(*store, ref.key)), store_(store), table_(std::move(table)) {
  lend(cancel);
  if (!ref.path.empty() && file_exists(ref.path)) {
    try {
      open(immutable_uri(ref.path), ref.key, ref.path);
      return;
    } catch (const Error&) {
      if (file_exists(ref.path)) throw;  // otherwise it was stored and removed in this instant: read it there
    }
  }
  try {
    remote_ = bytes ? std::move(bytes) : std::make_shared<RangedFile>(store, ref.key, ref.etag, ref.size);
    mount_ = std::make_unique<Mount>(remote_, &relay_);
    open(mount_->uri(), ref.key, object_);
  } catch (const Error& e) {
    explain(e);
  }
}

void ShardFile::open(const std::string& uri, const std::string& key, const std::string& object) {
  LookForSchema look;
  if (table_->archive) {
    look = [this](const ArchiveSchemaPtr& seen) { return table_->archive->look(seen, *store_, table_->directory, &relay_); };
  }
  sealed_ = open_sealed(uri, *table_, key, object, look);
  follow();
  if (sealed_.format != kFormatPacked) return;
  packed_ = std::make_unique<PackedShard>(sealed_.db, table_, sealed_.columns, object, RemoteBytes{remote_.get(), &relay_});
}

// Of a packed shard the scan itself knows what comes next.
void ShardFile::follow() {
  if (remote_ && sealed_.format == kFormatRows) remote_->follow(&relay_);
}

void ShardFile::lend(const Cancel* cancel) {
  if (!cancel && remote_) remote_->end_prefetch();
  relay_.target.store(cancel);
  if (cancel) follow();
}

std::unique_ptr<BatchSource> ShardFile::batches(std::shared_ptr<const ScanPlan> plan) {
  if (packed_) return packed_batches(*packed_, std::move(plan));
  return row_batches(sealed_.db, sealed_.columns, std::move(plan));
}

void ShardFile::explain(const Error& error) {
  if (mount_) mount_->rethrow_read_error();
  std::string text = error.what();
  if (text.find(object_) != std::string::npos) throw error;
  if (error.code() == Code::kCorrupt) throw Error(Code::kCorrupt, "shard: damaged (" + text + "): " + object_);
  throw Error(error.code(), text + ": " + object_);
}

void check_complete(const ShardRef& ref, const ScanPlan& plan, std::int64_t rows, const std::string& object) {
  bool all = plan.filters.empty() && plan.limit < 0 && plan.from <= ref.start && ref.end <= plan.to;
  if (!all || rows == ref.rows) return;
  throw Error(Code::kCorrupt,
              "shard: holds " + std::to_string(rows) + " rows where its name says " + std::to_string(ref.rows) + ": " + object);
}

std::unique_ptr<ShardFile> ShardFiles::take(const std::string& id) {
  std::lock_guard lock(mutex_);
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    if ((*it)->id() != id) continue;
    std::unique_ptr<ShardFile> file = std::move(*it);
    idle_.erase(it);
    return file;
  }
  return nullptr;
}

void ShardFiles::give_back(std::unique_ptr<ShardFile> file) {
  file->lend(nullptr);
  std::unique_ptr<ShardFile> oldest;
  std::lock_guard lock(mutex_);
  idle_.push_front(std::move(file));
  if (idle_.size() <= kIdle) return;
  oldest = std::move(idle_.back());
  idle_.pop_back();
}

}  // namespace ts
