// The block cache and read-ahead of one object.
//
// Laws: every GET after the first carries the pinned ETag, and an answer of another ETag or size is kChanged. A block
// is asked for by one thread at a time; the others wait for it. A failed GET leaves nothing behind. No lock is held
// while a request runs or a Cancel is asked.
#include "vfs/ranged_file.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "ext/base/worker_pool.h"
#include "vfs/remote_uri.h"

namespace ts {
namespace {

constexpr std::uint64_t kBlockBytes = 64 << 10;  // SQLite's largest page: a page read is at most one GET
// The first GET of a file that is not read whole, or of unknown size: more would make a point query wait for bytes it does not want.
constexpr std::uint64_t kReadAheadBytes = 4 << 20;      // beyond it a request's fixed cost no longer shows
constexpr std::uint64_t kGetBytes = 16 << 20;           // what a caller asks for in one read may go out as one GET
constexpr std::uint64_t kCacheBytes = 16 << 20;         // four scans of one file at full read-ahead side by side
constexpr std::uint64_t kIslandBlocks = 4;              // what is there already is asked for again rather than split a GET
constexpr std::uint64_t kOwnAheadBytes = 16 << 20;      // of a file that shares no bound with others
constexpr std::uint64_t kFollowFromBytes = 1 << 20;     // of read-ahead that a scan has earned, after which it is followed
constexpr std::uint64_t kFollowBytes = 8 << 20;         // of what comes next, while as much is being read
constexpr std::size_t kStreams = 8;                     // scans remembered: tables and indexes read in turns
constexpr std::chrono::milliseconds kPollInterval{20};  // Cancel's law

using Block = std::shared_ptr<const std::string>;

// Half open: [begin, end) in blocks.
struct Run {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t blocks() const { return end - begin; }
};

class Detachable;

// A GET that is on its way. Guarded by Impl::mutex_.
struct Fetch {
  Run run;
  bool begun = false, done = false;
  std::shared_ptr<Detachable> in_advance;  // for whom, if nobody waits for it: its blocks count as AheadBytes
  // Why it failed, where that holds for the waiters too. Not an Error: copies of one share their text, across threads.
  std::optional<std::pair<Code, std::string>> failure;
};

// Where a scan was seen last, and how much read-ahead it has earned.
struct Stream {
  Run last;
  std::uint64_t window = 0;  // in blocks; 0: nobody was here yet
  std::uint64_t used = 0;
  std::uint64_t followed_from = UINT64_MAX;  // the scan's arrival there has what comes after last.end fetched
};

// The Cancel of prefetches, which may outlive the statement they are made for: detach() cuts them off from it.
class Detachable : public Cancel {
 public:
  explicit Detachable(const Cancel* target) : target_(target) {}
  void detach() {
    std::lock_guard lock(mutex_);
    detached_ = true;
    target_ = nullptr;
  }
  bool cancelled() const override {
    std::lock_guard lock(mutex_);
    return detached_ || (target_ && target_->cancelled());
  }
  void charge(std::uint64_t requests, std::uint64_t bytes) const override {
    std::lock_guard lock(mutex_);
    if (target_) target_->charge(requests, bytes);
  }
  void cache_hit() const override {
    std::lock_guard lock(mutex_);
    if (target_) target_->cache_hit();
  }
  void admit(std::uint64_t bytes) const override {
    std::lock_guard lock(mutex_);
    if (target_) target_->admit(bytes);
  }
  void spare(std::uint64_t bytes) const override {
    std::lock_guard lock(mutex_);
    if (target_) target_->spare(bytes);
  }

 private:
  mutable std::mutex mutex_;
  const Cancel* target_;  // guarded by mutex_, as the next
  bool detached_ = false;
};

}  // namespace

struct RangedFile::Impl : std::enable_shared_from_this<Impl> {
  Impl(std::shared_ptr<Store> store, std::string key, std::string etag, std::uint64_t size, std::shared_ptr<AheadBytes> ahead)
      : store_(std::move(store)),
        key_(std::move(key)),
        name_(without_secrets(object_name(*store_, key_))),
        ahead_(ahead ? std::move(ahead) : std::make_shared<AheadBytes>(kOwnAheadBytes)),
        pinned_(!etag.empty()),
        etag_(std::move(etag)),
        size_(pinned_ ? size : 0) {
    if (pinned_) check_size(size_);
  }

