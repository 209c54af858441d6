// Aggregates: accumulators, the table of groups, and the loops over runs that packed columns are decoded into.
#include "ext/archive/aggregate.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>

#include "ext/base/sql_tokens.h"

namespace ts {
namespace {

__extension__ using Wide = __int128;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

Cell integer_cell(std::int64_t value) {
  Cell cell;
  cell.type = SQLITE_INTEGER;
  cell.integer = value;
  return cell;
}

Cell real_cell(double value) {
  Cell cell;
  if (std::isnan(value)) return cell;  // SQLite has no NaN: it is NULL
  cell.type = SQLITE_FLOAT;
  cell.real = value;
  return cell;
}

// A total order: where compare_cells sees one value, 1 comes before 1.0.
int compare_strictly(const Cell& a, const Cell& b) {
  if (int order = compare_cells(a, b)) return order;
  return a.type - b.type;
}

// ---------------------------------------------------------------- runs

// What a run's loop does about NULLs: nothing, or a look at each.
struct NoNulls {
  bool operator()(std::size_t) const { return false; }
};
struct Nulls {
  const std::uint8_t* nulls;
  bool operator()(std::size_t i) const { return nulls[i] != 0; }
};

std::int64_t count_values(std::size_t rows, const std::uint8_t* nulls) {
  std::size_t count = rows;
  for (std::size_t i = 0; nulls && i < rows; i++) count -= nulls[i] != 0;
  return static_cast<std::int64_t>(count);
}

struct IntegerFacts {
  Wide sum = 0;
  std::int64_t min = std::numeric_limits<std::int64_t>::max(), max = std::numeric_limits<std::int64_t>::min();
};

// Several lanes, so that the processor need not wait for one sum or extreme before it begins with the next value.
template <class Null>
IntegerFacts look_at(const std::int64_t* values, std::size_t rows, Null null) {
  constexpr std::size_t kLanes = 4;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max(), kLeast = std::numeric_limits<std::int64_t>::min();
  std::uint64_t sums[kLanes] = {};
  std::int64_t least[kLanes] = {kMost, kMost, kMost, kMost}, most[kLanes] = {kLeast, kLeast, kLeast, kLeast};
  auto step = [&](std::size_t lane, std::size_t i) {
    std::int64_t value = values[i], low = null(i) ? kMost : value, high = null(i) ? kLeast : value;
    sums[lane] += null(i) ? 0 : static_cast<std::uint64_t>(value);
    least[lane] = low < least[lane] ? low : least[lane];
    most[lane] = high > most[lane] ? high : most[lane];
  };
  std::size_t i = 0;
  for (; i + kLanes <= rows; i += kLanes) {
    step(0, i), step(1, i + 1), step(2, i + 2), step(3, i + 3);
  }
  for (; i < rows; i++) step(0, i);
  IntegerFacts facts;
  std::uint64_t sum = 0;
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    sum += sums[lane];
    facts.min = std::min(facts.min, least[lane]);
    facts.max = std::max(facts.max, most[lane]);
  }
  // So many of such values cannot leave 64 bits; others are added up in two halves.
  const std::int64_t bound = kMost / static_cast<std::int64_t>(rows);
  if (facts.max <= bound && facts.min >= -bound) {
    facts.sum = static_cast<std::int64_t>(sum);
    return facts;
  }
  std::int64_t high = 0, low = 0;
  for (i = 0; i < rows; i++) {
    std::int64_t value = null(i) ? 0 : values[i];
    high += value >> 32;
    low += value & 0xffffffff;
  }
  facts.sum = Wide{high} * (Wide{1} << 32) + low;
  return facts;
}

// Two doubles at once, which every 64-bit processor can.
typedef double Pair __attribute__((vector_size(16)));

struct RealFacts {
  Pair sums[4] = {}, lost[4] = {};
  double min = std::numeric_limits<double>::infinity(), max = -std::numeric_limits<double>::infinity();
};

// Sums are Knuth's, with what each addition lost; which extremes are asked for is known when this is compiled.
template <bool kWithSum, bool kWithExtremes, class Null>
RealFacts look_at(const double* values, std::size_t rows, Null null) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  RealFacts facts;
  Pair least[4], most[4];
  for (std::size_t p = 0; p < 4; p++) {
    least[p] = Pair{kInfinity, kInfinity};
    most[p] = Pair{-kInfinity, -kInfinity};
  }
  auto step = [&](std::size_t p, Pair value, Pair low, Pair high) {
    if constexpr (kWithSum) {
      Pair before = facts.sums[p], sum = before + value, added = sum - before;
      facts.lost[p] += (before - (sum - added)) + (value - added);
      facts.sums[p] = sum;
    }
    if constexpr (kWithExtremes) {
      least[p] = low < least[p] ? low : least[p];
      most[p] = high > most[p] ? high : most[p];
    }
  };
  auto load = [&](std::size_t p, std::size_t i) {
    if constexpr (std::is_same_v<Null, NoNulls>) {
      Pair value;
      std::memcpy(&value, values + i, sizeof value);
      step(p, value, value, value);
    } else {
      bool a = null(i), b = null(i + 1);
      double x = values[i], y = values[i + 1];
      step(p, Pair{a ? 0.0 : x, b ? 0.0 : y}, Pair{a ? kInfinity : x, b ? kInfinity : y}, Pair{a ? -kInfinity : x, b ? -kInfinity : y});
    }
  };
  std::size_t i = 0;
  for (; i + 8 <= rows; i += 8) {
    load(0, i), load(1, i + 2), load(2, i + 4), load(3, i + 6);
  }
  for (; i < rows; i++) {
    if (null(i)) continue;
    step(0, Pair{values[i], 0.0}, Pair{values[i], kInfinity}, Pair{values[i], -kInfinity});
  }
  for (std::size_t p = 0; p < 4; p++) {
    facts.min = std::min({facts.min, least[p][0], least[p][1]});
    facts.max = std::max({facts.max, most[p][0], most[p][1]});
  }
  return facts;
}

}  // namespace

