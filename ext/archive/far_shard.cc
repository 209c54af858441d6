// The plan's choice, and the shard's way from a listing to an open file.
#include "ext/archive/far_shard.h"

#include <algorithm>
#include <utility>

namespace ts {
namespace {

// Up to here the head is most of the file, and a round trip costs more than the rest of it.
constexpr std::uint64_t kSmallBytes = 1 << 20;
constexpr std::uint64_t kWindowBytes = 16 << 20;  // of a file at a time; the scan that reads it asks for what follows
constexpr std::uint64_t kTurnsBytes = 64 << 20;   // of a file whose series are read in turns: else each turn would fetch it again

}  // namespace

Fetch how_to_fetch(std::uint64_t size, std::int64_t rows, const ScanPlan& plan, const Schema& schema) {
  auto is_tag = [&](const Filter& filter) { return schema.columns[static_cast<std::size_t>(filter.column)].tag; };
  if (size <= kSmallBytes) return Fetch::kWhole;
  if (plan.few_chunks || (plan.limit >= 0 && plan.limit < rows)) return Fetch::kHeadFirst;
  return std::any_of(plan.filters.begin(), plan.filters.end(), is_tag) ? Fetch::kHeadFirst : Fetch::kWhole;
}

FarShard::FarShard(ShardFiles& files, std::shared_ptr<Store> store, TablePtr table, ShardRef ref, const ScanPlan& plan,
                   const Cancel* cancel)
    : files_(files),
      store_(std::move(store)),
      table_(std::move(table)),
      ref_(std::move(ref)),
      how_(how_to_fetch(ref_, plan, table_->schema)),
      in_turns_(plan.order == Order::kTimeAscending || plan.order == Order::kTimeDescending),
      cancel_(cancel) {}

FarShard::~FarShard() {
  if (bytes_) bytes_->end_prefetch();
  if (!file_) return;
  try {
    files_.give_back(std::move(file_));
  } catch (...) {
    // Out of memory: it is closed instead.
  }
}

// From an earlier scan, or new. A shard in the spool is opened when it is read.
void FarShard::find() {
  if (std::exchange(found_, true)) return;
  file_ = files_.take(ShardFile::id_of(*store_, *table_, ref_));
  if (file_) {
    file_->lend(cancel_);
    bytes_ = file_->bytes();
  } else if (ref_.path.empty()) {
    bytes_ = std::make_shared<RangedFile>(store_, ref_.key, ref_.etag, ref_.size, files_.ahead());
  }
  if (!bytes_) return;
  bytes_->read_whole(how_ == Fetch::kWhole);
  if (in_turns_) bytes_->keep(window());
}

std::uint64_t FarShard::window() const {
  const std::uint64_t most = in_turns_ ? kTurnsBytes : kWindowBytes;
  return std::min(ref_.size, how_ == Fetch::kWhole ? most : RangedFile::kHeadBytes);
}

void FarShard::start_with(std::uint64_t room) {
  if (begun_ || (ref_.path.empty() && room < window())) return;
  find();
  begun_ = true;
  if (bytes_ && !(file_ && how_ == Fetch::kHeadFirst)) bytes_->prefetch({{0, window()}}, cancel_);
}

bool FarShard::start() {
  std::lock_guard lock(mutex_);
  start_with(files_.ahead()->room());
  return begun_;
}

void FarShard::fetch_whole() {
  std::lock_guard lock(mutex_);
  if (!bytes_) return;
  bytes_->read_whole(true);
  bytes_->prefetch({{0, std::min(ref_.size, kWindowBytes)}}, cancel_);
}

void FarShard::await() {
  std::lock_guard lock(mutex_);
  find();
  if (bytes_) bytes_->await();
  start_with(UINT64_MAX);
}

std::unique_ptr<ShardFile> FarShard::open(QueryStats& stats) {
  std::unique_ptr<ShardFile> file;
  std::shared_ptr<RangedFile> bytes;
  {
    std::lock_guard lock(mutex_);
    start_with(files_.ahead()->room());
    find();
    file = std::move(file_);
    bytes = bytes_;
  }
  if (file) {
    stats.cache_hits++;
  } else {
    file = std::make_unique<ShardFile>(store_, table_, ref_, cancel_, std::move(bytes));
  }
  stats.files_read++;
  return file;
}

void FarShard::give_back(std::unique_ptr<ShardFile> file) {
  {
    std::lock_guard lock(mutex_);
    bytes_ = nullptr;  // the next who uses it may have begun something already
  }
  files_.give_back(std::move(file));
}

FarShard& FarShards::at(std::size_t index) {
  std::unique_ptr<FarShard>& made = made_[index];
  if (!made) made = std::make_unique<FarShard>(files_, store_, table_, places_[index].ref(), *plan_, &cancel_);
  return *made;
}

void FarShards::announce(std::size_t done) {
  for (; dropped_ < done; dropped_++) made_[dropped_] = nullptr;
  announced_ = std::max(announced_, done);
  for (std::size_t most = std::min(size(), done + FarShard::kAhead); announced_ < most; announced_++) {
    if (!at(announced_).start()) break;
  }
}

}  // namespace ts
