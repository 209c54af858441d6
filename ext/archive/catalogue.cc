// Catalogue: which keys are missing, who knows them, and what of them is left out.
#include "ext/archive/catalogue.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "ext/archive/importer.h"
#include "ext/archive/listing_parts.h"
#include "ext/base/clock.h"

namespace ts {

// Of what [from, to] needs, the part from the first to the last key that is not known yet.
KeyRange Catalogue::missing(std::int64_t from, std::int64_t to) const {
  KeyRange needed = keys_of(*table_, from, to);
  for (const KeyRange& known : covered_) {
    if (known.after <= needed.after && needed.after < known.last) needed.after = known.last;
  }
  for (auto known = covered_.rbegin(); known != covered_.rend(); ++known) {
    if (known->after < needed.last && needed.last <= known->last) needed.last = known->after;
  }
  return needed;
}

void Catalogue::reuse(std::int64_t from, std::int64_t to, QueryStats& stats) {
  for (KeyRange needed = missing(from, to); !needed.empty(); needed = missing(from, to)) {
    if (!reuse(needed, needed.after, false, stats)) return;
  }
}

void Catalogue::reuse_next(const CatalogueWalk& walk, QueryStats& stats) {
  if (!knows_next(walk)) reuse(walk.left, walk.down ? walk.left.last : walk.left.after, walk.down, stats);
}

// Takes of a range what one listing knows that ends (down), or begins, at a key of it. false: no young one does.
bool Catalogue::reuse(const KeyRange& range, const std::string& key, bool down, QueryStats& stats) {
  if (max_age_ms_ == 0) return false;
  ListingPtr listing = local_.view().spool().listings().find(table_->name, key, down, max_age_ms_);
  std::shared_ptr<ShardList> since = listing ? stored_since(*listing) : nullptr;
  if (!since) return false;
  const std::vector<std::string> hidden = hidden_keys();
  // A file may have been stored while it was listed: then it is in both.
  std::vector<std::string> hidden_since = hidden;
  for (std::size_t i = 0; i < since->size(); i++) {
    if (listing->shards.find(since->key(i))) hidden_since.push_back(since->key(i));
  }
  for (const KeyRange& gap : gaps({std::max(range.after, listing->range.after), std::min(range.last, listing->range.last)})) {
    take(since, gap, hidden_since, stats);
    take(listing, gap, hidden, stats);
  }
  return true;
}

// What this spool has stored since then and its snapshot does not read. Null: that is not known any more.
std::shared_ptr<ShardList> Catalogue::stored_since(const Listing& listing) {
  auto rows = local_.view().db().stored_since(table_->name, listing.last_seq, listing.waiting, local_.state().last_seq);
  if (!rows) return nullptr;
  std::sort(rows->begin(), rows->end(), [](const SealedRow& a, const SealedRow& b) { return a.key < b.key; });
  auto since = std::make_shared<ShardList>(table_);
  for (const SealedRow& row : *rows) {
    auto name = parse_shard_name(row.key.substr(row.key.rfind('/') + 1), table_->schema.precision);
    // A credential that may create and not read does not learn an ETag after a lost answer, and of an import another host may have
    // stored other bytes under the same name: then only LIST tells.
    if (!name || row.etag.empty() || is_import_key(row.key)) return nullptr;
    since->add(*name, row.etag, static_cast<std::uint64_t>(row.bytes));
  }
  return since;
}

void Catalogue::begin_whole(const Cancel* cancel, QueryStats& stats) {
  if (!covered_.empty()) return;
  const KeyRange everything = keys_of(*table_, INT64_MIN, INT64_MAX);
  large_ = list(everything, 1, false, cancel, stats)->range.last < everything.last;
}

void Catalogue::cover(std::int64_t from, std::int64_t to, const Cancel* cancel, QueryStats& stats) {
  const KeyRange wanted = keys_of(*table_, from, to);
  if (!missing(from, to).empty()) list_for(from, to, cancel, stats);
  read_records(unread(wanted), cancel, stats);
}

void Catalogue::list_for(std::int64_t from, std::int64_t to, const Cancel* cancel, QueryStats& stats) {
  // A statement that goes on to earlier and earlier ranges lists twice as many partitions before them each time.
  const Schema& schema = table_->schema;
  from = std::clamp(from, table_->min_time, table_->max_time);
  bool earlier = !covered_.empty() && missing(from, to).after < covered_.front().after;
  if (earlier) times_earlier_++;
  for (std::size_t n = 1ull << std::min<std::size_t>(times_earlier_, 12); earlier && n > 1 && from > table_->min_time; n--) {
    from = std::max(table_->min_time, partition_start(from, schema.precision, schema.partition) - 1);
  }
  list_all(missing(from, to), cancel, stats);
}

// What has listed part of the range's first partition.
ListingPtr Catalogue::begun(const KeyRange& range) const {
  auto found = begun_.find(range.after);
  return found == begun_.end() ? nullptr : found->second;
}

ListingPtr Catalogue::list(const KeyRange& range, std::size_t pages, bool some, const Cancel* cancel, QueryStats& stats) {
  const std::uint64_t drops = local_.view().spool().listings().drops();
  std::vector<ListingPtr> listings = {Lister(*store_, table_, local_.state(), cancel).list(range, pages, some, begun(range))};
  add(listings, drops, stats);
  return listings[0];
}

void Catalogue::list_all(const KeyRange& range, const Cancel* cancel, QueryStats& stats) {
  const std::uint64_t drops = local_.view().spool().listings().drops();
  add(list_in_parts(*store_, table_, local_.state(), range, cancel, begun(range)), drops, stats);
}

void Catalogue::add(const std::vector<ListingPtr>& listings, std::uint64_t drops, QueryStats& stats) {
  const std::vector<std::string> hidden = hidden_keys();
  for (const ListingPtr& listing : listings) {
    if (max_age_ms_ > 0) local_.view().spool().listings().keep(table_->name, listing, drops);
    for (const KeyRange& gap : gaps(listing->range)) take(listing, gap, hidden, stats);
    begun_.erase(listing->range.after);
    if (listing->at > listing->range.last) begun_[listing->range.last] = listing;
  }
}

// The parts of a range that are not covered yet.
std::vector<KeyRange> Catalogue::gaps(const KeyRange& range) const {
  std::vector<KeyRange> found;
  std::string at = range.after;
  for (const KeyRange& known : covered_) {
    if (known.last <= at || known.after >= range.last) continue;
    if (at < known.after) found.push_back({at, known.after});
    at = known.last;
  }
  if (at < range.last) found.push_back({at, range.last});
  return found;
}

// Files that were sealed after the local snapshot: it has their rows, or they were committed after the statement began.
std::vector<std::string> Catalogue::keys_since() {
  if (alone_) return {};
  SpoolDb& db = local_.view().db();
  std::vector<std::string> since = db.keys_after(table_->name, local_.state().last_seq);
  if (!db.remembers_since(local_.state().last_seq)) {
    throw Error(Code::kChanged, "timeseries: this statement has been open for more than a day, and what was stored meanwhile cannot be "
                                "told from what was there; run the statement again");
  }
  return since;
}

// Files whose rows the local snapshot has, or that were sealed after it.
std::vector<std::string> Catalogue::hidden_keys() {
  if (alone_) return {};
  std::vector<std::string> hidden = keys_since();
  for (const SealedRow& row : local_.state().sealed) hidden.push_back(row.key);
  return hidden;
}

void Catalogue::take(const ListingPtr& listing, const KeyRange& range, const std::vector<std::string>& hidden, QueryStats& stats) {
  take(std::shared_ptr<const ShardList>(listing, &listing->shards), range, hidden, stats);
  remember_records(*listing, range);
  auto next = std::find_if(covered_.begin(), covered_.end(), [&](const KeyRange& known) { return range.last <= known.after; });
  next = covered_.insert(next, range);
  if (next + 1 != covered_.end() && (next + 1)->after == next->last) {
    next->last = (next + 1)->last;
    covered_.erase(next + 1);
  }
  if (next != covered_.begin() && (next - 1)->last == next->after) {
    (next - 1)->last = next->last;
    covered_.erase(next);
  }
}

void Catalogue::take(std::shared_ptr<const ShardList> list, const KeyRange& range, const std::vector<std::string>& hidden,
                     QueryStats& stats) {
  Block block{range, std::move(list), 0, 0, {}, next_ordinal_};
  block.begin = block.list->after(range.after);
  block.end = block.list->after(range.last);
  for (const std::string& key : hidden) {
    if (key <= range.after || key > range.last) continue;
    auto found = block.list->find(key);
    if (found && *found >= block.begin && *found < block.end) block.hidden.push_back(*found);
  }
  std::sort(block.hidden.begin(), block.hidden.end());
  block.hidden.erase(std::unique(block.hidden.begin(), block.hidden.end()), block.hidden.end());
  stats.files_listed += static_cast<std::int64_t>(block.end - block.begin - block.hidden.size());
  next_ordinal_ += static_cast<std::int64_t>(block.end - block.begin);
  if (block.begin < block.end) blocks_.push_back(std::move(block));
}

std::size_t Catalogue::memory_bytes() const {
  std::set<const ShardList*> lists;
  std::size_t bytes = blocks_.capacity() * sizeof(Block);
  for (const Block& block : blocks_) {
    if (lists.insert(block.list.get()).second) bytes += block.list->memory_bytes();
  }
  return bytes;
}

// ---------------------------------------------------------------- records

namespace {

// "<table>/<partition>/" of a record's or merged file's key.
std::string folder_of(const TableDef& table, const std::string& key) { return partition_border(table, key) + "/"; }

UlidBits id_in(const std::string& key) {
  constexpr std::size_t kUlid = 26, kExtension = 7;  // ".sqlite"
  return key.size() < kUlid + kExtension ? UlidBits() : ulid_bits(std::string_view(key).substr(key.size() - kUlid - kExtension, kUlid));
}

}  // namespace

void Catalogue::remember_records(const Listing& listing, const KeyRange& range) {
  auto within = [&](const ObjectInfo& object) { return object.key > range.after && object.key <= range.last; };
  for (const ObjectInfo& object : listing.records) {
    if (within(object)) records_[folder_of(*table_, object.key)] = {object, {}, nullptr};
  }
  for (const ObjectInfo& object : listing.merged) {
    if (!within(object)) continue;
    auto found = records_.find(folder_of(*table_, object.key));
    if (found != records_.end()) found->second.merged.push_back(object);
  }
}

// Partitions of a range, ascending, whose records have not been read.
std::vector<Catalogue::Folders::const_iterator> Catalogue::unread(const KeyRange& range) const {
  std::vector<Folders::const_iterator> found;
  for (auto at = records_.upper_bound(range.after); at != records_.end() && at->first <= range.last; ++at) {
    if (!at->second.record) found.push_back(at);
  }
  return found;
}

void Catalogue::read_records(std::vector<Folders::const_iterator> folders, const Cancel* cancel, QueryStats& stats) {
  if (folders.empty()) return;
  std::vector<ObjectInfo> objects;
  for (const auto& folder : folders) objects.push_back(folder->second.object);
  std::vector<MergeRecordPtr> records = read_merge_records(*store_, *table_, objects, local_.view().spool().records(), cancel);
  const std::vector<std::string> since = keys_since();  // what a record speaks of was sealed before it was written
  for (std::size_t i = 0; i < folders.size(); i++) {
    const std::string& folder = folders[i]->first;
    refuse_merged_meanwhile(folder, *records[i], since);
    Recorded& recorded = records_[folder];
    recorded.record = std::move(records[i]);
    hide_dead(folder, *recorded.record, stats);
    add_live(folder, recorded, stats);
  }
}

// Rows in an open shard that the snapshot reads would be in a merged file too.
void Catalogue::refuse_merged_meanwhile(const std::string& folder, const MergeRecord& record, const std::vector<std::string>& since) {
  for (const std::string& key : since) {
    if (!key.starts_with(folder) || !record.is_dead(id_in(key))) continue;
    throw Error(Code::kChanged, "timeseries: rows that were stored since this statement began have been merged or have expired already; "
                                "run the statement again: " +
                                    object_name(*store_, key));
  }
}

void Catalogue::hide_dead(const std::string& folder, const MergeRecord& record, QueryStats& stats) {
  const std::string behind = folder.substr(0, folder.size() - 1) + "0";  // '0' follows '/'
  for (Block& block : blocks_) {
    if (block.range.last <= folder || block.range.after >= behind) continue;
    const std::size_t before = block.hidden.size();
    const std::size_t end = std::min(block.end, block.list->after(behind));
    for (std::size_t i = std::max(block.begin, block.list->after(folder)); i < end; i++) {
      if (record.is_dead(block.list->id(i))) block.hidden.push_back(i);
    }
    std::sort(block.hidden.begin(), block.hidden.end());
    block.hidden.erase(std::unique(block.hidden.begin(), block.hidden.end()), block.hidden.end());
    stats.files_listed -= static_cast<std::int64_t>(block.hidden.size() - before);
  }
}

// The ETag is the listing's where it has the file: in a copy of an archive files have other ETags than where the record was written.
void Catalogue::add_live(const std::string& folder, const Recorded& recorded, QueryStats& stats) {
  auto live = std::make_shared<ShardList>(table_, true);
  for (const MergedFile& file : recorded.record->live) {
    const std::string key = merged_file_key(*table_, file.name);
    auto listed = std::find_if(recorded.merged.begin(), recorded.merged.end(),
                               [&](const ObjectInfo& object) { return object.key == key && object.size == file.size; });
    live->add(file.name, listed == recorded.merged.end() ? file.etag : listed->etag, file.size);
  }
  live->finish();
  const std::string partition = folder.substr(0, folder.size() - 1);
  take(std::move(live), {partition, partition + "0"}, {}, stats);
}

bool Catalogue::is_dead(const std::string& key) const {
  auto found = records_.find(folder_of(*table_, key));
  return found != records_.end() && found->second.record && found->second.record->is_dead(id_in(key));
}

// ---------------------------------------------------------------- walks

std::int64_t Catalogue::bound(const CatalogueWalk& walk) const {
  const TableDef& table = *table_;
  if (!walk.down) return time_after(table, walk.left.after).value_or(table.min_time);
  const std::int64_t time = time_after(table, walk.left.last).value_or(table.max_time);
  const bool inside = walk.left.last.find('/', table.directory.size() + 1) != std::string::npos;
  // A shard may end when its partition does, however early it begins.
  const std::int64_t end = inside ? partition_end(time, table.schema.precision, table.schema.partition) : time;
  return end - (end < table.max_time);
}

// What is covered right at a walk's place, as far as it wants.
KeyRange Catalogue::known_next(const CatalogueWalk& walk) const {
  for (const KeyRange& known : covered_) {
    if (walk.down && known.after < walk.left.last && walk.left.last <= known.last) {
      return {std::max(known.after, walk.left.after), walk.left.last};
    }
    if (!walk.down && known.after <= walk.left.after && walk.left.after < known.last) {
      return {walk.left.after, std::min(known.last, walk.left.last)};
    }
  }
  return {walk.left.after, walk.left.after};
}

bool Catalogue::knows_next(const CatalogueWalk& walk) const {
  CatalogueWalk one = walk;
  return !take_next(one).empty();
}

// Up to the first partition whose record has not been read.
KeyRange Catalogue::take_next(CatalogueWalk& walk) const {
  KeyRange next = known_next(walk);
  if (next.empty()) return next;
  const auto folders = unread(next);
  auto partition = [](const Folders::const_iterator& folder) { return folder->first.substr(0, folder->first.size() - 1); };
  if (walk.down) {
    if (!folders.empty()) next.after = std::min(next.last, partition(folders.back()) + "0");
    walk.left.last = next.after;
  } else {
    if (!folders.empty()) next.last = std::max(next.after, partition(folders.front()));
    walk.left.after = next.last;
  }
  return next;
}

void Catalogue::list_next(CatalogueWalk& walk, const Cancel* cancel, QueryStats& stats) {
  constexpr std::size_t kMostPages = 16, kMostRecords = 64;  // rows wait for them
  if (known_next(walk).empty()) {
    if (walk.down) {
      list_down(walk, cancel, stats);
    } else {
      list(walk.left, walk.step, true, cancel, stats);
      walk.step = std::min(2 * walk.step, kMostPages);
    }
  }
  auto folders = unread(known_next(walk));
  if (folders.size() > walk.records) {
    walk.down ? folders.erase(folders.begin(), folders.end() - static_cast<std::ptrdiff_t>(walk.records))
              : folders.erase(folders.begin() + static_cast<std::ptrdiff_t>(walk.records), folders.end());
  }
  if (!folders.empty()) walk.records = std::min(2 * walk.records, kMostRecords);
  read_records(std::move(folders), cancel, stats);
}

// LIST only goes forwards, so going back means to guess where to begin: some partitions before what is known, or before now. Where
// a page from there is not all, the guess was too early, and the middle between that page and the end is the next one. No page is
// asked for twice.
void Catalogue::list_down(CatalogueWalk& walk, const Cancel* cancel, QueryStats& stats) {
  constexpr std::size_t kMostPartitions = 512;  // of one guess; after that it is the very beginning
  const Schema& schema = table_->schema;
  auto start_of = [&](std::int64_t time) { return partition_start(time, schema.precision, schema.partition); };
  const std::string last = walk.left.last;
  std::string floor = walk.left.after;  // what is below is known, or not wanted
  for (const KeyRange& known : covered_) {
    if (known.last < last) floor = std::max(floor, known.last);
  }
  const std::int64_t end = time_after(*table_, last).value_or(table_->max_time);
  const std::int64_t now = convert_precision(Clock::system().now_ms(), Precision::kMillis, schema.precision);
  std::int64_t guess = std::min(end, partition_end(now, schema.precision, schema.partition));
  for (std::size_t n = 0; n < std::min(walk.step, kMostPartitions) && guess > table_->min_time; n++) guess = start_of(guess - 1);
  // In a small archive the first page is everything, and then one request was enough.
  const bool small = covered_.empty() && !walk.large;
  std::string after = small || walk.step > kMostPartitions ? floor : std::max(floor, key_before(*table_, guess));
  for (bool first = small;; first = false) {
    ListingPtr listing = list({after, last}, 1, false, cancel, stats);
    const std::string& at = listing->range.last;
    if (at >= last) {
      walk.step *= listing->shards.size() ? 2 : 8;  // where nothing was, who knows how far down something is
      return;
    }
    large_ = true;
    walk.step = 1;
    const auto low = time_after(*table_, at);
    const std::int64_t next = low ? partition_end(*low, schema.precision, schema.partition) : end;
    if (next >= end) return list_all({at, last}, cancel, stats);
    after = key_before(*table_, std::max(next, first ? guess : start_of(std::midpoint(*low, end))));
  }
}

}  // namespace ts
