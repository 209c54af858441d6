// IndexedStore: another Store, listed by an index that lies in it: on a web server, which cannot be listed, or as it was at a moment.
//
// Read-only. Without a token each list looks whether a newer index was published; with one the listing is the snapshot's, for ever. A
// listing's pages may be of two indexes, the later ones of the newer: as those of a LIST, each is what was there at its own moment.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "vfs/archive_index.h"

namespace ts {

class IndexedStore : public Store {
 public:
  // `token`: of ts_snapshot; empty: the newest index.
  IndexedStore(std::shared_ptr<Store> inner, std::string token);

  // `prefix` names a table's directory.
  ListPage list(std::string_view prefix, std::string_view start_after, const Cancel* cancel = nullptr) override;
  Range get_range(std::string_view key, std::string_view etag, std::uint64_t offset, std::uint64_t length,
                  const Cancel* cancel = nullptr) override;
  PutResult put_if_absent(std::string_view key, std::string_view bytes, const Cancel* cancel = nullptr) override;
  void remove(std::string_view key, const Cancel* cancel = nullptr) override;
  std::string describe() const override { return inner_->describe(); }

 private:
  using RootPtr = std::shared_ptr<const IndexRoot>;
  using PagePtr = std::shared_ptr<const std::vector<ObjectInfo>>;
  struct Known {
    std::int64_t number = 0;
    RootPtr root;
  };
  RootPtr root(const std::string& directory, const Cancel* cancel);
  PagePtr page(const std::string& directory, const IndexPage& page, const Cancel* cancel);
  [[noreturn]] void refuse(std::string_view key) const;

  const std::shared_ptr<Store> inner_;
  const std::string token_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Known> roots_;                     // by the table's directory
  std::list<std::pair<std::string, PagePtr>> pages_;       // by digest, used last first
};

}  // namespace ts
