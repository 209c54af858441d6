// Words to prices, and requests to dollars and seconds.
#include "ext/table/prices.h"

#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "ext/base/error.h"
#include "ext/base/sql_tokens.h"
#include "ext/base/utf8.h"
#include "ext/table/declaration.h"

namespace ts {
namespace {

constexpr double kMostDollars = 1e6;

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(" ,", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(" ,", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<double> price_of(std::string_view word) {
  double dollars = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), dollars, std::chars_format::fixed);
  if (error != std::errc() || end != word.data() + word.size() || !(dollars >= 0 && dollars <= kMostDollars)) return std::nullopt;
  return dollars;
}

// How many trips so many requests take, `side_by_side` of them at a time.
std::int64_t trips(std::int64_t requests, std::int64_t side_by_side) { return (requests + side_by_side - 1) / side_by_side; }

}  // namespace

double dollars_of(const Requests& requests, const Prices& prices) {
  return (static_cast<double>(requests.gets) * prices.get + static_cast<double>(requests.lists) * prices.list) / 1'000 +
         static_cast<double>(requests.bytes) / 1e9 * prices.gb;
}

double seconds_of(const Requests& requests, const Link& link) {
  constexpr std::int64_t kListsAtOnce = 16, kGetsAtOnce = 24;
  // The first LIST tells where the others begin.
  const std::int64_t lists = requests.lists > 1 ? 1 + trips(requests.lists - 1, kListsAtOnce) : requests.lists;
  return static_cast<double>((lists + trips(requests.gets, kGetsAtOnce)) * link.round_trip_ms) / 1'000 +
         static_cast<double>(requests.bytes) / static_cast<double>(link.bytes_per_s);
}

Prices parse_prices(std::string_view text, std::string_view option) {
  Prices prices{0, 0, 0};
  const std::vector<std::string_view> words = words_of(text);
  bool right = !words.empty() && words.size() % 2 == 0;
  for (std::size_t i = 0; right && i < words.size(); i += 2) {
    double* const price = words[i] == "get" ? &prices.get : words[i] == "list" ? &prices.list : words[i] == "gb" ? &prices.gb : nullptr;
    const auto dollars = price_of(words[i + 1]);
    right = price && dollars;
    if (right) *price = *dollars;
  }
  if (right) return prices;
  throw Error(Code::kBadInput, "timeseries: " + std::string(option) + ": " + in_quotes(excerpt(text)) +
                                   " is no list of prices; write dollars per 1,000 GET, per 1,000 LIST and per GB read, as in 'get 0.0004 "
                                   "list 0.005 gb 0.09'");
}

Link parse_link(std::string_view text, std::string_view option) {
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() != 2) {
    throw Error(Code::kBadInput, "timeseries: " + std::string(option) + ": " + in_quotes(excerpt(text)) +
                                     " is no round trip and bytes per second, as in '30ms 100MB'");
  }
  Link link{parse_duration(words[0], option), parse_size(words[1], option)};
  if (link.bytes_per_s == 0) throw Error(Code::kBadInput, "timeseries: " + std::string(option) + ": must be at least one byte per second");
  return link;
}

}  // namespace ts