  std::uint64_t size(const Cancel* cancel);
  std::size_t read(std::uint64_t offset, char* into, std::size_t length, const Cancel* cancel);

  void read_whole(bool whole);
  void prefetch(std::vector<Span> spans, const Cancel* cancel);
  void follow(const Cancel* cancel);
  std::uint64_t room() const { return awaited_ ? UINT64_MAX : ahead_->room(); }
  void await() { awaited_ = true; }
  void keep(std::uint64_t bytes);
  void end_prefetch();
  bool peek(std::uint64_t offset, char* into, std::size_t length);

  // Constant after construction.
  const std::shared_ptr<Store> store_;
  const std::string key_;
  const std::string name_;
  const std::shared_ptr<AheadBytes> ahead_;

 private:
  struct Cached {
    Block bytes;
    std::list<std::uint64_t>::iterator place;  // in recent_ or unread_
    bool unread = false;                       // fetched in advance
  };

  // The block, from memory or by a GET that may bring more: up to block `last` the caller wants them now. Null: the
  // object ends before it.
  Block block(std::uint64_t index, std::uint64_t last, const Cancel* cancel);
  std::shared_ptr<Fetch> claim(Run run);
  Block fetch(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Fetch>& fetch, std::uint64_t index, const Cancel* cancel);
  void fetch_in_advance(std::unique_lock<std::mutex>& lock, const std::vector<Run>& runs);
  void submit(std::unique_lock<std::mutex>& lock, Run part);
  void follow_scan(std::unique_lock<std::mutex>& lock, std::uint64_t index);
  void wait(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Fetch>& fetch, const Cancel* cancel);

  // With mutex_ held:
  Run plan(std::uint64_t index, std::uint64_t last);
  bool is_whole() const { return whole_ && size_ <= kWholeBytes; }
  std::vector<Run> missing(std::vector<Span> spans) const;
  void was_read(Cached& cached);
  Stream& stream_of(Run wanted);
  void extend_up(Run& run, std::uint64_t end) const;
  void extend_down(Run& run, std::uint64_t begin) const;
  std::uint64_t block_count() const { return (size_ + kBlockBytes - 1) / kBlockBytes; }
  void accept(const Range& range, std::uint64_t offset, std::uint64_t length);
  void remember(std::uint64_t index, Block bytes, bool in_advance);
  void make_room();

  void check_size(std::uint64_t size) const;

  std::mutex mutex_;
  std::condition_variable fetched_;
  // Guarded by mutex_; the first three never change once pinned_ is true.
  bool pinned_;
  std::string etag_;
  std::uint64_t size_;
  std::unordered_map<std::uint64_t, Cached> cache_;
  std::list<std::uint64_t> recent_;  // front: used last
  std::list<std::uint64_t> unread_;  // fetched in advance, and never forgotten before somebody reads it
  std::unordered_map<std::uint64_t, std::shared_ptr<Fetch>> in_flight_;
  std::array<Stream, kStreams> streams_;
  std::uint64_t clock_ = 0;  // counts misses: the age of a stream
  std::shared_ptr<Detachable> prefetching_;
  std::uint64_t kept_bytes_ = kCacheBytes;
  bool whole_ = true, following_ = false;
  std::atomic<bool> awaited_{false};
};

std::uint64_t RangedFile::Impl::size(const Cancel* cancel) {
  {
    std::lock_guard lock(mutex_);
    if (pinned_) return size_;
  }
  block(0, 0, cancel);
  std::lock_guard lock(mutex_);
  return size_;
}

std::size_t RangedFile::Impl::read(std::uint64_t offset, char* into, std::size_t length, const Cancel* cancel) {
  const std::uint64_t size = this->size(cancel);
  if (offset >= size || length == 0) return 0;
  const std::uint64_t end = offset + std::min<std::uint64_t>(length, size - offset);
  for (std::uint64_t at = offset; at < end;) {
    const Block bytes = block(at / kBlockBytes, (end - 1) / kBlockBytes, cancel);
    const std::uint64_t from = at % kBlockBytes;
    const std::uint64_t count = std::min(end - at, bytes->size() - from);
    std::memcpy(into + (at - offset), bytes->data() + from, count);
    at += count;
  }
  return static_cast<std::size_t>(end - offset);
}

Block RangedFile::Impl::block(std::uint64_t index, std::uint64_t last, const Cancel* cancel) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (pinned_ && index >= block_count()) return nullptr;
    if (auto hit = cache_.find(index); hit != cache_.end()) {
      const Block bytes = hit->second.bytes;
      was_read(hit->second);
      follow_scan(lock, index);
      return bytes;
    }
    auto running = in_flight_.find(index);
    const std::shared_ptr<Fetch> found = running == in_flight_.end() ? claim(plan(index, last)) : running->second;
    follow_scan(lock, index);
    if (!found->begun) return fetch(lock, found, index, cancel);
    wait(lock, found, cancel);
  }
}