// ---------------------------------------------------------------- texts

Collation collation_of(const Column& column) {
  if (same_word(column.collate, "NOCASE")) return Collation::kNocase;
  return same_word(column.collate, "RTRIM") ? Collation::kRtrim : Collation::kBinary;
}

int compare_text(std::string_view a, std::string_view b, Collation collation) {
  if (collation == Collation::kRtrim) {
    while (a.ends_with(' ')) a.remove_suffix(1);
    while (b.ends_with(' ')) b.remove_suffix(1);
  }
  if (collation != Collation::kNocase) return a.compare(b);
  std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common && (a[i] || b[i]); i++) {  // SQLite looks no further than a NUL
    unsigned char x = static_cast<unsigned char>(lower(a[i])), y = static_cast<unsigned char>(lower(b[i]));
    if (x != y) return x < y ? -1 : 1;
  }
  return a.size() < b.size() ? -1 : a.size() > b.size();
}

Cell number_of(const Cell& cell) {
  if (cell.type != SQLITE_TEXT && cell.type != SQLITE_BLOB) return cell;
  std::string_view text = cell.bytes;
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::size_t at = 0, digits = 0;
  std::int64_t magnitude = 0;  // of the first digit that is not 0, once one was seen
  bool some = false;
  auto take_digits = [&](bool whole) {
    for (; at < text.size() && is_digit(text[at]); at++, digits++) {
      some = some || text[at] != '0';
      if (whole ? some : !some) magnitude += whole ? 1 : -1;
    }
  };
  take_digits(true);
  bool whole = true;
  if (at < text.size() && text[at] == '.') {
    at++;
    whole = false;
    take_digits(false);
  }
  if (digits == 0) return real_cell(0);
  std::size_t end = at;
  std::int64_t exponent = 0;
  bool valid = true;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t sign = at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-') ? 1 : 0;
    std::size_t first = at + 1 + sign;
    valid = first < text.size() && is_digit(text[first]);
    if (valid) {
      constexpr std::int64_t kEnough = 1'000'000'000;
      for (at = first; at < text.size() && is_digit(text[at]); at++) {
        if (exponent < kEnough) exponent = exponent * 10 + (text[at] - '0');
      }
      if (sign && text[first - 1] == '-') exponent = -exponent;
      end = at;
      whole = false;
    }
  }
  for (at = end; at < text.size() && is_space(text[at]);) at++;
  valid = valid && at == text.size();
  std::string number = (negative ? "-" : "") + std::string(text.substr(0, end));
  if (cell.type == SQLITE_TEXT && valid && whole) {
    std::int64_t integer = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), integer).ec == std::errc()) return integer_cell(integer);
  }
  double real = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), real).ec != std::errc()) {
    real = some && magnitude + exponent > 0 ? std::numeric_limits<double>::infinity() : 0;
    if (negative) real = -real;
  }
  return real_cell(real);
}

