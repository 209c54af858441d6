// Snapshot: pinning what lies in the spool.
#include "ext/archive/snapshot.h"

#include <algorithm>

#include "ext/base/failpoint.h"

namespace ts {

std::shared_ptr<OpenShardReader> SpoolView::reader(const OpenRow& row) {
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    if ((*it)->id() != row.id) continue;
    auto reader = std::move(*it);
    idle_.erase(it);
    return reader;
  }
  return std::make_shared<OpenShardReader>(spool_->open_directory(), row.file, row.id);
}

void SpoolView::forget_retired() noexcept {
  idle_.erase(std::remove_if(idle_.begin(), idle_.end(), [](const auto& reader) { return reader->mark().fenced().load() != 0; }),
              idle_.end());
}

void SpoolView::give_back(std::shared_ptr<OpenShardReader> reader) noexcept {
  reader->unpin();
  if (reader->mark().fenced().load() || idle_.size() >= kIdle) return;  // closed here
  idle_.push_back(std::move(reader));
}

TablePtr SpoolView::declared(const DeclaredRow& row) {
  TablePtr& table = declared_[row.table + "\n" + row.declared];
  if (!table) table = spool_->declared_table(*db_, row);
  return table;
}

void SpoolView::abandon() noexcept {
  if (db_) db_->abandon(), db_.release();
  for (auto& reader : idle_) {
    reader->db().abandon();
    new std::shared_ptr<OpenShardReader>(std::move(reader));
  }
  idle_.clear();
}

LocalSnapshot::LocalSnapshot(SpoolView& view, Writer* writer, Writer::Position own) : view_(view), writer_(writer), own_(std::move(own)) {
  if (writer) epoch_ = writer->epoch(), commits_ = writer->commits();
  view.forget_retired();
  constexpr int kTries = 200;  // each failed try means that a shard moved on in this instant
  for (int i = 0; i < kTries; i++) {
    if (take()) return;
  }
  throw Error(Code::kBusy, "timeseries: the spool " + view.spool().directory() + " changes too fast for a snapshot");
}

LocalSnapshot::~LocalSnapshot() {
  for (auto& reader : open_) view_.give_back(std::move(reader));
}

bool LocalSnapshot::take() {
  for (auto& reader : open_) view_.give_back(std::move(reader));
  open_.clear();
  TS_FAILPOINT("snapshot.begin");
  state_ = view_.db().state();
  TS_FAILPOINT("snapshot.state");
  Spool& spool = view_.spool();
  for (const OpenRow& row : state_.open) {
    try {
      bool alive = spool.owner_alive(row.id);
      auto reader = view_.reader(row);
      Visibility visibility = visibility_of(reader->mark(), alive, static_cast<std::uint64_t>(row.sealed_upto));
      if (visibility.upto <= visibility.after) {
        view_.give_back(std::move(reader));
        continue;
      }
      TS_FAILPOINT("snapshot.watermark");
      reader->pin(visibility);
      open_.push_back(std::move(reader));
    } catch (const Error&) {
      if (view_.db().is_retired(row.id)) return false;  // it went while we looked
      throw;
    }
  }
  TS_FAILPOINT("snapshot.pinned");
  for (const auto& reader : open_) {
    if (view_.db().is_retired(reader->id())) return false;
  }
  return true;
}

}  // namespace ts