// With mutex_ held.
void RangedFile::Impl::was_read(Cached& cached) {
  if (!cached.unread) return recent_.splice(recent_.begin(), recent_, cached.place);
  make_room();
  recent_.splice(recent_.begin(), unread_, cached.place);
  cached.unread = false;
  ahead_->give_back(kBlockBytes);
}

void RangedFile::Impl::wait(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Fetch>& fetch, const Cancel* cancel) {
  while (!fetch->done) {
    fetched_.wait_for(lock, kPollInterval);
    if (!cancel || fetch->done) continue;
    lock.unlock();
    if (cancel->cancelled()) throw Error(Code::kInterrupted, "read: interrupted: " + name_);
    lock.lock();
  }
  if (fetch->failure) throw Error(fetch->failure->first, fetch->failure->second);
}

// With mutex_ held: the blocks of `run` that are not there are on their way from now on.
std::shared_ptr<Fetch> RangedFile::Impl::claim(Run run) {
  const auto fetch = std::make_shared<Fetch>();
  fetch->run = run;
  try {
    for (std::uint64_t i = run.begin; i < run.end; ++i) {
      if (!cache_.contains(i)) in_flight_.emplace(i, fetch);
    }
  } catch (...) {
    std::erase_if(in_flight_, [&](const auto& block) { return block.second == fetch; });
    throw;
  }
  return fetch;
}

// One GET for a claimed run that nobody has begun. Returns the block `index` of it, which is read thereby.
Block RangedFile::Impl::fetch(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Fetch>& fetch, std::uint64_t index,
                              const Cancel* cancel) {
  const Run run = fetch->run;
  const std::uint64_t offset = run.begin * kBlockBytes;
  const std::uint64_t length = pinned_ ? std::min(run.blocks() * kBlockBytes, size_ - offset) : run.blocks() * kBlockBytes;
  const std::string etag = etag_;
  fetch->begun = true;
  Block wanted;
  // Every way out settles the fetch, with mutex_ held: waiters must not wait for what nobody will bring.
  struct Settle {
    ~Settle() {
      if (!lock.owns_lock()) lock.lock();
      for (std::uint64_t i = run.begin; i < run.end; ++i) {
        if (auto mine = file.in_flight_.find(i); mine != file.in_flight_.end() && mine->second == fetch) file.in_flight_.erase(mine);
      }
      file.ahead_->give_back(counted * kBlockBytes);
      fetch->done = true;
      file.fetched_.notify_all();
    }
    Impl& file;
    std::unique_lock<std::mutex>& lock;
    const Run run;
    const std::shared_ptr<Fetch>& fetch;
    std::uint64_t counted;  // as AheadBytes
  } settle{*this, lock, run, fetch, fetch->in_advance ? run.blocks() : 0};
  try {
    lock.unlock();
    const Range range = store_->get_range(key_, etag, offset, length, cancel);
    lock.lock();
    accept(range, offset, length);
    for (std::uint64_t at = 0; at < range.bytes.size(); at += kBlockBytes) {
      const std::uint64_t i = run.begin + at / kBlockBytes;
      auto bytes = std::make_shared<const std::string>(range.bytes, at, kBlockBytes);
      if (i == index) wanted = bytes;
      // Nobody's any more if it was called off meanwhile.
      const bool in_advance = i != index && fetch->in_advance && fetch->in_advance == prefetching_ && !cache_.contains(i);
      remember(i, std::move(bytes), in_advance);
      if (in_advance) settle.counted--;
    }
  } catch (const Error& e) {
    if (!lock.owns_lock()) lock.lock();
    // An interrupt is the caller's own; whoever waits asks for itself.
    if (e.code() != Code::kInterrupted) fetch->failure.emplace(e.code(), e.what());
    throw;
  }
  return wanted;
}