// ---------------------------------------------------------------- what is asked for

bool RollupSpec::wants(std::int64_t start) const { return !some_buckets || std::binary_search(buckets.begin(), buckets.end(), start); }

bool RollupSpec::wants_some_of(std::int64_t first, std::int64_t last) const {
  if (!some_buckets) return true;
  auto found = std::lower_bound(buckets.begin(), buckets.end(), bucket.start(first));
  return found != buckets.end() && *found <= last;
}

Run Run::of(const std::int64_t* times, std::size_t rows) {
  Run run{rows, times[0], times[rows - 1]};
  while (run.first_rows < rows && times[run.first_rows] == run.first_time) run.first_rows++;
  while (run.last_rows < rows && times[rows - 1 - run.last_rows] == run.last_time) run.last_rows++;
  return run;
}

// ---------------------------------------------------------------- a group's state

struct PartialAggregates::Sum {
  Wide integers;
  double reals, lost;
  bool any_real;

  void add(double value) {
    double sum = reals + value;
    lost += std::fabs(reals) >= std::fabs(value) ? (reals - sum) + value : (value - sum) + reals;
    reals = sum;
    any_real = true;
  }
  // Once a sum is infinite, what was lost means nothing.
  double real() const {
    double sum = std::isfinite(reals) ? reals + lost : reals;
    return integers == 0 ? sum : static_cast<double>(integers) + sum;
  }
};

// A cell whose bytes lie in bytes_.
struct PartialAggregates::Stored {
  int type;
  std::uint32_t bytes;  // index plus one; kept when the value has none, to be used again
  union {
    std::int64_t integer;
    double real;
  };
};

// The best value of each storage class, which the order of classes then chooses from.
struct PartialAggregates::Extreme {
  std::int64_t integer;
  double real;
  std::uint32_t text, blob;  // indexes plus one
  bool has_integer, has_real;
};

struct PartialAggregates::Edge {
  std::int64_t time;
  Stored value;
  bool any;
};

PartialAggregates::PartialAggregates(std::shared_ptr<const RollupSpec> spec) : spec_(std::move(spec)) {
  constexpr std::size_t kAlign = 16;
  std::size_t bytes = kAlign;  // the number of rows comes first
  auto part = [&](bool wanted, std::size_t size) -> std::size_t {
    if (!wanted) return 0;
    std::size_t offset = bytes;
    bytes += (size + kAlign - 1) / kAlign * kAlign;
    return offset;
  };
  for (const Measure& measure : spec_->measures) {
    unsigned wanted = measure.statistics;
    Layout layout;
    layout.count = part(wanted & (kCount | kSum), sizeof(std::int64_t));
    layout.sum = part(wanted & kSum, sizeof(Sum));
    layout.min = part(wanted & kMin, sizeof(Extreme));
    layout.max = part(wanted & kMax, sizeof(Extreme));
    layout.first = part(wanted & kFirst, sizeof(Edge));
    layout.last = part(wanted & kLast, sizeof(Edge));
    layouts_.push_back(layout);
  }
  state_bytes_ = bytes;
  for (Collation collation : spec_->tag_collations) plain_keys_ = plain_keys_ && collation == Collation::kBinary;
}

