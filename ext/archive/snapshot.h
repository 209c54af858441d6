// Snapshot: what one running statement sees. Taken once, shared by all cursors of the statement.
//
// Order of steps, so that a row that moves from open to sealed to stored is seen exactly once (DESIGN section 5):
//   1. spool.db: open shards (newest first), sealed files not stored yet, and the youngest number of a sealed file;
//   2. each open shard: is its owner alive, its watermark, then begin a read transaction;
//   3. spool.db again: was one of them retired before its read transaction began? then all anew;
//   4. LIST (catalogue.h); 5. spool.db again: listed files sealed after step 1 are left out, for their rows are in the shards of
//      step 2 or were committed after the statement began; so are those that step 1 found in the spool.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/spool.h"
#include "ext/archive/writer.h"

namespace ts {

// A connection's view of one spool: spool.db and readers of open shards, kept from statement to statement.
class SpoolView {
 public:
  explicit SpoolView(std::shared_ptr<Spool> spool) : spool_(std::move(spool)), db_(spool_->connect()) { idle_.reserve(kIdle); }
  Spool& spool() { return *spool_; }
  const std::shared_ptr<Spool>& shared_spool() const { return spool_; }
  SpoolDb& db() { return *db_; }
  void forget_retired() noexcept;  // readers of shards that are closed for ever: their files shall go from the disk
  std::shared_ptr<OpenShardReader> reader(const OpenRow& row);
  void give_back(std::shared_ptr<OpenShardReader> reader) noexcept;
  TablePtr declared(const DeclaredRow& row);  // as rows of an open shard were declared
  void abandon() noexcept;

 private:
  static constexpr std::size_t kIdle = 16;  // readers kept; there is always room for so many
  std::shared_ptr<Spool> spool_;
  std::unique_ptr<SpoolDb> db_;
  std::vector<std::shared_ptr<OpenShardReader>> idle_;
  std::map<std::string, TablePtr> declared_;
};

// Steps 1 to 3 for one spool, and the connection's own uncommitted rows.
class LocalSnapshot {
 public:
  // `own`: how much of the writer's transaction is seen.
  LocalSnapshot(SpoolView& view, Writer* writer, Writer::Position own = {});
  ~LocalSnapshot();
  SpoolView& view() { return view_; }
  const std::vector<std::shared_ptr<OpenShardReader>>& open() const { return open_; }
  const SpoolState& state() const { return state_; }
  const Writer::Position& own() const { return own_; }
  Writer* writer() { return writer_; }
  bool writer_unchanged() const { return !writer_ || (writer_->epoch() == epoch_ && writer_->commits() == commits_); }
  bool rolled_back() const { return writer_ && writer_->epoch() != epoch_; }

 private:
  bool take();
  SpoolView& view_;
  Writer* writer_;
  Writer::Position own_;
  std::uint64_t epoch_ = 0, commits_ = 0;
  SpoolState state_;
  std::vector<std::shared_ptr<OpenShardReader>> open_;
};

}  // namespace ts