void RangedFile::Impl::read_whole(bool whole) {
  std::lock_guard lock(mutex_);
  whole_ = whole;
}

void RangedFile::Impl::keep(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  kept_bytes_ = std::max(kCacheBytes, bytes);
}

void RangedFile::Impl::prefetch(std::vector<Span> spans, const Cancel* cancel) {
  std::unique_lock lock(mutex_);
  if (!pinned_) return;
  if (is_whole()) spans = {{0, size_}};
  const std::vector<Run> runs = missing(std::move(spans));
  if (runs.empty()) return;
  if (!prefetching_) prefetching_ = std::make_shared<Detachable>(cancel);
  fetch_in_advance(lock, runs);
}

void RangedFile::Impl::follow(const Cancel* cancel) {
  std::lock_guard lock(mutex_);
  if (!prefetching_) prefetching_ = std::make_shared<Detachable>(cancel);
  following_ = true;
}

// With mutex_ held: runs of blocks that are neither there nor on their way; what lies between near spans is fetched along.
std::vector<Run> RangedFile::Impl::missing(std::vector<Span> spans) const {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.offset < b.offset; });
  std::vector<Run> runs;
  const auto absent = [&](std::uint64_t block) { return !cache_.contains(block) && !in_flight_.contains(block); };
  const auto add = [&](std::uint64_t block) {
    if (!absent(block)) return;
    bool near = !runs.empty() && block - runs.back().end <= kIslandBlocks;
    for (std::uint64_t i = near ? runs.back().end : block; near && i < block; ++i) near = absent(i);
    near ? void(runs.back().end = block + 1) : void(runs.push_back({block, block + 1}));
  };
  for (const Span& span : spans) {
    if (span.offset >= size_ || span.length == 0) continue;
    const std::uint64_t last = (span.offset + std::min(span.length, size_ - span.offset) - 1) / kBlockBytes;
    for (std::uint64_t i = span.offset / kBlockBytes; i <= last; ++i) {
      if (runs.empty() || i >= runs.back().end) add(i);
    }
  }
  return runs;
}

// With mutex_ held: as much of `runs`, which are missing, as there is room for.
void RangedFile::Impl::fetch_in_advance(std::unique_lock<std::mutex>& lock, const std::vector<Run>& runs) {
  constexpr std::uint64_t kPartBlocks = kPartBytes / kBlockBytes;
  for (Run run : runs) {
    const std::uint64_t wanted = run.blocks() * kBlockBytes;
    std::uint64_t taken = wanted;
    awaited_ ? ahead_->take_regardless(wanted) : void(taken = ahead_->take(wanted));
    ahead_->give_back(taken % kBlockBytes);
    const bool all = taken == wanted;
    run.end = run.begin + taken / kBlockBytes;
    const std::uint64_t parts = is_whole() ? 1 : (run.blocks() + kPartBlocks - 1) / kPartBlocks;
    for (std::uint64_t part = 0; part < parts && run.blocks() > 0; ++part) {
      submit(lock, {run.begin + run.blocks() * part / parts, run.begin + run.blocks() * (part + 1) / parts});
    }
    if (!all) return;
  }
}

// With mutex_ held, but while no thread is to be had and the GET is made here. The part counts as AheadBytes.
void RangedFile::Impl::submit(std::unique_lock<std::mutex>& lock, Run part) {
  std::shared_ptr<Fetch> claimed;
  try {
    claimed = claim(part);
  } catch (...) {
    ahead_->give_back(part.blocks() * kBlockBytes);
    throw;
  }
  claimed->in_advance = prefetching_;
  auto task = [self = shared_from_this(), claimed, cancel = prefetching_] {
    std::unique_lock own(self->mutex_);
    try {
      if (!claimed->begun) self->fetch(own, claimed, UINT64_MAX, cancel.get());
    } catch (...) {
      // Whoever waits for these blocks has the error; others ask again.
    }
  };
  try {
    WorkerPool::fetchers().submit(task);
  } catch (...) {
    lock.unlock();
    task();  // no thread is to be had
    lock.lock();
  }
}

