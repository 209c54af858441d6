// The server's pins, learned and kept.
#include "vfs/repinned_store.h"

#include "vfs/url.h"

namespace ts {

std::string RepinnedStore::pin_of(const std::string& object) {
  std::lock_guard lock(mutex_);
  const auto found = by_object_.find(object);
  if (found == by_object_.end()) return "";
  pins_.splice(pins_.begin(), pins_, found->second);
  return found->second->etag;
}

// Of two first reads side by side each has learned a pin: they must agree.
void RepinnedStore::pin(const std::string& object, const std::string& etag, std::string_view key) {
  if (etag.empty() || etag.starts_with("time::")) {
    throw Error(Code::kUnsupported, "http: the server sends neither ETag nor Last-Modified, so that a change during the read would go "
                                    "unseen: " + object_name(*this, key) + "; use a server that sends one");
  }
  std::lock_guard lock(mutex_);
  const auto found = by_object_.find(object);
  if (found != by_object_.end()) {
    if (found->second->etag == etag) return;
    throw Error(Code::kChanged, "http: the file changed while it was read: " + object_name(*this, key));
  }
  if (pins_.size() >= kMostPins) {
    by_object_.erase(pins_.back().object);
    pins_.pop_back();
  }
  pins_.push_front({object, etag});
  by_object_.emplace(object, pins_.begin());
}

Range RepinnedStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                               const Cancel* cancel) {
  const std::string url = percent_encode(key, true);
  if (etag.empty()) return inner_->get_range(url, "", offset, length, cancel);
  const std::string object = std::string(key) + "\n" + std::string(etag), known = pin_of(object);
  try {
    Range range = inner_->get_range(url, known, offset, length, cancel);
    if (known.empty()) pin(object, range.etag, key);
    range.etag = etag;
    return range;
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    throw Error(Code::kChanged, "http: the file is in the index and not on the server: " + object_name(*this, key) +
                                    "; publish the table again with ts_publish");
  }
}

}  // namespace ts