// ---------------------------------------------------------------- series and groups

namespace {

// Tags in a form that is equal in bytes exactly where GROUP BY sees one value.
void append_key(std::string& key, const Cell& cell, Collation collation) {
  auto word = [&](int type, const void* bytes) {
    key += static_cast<char>(type);
    key.append(static_cast<const char*>(bytes), 8);
  };
  auto text = [&](int type, std::string_view bytes, std::uint32_t length) {
    key += static_cast<char>(type);
    key.append(reinterpret_cast<const char*>(&length), 4);
    key += bytes;
  };
  switch (cell.type) {
    case SQLITE_INTEGER: return word(SQLITE_INTEGER, &cell.integer);
    case SQLITE_FLOAT: {
      constexpr double kTwoTo63 = 9223372036854775808.0;
      if (cell.real >= -kTwoTo63 && cell.real < kTwoTo63 && cell.real == std::floor(cell.real)) {
        std::int64_t integer = static_cast<std::int64_t>(cell.real);
        return word(SQLITE_INTEGER, &integer);
      }
      return word(SQLITE_FLOAT, &cell.real);
    }
    case SQLITE_TEXT: {
      std::string_view bytes = cell.bytes;
      std::uint32_t length = static_cast<std::uint32_t>(bytes.size());
      if (collation == Collation::kNocase) {  // equal up to a NUL and in length
        std::string folded(bytes.substr(0, bytes.find('\0')));
        for (char& c : folded) c = lower(c);
        return text(SQLITE_TEXT, std::to_string(folded.size()) + ":" + folded, length);
      }
      if (collation == Collation::kRtrim) {
        while (bytes.ends_with(' ')) bytes.remove_suffix(1);
        length = static_cast<std::uint32_t>(bytes.size());
      }
      return text(SQLITE_TEXT, bytes, length);
    }
    case SQLITE_BLOB: return text(SQLITE_BLOB, cell.bytes, static_cast<std::uint32_t>(cell.bytes.size()));
    default: key += static_cast<char>(SQLITE_NULL);
  }
}

int compare_tags(std::string_view a, std::string_view b, std::size_t tags) {
  const char *x = a.data(), *y = b.data();
  for (std::size_t i = 0; i < tags; i++) {
    if (int order = compare_strictly(RowBuffer::read(x), RowBuffer::read(y))) return order;
  }
  return 0;
}

std::uint64_t mix(std::uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}

}  // namespace

std::uint32_t PartialAggregates::series(std::string_view tags) {
  if (last_written_ != kUnwanted && tags == last_tags_) return last_written_;
  last_tags_ = tags;
  auto known = written_by_tags_.find(last_tags_);
  if (known != written_by_tags_.end()) return last_written_ = known->second;

  key_.clear();
  bool plain = plain_keys_;
  const char* at = tags.data();
  for (std::size_t i = 0; plain && i < spec_->tags.size(); i++) {
    plain = *at != SQLITE_FLOAT;
    RowBuffer::skip(at);
  }
  if (plain) {
    key_ = tags;  // their own form, in which an integer or a binary text is written as append_key would
  } else {
    at = tags.data();
    for (Collation collation : spec_->tag_collations) append_key(key_, RowBuffer::read(at), collation);
  }
  std::uint32_t series = series_by_key_.try_emplace(key_, static_cast<std::uint32_t>(series_by_key_.size())).first->second;
  last_written_ = static_cast<std::uint32_t>(written_.size());
  written_.push_back({last_tags_, series});
  written_by_tags_.emplace(last_tags_, last_written_);
  return last_written_;
}

std::uint32_t PartialAggregates::find_group(std::uint32_t written, std::int64_t time) {
  std::int64_t start = spec_->bucket.start(time);
  last_group_ = spec_->wants(start) ? intern(written, start) : kUnwanted;
  last_series_ = written;
  last_start_ = start;
  last_end_ = spec_->bucket.last(time);
  return last_group_;
}

