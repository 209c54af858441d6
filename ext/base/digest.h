// Digests of bytes, by OpenSSL, which digest.cc alone includes. Pure: no I/O, no clock.
#pragma once
#include <string>
#include <string_view>

namespace ts {

enum class Hash { kMd5, kSha1, kSha256, kSha512 };

std::string digest(Hash hash, std::string_view bytes);                  // 16, 20, 32 or 64 raw bytes
std::string sha256(std::string_view bytes);                             // 32 raw bytes
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
std::string hex(std::string_view bytes);                                // lower case

}  // namespace ts
