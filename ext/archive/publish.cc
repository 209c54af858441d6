// From a LIST to pages and their root.
#include "ext/archive/publish.h"

#include <set>
#include <vector>

#include "ext/archive/listed_key.h"
#include "ext/base/digest.h"
#include "vfs/archive_index.h"

namespace ts {
namespace {

// Pages are cut at months too: keys that come or go in one leave the pages of the others as they were. What is no partition's follows
// the last one.
bool begins_a_month(const std::string& key, const std::string& before) {
  return key[0] >= '0' && key[0] <= '9' && key.compare(0, 7, before, 0, 7) != 0;
}

class PageWriter {
 public:
  PageWriter(Store& store, const TableDef& table, std::set<std::string> stored, const Cancel* cancel)
      : store_(store), table_(table), stored_(std::move(stored)), cancel_(cancel) {}

  void add(ObjectInfo object) {
    if (keys_.size() == kKeysOfPage || (!keys_.empty() && begins_a_month(object.key, keys_.back().key))) end_page();
    keys_.push_back(std::move(object));
  }
  IndexRoot finish() {
    if (!keys_.empty()) end_page();
    return std::move(root_);
  }

 private:
  void end_page() {
    const std::string bytes = write_index_page(keys_);
    const IndexPage page{hex(sha256(bytes)), bytes.size(), keys_.size(), keys_.front().key, keys_.back().key};
    const std::string key = index_page_key(table_.directory, page.sha256);
    read_index_page(bytes, page, object_name(store_, key));  // what no reader would take is not written
    if (stored_.insert(page.sha256).second) store_.put_if_absent(key, bytes, cancel_);
    root_.pages.push_back(page);
    keys_.clear();
  }

  Store& store_;
  const TableDef& table_;
  std::set<std::string> stored_;  // digests of pages that are there
  const Cancel* const cancel_;
  std::vector<ObjectInfo> keys_;  // of the page that is being filled
  IndexRoot root_;
};

// What the store lists of the table, but for foreign files.
IndexRoot write_pages(Store& store, const TableDef& table, std::set<std::string> stored, const Cancel* cancel) {
  PageWriter writer(store, table, std::move(stored), cancel);
  const std::string above = table.directory + "/";
  std::string after = above;
  for (bool more = true; more;) {
    ListPage page = store.list(above, after, cancel);
    check_listing(store, page, above, after);
    for (ObjectInfo& object : page.objects) {
      after = object.key;
      if (classify_key(object.key, table).kind == ListedKey::Kind::kForeign) continue;
      object.key.erase(0, above.size());
      writer.add(std::move(object));
    }
    more = page.more;
  }
  return writer.finish();
}

std::set<std::string> digests_of(const IndexRoot& root) {
  std::set<std::string> digests;
  for (const IndexPage& page : root.pages) digests.insert(page.sha256);
  return digests;
}

}  // namespace

std::int64_t publish_index(Store& store, const TableDef& table, const Cancel* cancel) {
  constexpr int kTries = 10;  // each lost one means that somebody else published in this instant
  std::int64_t newest = 0;
  for (int i = 0; i < kTries; i++) {
    newest = newest_index_root(store, table.directory, newest, cancel);
    std::set<std::string> stored;
    if (newest > 0) stored = digests_of(load_index_root(store, index_root_key(table.directory, newest), cancel));
    const IndexRoot root = write_pages(store, table, std::move(stored), cancel);
    if (store.put_if_absent(index_root_key(table.directory, newest + 1), write_index_root(root), cancel).stored) return newest + 1;
  }
  throw Error(Code::kBusy, "index: others publish " + table.name + " again and again at " + store.describe() + "; try again");
}

std::string publish_snapshot(Store& store, const TableDef& table, const Cancel* cancel) {
  const std::string root = write_index_root(write_pages(store, table, {}, cancel));
  const std::string token = hex(sha256(root));
  store.put_if_absent(index_snapshot_key(table.directory, token), root, cancel);
  return token;
}

}  // namespace ts
