// AWS Signature Version 4.
#include "vfs/sigv4.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <map>

#include "ext/base/digest.h"

namespace ts {
namespace {

// Header values: outer blanks away, inner runs of blanks become one.
std::string trimmed(std::string_view value) {
  std::string out;
  bool gap = false;
  for (char c : value) {
    if (c == ' ' || c == '\t') {
      gap = !out.empty();
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

SigV4 sign_v4(const SigV4Request& request, const SigV4Scope& scope) {
  std::map<std::string, std::string> headers;  // ordered by name; values of one name joined in the order given
  for (const auto& [name, value] : request.headers) {
    auto [at, fresh] = headers.emplace(lower(name), trimmed(value));
    if (!fresh) at->second += "," + trimmed(value);
  }
  std::string names, lines;
  for (const auto& [name, value] : headers) {
    if (!names.empty()) names += ';';
    names += name;
    lines += name + ":" + value + "\n";
  }

  SigV4 out;
  out.canonical_request = request.method + "\n" + (request.path.empty() ? "/" : request.path) + "\n" + request.canonical_query + "\n" +
                          lines + "\n" + names + "\n" + request.payload_hash;
  const std::string date = scope.amz_date.substr(0, 8);
  const std::string credential_scope = date + "/" + scope.region + "/" + scope.service + "/aws4_request";
  out.string_to_sign = "AWS4-HMAC-SHA256\n" + scope.amz_date + "\n" + credential_scope + "\n" + hex(sha256(out.canonical_request));
  std::string key = hmac_sha256("AWS4" + scope.secret_access_key, date);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  key = hmac_sha256(key, "aws4_request");
  out.signature = hex(hmac_sha256(key, out.string_to_sign));
  out.authorization = "AWS4-HMAC-SHA256 Credential=" + scope.access_key_id + "/" + credential_scope + ", SignedHeaders=" + names +
                      ", Signature=" + out.signature;
  return out;
}

std::string amz_date(std::int64_t now_ms) {
  using namespace std::chrono;
  const auto now = floor<seconds>(sys_time<milliseconds>(milliseconds(now_ms)));
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss time(now - day);
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

}  // namespace ts
