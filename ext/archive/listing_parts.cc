// Listing in parts: who lists what, and how the parts are cut.
#include "ext/archive/listing_parts.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <list>
#include <numeric>

#include "ext/base/clock.h"
#include "ext/base/worker_pool.h"

namespace ts {

std::optional<std::int64_t> time_after(const TableDef& table, std::string_view key) {
  const Schema& schema = table.schema;
  if (key <= table.directory + "/") return table.min_time;
  if (key >= table.directory + "0") return table.max_time;
  std::string_view below = key.substr(table.directory.size() + 1);
  const std::size_t slash = below.find('/');
  if (slash != std::string_view::npos) {
    const std::size_t end = std::min(below.find('_', slash), below.size());
    auto start = parse_compact(below.substr(slash + 1, end - slash - 1), schema.precision);
    below = below.substr(0, slash);
    if (start && partition_name(*start, schema.precision, schema.partition) == below) return start;
    if (!is_partition_name(below, schema.partition)) return std::nullopt;  // "<partition>0/..." is somebody else's too
  }
  // "<partition>", or "<partition>0" for what sorts after all of it.
  const bool behind = !is_partition_name(below, schema.partition) && below.ends_with('0');
  if (behind) below.remove_suffix(1);
  if (!is_partition_name(below, schema.partition)) return std::nullopt;
  const char* rest = schema.partition == Partition::kHour ? ":00" : schema.partition == Partition::kMonth ? "-01" : "";
  auto start = parse_timestamp(std::string(below) + rest, schema.precision);
  return start && behind ? partition_end(*start, schema.precision, schema.partition) : start;
}

std::string key_before(const TableDef& table, std::int64_t time) {
  if (time <= table.min_time) return table.directory + "/";
  const Schema& schema = table.schema;
  const std::string partition = table.directory + "/" + partition_name(time, schema.precision, schema.partition);
  if (partition_start(time, schema.precision, schema.partition) == time) return partition;
  return partition + "/" + format_compact(time, schema.precision);
}

namespace {

class Parts {
 public:
  Parts(Store& store, const TablePtr& table, const SpoolState& state, const Cancel* cancel)
      : store_(store), table_(table), state_(state), cancel_(cancel) {}

  std::vector<ListingPtr> list(const KeyRange& range, const ListingPtr& begun) {
    std::vector<ListingPtr> found;
    found.push_back(Lister(store_, table_, state_, cancel_).list(range, 1, false, begun));
    if (found[0]->range.last >= range.last) return found;
    {
      std::unique_lock lock(mutex_);
      begin(found[0], range);
      changed_.wait(lock, [this] { return working_ == 0; });
    }
    if (error_) std::rethrow_exception(error_);
    parts_.sort([](const Part& a, const Part& b) { return a.listing->range.after < b.listing->range.after; });
    for (Part& part : parts_) found.push_back(std::move(part.listing));
    return found;
  }

 private:
  struct Part {
    std::shared_ptr<Listing> listing;  // range.last: where it ends, until somebody takes half of it
    std::string at;                    // listed up to here
    double span = 0;                   // time in a page, as far as is known
  };

  // With the mutex held, as all that does not say otherwise.
  void begin(const ListingPtr& first, const KeyRange& range) {
    const std::string& at = first->range.last;
    const ShardList& shards = first->shards;
    const double span = shards.size() ? static_cast<double>(shards.start(shards.size() - 1)) - static_cast<double>(shards.start(0)) : 0;
    const Schema& schema = table_->schema;
    const std::int64_t now = convert_precision(Clock::system().now_ms(), Precision::kMillis, schema.precision);
    // What lies in the future is mostly nothing: the time up to the end of all times says nothing of how much there is.
    const std::string future = key_before(*table_, partition_end(now, schema.precision, schema.partition));
    if (first->at < future && future < range.last) {
      add({at, future}, span, first);
      add({future, range.last}, std::numeric_limits<double>::infinity());
    } else {
      add({at, range.last}, span, first);
    }
    while (working_ < kListedAtOnce && split()) {
    }
  }

