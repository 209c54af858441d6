// Snapshot: pinning the spool, listing the store, leaving out what is seen already.
#include "ext/archive/snapshot.h"

#include <algorithm>

#include "ext/archive/shard_name.h"
#include "ext/base/failpoint.h"

namespace ts {

// ---------------------------------------------------------------- the spool

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

void SpoolView::give_back(std::shared_ptr<OpenShardReader> reader) {
  constexpr std::size_t kIdle = 16;
  reader->unpin();
  if (reader->mark().fenced().load() || idle_.size() >= kIdle) return;  // closed here
  idle_.push_back(std::move(reader));
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

std::int64_t LocalSnapshot::own_rows(const std::string& table) const {
  auto found = own_.find(table);
  return found == own_.end() ? 0 : found->second;
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

// ---------------------------------------------------------------- the store

// Of what [from, to] needs, the part from the first to the last key that is not known yet.
Catalogue::Interval Catalogue::missing(std::int64_t from, std::int64_t to) const {
  const Schema& schema = table_->schema;
  auto partition_key = [&](std::int64_t time) {
    return table_->directory + "/" +
           partition_name(std::clamp(time, min_timestamp(schema.precision), max_timestamp(schema.precision)), schema.precision,
                          schema.partition);
  };
  // Everything in a partition sorts after "<partition>/" and before "<partition>0", as '0' follows '/'.
  Interval needed{from <= min_timestamp(schema.precision) ? table_->directory + "/" : partition_key(from),
                  to >= max_timestamp(schema.precision) ? table_->directory + "0" : partition_key(to) + "0"};
  for (const Interval& known : covered_) {
    if (known.after <= needed.after && needed.after < known.last) needed.after = known.last;
  }
  for (auto known = covered_.rbegin(); known != covered_.rend(); ++known) {
    if (known->after < needed.last && needed.last <= known->last) needed.last = known->after;
  }
  return needed;
}

void Catalogue::cover(std::int64_t from, std::int64_t to, bool whole, const Cancel* cancel, QueryStats& stats) {
  if (whole && covered_.empty()) {
    // Several ranges in one statement: the first page of everything answers them all in a small archive.
    list(table_->directory + "/", "", cancel, stats);
    large_ = covered_.back().last < table_->directory + "0";
  }
  if (covers(from, to)) return;
  // A statement that goes on to earlier and earlier ranges lists twice as many partitions before them each time.
  const Schema& schema = table_->schema;
  const std::int64_t first = min_timestamp(schema.precision);
  from = std::clamp(from, first, max_timestamp(schema.precision));
  bool earlier = !covered_.empty() && missing(from, to).after < covered_.front().after;
  for (std::size_t n = 1ull << std::min<std::size_t>(covered_.size(), 12); earlier && n > 1 && from > first; n--) {
    from = std::max(first, partition_start(from, schema.precision, schema.partition) - 1);
  }
  Interval needed = missing(from, to);
  list(needed.after, needed.last, cancel, stats);
}

void Catalogue::list(const std::string& after, const std::string& last, const Cancel* cancel, QueryStats& stats) {
  std::string prefix = table_->directory + "/", at = after;
  std::vector<ShardRef> fresh;
  for (bool more = true; more;) {
    ListPage page = store_->list(prefix, at, cancel);
    TS_FAILPOINT("snapshot.page");
    for (const ObjectInfo& object : page.objects) {
      if (object.key <= at) {
        throw Error(Code::kCorrupt, "list: the store's listing is out of order at " + object_name(*store_, object.key));
      }
      at = object.key;
      add(object, fresh);
    }
    if (!page.more) at = table_->directory + "0";
    more = page.more && at < last;
    if (page.more && page.objects.empty())
      throw Error(Code::kCorrupt, "list: the store's listing makes no progress: " + object_name(*store_, prefix));
  }
  TS_FAILPOINT("snapshot.listed");
  std::vector<std::string> younger = local_.view().db().keys_after(table_->name, local_.state().last_seq);
  std::set<std::string> hidden(younger.begin(), younger.end());
  for (const SealedRow& row : local_.state().sealed) hidden.insert(row.key);
  for (ShardRef& shard : fresh) {
    if (hidden.count(shard.key) || !seen_.insert(shard.key).second) continue;
    stats.files_listed++;
    shards_.push_back(std::move(shard));
  }
  covered_.push_back({after, at});
  std::sort(covered_.begin(), covered_.end(), [](const Interval& a, const Interval& b) { return a.after < b.after; });
}

void Catalogue::add(const ObjectInfo& object, std::vector<ShardRef>& fresh) const {
  const Schema& schema = table_->schema;
  std::string below = object.key.substr(table_->directory.size() + 1);
  if (is_reserved(below)) {
    bool schema_object = below.substr(0, 7) == "schema-" && below.find('/') == std::string::npos;
    if (schema_object) return;  // numbered ones are known, others were refused when the schema was read
    throw Error(Code::kTooNew,
                "archive: written by a newer version (unknown object " + object_name(*store_, object.key) + "); upgrade timeseries");
  }
  auto slash = below.find('/');
  if (slash == std::string::npos || below.find('/', slash + 1) != std::string::npos) return;
  std::string partition = below.substr(0, slash);
  auto name = parse_shard_name(below.substr(slash + 1), schema.precision);
  if (!name || !is_partition_name(partition, schema.partition)) return;  // somebody else's file
  if (name->start > name->end || name->rows <= 0 || partition_name(name->start, schema.precision, schema.partition) != partition ||
      partition_name(name->end, schema.precision, schema.partition) != partition) {
    throw Error(Code::kCorrupt, "archive: a shard's name contradicts itself or its partition: " + object_name(*store_, object.key));
  }
  fresh.push_back({object.key, object.etag, "", object.size, name->start, name->end, name->rows});
}

}  // namespace ts