std::uint32_t PartialAggregates::intern(std::uint32_t written, std::int64_t bucket) {
  if (keys_.size() * 2 >= slots_.size()) grow_slots();
  const std::uint32_t series = written_[written].series;
  std::size_t mask = slots_.size() - 1;
  std::size_t at = mix(mix(static_cast<std::uint64_t>(bucket)) + series) & mask;
  for (; slots_[at]; at = (at + 1) & mask) {
    Key& key = keys_[slots_[at] - 1];
    if (key.bucket != bucket || key.series != series) continue;
    if (key.written != written && compare_tags(written_[written].tags, written_[key.written].tags, spec_->tags.size()) < 0) {
      key.written = written;
    }
    return slots_[at] - 1;
  }
  std::uint32_t group = static_cast<std::uint32_t>(keys_.size());
  if (group / kBlockGroups == blocks_.size()) blocks_.push_back(std::make_unique<char[]>(kBlockGroups * state_bytes_));
  keys_.push_back({bucket, series, written});
  slots_[at] = group + 1;
  return group;
}

void PartialAggregates::grow_slots() {
  std::vector<std::uint32_t> slots(std::max<std::size_t>(64, slots_.size() * 2));
  std::size_t mask = slots.size() - 1;
  for (std::uint32_t group = 0; group < keys_.size(); group++) {
    std::size_t at = mix(mix(static_cast<std::uint64_t>(keys_[group].bucket)) + keys_[group].series) & mask;
    while (slots[at]) at = (at + 1) & mask;
    slots[at] = group + 1;
  }
  slots_ = std::move(slots);
}

// ---------------------------------------------------------------- adding

void PartialAggregates::store(Stored& stored, const Cell& cell) {
  if (cell.type == SQLITE_TEXT || cell.type == SQLITE_BLOB) {
    if (!stored.bytes) {
      bytes_.emplace_back(cell.bytes);
      stored.bytes = static_cast<std::uint32_t>(bytes_.size());
    } else {
      bytes_[stored.bytes - 1] = cell.bytes;
    }
  } else if (cell.type == SQLITE_INTEGER) {
    stored.integer = cell.integer;
  } else if (cell.type == SQLITE_FLOAT) {
    stored.real = cell.real;
  }
  stored.type = cell.type;
}

Cell PartialAggregates::cell_of(const Stored& stored) const {
  Cell cell;
  cell.type = stored.type;
  if (stored.type == SQLITE_INTEGER) cell.integer = stored.integer;
  if (stored.type == SQLITE_FLOAT) cell.real = stored.real;
  if (stored.type == SQLITE_TEXT || stored.type == SQLITE_BLOB) cell.bytes = bytes_[stored.bytes - 1];
  return cell;
}

void PartialAggregates::add_number(Extreme& extreme, bool min, const Cell& cell, Collation collation) {
  auto better = [min](auto order) { return min ? order < 0 : order > 0; };
  auto bytes = [&](std::uint32_t& index, auto compare) {
    if (index && !better(compare(std::string_view(bytes_[index - 1])))) return;
    if (!index) {
      bytes_.emplace_back();
      index = static_cast<std::uint32_t>(bytes_.size());
    }
    bytes_[index - 1] = cell.bytes;
  };
  switch (cell.type) {
    case SQLITE_INTEGER:
      if (!extreme.has_integer || (min ? cell.integer < extreme.integer : cell.integer > extreme.integer)) extreme.integer = cell.integer;
      extreme.has_integer = true;
      return;
    case SQLITE_FLOAT:
      if (!extreme.has_real || (min ? cell.real < extreme.real : cell.real > extreme.real)) extreme.real = cell.real;
      extreme.has_real = true;
      return;
    case SQLITE_TEXT:
      return bytes(extreme.text, [&](std::string_view known) {
        int order = compare_text(cell.bytes, known, collation);
        return order ? order : cell.bytes.compare(known);
      });
    case SQLITE_BLOB: return bytes(extreme.blob, [&](std::string_view known) { return cell.bytes.compare(known); });
    default: return;
  }
}