// With mutex_ held: a scan that was followed has come to `index`. A window of what comes after it is on its way while the one
// before is read, so that no reader waits for a request that could have been made earlier.
void RangedFile::Impl::follow_scan(std::unique_lock<std::mutex>& lock, std::uint64_t index) {
  if (!following_ || !prefetching_) return;
  const auto found = std::find_if(streams_.begin(), streams_.end(),
                                  [&](const Stream& s) { return s.window > 0 && s.followed_from <= index && index < s.last.end; });
  if (found == streams_.end() || found->last.end >= block_count()) return;
  const std::uint64_t most = std::min(kFollowBytes, room()) / kBlockBytes;
  const Run next{found->last.end, std::min(block_count(), found->last.end + std::min(4 * found->window, most))};
  if (next.blocks() < kFollowFromBytes / kBlockBytes && next.end < block_count()) return;  // small GETs do not pay
  found->window = std::max(found->window, std::min(kReadAheadBytes / kBlockBytes, next.blocks()));
  found->followed_from = next.begin;
  found->last.end = next.end;
  found->used = ++clock_;
  fetch_in_advance(lock, missing({{next.begin * kBlockBytes, next.blocks() * kBlockBytes}}));
}

void RangedFile::Impl::end_prefetch() {
  std::shared_ptr<Detachable> last;
  {
    std::lock_guard lock(mutex_);
    last = std::exchange(prefetching_, nullptr);
    following_ = false;
    awaited_ = false;
    kept_bytes_ = kCacheBytes;
    while (!unread_.empty()) was_read(cache_.at(unread_.front()));
    make_room();
  }
  if (last) last->detach();
}

bool RangedFile::Impl::peek(std::uint64_t offset, char* into, std::size_t length) {
  std::lock_guard lock(mutex_);
  if (!pinned_ || offset > size_ || length > size_ - offset) return false;
  for (std::uint64_t at = offset; at < offset + length;) {
    const auto hit = cache_.find(at / kBlockBytes);
    if (hit == cache_.end()) return false;
    const std::uint64_t from = at % kBlockBytes;
    const std::uint64_t count = std::min(offset + length - at, hit->second.bytes->size() - from);
    std::memcpy(into + (at - offset), hit->second.bytes->data() + from, count);
    at += count;
  }
  return true;
}

// Which blocks one GET shall bring, `index` among them. The first and the last of them are missing.
Run RangedFile::Impl::plan(std::uint64_t index, std::uint64_t last) {
  if (!pinned_) return {0, kHeadBytes / kBlockBytes};
  const std::uint64_t count = block_count();
  Run run{index, index + 1};
  if (is_whole()) {
    extend_up(run, count);
    extend_down(run, 0);
    return run;
  }
  extend_up(run, std::min(last + 1, index + kGetBytes / kBlockBytes));
  Stream& stream = stream_of(run);
  stream.window = std::min(2 * stream.window, kReadAheadBytes / kBlockBytes);
  if (stream.window == 0) {
    stream.window = index == 0 ? kHeadBytes / kBlockBytes : 1;
    extend_up(run, std::min(count, index + stream.window));
  } else if (run.begin >= stream.last.end) {
    extend_down(run, stream.last.end);  // what was stepped over is wanted soon: an interior page precedes its leaves
    extend_up(run, std::min(count, std::max(run.end, run.begin + stream.window)));
    if (stream.window >= kFollowFromBytes / kBlockBytes) stream.followed_from = run.begin;
  } else {
    extend_up(run, stream.last.begin);
    extend_down(run, std::min(run.begin, run.end - std::min(run.end, stream.window)));
  }
  stream.last = run;
  stream.used = ++clock_;
  return run;
}

// Makes `run` reach to `end`, or to where another GET or many blocks in memory are in the way.
void RangedFile::Impl::extend_up(Run& run, std::uint64_t end) const {
  std::uint64_t island = 0;
  for (std::uint64_t i = run.end; i < end && !in_flight_.contains(i) && island <= kIslandBlocks; ++i) {
    if (cache_.contains(i)) {
      ++island;
    } else {
      island = 0;
      run.end = i + 1;
    }
  }
}

// The same downwards, to `begin`.
void RangedFile::Impl::extend_down(Run& run, std::uint64_t begin) const {
  std::uint64_t island = 0;
  for (std::uint64_t i = run.begin; i > begin && !in_flight_.contains(i - 1) && island <= kIslandBlocks; --i) {
    if (cache_.contains(i - 1)) {
      ++island;
    } else {
      island = 0;
      run.begin = i - 1;
    }
  }
}