  void add(KeyRange range, double span, const ListingPtr& begun = nullptr) {
    auto listing = std::make_shared<Listing>(Lister(store_, table_, state_, cancel_).nothing_yet(range, begun));
    parts_.push_back({listing, listing->at, span});
    working_++;
    try {
      WorkerPool::fetchers().submit([this, part = &parts_.back()] { work(*part); });
    } catch (...) {
      working_--;
      if (!error_) error_ = std::current_exception();
    }
  }

  std::int64_t at_of(const Part& part) const { return time_after(*table_, part.at).value_or(table_->min_time); }
  std::int64_t end_of(const Part& part) const { return time_after(*table_, part.listing->range.last).value_or(table_->max_time); }

  // How many more pages a part may have.
  double pages_left(const Part& part) const {
    const double left = static_cast<double>(end_of(part)) - static_cast<double>(at_of(part));
    return part.span > 0 ? left / part.span : left > 0 ? 1e18 : 0;
  }

  // Where a partition begins, near the middle of what is left of a part; empty: none does.
  std::string border_in(const Part& part) const {
    const Schema& schema = table_->schema;
    const std::string& last = part.listing->range.last;
    if (part.at >= last) return {};
    const std::int64_t middle = std::midpoint(at_of(part), end_of(part));
    std::string border = key_before(*table_, partition_start(middle, schema.precision, schema.partition));
    if (border <= part.at) border = key_before(*table_, partition_end(middle, schema.precision, schema.partition));
    return border > part.at && border < last ? border : std::string();
  }

  // Somebody who has nothing to do takes the later half of the longest rest. false: that is not worth it.
  bool split() {
    constexpr double kWorthwhilePages = 4;
    Part* longest = nullptr;
    for (Part& part : parts_) {
      if (!border_in(part).empty() && (!longest || pages_left(part) > pages_left(*longest))) longest = &part;
    }
    if (!longest || error_ || pages_left(*longest) < kWorthwhilePages) return false;
    std::string& last = longest->listing->range.last;
    std::string middle = border_in(*longest);
    std::swap(middle, last);
    add({last, middle}, longest->span);
    return true;
  }

  void work(Part& part) noexcept {  // without the mutex
    Lister lister(store_, table_, state_, cancel_);
    std::unique_lock lock(mutex_);
    try {
      while (!error_ && part.at < part.listing->range.last) {
        const std::string from = part.at;
        lock.unlock();
        ListPage page = lister.fetch(from);
        lock.lock();
        // What is behind the end is somebody else's by now. What is before it stays ours: no part is cut before where it is.
        const std::string& last = part.listing->range.last;
        const std::size_t fetched = page.objects.size();
        while (!page.objects.empty() && page.objects.back().key > last) page.objects.pop_back();
        const bool end = !page.more || page.objects.size() < fetched;
        part.at = end ? last : page.objects.back().key;
        lock.unlock();
        const std::size_t before = part.listing->shards.size();
        for (const ObjectInfo& object : page.objects) lister.add(object, *part.listing);
        lock.lock();
        const ShardList& shards = part.listing->shards;
        if (shards.size() > before + 1)
          part.span = static_cast<double>(shards.start(shards.size() - 1)) - static_cast<double>(shards.start(before));
      }
      part.listing->at = part.listing->range.last;
      part.listing->shards.finish();
      while (working_ <= kListedAtOnce && split()) {
      }
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      if (!error_) error_ = std::current_exception();
    }
    working_--;
    changed_.notify_all();
  }

  Store& store_;
  const TablePtr& table_;
  const SpoolState& state_;
  const Cancel* cancel_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Part> parts_;  // a part's shards belong to whoever works on it
  std::size_t working_ = 0;
  std::exception_ptr error_;
};

}  // namespace

std::vector<ListingPtr> list_in_parts(Store& store, const TablePtr& table, const SpoolState& state, const KeyRange& range,
                                      const Cancel* cancel, const ListingPtr& begun) {
  return Parts(store, table, state, cancel).list(range, begun);
}

}  // namespace ts