Cell PartialAggregates::extreme_of(const Extreme& extreme, bool min) const {
  Cell number, text, blob;
  if (extreme.has_integer) number = integer_cell(extreme.integer);
  if (extreme.has_real) {
    Cell real = real_cell(extreme.real);
    int order = number.type == SQLITE_NULL ? -1 : compare_strictly(real, number);
    if (number.type == SQLITE_NULL || (min ? order < 0 : order > 0)) number = real;
  }
  if (extreme.text) text = {SQLITE_TEXT, 0, 0, bytes_[extreme.text - 1]};
  if (extreme.blob) blob = {SQLITE_BLOB, 0, 0, bytes_[extreme.blob - 1]};
  const Cell* inwards[] = {&number, &text, &blob};
  if (!min) std::swap(inwards[0], inwards[2]);
  for (const Cell* cell : inwards) {
    if (cell->type != SQLITE_NULL) return *cell;
  }
  return {};
}

void PartialAggregates::offer(Edge& edge, bool first, std::int64_t time, const Cell& cell) {
  if (edge.any) {
    if (first ? time > edge.time : time < edge.time) return;
    if (time == edge.time) {
      int order = compare_strictly(cell, cell_of(edge.value));
      if (first ? order >= 0 : order <= 0) return;
    }
  }
  edge.any = true;
  edge.time = time;
  store(edge.value, cell);
}

void PartialAggregates::add(std::uint32_t group, std::size_t measure, std::int64_t time, const Cell& cell) {
  const Layout& layout = layouts_[measure];
  if (layout.first) offer(*at<Edge>(group, layout.first), true, time, cell);
  if (layout.last) offer(*at<Edge>(group, layout.last), false, time, cell);
  if (cell.type == SQLITE_NULL) return;
  if (layout.count) ++*at<std::int64_t>(group, layout.count);
  if (layout.sum) {
    Sum& sum = *at<Sum>(group, layout.sum);
    Cell number = number_of(cell);
    if (number.type == SQLITE_INTEGER) {
      sum.integers += number.integer;
    } else {
      sum.add(number.real);
    }
  }
  Collation collation = spec_->measures[measure].collation;
  if (layout.min) add_number(*at<Extreme>(group, layout.min), true, cell, collation);
  if (layout.max) add_number(*at<Extreme>(group, layout.max), false, cell, collation);
}

// The rows that share a run's first or last time: NULL sorts first.
template <class Value>
void PartialAggregates::add_edges(std::uint32_t group, std::size_t measure, const Run& run, const std::uint8_t* nulls, Value&& value) {
  const Layout& layout = layouts_[measure];
  auto cell = [&](std::size_t i) { return nulls && nulls[i] ? Cell() : value(i); };
  for (std::size_t i = 0; layout.first && i < run.first_rows; i++) {
    offer(*at<Edge>(group, layout.first), true, run.first_time, cell(i));
  }
  for (std::size_t i = 0; layout.last && i < run.last_rows; i++) {
    offer(*at<Edge>(group, layout.last), false, run.last_time, cell(run.rows - 1 - i));
  }
}

namespace {

template <class Body>
auto with_nulls(const std::uint8_t* nulls, Body&& body) {
  return nulls ? body(Nulls{nulls}) : body(NoNulls{});
}

}  // namespace

