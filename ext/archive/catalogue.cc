// Catalogue: which keys are missing, who knows them, and what of them is left out.
#include "ext/archive/catalogue.h"

#include <algorithm>

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
  if (max_age_ms_ == 0) return;
  YoungListings& young = local_.view().spool().listings();
  for (KeyRange needed = missing(from, to); !needed.empty(); needed = missing(from, to)) {
    ListingPtr listing = young.find(table_->name, needed.after, max_age_ms_);
    std::shared_ptr<ShardList> since = listing ? stored_since(*listing) : nullptr;
    if (!since) return;
    const std::vector<std::string> hidden = hidden_keys();
    // A file may have been stored while it was listed: then it is in both.
    std::vector<std::string> hidden_since = hidden;
    for (std::size_t i = 0; i < since->size(); i++) {
      if (listing->shards.find(since->key(i))) hidden_since.push_back(since->key(i));
    }
    for (const KeyRange& gap : gaps({needed.after, std::min(needed.last, listing->range.last)})) {
      take(since, gap, hidden_since, stats);
      take(listing, gap, hidden, stats);
    }
  }
}

// What this spool has stored since then and its snapshot does not read. Null: that is not known any more.
std::shared_ptr<ShardList> Catalogue::stored_since(const Listing& listing) {
  auto rows = local_.view().db().stored_since(table_->name, listing.last_seq, listing.waiting, local_.state().last_seq);
  if (!rows) return nullptr;
  std::sort(rows->begin(), rows->end(), [](const SealedRow& a, const SealedRow& b) { return a.key < b.key; });
  auto since = std::make_shared<ShardList>(table_);
  for (const SealedRow& row : *rows) {
    auto name = parse_shard_name(row.key.substr(row.key.rfind('/') + 1), table_->schema.precision);
    // A credential that may create and not read does not learn an ETag after a lost answer: then only LIST tells it.
    if (!name || row.etag.empty()) return nullptr;
    since->add(*name, row.etag, static_cast<std::uint64_t>(row.bytes));
  }
  return since;
}

void Catalogue::cover(std::int64_t from, std::int64_t to, bool whole, const Cancel* cancel, QueryStats& stats) {
  if (whole && covered_.empty()) {
    // Several ranges in one statement: the first page of everything answers them all in a small archive.
    list(keys_of(*table_, INT64_MIN, INT64_MAX), 1, cancel, stats);
    large_ = covered_.back().last < keys_of(*table_, INT64_MIN, INT64_MAX).last;
  }
  if (covers(from, to)) return;
  // A statement that goes on to earlier and earlier ranges lists twice as many partitions before them each time.
  const Schema& schema = table_->schema;
  from = std::clamp(from, table_->min_time, table_->max_time);
  bool earlier = !covered_.empty() && missing(from, to).after < covered_.front().after;
  for (std::size_t n = 1ull << std::min<std::size_t>(covered_.size(), 12); earlier && n > 1 && from > table_->min_time; n--) {
    from = std::max(table_->min_time, partition_start(from, schema.precision, schema.partition) - 1);
  }
  list(missing(from, to), SIZE_MAX, cancel, stats);
}

void Catalogue::list(const KeyRange& range, std::size_t pages, const Cancel* cancel, QueryStats& stats) {
  YoungListings& young = local_.view().spool().listings();
  const std::uint64_t drops = young.drops();
  ListingPtr listing = Lister(*store_, table_, local_.state(), cancel).list(range, pages);
  if (max_age_ms_ > 0) young.keep(table_->name, listing, drops);
  const std::vector<std::string> hidden = hidden_keys();
  for (const KeyRange& gap : gaps(listing->range)) take(listing, gap, hidden, stats);
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

// Files whose rows the local snapshot has, or that were sealed after it.
std::vector<std::string> Catalogue::hidden_keys() {
  SpoolDb& db = local_.view().db();
  std::vector<std::string> hidden = db.keys_after(table_->name, local_.state().last_seq);
  if (!db.remembers_since(local_.state().last_seq)) {
    throw Error(Code::kChanged, "timeseries: this statement has been open for more than a day, and what was stored meanwhile cannot be "
                                "told from what was there; run the statement again");
  }
  for (const SealedRow& row : local_.state().sealed) hidden.push_back(row.key);
  return hidden;
}

void Catalogue::take(const ListingPtr& listing, const KeyRange& range, const std::vector<std::string>& hidden, QueryStats& stats) {
  take(std::shared_ptr<const ShardList>(listing, &listing->shards), range, hidden, stats);
  covered_.push_back(range);
  std::sort(covered_.begin(), covered_.end(), [](const KeyRange& a, const KeyRange& b) { return a.after < b.after; });
}

void Catalogue::take(std::shared_ptr<const ShardList> list, const KeyRange& range, const std::vector<std::string>& hidden,
                     QueryStats& stats) {
  Block block{std::move(list), 0, 0, {}, next_ordinal_};
  block.begin = block.list->after(range.after);
  block.end = block.list->after(range.last);
  for (const std::string& key : hidden) {
    auto found = block.list->find(key);
    if (found && *found >= block.begin && *found < block.end) block.hidden.push_back(*found);
  }
  std::sort(block.hidden.begin(), block.hidden.end());
  block.hidden.erase(std::unique(block.hidden.begin(), block.hidden.end()), block.hidden.end());
  stats.files_listed += static_cast<std::int64_t>(block.end - block.begin - block.hidden.size());
  next_ordinal_ += static_cast<std::int64_t>(block.end - block.begin);
  if (block.begin < block.end) blocks_.push_back(std::move(block));
}

}  // namespace ts
