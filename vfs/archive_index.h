// The index of a table's keys, as docs/FORMAT.md has it: its texts, written and read, and where its objects lie.
//
// Bytes of strangers: whatever they are, reading ends with an Error that names the object, or with an index that keeps its laws: keys
// ascend, none is above its page's last, and no name leads elsewhere.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vfs/store.h"

namespace ts {

// A page of keys, named by the digest of its bytes, so that it never changes.
struct IndexPage {
  std::string sha256;  // 64 hexadecimal digits
  std::uint64_t bytes = 0, keys = 0;
  std::string first, last;  // below the table's directory
};

// The one text that says which pages belong together.
struct IndexRoot {
  std::vector<IndexPage> pages;  // ascending, apart
};

constexpr std::uint64_t kMostRootBytes = 16 << 20;  // 50,000 pages: a hundred million keys
constexpr std::uint64_t kMostPageBytes = 4 << 20;
constexpr std::size_t kKeysOfPage = 2'000;  // of those that are written; read are as many as fit

// Keys of a table's index, all of them below "<table>!index/", which is no table's directory.
std::string index_root_key(std::string_view table_directory, std::int64_t number);
std::string index_page_key(std::string_view table_directory, std::string_view sha256);
std::string index_snapshot_key(std::string_view table_directory, std::string_view sha256);
bool is_digest(std::string_view text);  // 64 hexadecimal digits, lower case

std::string write_index_root(const IndexRoot& root);
IndexRoot read_index_root(std::string_view bytes, const std::string& object);

// `objects` have keys below the table's directory. Keys are read as they were written.
std::string write_index_page(const std::vector<ObjectInfo>& objects);
// Checks the bytes against what the root says of them.
std::vector<ObjectInfo> read_index_page(std::string_view bytes, const IndexPage& page, const std::string& object);

// The highest number of a root, as far as `known` or above; 0: there is none. Roots are numbered from 1 without a gap, so a few requests
// tell, and one where nothing is newer than `known`.
std::int64_t newest_index_root(Store& store, std::string_view table_directory, std::int64_t known, const Cancel* cancel);
IndexRoot load_index_root(Store& store, const std::string& key, const Cancel* cancel);
// The same by its token: whatever has other bytes is refused.
IndexRoot load_index_snapshot(Store& store, std::string_view table_directory, const std::string& token, const Cancel* cancel);
std::vector<ObjectInfo> load_index_page(Store& store, std::string_view table_directory, const IndexPage& page, const Cancel* cancel);

}  // namespace ts
