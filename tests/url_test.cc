// URLs: what is taken apart, what is refused, and how bytes are encoded.
#include <doctest/doctest.h>

#include "vfs/url.h"

using namespace ts;

TEST_CASE("url: scheme, host, port, path and query come apart, and the host is lower case") {
  const auto url = parse_url("HTTPS://Example.COM:8443/a/B%20c?x=1&y");
  REQUIRE(url);
  CHECK(url->scheme == "https");
  CHECK(url->host == "example.com");
  CHECK(url->port == 8443);
  CHECK(url->path == "/a/B%20c");
  CHECK(url->query == "x=1&y");
  CHECK(url->origin() == "https://example.com:8443");
  CHECK(parse_url("http://h?q")->path == "");
  CHECK(parse_url("http://[::1]:9000/x")->authority() == "[::1]:9000");
  CHECK(parse_url("http://[::1]/x")->authority() == "[::1]");
}

TEST_CASE("url: the scheme's own port is no port") {
  CHECK(parse_url("https://h:443/")->authority() == "h");
  CHECK(parse_url("http://h:80")->authority() == "h");
  CHECK(parse_url("http://h:443")->authority() == "h:443");
}

TEST_CASE("url: what is no plain http or https URL is refused") {
  for (const char* text :
       {"", "h", "ftp://h", "http:/h", "http://", "http://:80", "http://h:0", "http://h:65536", "http://h:8x", "http://h:", "http://a b",
        "http://h/a b", "http://h/\n", "http://h#f", "http://h\\x", "http://[::1", "http://h\xC3\xA4"}) {
    CAPTURE(text);
    CHECK(!parse_url(text));
  }
  CHECK(!parse_url("http://h/" + std::string(10'000, 'x')));
}

TEST_CASE("url: user and password are noticed and not kept") {
  const auto url = parse_url("http://user:secret@h:1/x");
  REQUIRE(url);
  CHECK(url->userinfo);
  CHECK(url->origin() == "http://h:1");
}

TEST_CASE("url: only unreserved bytes stay as they are, and a slash where it is asked for") {
  CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(percent_encode(" /+%\xC3\xA4") == "%20%2F%2B%25%C3%A4");
  CHECK(percent_encode("a/b c", true) == "a/b%20c");
}

TEST_CASE("url: decoding undoes encoding for every byte, and half an escape is an error") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_decode("a%2bb%2B") == "a+b+");
  CHECK(percent_decode("a+b", true) == "a b");
  CHECK(percent_decode("a+b") == "a+b");
  for (const char* text : {"%", "%4", "a%4g", "%g4"}) CHECK(!percent_decode(text));
}

TEST_CASE("url: a query is ordered by the bytes of its encoded names, then values") {
  CHECK(encode_query({{"b", "2"}, {"a", "z"}, {"a", "1 &"}, {"A", ""}}) == "A=&a=1%20%26&a=z&b=2");
  CHECK(encode_query({}) == "");
}

TEST_CASE("url: control characters of strangers do not reach a message") {
  CHECK(printable("a\x1b[2J\n\x7f") == "a%1B[2J%0A%7F");
  CHECK(printable("abcdef", 3) == "abc...");
}
