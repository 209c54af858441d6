// URLs: splitting, percent-encoding and canonical queries. Pure: no I/O, no clock.
//
// encode_query makes the text that is both sent and signed, so that the two cannot differ.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ts {

struct Url {
  std::string scheme;     // "http" or "https"
  std::string host;       // lower case; an IPv6 address with its brackets
  int port = 0;           // 0: the scheme's own
  std::string path;       // as written, begins with '/' or is empty
  std::string query;      // as written, without '?'
  bool userinfo = false;  // user:password@ was there (it is not kept)

  std::string authority() const;  // host[:port], the Host header
  std::string origin() const;     // scheme://host[:port]
};

// Splits an absolute http or https URL; nothing when it is none (also for a fragment, spaces and control characters).
std::optional<Url> parse_url(std::string_view text);

// RFC 3986: everything but A-Z a-z 0-9 - . _ ~ becomes %XX (upper case); '/' stays when `keep_slash`.
std::string percent_encode(std::string_view text, bool keep_slash = false);

// Nothing when a '%' is not followed by two hex digits. `plus_is_space`: the rule of forms and of S3 listings.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

using Query = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=2": names and values encoded, ordered by byte of the encoded name, then value.
std::string encode_query(const Query& query);

// Control characters as %XX, at most `limit` bytes: how bytes of strangers appear in messages.
std::string printable(std::string_view text, std::size_t limit = 1024);

}  // namespace ts
