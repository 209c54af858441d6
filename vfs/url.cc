// URLs: splitting, percent-encoding and canonical queries.
#include "vfs/url.h"

#include <algorithm>
#include <charconv>

namespace ts {
namespace {

constexpr std::size_t kMaxUrl = 8192;  // what common servers take as a request line

bool unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void append_hex(std::string& out, unsigned char c) {
  constexpr char kHex[] = "0123456789ABCDEF";
  out += '%';
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool valid_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    std::string_view inner = host.substr(1, host.size() - 2);
    return std::all_of(inner.begin(), inner.end(), [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
  }
  return !host.empty() &&
         std::all_of(host.begin(), host.end(), [](char c) { return unreserved(static_cast<unsigned char>(c)) && c != '~'; });
}

}  // namespace

std::string Url::authority() const { return port == 0 ? host : host + ":" + std::to_string(port); }

std::string Url::origin() const { return scheme + "://" + authority(); }

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrl) return std::nullopt;
  for (unsigned char c : text) {
    if (c <= ' ' || c == 0x7f || c == '#' || c == '\\') return std::nullopt;
  }
  Url url;
  std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);

  std::size_t end = text.find_first_of("/?");
  std::string_view authority = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end);
  if (std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.userinfo = true;
    authority.remove_prefix(at + 1);
  }
  std::size_t bracket = authority.find(']');
  std::size_t port_at = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = lower(authority.substr(0, port_at));
  if (!valid_host(url.host)) return std::nullopt;
  if (port_at != std::string_view::npos) {
    std::string_view digits = authority.substr(port_at + 1);
    auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (error != std::errc() || stop != digits.data() + digits.size() || url.port < 1 || url.port > 65535) {
      return std::nullopt;
    }
    if (url.port == (url.scheme == "https" ? 443 : 80)) url.port = 0;
  }
  std::size_t question = text.find('?');
  url.path = text.substr(0, question);
  if (question != std::string_view::npos) url.query = text.substr(question + 1);
  return url;
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  std::string out;
  out.reserve(text.size() + 16);
  for (char raw : text) {
    auto c = static_cast<unsigned char>(raw);
    if (unreserved(c) || (keep_slash && c == '/')) {
      out += raw;
    } else {
      append_hex(out, c);
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string encode_query(const Query& query) {
  Query encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) encoded.emplace_back(percent_encode(name), percent_encode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (char raw : text) {
    if (out.size() >= limit) return out + "...";
    auto c = static_cast<unsigned char>(raw);
    if (c < ' ' || c == 0x7f) {
      append_hex(out, c);
    } else {
      out += raw;
    }
  }
  return out;
}

}  // namespace ts
