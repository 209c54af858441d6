// Roots and pages, found, remembered and cut as a LIST would.
#include "vfs/indexed_store.h"

#include <algorithm>
#include <utility>

namespace ts {
namespace {

constexpr std::size_t kKeptPages = 64;  // some 300 KB each

}  // namespace

IndexedStore::IndexedStore(std::shared_ptr<Store> inner, std::string token) : inner_(std::move(inner)), token_(std::move(token)) {}

IndexedStore::RootPtr IndexedStore::root(const std::string& directory, const Cancel* cancel) {
  Known known;
  {
    std::lock_guard lock(mutex_);
    known = roots_[directory];
  }
  if (!token_.empty()) {
    if (known.root) return known.root;
    known.root = std::make_shared<const IndexRoot>(load_index_snapshot(*inner_, directory, token_, cancel));
  } else {
    const std::int64_t number = newest_index_root(*inner_, directory, known.number, cancel);
    if (number == 0) {
      throw Error(Code::kNotFound, "index: nothing is published of " + directory + " at " + describe() +
                                       "; run ts_publish where the archive can be written, and copy what it writes along");
    }
    if (number == known.number) return known.root;
    known = {number, std::make_shared<const IndexRoot>(load_index_root(*inner_, index_root_key(directory, number), cancel))};
  }
  std::lock_guard lock(mutex_);
  Known& kept = roots_[directory];
  if (!kept.root || kept.number < known.number) kept = known;
  return kept.root;
}

IndexedStore::PagePtr IndexedStore::page(const std::string& directory, const IndexPage& page, const Cancel* cancel) {
  {
    std::lock_guard lock(mutex_);
    const auto kept = std::find_if(pages_.begin(), pages_.end(), [&](const auto& known) { return known.first == page.sha256; });
    if (kept != pages_.end()) {
      pages_.splice(pages_.begin(), pages_, kept);
      return kept->second;
    }
  }
  auto loaded = std::make_shared<const std::vector<ObjectInfo>>(load_index_page(*inner_, directory, page, cancel));
  std::lock_guard lock(mutex_);
  pages_.emplace_front(page.sha256, loaded);
  if (pages_.size() > kKeptPages) pages_.pop_back();
  return loaded;
}

ListPage IndexedStore::list(std::string_view prefix, std::string_view start_after, const Cancel* cancel) {
  const std::size_t slash = prefix.find('/');
  if (slash == std::string_view::npos) {
    throw Error(Code::kUnsupported, "index: only a table can be listed by its index: " + describe());
  }
  const std::string directory(prefix.substr(0, slash)), above = directory + "/";
  const std::string_view wanted = prefix.substr(slash + 1);
  const std::string_view after = start_after.starts_with(above) ? start_after.substr(above.size()) : std::string_view();
  if (start_after > prefix && !start_after.starts_with(above)) return {};  // behind all of the table
  const RootPtr root = this->root(directory, cancel);
  ListPage found;
  for (const IndexPage& part : root->pages) {
    if (part.last <= after || part.last < wanted) continue;
    if (part.first > wanted && !part.first.starts_with(wanted)) break;
    if (!found.objects.empty()) {
      found.more = true;
      break;
    }
    const PagePtr keys = page(directory, part, cancel);
    for (const ObjectInfo& object : *keys) {
      if (object.key > after && object.key.starts_with(wanted)) found.objects.push_back({above + object.key, object.size, object.etag});
    }
  }
  return found;
}

Range IndexedStore::get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                              const Cancel* cancel) {
  if (token_.empty() || etag.empty()) return inner_->get_range(key, etag, offset, length, cancel);
  try {
    return inner_->get_range(key, etag, offset, length, cancel);
  } catch (const Error& e) {
    if (e.code() != Code::kChanged) throw;
    throw Error(Code::kChanged, std::string(e.what()) + "; the snapshot needs it as it was: take a new one with ts_snapshot");
  }
}

PutResult IndexedStore::put_if_absent(std::string_view key, std::string_view, const Cancel*) { refuse(key); }
void IndexedStore::remove(std::string_view key, const Cancel*) { refuse(key); }

void IndexedStore::refuse(std::string_view key) const {
  throw Error(Code::kReadOnly, "index: what is read by an index cannot be written: " + object_name(*this, key));
}

}  // namespace ts
