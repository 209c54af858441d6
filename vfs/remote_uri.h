// Names of remote databases. Pure: the path and parameters of an SQLite URI to a bucket and key or a URL.
//
// SQLite has percent-decoded, once, what it hands over.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ts {

struct RemoteName {
  std::string location;  // "s3://bucket", "https://host/dir": what a store is opened at
  std::string key;       // "dir/x.sqlite"; for http the last part of the URL, encoded, with its query
};

// A bucket and key: "s3://bucket/dir/x.sqlite". Throws kBadInput with the form that is wanted.
RemoteName split_s3_name(std::string_view path);

// The URL as the user wrote it: `path` is encoded again, `parameters` (decoded) become its query. So a presigned URL
// works with "&vfs=http" appended. Throws kBadInput; the message holds neither query nor password.
RemoteName split_http_url(std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters);

// An object's name without what may be secret in it: user and password of a URL, and the query of an http one.
std::string without_secrets(std::string_view name);

}  // namespace ts
