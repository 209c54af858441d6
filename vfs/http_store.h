// Read-only Store over plain http and https URLs, unsigned: what the VFS `http` reads through. get_range only.
#pragma once
#include <memory>
#include <string>

#include "vfs/http.h"
#include "vfs/store.h"

namespace ts {

// Objects are base_url + "/" + key, where `key` is taken as written (it may be percent-encoded and have a query); an
// empty key names base_url itself. Pinned by ETag, else by Last-Modified and size. Throws kBadInput for what is no http
// URL or has user:password@ in it. Wrap it in a RetryingStore.
std::shared_ptr<Store> make_http_store(const std::string& base_url, HttpFunction http = http_send);

}  // namespace ts