// The scan that `wanted` continues, upwards or downwards; a small step ahead is still the same scan. Otherwise the
// stream unused for longest, emptied.
Stream& RangedFile::Impl::stream_of(Run wanted) {
  Stream* oldest = &streams_[0];
  for (Stream& stream : streams_) {
    if (stream.used < oldest->used) oldest = &stream;
    if (stream.window == 0) continue;
    const std::uint64_t gap = stream.window / 4;
    if (wanted.begin >= stream.last.end && wanted.begin - stream.last.end <= gap) return stream;
    if (wanted.end <= stream.last.begin && stream.last.begin - wanted.end <= gap) return stream;
  }
  *oldest = Stream{};
  return *oldest;
}

void RangedFile::Impl::accept(const Range& range, std::uint64_t offset, std::uint64_t length) {
  if (pinned_ && (range.etag != etag_ || range.object_size != size_)) {
    throw Error(Code::kChanged, "read: the object changed while it was being read: " + name_ + "; run the statement again");
  }
  check_size(range.object_size);
  const std::uint64_t there = range.object_size > offset ? std::min(length, range.object_size - offset) : 0;
  if (range.bytes.size() != there) {
    throw Error(Code::kUnavailable, "read: " + std::to_string(range.bytes.size()) + " bytes came back instead of " + std::to_string(there) +
                                        " at offset " + std::to_string(offset) + ": " + name_);
  }
  if (pinned_) return;
  if (range.etag.empty() && there < range.object_size) {
    throw Error(Code::kUnsupported, "read: the server sends no ETag, so that a change during the read would go unseen: " + name_ +
                                        "; download the file, or use a server that sends one");
  }
  etag_ = range.etag;
  size_ = range.object_size;
  pinned_ = true;
  streams_[0] = {Run{0, kHeadBytes / kBlockBytes}, kHeadBytes / kBlockBytes, ++clock_};
}

void RangedFile::Impl::remember(std::uint64_t index, Block bytes, bool in_advance) {
  if (cache_.contains(index)) return;
  if (!in_advance) make_room();
  auto& list = in_advance ? unread_ : recent_;
  list.push_front(index);
  cache_.emplace(index, Cached{std::move(bytes), list.begin(), in_advance});
}

// With mutex_ held: for one more block among those that were read.
void RangedFile::Impl::make_room() {
  while (recent_.size() >= kept_bytes_ / kBlockBytes) {
    cache_.erase(recent_.back());
    recent_.pop_back();
  }
}

// Offsets are signed 64 bits in SQLite and off_t.
void RangedFile::Impl::check_size(std::uint64_t size) const {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Error(Code::kCorrupt, "read: impossible size " + std::to_string(size) + ": " + name_);
  }
}

RangedFile::RangedFile(std::shared_ptr<Store> store, std::string key, std::string etag, std::uint64_t size,
                       std::shared_ptr<AheadBytes> ahead)
    : impl_(std::make_shared<Impl>(std::move(store), std::move(key), std::move(etag), size, std::move(ahead))) {}

RangedFile::~RangedFile() { impl_->end_prefetch(); }

std::uint64_t RangedFile::size(const Cancel* cancel) { return impl_->size(cancel); }

std::size_t RangedFile::read(std::uint64_t offset, void* into, std::size_t length, const Cancel* cancel) {
  return impl_->read(offset, static_cast<char*>(into), length, cancel);
}

void RangedFile::prefetch(std::vector<Span> spans, const Cancel* cancel) { impl_->prefetch(std::move(spans), cancel); }

void RangedFile::read_whole(bool whole) { impl_->read_whole(whole); }

void RangedFile::follow(const Cancel* cancel) { impl_->follow(cancel); }

std::uint64_t RangedFile::room() const { return impl_->room(); }

void RangedFile::keep(std::uint64_t bytes) { impl_->keep(bytes); }

void RangedFile::await() { impl_->await(); }

void RangedFile::end_prefetch() { impl_->end_prefetch(); }

bool RangedFile::peek(std::uint64_t offset, void* into, std::size_t length) {
  return impl_->peek(offset, static_cast<char*>(into), length);
}

std::string RangedFile::name() const { return impl_->name_; }

}  // namespace ts
