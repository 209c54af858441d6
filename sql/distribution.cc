// The distribution family: what SQL hands over, checked and given to statistics.h.
#include "sql/distribution.h"

#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "sql/aggregate_support.h"
#include "sql/statistics.h"

namespace ts {
namespace {

enum class Place { kQuantile, kContinuous, kMedian, kDistance };
struct PlaceDefinition {
  std::string name;
  Place place;
};

struct Values {
  using Definition = PlaceDefinition;
  Frame<double> values;
  Constant p;

  void step(const Definition& of, int argc, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    values.add(number_argument(argv[0], of.name));
    if (argc < 2) return;
    p.take(argv[1], of.name, "p");
    if (of.place == Place::kContinuous && !p.null() && !(p.number() >= 0 && p.number() <= 1)) {
      throw Error(Code::kBadInput, of.name + ": p is " + shown_value(argv[1]) + " and lies not between 0 and 1");
    }
  }
  void inverse(const Definition&, int, sqlite3_value** argv) {
    if (!is_null(argv[0])) values.drop();
  }
  void result(const Definition& of, sqlite3_context* context, bool last) {
    const bool asked = of.place == Place::kQuantile || of.place == Place::kContinuous;
    if (values.empty() || (asked && p.null())) return sqlite3_result_null(context);
    std::vector<double> copy;
    if (!last) copy.assign(values.items().begin(), values.items().end());
    const std::span<double> moved = last ? values.items() : std::span(copy);
    sqlite3_result_double(context, of.place == Place::kDistance ? mad_of(moved) : quantile_of(moved, asked ? p.number() : 0.5));
  }
};

// A value of any type but NULL, ordered as SQLite orders: numbers by size, then text, then blobs, both by bytes.
struct Key {
  int rank = 0;
  double real = 0;           // the number, rounded
  std::int64_t integer = 0;  // the number if it is `whole`
  bool whole = false;
  std::string bytes;

  bool operator<(const Key& other) const {
    return std::tie(rank, real, integer, whole, bytes) < std::tie(other.rank, other.real, other.integer, other.whole, other.bytes);
  }
};

Key key_of(sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_TEXT) return {1, 0, 0, false, std::string(text_value(value))};
  if (type == SQLITE_BLOB) return {2, 0, 0, false, std::string(blob_value(value))};
  const auto whole = whole_number(value);
  return {0, sqlite3_value_double(value), whole.value_or(0), whole.has_value(), {}};
}

struct NamedOnly {
  std::string name;
};

struct Tally {
  using Definition = NamedOnly;
  struct Counts {
    std::int64_t integers = 0, others = 0;
  };
  std::map<Key, Counts> tally;

  static std::int64_t& count(Counts& counts, sqlite3_value* value) {
    return sqlite3_value_type(value) == SQLITE_INTEGER ? counts.integers : counts.others;
  }
  void step(const Definition&, int, sqlite3_value** argv) {
    if (!is_null(argv[0])) ++count(tally[key_of(argv[0])], argv[0]);
  }
  void inverse(const Definition&, int, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    const auto found = tally.find(key_of(argv[0]));
    --count(found->second, argv[0]);
    if (found->second.integers + found->second.others == 0) tally.erase(found);
  }
  void result(const Definition&, sqlite3_context* context, bool) {
    const std::pair<const Key, Counts>* most = nullptr;
    for (const auto& entry : tally) {
      if (!most || entry.second.integers + entry.second.others > most->second.integers + most->second.others) most = &entry;
    }
    if (!most) return sqlite3_result_null(context);
    const Key& key = most->first;
    if (key.rank == 1) return sqlite3_result_text64(context, key.bytes.data(), key.bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    if (key.rank == 2) return sqlite3_result_blob64(context, key.bytes.data(), key.bytes.size(), SQLITE_TRANSIENT);
    if (most->second.integers > 0) return sqlite3_result_int64(context, key.integer);
    sqlite3_result_double(context, key.real);
  }
};

struct SpreadDefinition {
  std::string name;
  bool sample, root;
};

struct SpreadState {
  using Definition = SpreadDefinition;
  Spread spread;

  void change(const Definition& of, sqlite3_value** argv, int sign) {
    if (!is_null(argv[0])) spread.change(number_argument(argv[0], of.name), sign);
  }
  void step(const Definition& of, int, sqlite3_value** argv) { change(of, argv, 1); }
  void inverse(const Definition& of, int, sqlite3_value** argv) { change(of, argv, -1); }
  void result(const Definition& of, sqlite3_context* context, bool) {
    sqlite3_result_double(context, of.root ? spread.standard_deviation(of.sample) : spread.variance(of.sample));  // NaN becomes NULL
  }
};

struct PairDefinition {
  std::string name;
  double (*ask)(const Pairs&);
};

struct PairState {
  using Definition = PairDefinition;
  Pairs pairs;

