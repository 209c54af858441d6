// S3's laws over a std::map.
#include "tests/support/memory_store.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace ts_test {
namespace {

constexpr std::int64_t kDelaySliceMs = 5;

// As S3's, an ETag of the content: the same bytes put again have the same one.
std::string etag_of(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%zx", static_cast<unsigned long long>(hash), bytes.size());
  return text;
}

}  // namespace

MemoryStore::MemoryStore(std::string location, ts::Clock& clock) : location_(std::move(location)), clock_(clock) {}

void MemoryStore::fail(ts::Code code, const std::string& what, std::string_view key) const {
  throw ts::Error(code, "memory: " + what + ": " + ts::object_name(*this, key));
}

void MemoryStore::delay(const Request& request, const ts::Cancel* cancel) {
  std::int64_t left_ms = 0;
  {
    std::lock_guard lock(mutex_);
    left_ms = latency_ms_;
  }
  for (;;) {
    if (cancel && cancel->cancelled()) fail(ts::Code::kInterrupted, "interrupted", request.key);
    if (left_ms <= 0) return;
    clock_.sleep_ms(std::min(left_ms, kDelaySliceMs));
    left_ms -= kDelaySliceMs;
  }
}

void MemoryStore::begin(const Request& request, const ts::Cancel* cancel) {
  if (cancel) cancel->charge(1, 0);
  delay(request, cancel);
  Hook hook;
  {
    std::lock_guard lock(mutex_);
    hook = before_;
    if (failures_ > 0) {
      --failures_;
      throw ts::Error(failure_code_, failure_text_);
    }
  }
  if (hook) hook(request);
}

template <class Effect>
auto MemoryStore::run(const Request& request, const ts::Cancel* cancel, Effect&& effect) {
  struct InFlight {
    explicit InFlight(MemoryStore& store, const Request& request) : store(store) {
      std::lock_guard lock(store.mutex_);
      store.log_.push_back(request);
      store.most_in_flight_ = std::max(store.most_in_flight_, ++store.in_flight_);
    }
    ~InFlight() {
      std::lock_guard lock(store.mutex_);
      --store.in_flight_;
    }
    MemoryStore& store;
  } in_flight(*this, request);
  begin(request, cancel);
  auto result = [&] {
    std::lock_guard lock(mutex_);
    return effect();
  }();
  Hook hook;
  {
    std::lock_guard lock(mutex_);
    hook = after_;
  }
  if (hook) hook(request);
  return result;
}

ts::ListPage MemoryStore::list(std::string_view prefix, std::string_view start_after, const ts::Cancel* cancel) {
  const Request request{Kind::kList, std::string(prefix), "", 0, 0};
  const ts::Admission admission(cancel, 0);
  ts::ListPage page = run(request, cancel, [&] {
    ts::ListPage found;
    auto at = objects_.lower_bound(prefix);
    if (start_after >= prefix) at = objects_.upper_bound(start_after);
    for (; at != objects_.end() && at->first.starts_with(prefix); ++at) {
      if (found.objects.size() == page_size_) {
        found.more = true;
        break;
      }
      found.objects.push_back({at->first, at->second.bytes->size(), at->second.etag});
    }
    return found;
  });
  std::uint64_t bytes = 0;
  for (const ts::ObjectInfo& object : page.objects) bytes += object.key.size() + object.etag.size();
  if (cancel) cancel->charge(0, bytes);
  return page;
}

ts::Range MemoryStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                                 const ts::Cancel* cancel) {
  const Request request{Kind::kGet, std::string(key), std::string(etag), offset, length};
  ts::Admission admission(cancel, length);
  const Object object = run(request, cancel, [&] {
    const auto at = objects_.find(key);
    if (at == objects_.end()) {
      if (!etag.empty()) fail(ts::Code::kChanged, "the object is gone", key);
      fail(ts::Code::kNotFound, "no such object", key);
    }
    if (!etag.empty() && at->second.etag != etag) fail(ts::Code::kChanged, "the object changed", key);
    const std::uint64_t size = at->second.bytes->size();
    bytes_read_ += offset < size ? std::min(length, size - offset) : 0;
    return at->second;
  });
  ts::Range range;
  range.object_size = object.bytes->size();
  range.etag = object.etag;
  if (offset < range.object_size) range.bytes = object.bytes->substr(offset, length);
  if (cancel) cancel->charge(0, range.bytes.size());
  admission.came(range.bytes.size());
  return range;
}

ts::PutResult MemoryStore::put_if_absent(std::string_view key, std::string_view bytes, const ts::Cancel* cancel) {
  const Request request{Kind::kPut, std::string(key), "", 0, bytes.size()};
  Object object{std::make_shared<const std::string>(bytes), etag_of(bytes)};
  return run(request, cancel, [&] {
    const std::string etag = object.etag;
    if (!objects_.emplace(key, std::move(object)).second) return ts::PutResult{};
    return ts::PutResult{true, etag};
  });
}

void MemoryStore::remove(std::string_view key, const ts::Cancel* cancel) {
  const Request request{Kind::kRemove, std::string(key), "", 0, 0};
  run(request, cancel, [&] {
    if (const auto at = objects_.find(key); at != objects_.end()) objects_.erase(at);
    return 0;
  });
}

std::string MemoryStore::overwrite(const std::string& key, std::string bytes) {
  std::string etag = etag_of(bytes);
  std::lock_guard lock(mutex_);
  objects_[key] = Object{std::make_shared<const std::string>(std::move(bytes)), etag};
  return etag;
}

std::optional<std::string> MemoryStore::bytes_of(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const auto at = objects_.find(key);
  if (at == objects_.end()) return std::nullopt;
  return *at->second.bytes;
}

void MemoryStore::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  objects_.erase(key);
}

std::vector<std::string> MemoryStore::keys() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& entry : objects_) names.push_back(entry.first);
  return names;
}

void MemoryStore::before(Hook hook) {
  std::lock_guard lock(mutex_);
  before_ = std::move(hook);
}

void MemoryStore::after(Hook hook) {
  std::lock_guard lock(mutex_);
  after_ = std::move(hook);
}

void MemoryStore::fail_next(int count, const ts::Error& error) {
  std::lock_guard lock(mutex_);
  failures_ = count;
  failure_code_ = error.code();
  failure_text_ = error.what();
}

void MemoryStore::set_latency_ms(std::int64_t ms) {
  std::lock_guard lock(mutex_);
  latency_ms_ = ms;
}

void MemoryStore::set_page_size(std::size_t keys) {
  std::lock_guard lock(mutex_);
  page_size_ = keys;
}

std::uint64_t MemoryStore::requests() const {
  std::lock_guard lock(mutex_);
  return log_.size();
}

std::uint64_t MemoryStore::count(Kind kind) const {
  std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(std::count_if(log_.begin(), log_.end(), [&](const Request& request) { return request.kind == kind; }));
}

std::uint64_t MemoryStore::bytes_read() const {
  std::lock_guard lock(mutex_);
  return bytes_read_;
}

std::uint64_t MemoryStore::most_in_flight() const {
  std::lock_guard lock(mutex_);
  return most_in_flight_;
}

std::vector<MemoryStore::Request> MemoryStore::log() const {
  std::lock_guard lock(mutex_);
  return log_;
}

void MemoryStore::reset_counts() {
  std::lock_guard lock(mutex_);
  log_.clear();
  bytes_read_ = 0;
  most_in_flight_ = in_flight_;
}

}  // namespace ts_test
