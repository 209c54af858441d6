// Splitting, encoding and redacting the names of remote databases.
#include "vfs/remote_uri.h"

#include "ext/base/error.h"
#include "vfs/url.h"

namespace ts {
namespace {

bool is_http(std::string_view name) { return name.starts_with("http://") || name.starts_with("https://"); }

}  // namespace

RemoteName split_s3_name(std::string_view path) {
  constexpr std::string_view kScheme = "s3://";
  const std::size_t slash = path.starts_with(kScheme) ? path.find('/', kScheme.size()) : std::string_view::npos;
  if (slash == std::string_view::npos || slash == kScheme.size() || slash + 1 == path.size()) {
    throw Error(Code::kBadInput, "vfs s3: not the name of an object: " + without_secrets(path) +
                                     "; write file:s3://bucket/key.sqlite?vfs=s3, and for a local file add ?vfs=unix");
  }
  if (path.substr(0, slash).find('@') != std::string_view::npos) {
    throw Error(Code::kBadInput,
                "vfs s3: credentials in a name: " + without_secrets(path) + "; they come from the environment or the profile");
  }
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

RemoteName split_http_url(std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters) {
  const std::size_t host = is_http(path) ? path.find("://") + 3 : std::string_view::npos;
  const std::size_t slash = host == std::string_view::npos ? host : path.find('/', host);
  const std::size_t last = slash == std::string_view::npos ? slash : path.rfind('/');
  if (last == std::string_view::npos || slash == host || last + 1 == path.size()) {
    throw Error(Code::kBadInput, "vfs http: not the URL of a file: " + without_secrets(path) +
                                     "; write file:https://host/x.sqlite?vfs=http, and for a local file add ?vfs=unix");
  }
  RemoteName name;
  name.location = std::string(path.substr(0, slash)) + percent_encode(path.substr(slash, last - slash), true);
  name.key = percent_encode(path.substr(last + 1));
  if (!parameters.empty()) name.key += "?" + encode_query(parameters);
  return name;
}

std::string without_secrets(std::string_view name) {
  if (is_http(name)) name = name.substr(0, name.find('?'));
  const std::size_t scheme = name.find("://");
  if (scheme == std::string_view::npos) return std::string(name);
  const std::size_t host = scheme + 3;
  const std::size_t at = name.substr(0, name.find('/', host)).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(name);
  return std::string(name.substr(0, host)) + std::string(name.substr(at + 1));
}

}  // namespace ts
