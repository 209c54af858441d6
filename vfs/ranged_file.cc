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
// The first GET of a file too large to be read whole, or of unknown size: an archive file keeps its schema and
// interior pages there (docs/ARCHITECTURE.md), and more would make a point query wait for bytes it does not want.
constexpr std::uint64_t kHeadBytes = 256 << 10;
constexpr std::uint64_t kWholeBytes = 4 << 20;          // up to here one more round trip costs more than the bytes
constexpr std::uint64_t kReadAheadBytes = 4 << 20;      // beyond it a request's fixed cost no longer shows
constexpr std::uint64_t kGetBytes = 16 << 20;           // what a caller asks for in one read may go out as one GET
constexpr std::uint64_t kCacheBytes = 16 << 20;         // four scans of one file at full read-ahead side by side
constexpr std::uint64_t kIslandBlocks = 4;              // what is there already is asked for again rather than split a GET
constexpr std::uint64_t kPrefetchBytes = 1 << 20;       // of one prefetch: a larger span goes over several connections
constexpr std::size_t kStreams = 8;                     // scans remembered: tables and indexes read in turns
constexpr std::chrono::milliseconds kPollInterval{20};  // Cancel's law

using Block = std::shared_ptr<const std::string>;

// A GET that is on its way. Guarded by Impl::mutex_.
struct Fetch {
  bool done = false;
  // Why it failed, where that holds for the waiters too. Not an Error: copies of one share their text, across threads.
  std::optional<std::pair<Code, std::string>> failure;
};

// Half open: [begin, end) in blocks.
struct Run {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t blocks() const { return end - begin; }
};

// Where a scan was seen last, and how much read-ahead it has earned.
struct Stream {
  Run last;
  std::uint64_t window = 0;  // in blocks; 0: nobody was here yet
  std::uint64_t used = 0;
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

 private:
  mutable std::mutex mutex_;
  const Cancel* target_;  // guarded by mutex_, as the next
  bool detached_ = false;
};

}  // namespace

struct RangedFile::Impl : std::enable_shared_from_this<Impl> {
  Impl(std::shared_ptr<Store> store, std::string key, std::string etag, std::uint64_t size)
      : store_(std::move(store)),
        key_(std::move(key)),
        name_(without_secrets(object_name(*store_, key_))),
        pinned_(!etag.empty()),
        etag_(std::move(etag)),
        size_(pinned_ ? size : 0) {
    if (pinned_) check_size(size_);
  }

  std::uint64_t size(const Cancel* cancel);
  std::size_t read(std::uint64_t offset, char* into, std::size_t length, const Cancel* cancel);

  void prefetch(std::vector<Span> spans, const Cancel* cancel);
  void end_prefetch();
  bool peek(std::uint64_t offset, char* into, std::size_t length);

  // Constant after construction.
  const std::shared_ptr<Store> store_;
  const std::string key_;
  const std::string name_;

 private:
  struct Cached {
    Block bytes;
    std::list<std::uint64_t>::iterator recent;
  };

  // The block, from memory or by a GET that may bring more: up to block `last` the caller wants them now. Null: the
  // object ends before it.
  Block block(std::uint64_t index, std::uint64_t last, const Cancel* cancel);
  std::shared_ptr<Fetch> claim(Run run);
  Block fetch(std::unique_lock<std::mutex>& lock, Run run, const std::shared_ptr<Fetch>& fetch, std::uint64_t index,
              const Cancel* cancel);
  void wait(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Fetch>& fetch, const Cancel* cancel);

  // With mutex_ held:
  Run plan(std::uint64_t index, std::uint64_t last);
  Stream& stream_of(Run wanted);
  void extend_up(Run& run, std::uint64_t end) const;
  void extend_down(Run& run, std::uint64_t begin) const;
  std::uint64_t block_count() const { return (size_ + kBlockBytes - 1) / kBlockBytes; }
  void accept(const Range& range, std::uint64_t offset, std::uint64_t length);
  void remember(std::uint64_t index, Block bytes);

  void check_size(std::uint64_t size) const;

  std::mutex mutex_;
  std::condition_variable fetched_;
  // Guarded by mutex_; the first three never change once pinned_ is true.
  bool pinned_;
  std::string etag_;
  std::uint64_t size_;
  std::unordered_map<std::uint64_t, Cached> cache_;
  std::list<std::uint64_t> recent_;  // front: used last
  std::unordered_map<std::uint64_t, std::shared_ptr<Fetch>> in_flight_;
  std::array<Stream, kStreams> streams_;
  std::uint64_t clock_ = 0;  // counts misses: the age of a stream
  std::shared_ptr<Detachable> prefetching_;
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
      recent_.splice(recent_.begin(), recent_, hit->second.recent);
      return hit->second.bytes;
    }
    auto running = in_flight_.find(index);
    if (running == in_flight_.end()) {
      const Run run = plan(index, last);
      return fetch(lock, run, claim(run), index, cancel);
    }
    wait(lock, std::shared_ptr<Fetch>(running->second), cancel);
  }
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

