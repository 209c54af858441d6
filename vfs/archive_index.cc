// JSON to index and back.
#include "vfs/archive_index.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "ext/base/digest.h"

namespace ts {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr std::size_t kMostKeyBytes = 1'024;  // as S3
constexpr std::size_t kMostEtagBytes = 256;

class Reader {
 public:
  explicit Reader(const std::string& object) : object_(object) {}

  [[noreturn]] void fail(const std::string& why) const { throw Error(Code::kCorrupt, "index: " + why + ": " + object_); }

  Json parse(std::string_view bytes, std::uint64_t most) const {
    if (bytes.size() > most) fail("is longer than " + std::to_string(most) + " bytes");
    Json json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
    if (json.is_discarded() || !json.is_object()) fail("is no JSON object");
    const auto format = json.find("format");
    if (format == json.end() || !format->is_number_integer()) fail("has no \"format\" number");
    if (*format != kFormat) {
      throw Error(Code::kTooNew, "index: written by a newer version (format " + format->dump() + "): " + object_ + "; upgrade timeseries");
    }
    return json;
  }

  const Json& array(const Json& json, const char* name) const {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_array()) fail("has no list \"" + std::string(name) + "\"");
    return *found;
  }

  std::uint64_t number(const Json& json, const char* name) const {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_unsigned() || *found > static_cast<std::uint64_t>(INT64_MAX)) {
      fail("has no number \"" + std::string(name) + "\"");
    }
    return found->get<std::uint64_t>();
  }

  std::string text(const Json& json, const char* name) const {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) fail("has no text \"" + std::string(name) + "\"");
    return found->get<std::string>();
  }

  // A key below the table's directory that leads nowhere else.
  void check_key(const std::string& key) const {
    bool right = !key.empty() && key.size() <= kMostKeyBytes && key.front() != '/' && key.back() != '/';
    right = right && std::all_of(key.begin(), key.end(), [](unsigned char c) { return c > ' ' && c < 0x7f && c != '\\'; });
    for (std::size_t at = 0; right && at < key.size();) {
      const std::size_t end = std::min(key.find('/', at), key.size());
      const std::string_view part = std::string_view(key).substr(at, end - at);
      right = !part.empty() && part != "." && part != "..";
      at = end + 1;
    }
    if (!right) fail("names an impossible key");
  }

 private:
  const std::string& object_;
};

std::string below(std::string_view table_directory, const std::string& name) { return std::string(table_directory) + "!index/" + name; }

// A key that a newer name in the archive has is not lost: it is written, and its reader refuses it.
nlohmann::ordered_json entry(const ObjectInfo& object) { return {object.key, object.size, object.etag}; }

}  // namespace

std::string index_root_key(std::string_view table_directory, std::int64_t number) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%06lld.json", static_cast<long long>(number));
  return below(table_directory, text.data());
}

std::string index_page_key(std::string_view table_directory, std::string_view sha256) {
  return below(table_directory, "page-" + std::string(sha256) + ".json");
}

std::string index_snapshot_key(std::string_view table_directory, std::string_view sha256) {
  return below(table_directory, "snapshot-" + std::string(sha256) + ".json");
}

