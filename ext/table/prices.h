// Prices and times of requests: what the user wrote, or what is assumed, and the estimate made of it. Pure.
//
// Assumed prices are those of AWS S3 Standard in us-east-1, read out to the internet, as https://aws.amazon.com/s3/pricing had them in
// 2026: $0.0004 per 1,000 GET, $0.005 per 1,000 LIST, $0.09 per GB (10^9 bytes). Reading from the same region costs no dollars per GB.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace ts {

struct Prices {
  double get = 0.0004, list = 0.005;  // dollars per 1,000 requests
  double gb = 0.09;                   // dollars per 10^9 bytes
};

// How far away a store is.
struct Link {
  std::int64_t round_trip_ms = 30;
  std::uint64_t bytes_per_s = 100'000'000;
};

struct Requests {
  std::int64_t lists = 0, gets = 0;
  std::uint64_t bytes = 0;
};

double dollars_of(const Requests& requests, const Prices& prices);
// 16 LISTs and 24 GETs are under way at a time, and the bytes share the link.
double seconds_of(const Requests& requests, const Link& link);

// 'get 0.0004 list 0.005 gb 0.09', in any order; what is left out costs nothing. Throws kBadInput naming `option`.
Prices parse_prices(std::string_view text, std::string_view option);
// '30ms 100MB': a round trip, and bytes per second. Throws kBadInput naming `option`.
Link parse_link(std::string_view text, std::string_view option);

}  // namespace ts
