// What each party does, and what a reader must have seen.
#include "tests/support/archive_world.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

using namespace ts;

namespace ts_test {
namespace {

constexpr int kMostDepth = 3;
constexpr std::int64_t kGrace = 1000;

[[noreturn]] void broken(const std::string& what, int row) { throw std::logic_error(what + ": row " + std::to_string(row)); }

}  // namespace

ArchiveWorld::ArchiveWorld(unsigned seed, std::size_t page_size, int days) : random_(seed), days_(days) {
  const auto each_day = static_cast<std::size_t>(days);
  acknowledged_.resize(each_day);
  expired_.resize(each_day);
  expiring_.resize(each_day);
  store_->set_page_size(page_size);
  store_->overwrite("cpu/schema-000001.json", "{}");
  store_->before([this](const MemoryStore::Request&) { nest(); });
}

// What others do between two requests of somebody.
void ArchiveWorld::nest() {
  const std::unique_lock lock(acting_, std::try_to_lock);
  if (!lock) return;
  if (depth_ >= kMostDepth || random_() % (8u << 2 * depth_) != 0) return;
  depth_++;
  depth_reached = std::max(depth_reached, depth_);
  try {
    for (unsigned acts = 1 + random_() % 4; acts > 0; acts--) act();  // one that merges and one that sweeps, perhaps, under a reader
  } catch (...) {
    depth_--;
    throw;
  }
  depth_--;
}

void ArchiveWorld::act() {
  now_ms_ += static_cast<std::int64_t>(random_() % 700);
  switch (random_() % 12) {
    case 0:
    case 1:
    case 2: return write();
    case 3:
    case 4:
    case 5: return merge();
    case 6: return sweep();
    case 7: return upload_again();
    case 8: return random_() % 8 ? void() : expire();
    default: return read();
  }
}

std::string ArchiveWorld::day_name(int day) const {
  return partition_name(kT0 + day * kDay, table_->schema.precision, table_->schema.partition);
}

ShardName ArchiveWorld::new_name(int day, std::int64_t rows) {
  std::array<unsigned char, 10> bits{};
  bits[7] = static_cast<unsigned char>(random_());  // names of one instant sort as they like
  bits[8] = static_cast<unsigned char>(next_name_ >> 8), bits[9] = static_cast<unsigned char>(next_name_);
  next_name_++;
  const std::int64_t start = kT0 + day * kDay + static_cast<std::int64_t>(random_() % 80) * 1'000'000;
  return {start, start + 1000, rows, "w", make_ulid(now_ms_, bits)};
}

void ArchiveWorld::write() {
  const int day = static_cast<int>(random_() % static_cast<unsigned>(days_));
  const int row = next_row_++;
  const ShardName name = new_name(day, 1);
  rows_of_[name.id] = {row};
  const std::string key = table_->directory + "/" + day_name(day) + "/" + format_shard_name(name, table_->schema.precision);
  uploaded_[name.id] = key;
  store_->put_if_absent(key, "x");
  if (expiring_[static_cast<std::size_t>(day)] == 0) acknowledged_[static_cast<std::size_t>(day)].insert(row);
}

void ArchiveWorld::upload_again() {
  if (uploaded_.empty()) return;
  auto which = uploaded_.begin();
  std::advance(which, static_cast<std::ptrdiff_t>(random_() % uploaded_.size()));
  again += store_->put_if_absent(which->second, "x").stored;
}

void ArchiveWorld::merge() {
  const std::string day = day_name(static_cast<int>(random_() % static_cast<unsigned>(days_)));
  PartitionFiles files = list_partition(*store_, *table_, day, nullptr);
  std::vector<PartitionFiles::File> inputs;
  const auto counting = files.counting(*store_, *table_);
  auto wanted = [this](const PartitionFiles::File&) { return random_() % 4 != 0; };
  std::copy_if(counting.begin(), counting.end(), std::back_inserter(inputs), wanted);
  if (inputs.size() < 2) return;
  Rows rows;
  std::vector<UlidBits> ids;
  std::int64_t start = INT64_MAX, end = INT64_MIN;
  for (const PartitionFiles::File& file : inputs) {
    rows.insert(rows_of_[file.name.id].begin(), rows_of_[file.name.id].end());
    ids.push_back(ulid_bits(file.name.id));
    start = std::min(start, file.name.start), end = std::max(end, file.name.end);
  }
  ShardName name = new_name(0, static_cast<std::int64_t>(rows.size()));
  name.start = start, name.end = end;
  rows_of_[name.id] = rows;
  const std::string key = merged_file_key(*table_, name);
  PutResult put = store_->put_if_absent(key, std::string(rows.size(), 'm'));
  if (random_() % 10 == 0) return;  // it dies here
  PartitionCommits commits(*store_, *table_, "merge");
  MergeRecord next = files.record.next(new_ulid());
  next.bury(ids, now_ms_ + (random_() % 3 ? 0 : kGrace));
  next.add_live({name, rows.size(), put.etag});
  commits.commit(files.record, next, nullptr) ? merges++ : lost_commits++;
}

void ArchiveWorld::sweep() {
  const int day = static_cast<int>(random_() % static_cast<unsigned>(days_));
  PartitionCommits commits(*store_, *table_, "sweep");
  removed += static_cast<int>(sweep_partition(*store_, *table_, commits, day_name(day), now_ms_, kGrace, nullptr).files);
}

void ArchiveWorld::expire() {
  const int day = static_cast<int>(random_() % static_cast<unsigned>(days_));
  Expiry expiry(*store_, *table_, "expire", kGrace);
  // What is stored before it begins goes; what comes meanwhile may stay.
  const Rows before = acknowledged_[static_cast<std::size_t>(day)];
  Rows& expired_here = expired_[static_cast<std::size_t>(day)];
  acknowledged_[static_cast<std::size_t>(day)].clear();  // nobody counts on them from now on
  expiring_[static_cast<std::size_t>(day)]++;
  expiry.expire(day_name(day), now_ms_, nullptr);
  expiring_[static_cast<std::size_t>(day)]--;
  expired_here.insert(before.begin(), before.end());
  expired++;
}

void ArchiveWorld::read() {
  std::vector<Rows> must = acknowledged_, gone = expired_;
  const std::int64_t from = kT0 + static_cast<std::int64_t>(random_() % static_cast<unsigned>(days_)) * kDay;
  const std::int64_t to = random_() % 2 ? kT0 + days_ * kDay : from + kDay - 1;
  const unsigned how = random_() % 3;
  std::multiset<int> seen;
  for (int tries = 0;; tries++) {
    if (tries == 100) throw std::logic_error("a reader never comes to an end");
    try {
      seen.clear();
      QueryStats stats;
      LocalSnapshot local(view_, nullptr);
      Catalogue catalogue(store_, table_, local, 0);
      auto each = [&](const ShardList& list, std::size_t i, std::int64_t) {
        const ShardRef ref = list.ref(i);
        store_->get_range(ref.key, ref.etag, 0, 1);
        const Rows& rows = rows_of_[ulid_text(list.id(i))];
        seen.insert(rows.begin(), rows.end());
      };
      if (how == 0) {
        catalogue.cover(from, to, nullptr, stats);
        catalogue.find(from, to, each);
        break;
      }
      CatalogueWalk walk = catalogue.walk(from, to, how == 1, random_() % 2);
      if (random_() % 4 == 0) catalogue.begin_whole(nullptr, stats);
      while (!walk.done()) {
        if (!catalogue.knows_next(walk)) catalogue.list_next(walk, nullptr, stats);
        catalogue.find(catalogue.take_next(walk), from, to, each);
      }
      break;
    } catch (const Error& e) {
      if (e.code() != Code::kChanged && e.code() != Code::kNotFound) throw;
      planned_again++;  // a file was removed
      must = acknowledged_, gone = expired_;  // the statement begins anew
    }
  }
  reads++;
  for (int row : seen) {
    if (seen.count(row) != 1) broken("seen twice", row);
  }
  for (int day = 0; day < days_; day++) {
    const auto d = static_cast<std::size_t>(day);
    const std::int64_t start = kT0 + day * kDay;
    if (start + kDay - 1 < from || start > to) continue;
    for (int row : must[d]) {
      const bool expired_meanwhile = !acknowledged_[d].count(row);
      if (!seen.count(row) && !expired_meanwhile) broken("not seen", row);
    }
    for (int row : gone[d]) {
      if (seen.count(row)) broken("seen after it expired", row);
    }
  }
}

}  // namespace ts_test
