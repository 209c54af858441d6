// Digests against the vectors of RFC 1321, RFC 3174, FIPS 180-4 and RFC 4231.
#include <doctest/doctest.h>

#include "ext/base/digest.h"

using namespace ts;

TEST_CASE("digest: every algorithm gives the published answer for \"abc\" and for nothing") {
  CHECK(hex(digest(Hash::kMd5, "abc")) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex(digest(Hash::kMd5, "")) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(digest(Hash::kSha1, "abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(digest(Hash::kSha1, "")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex(digest(Hash::kSha256, "abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(digest(Hash::kSha512, "abc")) ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_CASE("digest: HMAC-SHA-256 gives the answer of RFC 4231") {
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