bool is_digest(std::string_view text) { return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

std::string write_index_root(const IndexRoot& root) {
  nlohmann::ordered_json pages = nlohmann::ordered_json::array();
  for (const IndexPage& page : root.pages) {
    pages.push_back({{"sha256", page.sha256}, {"bytes", page.bytes}, {"keys", page.keys}, {"first", page.first}, {"last", page.last}});
  }
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["pages"] = std::move(pages);
  return json.dump();
}

IndexRoot read_index_root(std::string_view bytes, const std::string& object) {
  const Reader reader(object);
  const Json json = reader.parse(bytes, kMostRootBytes);
  IndexRoot root;
  for (const Json& part : reader.array(json, "pages")) {
    if (!part.is_object()) reader.fail("has a page that is no JSON object");
    IndexPage page{reader.text(part, "sha256"), reader.number(part, "bytes"), reader.number(part, "keys"), reader.text(part, "first"),
                   reader.text(part, "last")};
    reader.check_key(page.first);
    reader.check_key(page.last);
    if (!is_digest(page.sha256)) reader.fail("has a page without a digest");
    if (page.bytes > kMostPageBytes || page.keys == 0) reader.fail("has a page of an impossible size");
    if (page.last < page.first || (!root.pages.empty() && page.first <= root.pages.back().last)) reader.fail("has pages out of order");
    root.pages.push_back(std::move(page));
  }
  return root;
}

std::string write_index_page(const std::vector<ObjectInfo>& objects) {
  nlohmann::ordered_json keys = nlohmann::ordered_json::array();
  for (const ObjectInfo& object : objects) keys.push_back(entry(object));
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["keys"] = std::move(keys);
  return json.dump();
}

std::vector<ObjectInfo> read_index_page(std::string_view bytes, const IndexPage& page, const std::string& object) {
  const Reader reader(object);
  if (bytes.size() != page.bytes || hex(sha256(bytes)) != page.sha256) reader.fail("is not the page that its digest names");
  const Json json = reader.parse(bytes, kMostPageBytes);
  std::vector<ObjectInfo> objects;
  for (const Json& part : reader.array(json, "keys")) {
    const bool right = part.is_array() && part.size() == 3 && part[0].is_string() && part[1].is_number_unsigned() &&
                       part[1] <= static_cast<std::uint64_t>(INT64_MAX) && part[2].is_string();
    if (!right) reader.fail("has an entry that is no key, size and ETag");
    ObjectInfo found{part[0].get<std::string>(), part[1].get<std::uint64_t>(), part[2].get<std::string>()};
    reader.check_key(found.key);
    const bool etag = !found.etag.empty() && found.etag.size() <= kMostEtagBytes &&
                      std::all_of(found.etag.begin(), found.etag.end(), [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"'; });
    if (!etag) reader.fail("has an impossible ETag");
    if (!objects.empty() && found.key <= objects.back().key) reader.fail("has keys out of order");
    objects.push_back(std::move(found));
  }
  if (objects.size() != page.keys || objects.front().key != page.first || objects.back().key != page.last) {
    reader.fail("holds other keys than its root says");
  }
  return objects;
}

// ---------------------------------------------------------------- objects

namespace {

// A whole object of an index. Its size is asked for first: so no more is asked for than there is.
std::string load(Store& store, const std::string& key, std::uint64_t most, const Cancel* cancel) {
  const Range begin = store.get_range(key, "", 0, 1, cancel);
  if (begin.object_size > most) {
    throw Error(Code::kCorrupt, "index: is longer than " + std::to_string(most) + " bytes: " + object_name(store, key));
  }
  return begin.object_size <= 1 ? begin.bytes : store.get_range(key, begin.etag, 0, begin.object_size, cancel).bytes;
}

}  // namespace

std::int64_t newest_index_root(Store& store, std::string_view table_directory, std::int64_t known, const Cancel* cancel) {
  constexpr std::int64_t kMost = 1ll << 40;  // a server that has every name is none
  auto there = [&](std::int64_t number) {
    try {
      store.get_range(index_root_key(table_directory, number), "", 0, 1, cancel);
      return true;
    } catch (const Error& e) {
      // Where names may not be listed, servers answer so for what is not there. The first one tells that reading is allowed.
      if (e.code() == Code::kNotFound || (e.code() == Code::kForbidden && number > 1)) return false;
      throw;
    }
  };
  std::int64_t low = known, step = 1;
  while (there(low + step)) {
    low += step;
    step *= 2;
    if (low > kMost) throw Error(Code::kCorrupt, "index: the server has an index of every number: " + store.describe());
  }
  for (std::int64_t high = low + step; high - low > 1;) {
    const std::int64_t middle = low + (high - low) / 2;
    there(middle) ? low = middle : high = middle;
  }
  return low;
}

IndexRoot load_index_root(Store& store, const std::string& key, const Cancel* cancel) {
  return read_index_root(load(store, key, kMostRootBytes, cancel), object_name(store, key));
}

IndexRoot load_index_snapshot(Store& store, std::string_view table_directory, const std::string& token, const Cancel* cancel) {
  const std::string key = index_snapshot_key(table_directory, token), object = object_name(store, key);
  std::string bytes;
  try {
    bytes = load(store, key, kMostRootBytes, cancel);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    throw Error(Code::kBadInput, "timeseries: there is no such snapshot of " + std::string(table_directory) + " at " + store.describe() +
                                     "; take one with ts_snapshot");
  }
  if (hex(sha256(bytes)) != token) throw Error(Code::kCorrupt, "index: is not the snapshot that its token names: " + object);
  return read_index_root(bytes, object);
}

std::vector<ObjectInfo> load_index_page(Store& store, std::string_view table_directory, const IndexPage& page, const Cancel* cancel) {
  const std::string key = index_page_key(table_directory, page.sha256);
  return read_index_page(store.get_range(key, "", 0, page.bytes, cancel).bytes, page, object_name(store, key));
}

}  // namespace ts
