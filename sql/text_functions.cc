// Globs are split once a statement; addresses are compared as 16 bytes, IPv4 as ::ffff:a.b.c.d.
#include "sql/text_functions.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "ext/base/digest.h"
#include "ext/base/utf8.h"
#include "sql/function_support.h"
#include "vfs/url.h"

namespace ts {
namespace {

using Arguments = std::span<sqlite3_value*>;

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, message); }

// The literal texts around the asterisks: one more than there are asterisks.
using Glob = std::vector<std::string>;

Glob split_glob(std::string_view text) {
  Glob parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '\\');
    if (text[i] != '*') {
      parts.back() += text[escaped ? ++i : i];
    } else if (parts.size() > 1 && parts.back().empty()) {
      bad("parse_glob: two asterisks side by side in \"" + excerpt(text) + "\": which takes what? Write one");
    } else {
      parts.emplace_back();
    }
  }
  if (parts.size() == 1) bad("parse_glob: the glob \"" + excerpt(text) + "\" has no asterisk, so it takes nothing");
  return parts;
}

// What each asterisk takes: as little as it can, the last one at the glob's end all that is left. nullopt: no match.
// The first place of each literal is the best, because what follows has most room behind it.
std::optional<std::vector<std::string_view>> match_glob(const Glob& glob, std::string_view text) {
  std::size_t at = text.find(glob[0]);
  if (at == std::string_view::npos) return std::nullopt;
  at += glob[0].size();
  std::vector<std::string_view> taken;
  for (std::size_t i = 1; i < glob.size(); ++i) {
    const bool rest = i + 1 == glob.size() && glob[i].empty();
    const std::size_t end = rest ? text.size() : text.find(glob[i], at);
    if (end == std::string_view::npos) return std::nullopt;
    taken.push_back(text.substr(at, end - at));
    at = end + glob[i].size();
  }
  return taken;
}

void destroy_glob(void* glob) { delete static_cast<Glob*>(glob); }

void parse_glob_with(sqlite3_context* context, Arguments arguments, const Glob& glob) {
  std::size_t number = 0;
  if (arguments.size() == 3) {
    const std::int64_t wanted = sqlite3_value_int64(arguments[2]);
    if (wanted < 1 || wanted >= static_cast<std::int64_t>(glob.size())) {
      bad("parse_glob: there is no asterisk number " + shown_value(arguments[2]) + "; they count from 1");
    }
    number = static_cast<std::size_t>(wanted);
  }
  const auto taken = match_glob(glob, text_value(arguments[0]));
  if (!taken) return sqlite3_result_null(context);
  if (number) return result_text(context, (*taken)[number - 1]);
  std::string json;
  for (const std::string_view part : *taken) {
    json += json.empty() ? '[' : ',';
    append_json_text(json, part);
  }
  result_json(context, json + "]");
}

void parse_glob(sqlite3_context* context, Arguments arguments) {
  if (const void* kept = sqlite3_get_auxdata(context, 1)) return parse_glob_with(context, arguments, *static_cast<const Glob*>(kept));
  auto glob = std::make_unique<Glob>(split_glob(text_value(arguments[1])));
  parse_glob_with(context, arguments, *glob);
  sqlite3_set_auxdata(context, 1, glob.release(), destroy_glob);
}

constexpr int kAddressBits = 128, kMappedBits = 96;

struct Address {
  std::array<unsigned char, 16> bytes = {};
  bool v4 = false;  // as it was written
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string name(text);
  if (name.find('\0') != std::string::npos) return std::nullopt;
  Address address;
  if (inet_pton(AF_INET6, name.c_str(), address.bytes.data()) == 1) return address;
  address.v4 = true;
  address.bytes[10] = address.bytes[11] = 0xff;
  return inet_pton(AF_INET, name.c_str(), address.bytes.data() + 12) == 1 ? std::optional(address) : std::nullopt;
}

struct Subnet {
  Address address;
  int bits = 0;  // of the 128
};

Subnet parse_subnet(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  int bits = -1;
  if (slash != std::string_view::npos) {
    const auto [end, fault] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
    if (fault != std::errc() || end != text.data() + text.size()) bits = -1;
  }
  const int most = address && address->v4 ? kAddressBits - kMappedBits : kAddressBits;
  if (!address || bits < 0 || bits > most) {
    bad("ip_in_subnet: \"" + excerpt(text) + "\" is no subnet; write one as in '10.0.0.0/8' or '2001:db8::/32'");
  }
  return {*address, bits + kAddressBits - most};
}

bool contains(const Subnet& subnet, const Address& address) {
  if (address.v4 && subnet.bits < kMappedBits) return false;  // ::/0 is all of IPv6
  for (int bit = 0; bit < subnet.bits; bit += 8) {
    const auto i = static_cast<std::size_t>(bit / 8);
    const int mask = subnet.bits - bit >= 8 ? 0xff : 0xff00 >> (subnet.bits - bit);
    if ((subnet.address.bytes[i] ^ address.bytes[i]) & mask) return false;
  }
  return true;
}

void destroy_subnet(void* subnet) { delete static_cast<Subnet*>(subnet); }

// What is no address lies in no subnet and outside of none: NULL.
void ip_in_subnet(sqlite3_context* context, Arguments arguments) {
  const void* kept = sqlite3_get_auxdata(context, 1);
  const Subnet subnet = kept ? *static_cast<const Subnet*>(kept) : parse_subnet(text_value(arguments[1]));
  const auto address = parse_address(text_value(arguments[0]));
  address ? sqlite3_result_int(context, contains(subnet, *address)) : sqlite3_result_null(context);
  if (!kept) sqlite3_set_auxdata(context, 1, new Subnet(subnet), destroy_subnet);
}

// NULL for a '%' without two hex digits; bytes that are no UTF-8 become U+FFFD.
void url_decode(sqlite3_context* context, Arguments arguments) {
  const auto decoded = percent_decode(text_value(arguments[0]));
  decoded ? result_text(context, mended_utf8(*decoded)) : sqlite3_result_null(context);
}

// Of a blob's bytes as they are, of other values' text as UTF-8.
template <Hash kHash>
void hash(sqlite3_context* context, Arguments arguments) {
  sqlite3_value* value = arguments[0];
  const std::string_view bytes = sqlite3_value_type(value) == SQLITE_BLOB ? blob_value(value) : text_value(value);
  result_text(context, hex(digest(kHash, bytes)));
}

constexpr PureFunction kFunctions[] = {
    {"parse_glob", 2, xPure<parse_glob>, true},
    {"parse_glob", 3, xPure<parse_glob>, true},
    {"ip_in_subnet", 2, xPure<ip_in_subnet>},
    {"url_decode", 1, xPure<url_decode>},
    {"md5", 1, xPure<hash<Hash::kMd5>>},
    {"sha1", 1, xPure<hash<Hash::kSha1>>},
    {"sha256", 1, xPure<hash<Hash::kSha256>>},
    {"sha512", 1, xPure<hash<Hash::kSha512>>},
};

}  // namespace

int register_text_functions(sqlite3* db) {
  return guard([&] { register_pure(db, kFunctions); }, [](const char*) {});
}

}  // namespace ts