// Integers, or with a scale the doubles values[i] / scale: division by it keeps their order.
void PartialAggregates::add_integers(std::uint32_t group, std::size_t measure, const std::int64_t* values, std::size_t rows,
                                     const std::uint8_t* nulls, double scale) {
  const Layout& layout = layouts_[measure];
  const std::int64_t count = layout.count || nulls ? count_values(rows, nulls) : static_cast<std::int64_t>(rows);
  if (count == 0) return;
  if (nulls && count == static_cast<std::int64_t>(rows)) nulls = nullptr;
  if (layout.count) *at<std::int64_t>(group, layout.count) += count;
  if (!layout.sum && !layout.min && !layout.max) return;
  const IntegerFacts facts = with_nulls(nulls, [&](auto null) { return look_at(values, rows, null); });
  if (layout.sum) {
    Sum& sum = *at<Sum>(group, layout.sum);
    if (scale == 0) {
      sum.integers += facts.sum;
    } else {  // to twice a double's precision
      double whole = static_cast<double>(facts.sum);
      double real = whole / scale, rest = static_cast<double>(facts.sum - static_cast<Wide>(whole));
      sum.add(real);
      sum.add((std::fma(-real, scale, whole) + rest) / scale);
    }
  }
  auto cell = [&](std::int64_t value) { return scale == 0 ? integer_cell(value) : real_cell(static_cast<double>(value) / scale); };
  if (layout.min) add_number(*at<Extreme>(group, layout.min), true, cell(facts.min), Collation::kBinary);
  if (layout.max) add_number(*at<Extreme>(group, layout.max), false, cell(facts.max), Collation::kBinary);
}

void PartialAggregates::add_run(std::uint32_t group, std::size_t measure, const Run& run, const std::int64_t* values,
                                const std::uint8_t* nulls) {
  add_edges(group, measure, run, nulls, [&](std::size_t i) { return integer_cell(values[i]); });
  add_integers(group, measure, values, run.rows, nulls, 0);
}

void PartialAggregates::add_run(std::uint32_t group, std::size_t measure, const Run& run, Decimals values, const std::uint8_t* nulls) {
  add_edges(group, measure, run, nulls, [&](std::size_t i) { return real_cell(static_cast<double>(values.values[i]) / values.scale); });
  add_integers(group, measure, values.values, run.rows, nulls, values.scale);
}

void PartialAggregates::add_run(std::uint32_t group, std::size_t measure, const Run& run, const double* values, const std::uint8_t* nulls) {
  const Layout& layout = layouts_[measure];
  add_edges(group, measure, run, nulls, [&](std::size_t i) { return real_cell(values[i]); });
  const std::int64_t count = layout.count || nulls ? count_values(run.rows, nulls) : static_cast<std::int64_t>(run.rows);
  if (count == 0) return;
  if (nulls && count == static_cast<std::int64_t>(run.rows)) nulls = nullptr;
  if (layout.count) *at<std::int64_t>(group, layout.count) += count;
  const bool extremes = layout.min || layout.max;
  if (!layout.sum && !extremes) return;
  const RealFacts facts = with_nulls(nulls, [&](auto null) {
    if (!extremes) return look_at<true, false>(values, run.rows, null);
    return layout.sum ? look_at<true, true>(values, run.rows, null) : look_at<false, true>(values, run.rows, null);
  });
  if (layout.sum) {
    Sum& sum = *at<Sum>(group, layout.sum);
    for (std::size_t lane = 0; lane < 8; lane++) {
      sum.add(facts.sums[lane / 2][lane % 2]);
      double lost = facts.lost[lane / 2][lane % 2];
      if (std::isfinite(lost)) sum.add(lost);  // else an infinity went in, and nothing was lost
    }
  }
  if (layout.min) add_number(*at<Extreme>(group, layout.min), true, real_cell(facts.min), Collation::kBinary);
  if (layout.max) add_number(*at<Extreme>(group, layout.max), false, real_cell(facts.max), Collation::kBinary);
}

