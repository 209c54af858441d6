// Digests by OpenSSL's one-call functions.
#include "ext/base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "ext/base/error.h"

namespace ts {
namespace {

struct Algorithm {
  const char* name;
  const EVP_MD* (*method)();
};

Algorithm algorithm_of(Hash hash) {
  switch (hash) {
    case Hash::kMd5: return {"MD5", EVP_md5};
    case Hash::kSha1: return {"SHA-1", EVP_sha1};
    case Hash::kSha256: return {"SHA-256", EVP_sha256};
    case Hash::kSha512: break;
  }
  return {"SHA-512", EVP_sha512};
}

}  // namespace

std::string digest(Hash hash, std::string_view bytes) {
  const Algorithm algorithm = algorithm_of(hash);
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, algorithm.method(), nullptr) != 1) {
    throw Error(Code::kUnsupported, std::string("digest: OpenSSL cannot compute ") + algorithm.name + "; its configuration forbids it");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string sha256(std::string_view bytes) { return digest(Hash::kSha256, bytes); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
            out.data(), &size)) {
    throw Error(Code::kUnsupported, "digest: OpenSSL cannot compute HMAC-SHA-256");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string hex(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char raw : bytes) {
    auto c = static_cast<unsigned char>(raw);
    out += kHex[c >> 4];
    out += kHex[c & 15];
  }
  return out;
}

}  // namespace ts