  void change(const Definition& of, sqlite3_value** argv, int sign) {
    if (is_null(argv[0]) || is_null(argv[1])) return;
    pairs.change(number_argument(argv[0], of.name), number_argument(argv[1], of.name), sign);
  }
  void step(const Definition& of, int, sqlite3_value** argv) { change(of, argv, 1); }
  void inverse(const Definition& of, int, sqlite3_value** argv) { change(of, argv, -1); }
  void result(const Definition& of, sqlite3_context* context, bool) { sqlite3_result_double(context, of.ask(pairs)); }
};

// A bucket's bound: a number, or text as labels have it: '0.5', '.5', '1e0', '+Inf'.
double bound_argument(sqlite3_value* value, const std::string& function) {
  if (sqlite3_value_type(value) != SQLITE_TEXT) return number_argument(value, function);
  std::string_view text = text_value(value);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double bound = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bound);
  if (error == std::errc() && end == text.data() + text.size() && !std::isnan(bound)) return bound;
  throw Error(Code::kBadInput, function + ": le is " + shown_value(value) + ", which is no number and not '+Inf'");
}

struct HistogramDefinition {
  std::string name;
  int constants;  // 1: histogram_quantile, 2: histogram_fraction
};

struct HistogramState {
  using Definition = HistogramDefinition;
  Frame<Bucket> buckets;
  Constant constants[2];

  void step(const Definition& of, int, sqlite3_value** argv) {
    sqlite3_value** bucket = argv + of.constants;
    if (is_null(bucket[0]) || is_null(bucket[1])) return;
    for (int i = 0; i < of.constants; ++i) constants[i].take(argv[i], of.name, of.constants == 1 ? "p" : "the range");
    buckets.add({bound_argument(bucket[0], of.name), number_argument(bucket[1], of.name)});
  }
  void inverse(const Definition& of, int, sqlite3_value** argv) {
    if (!is_null(argv[of.constants]) && !is_null(argv[of.constants + 1])) buckets.drop();
  }
  void result(const Definition& of, sqlite3_context* context, bool) {
    if (buckets.empty() || constants[0].null() || constants[of.constants - 1].null()) return sqlite3_result_null(context);
    std::vector<Bucket> copy(buckets.items().begin(), buckets.items().end());
    sqlite3_result_double(context, of.constants == 1 ? histogram_quantile(constants[0].number(), copy)
                                                     : histogram_fraction(constants[0].number(), constants[1].number(), copy));
  }
};

void width_bucket(sqlite3_context* context, std::span<sqlite3_value*> argv) {
  const std::string name = "width_bucket";
  const double value = number_argument(argv[0], name), lower = number_argument(argv[1], name), upper = number_argument(argv[2], name);
  const std::int64_t n = sqlite3_value_int64(argv[3]);
  if (sqlite3_value_type(argv[3]) != SQLITE_INTEGER || n < 1 || n >= INT64_MAX) {
    throw Error(Code::kBadInput, name + ": the number of buckets is " + shown_value(argv[3]) + "; give an INTEGER of at least 1");
  }
  if (lower == upper || !std::isfinite(lower) || !std::isfinite(upper)) {
    throw Error(Code::kBadInput, name + ": from " + shown_value(argv[1]) + " to " + shown_value(argv[2]) + " is no range");
  }
  const bool falling = lower > upper;
  if (falling ? value > lower : value < lower) return sqlite3_result_int64(context, 0);
  if (falling ? value <= upper : value >= upper) return sqlite3_result_int64(context, n + 1);
  const double share = std::isfinite(upper - lower) ? (value - lower) / (upper - lower) : (value / 2 - lower / 2) / (upper / 2 - lower / 2);
  const double place = std::floor(share * static_cast<double>(n));
  sqlite3_result_int64(context, place >= static_cast<double>(n) ? n : std::min(n, static_cast<std::int64_t>(place) + 1));
}
constexpr PureFunction kFunctions[] = {{"width_bucket", 4, xPure<width_bucket>}};

const PairDefinition kPairs[] = {
    {"covar_pop", [](const Pairs& pairs) { return pairs.covariance(false); }},
    {"covar_samp", [](const Pairs& pairs) { return pairs.covariance(true); }},
    {"corr", [](const Pairs& pairs) { return pairs.correlation(); }},
    {"regr_slope", [](const Pairs& pairs) { return pairs.slope(); }},
    {"regr_intercept", [](const Pairs& pairs) { return pairs.intercept(); }},
    {"regr_r2", [](const Pairs& pairs) { return pairs.r_squared(); }},
};

}  // namespace

int register_distribution(sqlite3* db) {
  return guard(
      [&] {
        const Registrar add(db);
        add.aggregate<Values>({"quantile", Place::kQuantile}, 2);
        add.aggregate<Values>({"percentile_cont", Place::kContinuous}, 2);
        add.aggregate<Values>({"median", Place::kMedian}, 1);
        add.aggregate<Values>({"mad", Place::kDistance}, 1);
        add.aggregate<Tally>({"mode"}, 1);
        for (const bool sample : {false, true}) {
          const std::string suffix = sample ? "_samp" : "_pop";
          add.aggregate<SpreadState>({"stddev" + suffix, sample, true}, 1);
          add.aggregate<SpreadState>({"var" + suffix, sample, false}, 1);
        }
        for (const PairDefinition& pair : kPairs) add.aggregate<PairState>(pair, 2);
        add.aggregate<HistogramState>({"histogram_quantile", 1}, 3);
        add.aggregate<HistogramState>({"histogram_fraction", 2}, 4);
        register_pure(db, kFunctions);
      },
      [](const char*) {});
}

}  // namespace ts