// One GET for a claimed run. Returns the block `index` of it.
Block RangedFile::Impl::fetch(std::unique_lock<std::mutex>& lock, Run run, const std::shared_ptr<Fetch>& fetch, std::uint64_t index,
                              const Cancel* cancel) {
  const std::uint64_t offset = run.begin * kBlockBytes;
  const std::uint64_t length = pinned_ ? std::min(run.blocks() * kBlockBytes, size_ - offset) : run.blocks() * kBlockBytes;
  const std::string etag = etag_;
  Block wanted;
  // Every way out settles the fetch, with mutex_ held: waiters must not wait for what nobody will bring.
  struct Settle {
    ~Settle() {
      if (!lock.owns_lock()) lock.lock();
      for (std::uint64_t i = run.begin; i < run.end; ++i) {
        if (auto mine = file.in_flight_.find(i); mine != file.in_flight_.end() && mine->second == fetch) file.in_flight_.erase(mine);
      }
      fetch->done = true;
      file.fetched_.notify_all();
    }
    Impl& file;
    std::unique_lock<std::mutex>& lock;
    const Run run;
    const std::shared_ptr<Fetch>& fetch;
  } settle{*this, lock, run, fetch};
  try {
    lock.unlock();
    const Range range = store_->get_range(key_, etag, offset, length, cancel);
    lock.lock();
    accept(range, offset, length);
    for (std::uint64_t at = 0; at < range.bytes.size(); at += kBlockBytes) {
      auto bytes = std::make_shared<const std::string>(range.bytes, at, kBlockBytes);
      if (run.begin + at / kBlockBytes == index) wanted = bytes;
      remember(run.begin + at / kBlockBytes, std::move(bytes));
    }
  } catch (const Error& e) {
    if (!lock.owns_lock()) lock.lock();
    // An interrupt is the caller's own; whoever waits asks for itself.
    if (e.code() != Code::kInterrupted) fetch->failure.emplace(e.code(), e.what());
    throw;
  }
  return wanted;
}

void RangedFile::Impl::prefetch(std::vector<Span> spans, const Cancel* cancel) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.offset < b.offset; });
  std::unique_lock lock(mutex_);
  if (!pinned_ || size_ <= kWholeBytes) return;
  std::vector<Run> runs;
  const auto add = [&](std::uint64_t block) {
    if (cache_.contains(block) || in_flight_.contains(block)) return;
    // What lies between near spans is fetched along, but not what is there or on its way.
    bool near = !runs.empty() && block - runs.back().end <= kIslandBlocks && block - runs.back().begin < kPrefetchBytes / kBlockBytes;
    for (std::uint64_t i = near ? runs.back().end : block; near && i < block; ++i) near = !cache_.contains(i) && !in_flight_.contains(i);
    near ? void(runs.back().end = block + 1) : void(runs.push_back({block, block + 1}));
  };
  for (const Span& span : spans) {
    if (span.offset >= size_ || span.length == 0) continue;
    const std::uint64_t last = (span.offset + std::min(span.length, size_ - span.offset) - 1) / kBlockBytes;
    for (std::uint64_t i = span.offset / kBlockBytes; i <= last; ++i) {
      if (runs.empty() || i >= runs.back().end) add(i);
    }
  }
  if (runs.empty()) return;
  if (!prefetching_) prefetching_ = std::make_shared<Detachable>(cancel);
  for (const Run run : runs) {
    auto task = [self = shared_from_this(), run, fetch = claim(run), cancel = prefetching_] {
      std::unique_lock own(self->mutex_);
      try {
        self->fetch(own, run, fetch, run.begin, cancel.get());
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
}

void RangedFile::Impl::end_prefetch() {
  std::shared_ptr<Detachable> last;
  {
    std::lock_guard lock(mutex_);
    last = std::exchange(prefetching_, nullptr);
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
  if (size_ <= kWholeBytes) {
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

void RangedFile::Impl::remember(std::uint64_t index, Block bytes) {
  if (cache_.contains(index)) return;
  while (cache_.size() >= kCacheBytes / kBlockBytes) {
    cache_.erase(recent_.back());
    recent_.pop_back();
  }
  recent_.push_front(index);
  cache_.emplace(index, Cached{std::move(bytes), recent_.begin()});
}

// Offsets are signed 64 bits in SQLite and off_t.
void RangedFile::Impl::check_size(std::uint64_t size) const {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Error(Code::kCorrupt, "read: impossible size " + std::to_string(size) + ": " + name_);
  }
}

RangedFile::RangedFile(std::shared_ptr<Store> store, std::string key, std::string etag, std::uint64_t size)
    : impl_(std::make_shared<Impl>(std::move(store), std::move(key), std::move(etag), size)) {}

RangedFile::~RangedFile() { impl_->end_prefetch(); }

std::uint64_t RangedFile::size(const Cancel* cancel) { return impl_->size(cancel); }

std::size_t RangedFile::read(std::uint64_t offset, void* into, std::size_t length, const Cancel* cancel) {
  return impl_->read(offset, static_cast<char*>(into), length, cancel);
}

void RangedFile::prefetch(std::vector<Span> spans, const Cancel* cancel) { impl_->prefetch(std::move(spans), cancel); }

void RangedFile::end_prefetch() { impl_->end_prefetch(); }

bool RangedFile::peek(std::uint64_t offset, void* into, std::size_t length) {
  return impl_->peek(offset, static_cast<char*>(into), length);
}

std::string RangedFile::name() const { return impl_->name_; }

}  // namespace ts