void PartialAggregates::merge(const PartialAggregates& other) {
  std::vector<std::uint32_t> written;
  for (const Written& w : other.written_) written.push_back(series(w.tags));
  auto merge_extreme = [&](Extreme& into, const Extreme& from, bool min, Collation collation) {
    if (from.has_integer) add_number(into, min, integer_cell(from.integer), collation);
    if (from.has_real) add_number(into, min, real_cell(from.real), collation);
    if (from.text) add_number(into, min, {SQLITE_TEXT, 0, 0, other.bytes_[from.text - 1]}, collation);
    if (from.blob) add_number(into, min, {SQLITE_BLOB, 0, 0, other.bytes_[from.blob - 1]}, collation);
  };
  auto merge_edge = [&](Edge& into, const Edge& from, bool first) {
    if (from.any) offer(into, first, from.time, other.cell_of(from.value));
  };
  for (std::uint32_t from = 0; from < other.keys_.size(); from++) {
    std::uint32_t into = intern(written[other.keys_[from].written], other.keys_[from].bucket);
    add_rows(into, other.rows(from));
    for (std::size_t m = 0; m < layouts_.size(); m++) {
      const Layout& layout = layouts_[m];
      Collation collation = spec_->measures[m].collation;
      if (layout.count) *at<std::int64_t>(into, layout.count) += *other.at<std::int64_t>(from, layout.count);
      if (layout.sum) {
        Sum& sum = *at<Sum>(into, layout.sum);
        const Sum& more = *other.at<Sum>(from, layout.sum);
        sum.integers += more.integers;
        if (more.any_real) {
          sum.add(more.reals);
          if (std::isfinite(more.lost)) sum.add(more.lost);
        }
      }
      if (layout.min) merge_extreme(*at<Extreme>(into, layout.min), *other.at<Extreme>(from, layout.min), true, collation);
      if (layout.max) merge_extreme(*at<Extreme>(into, layout.max), *other.at<Extreme>(from, layout.max), false, collation);
      if (layout.first) merge_edge(*at<Edge>(into, layout.first), *other.at<Edge>(from, layout.first), true);
      if (layout.last) merge_edge(*at<Edge>(into, layout.last), *other.at<Edge>(from, layout.last), false);
    }
  }
}

// ---------------------------------------------------------------- results

Cell PartialAggregates::tag(std::uint32_t group, std::size_t index) const {
  const char* at = tags(group).data();
  while (index--) RowBuffer::skip(at);
  return RowBuffer::read(at);
}

Cell PartialAggregates::result(std::uint32_t group, std::size_t measure, Statistic statistic) const {
  const Layout& layout = layouts_[measure];
  switch (statistic) {
    case kCount: return integer_cell(*at<std::int64_t>(group, layout.count));
    case kMin: return extreme_of(*at<Extreme>(group, layout.min), true);
    case kMax: return extreme_of(*at<Extreme>(group, layout.max), false);
    case kFirst: return cell_of(at<Edge>(group, layout.first)->value);
    case kLast: return cell_of(at<Edge>(group, layout.last)->value);
    case kSum: break;
  }
  const Sum& sum = *at<Sum>(group, layout.sum);
  if (*at<std::int64_t>(group, layout.count) == 0) return {};
  if (sum.any_real) return real_cell(sum.real());
  if (sum.integers > std::numeric_limits<std::int64_t>::max() || sum.integers < std::numeric_limits<std::int64_t>::min()) {
    throw Error(Code::kBadInput, "integer overflow");
  }
  return integer_cell(static_cast<std::int64_t>(sum.integers));
}

Cell PartialAggregates::average(std::uint32_t group, std::size_t measure) const {
  const Layout& layout = layouts_[measure];
  std::int64_t count = *at<std::int64_t>(group, layout.count);
  return count == 0 ? Cell() : real_cell(at<Sum>(group, layout.sum)->real() / static_cast<double>(count));
}

std::vector<std::uint32_t> PartialAggregates::ordered(bool descending) const {
  std::vector<std::uint32_t> by_tags(written_.size()), rank(written_.size()), groups(keys_.size());
  std::iota(by_tags.begin(), by_tags.end(), 0);
  std::sort(by_tags.begin(), by_tags.end(),
            [&](std::uint32_t a, std::uint32_t b) { return compare_tags(written_[a].tags, written_[b].tags, spec_->tags.size()) < 0; });
  for (std::uint32_t i = 0; i < by_tags.size(); i++) rank[by_tags[i]] = i;
  std::iota(groups.begin(), groups.end(), 0);
  std::sort(groups.begin(), groups.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Key &x = keys_[a], &y = keys_[b];
    if (x.bucket != y.bucket) return descending ? x.bucket > y.bucket : x.bucket < y.bucket;
    return rank[x.written] < rank[y.written];
  });
  return groups;
}

}  // namespace ts
