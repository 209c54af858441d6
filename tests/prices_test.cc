// Dollars and seconds of requests, and the options that say what they cost.
#include <doctest/doctest.h>

#include <string>

#include "ext/base/error.h"
#include "ext/table/prices.h"

using namespace ts;

namespace {

template <class Parse>
std::string refusal(Parse parse) {
  try {
    parse();
  } catch (const Error& e) {
    CHECK(e.code() == Code::kBadInput);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("prices: what is assumed is AWS S3 Standard in us-east-1, read out to the internet") {
  const Prices prices;
  CHECK(prices.get == 0.0004);
  CHECK(prices.list == 0.005);
  CHECK(prices.gb == 0.09);
  CHECK(dollars_of({0, 1'000, 0}, prices) == doctest::Approx(0.0004));
  CHECK(dollars_of({1'000, 0, 0}, prices) == doctest::Approx(0.005));
  CHECK(dollars_of({2'000, 3'000, 10'000'000'000}, prices) == doctest::Approx(0.9112));
}

TEST_CASE("prices: LISTs take a trip, then 16 at a time, GETs 24 at a time, and bytes share the link") {
  const Link link{100, 1'000'000};
  CHECK(seconds_of({0, 0, 0}, link) == 0);
  CHECK(seconds_of({1, 0, 0}, link) == doctest::Approx(0.1));
  CHECK(seconds_of({17, 0, 0}, link) == doctest::Approx(0.2));
  CHECK(seconds_of({18, 0, 0}, link) == doctest::Approx(0.3));
  CHECK(seconds_of({0, 24, 0}, link) == doctest::Approx(0.1));
  CHECK(seconds_of({0, 25, 0}, link) == doctest::Approx(0.2));
  CHECK(seconds_of({1, 1, 500'000}, link) == doctest::Approx(0.7));
}

TEST_CASE("prices: they are given by name in any order, and what is left out costs nothing") {
  const Prices all = parse_prices("gb 0.05, get 1 list 2.5", "prices");
  CHECK(all.gb == 0.05);
  CHECK(all.get == 1);
  CHECK(all.list == 2.5);
  const Prices some = parse_prices("gb 0", "prices");
  CHECK(some.gb == 0);
  CHECK(some.get == 0);
  for (const char* wrong : {"", "get", "get x", "get -1", "put 1", "get 1 list", "get 1e9999", "get nan", "get 1000001", "0.1 get"}) {
    CHECK(refusal([&] { parse_prices(wrong, "prices"); }) ==
          "timeseries: prices: \"" + std::string(wrong) +
              "\" is no list of prices; write dollars per 1,000 GET, per 1,000 LIST and per GB read, as in 'get 0.0004 list 0.005 gb "
              "0.09'");
  }
}

TEST_CASE("prices: a link is a round trip and bytes per second") {
  CHECK(parse_link("30ms 100MB", "link").round_trip_ms == 30);
  CHECK(parse_link("1s, 2kB", "link").bytes_per_s == 2048);
  for (const char* wrong : {"30ms", "100MB 30ms", "30ms 0", "30ms 100MB fast"}) CHECK(refusal([&] { parse_link(wrong, "link"); }) != "");
}
