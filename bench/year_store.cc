// YearStore: an ordered map of names.
#include "bench/year_store.h"

#include <algorithm>

namespace ts_bench {
namespace {

constexpr std::size_t kPage = 1000;

void charge(const ts::Cancel* cancel, std::uint64_t bytes) {
  if (cancel) cancel->charge(1, bytes);
}

}  // namespace

ts::ListPage YearStore::list(std::string_view prefix, std::string_view start_after, const ts::Cancel* cancel) {
  requests_++;
  ts::ListPage page;
  std::uint64_t bytes = 0;
  std::lock_guard lock(mutex_);
  auto at = objects_.upper_bound(std::max(start_after, prefix));
  if (start_after < prefix) at = objects_.lower_bound(prefix);
  for (; at != objects_.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
    if (page.objects.size() == kPage) {
      page.more = true;
      break;
    }
    page.objects.push_back({at->first, at->second.size, std::to_string(at->second.number)});
    bytes += at->first.size() + 40;
  }
  charge(cancel, bytes);
  return page;
}

ts::Range YearStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                               const ts::Cancel* cancel) {
  requests_++;
  std::shared_ptr<const std::string> bytes;
  std::string tag;
  {
    std::lock_guard lock(mutex_);
    auto found = objects_.find(key);
    if (found == objects_.end()) throw ts::Error(ts::Code::kNotFound, "store: no such object: " + ts::object_name(*this, key));
    bytes = found->second.bytes;
    tag = std::to_string(found->second.number);
  }
  if (!etag.empty() && etag != tag) throw ts::Error(ts::Code::kChanged, "store: another object: " + ts::object_name(*this, key));
  if (!bytes) throw ts::Error(ts::Code::kUnsupported, "year store: a name without bytes: " + ts::object_name(*this, key));
  ts::Range range;
  if (offset < bytes->size()) range.bytes = bytes->substr(offset, length);
  range.object_size = bytes->size();
  range.etag = tag;
  charge(cancel, range.bytes.size());
  return range;
}

ts::PutResult YearStore::put_if_absent(std::string_view key, std::string_view bytes, const ts::Cancel* cancel) {
  requests_++;
  charge(cancel, 0);
  std::lock_guard lock(mutex_);
  auto [at, fresh] = objects_.try_emplace(std::string(key));
  if (!fresh) return {};
  at->second = {bytes.size(), ++numbers_, std::make_shared<const std::string>(bytes)};
  return {true, std::to_string(at->second.number)};
}

void YearStore::remove(std::string_view key, const ts::Cancel* cancel) {
  requests_++;
  charge(cancel, 0);
  std::lock_guard lock(mutex_);
  auto found = objects_.find(key);
  if (found != objects_.end()) objects_.erase(found);
}

void YearStore::give(std::string key, std::uint64_t size) {
  std::lock_guard lock(mutex_);
  objects_[std::move(key)] = {size, ++numbers_, nullptr};
}

std::size_t YearStore::objects() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

std::uint64_t YearStore::bytes() const {
  std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [key, object] : objects_) sum += object.size;
  return sum;
}

}  // namespace ts_bench
