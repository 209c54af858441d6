// Sketches as aggregates, as blobs, and asked.
#include "sql/sketches.h"

#include <bit>
#include <optional>

#include "sql/aggregate_support.h"
#include "sql/hyperloglog.h"
#include "sql/tdigest.h"

namespace ts {
namespace {

struct SketchDefinition {
  std::string name;
  bool counts = false;  // approx_count_distinct, not hyperloglog
};

void result_sketch(sqlite3_context* context, const std::string& bytes) {
  sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

// Equal values have equal hashes: 1 and 1.0, and 0.0 and -0.0.
std::uint64_t value_hash(sqlite3_value* value) {
  const auto type = static_cast<std::uint64_t>(sqlite3_value_type(value));
  if (type == SQLITE_TEXT) return hash_of(text_value(value), type);
  if (type == SQLITE_BLOB) return hash_of(blob_value(value), type);
  if (const auto whole = whole_number(value)) return hash_of(static_cast<std::uint64_t>(*whole), SQLITE_INTEGER);
  return hash_of(std::bit_cast<std::uint64_t>(sqlite3_value_double(value)), type);
}

template <class Sketch>
Sketch read_sketch(sqlite3_value* value, const std::string& function, const char* kind, const char* maker) {
  Sketch sketch;
  const bool blob = sqlite3_value_type(value) == SQLITE_BLOB;
  const std::string fault = blob ? sketch.read(blob_value(value)) : "it is " + shown_value(value);
  if (fault.empty()) return sketch;
  throw Error(Code::kBadInput, function + ": this is no " + kind + ": " + fault + "; " + maker + " makes one");
}
HyperLogLog read_hyperloglog(sqlite3_value* value, const std::string& function) {
  return read_sketch<HyperLogLog>(value, function, "HyperLogLog", "hyperloglog(x)");
}
TDigest read_tdigest(sqlite3_value* value, const std::string& function) {
  return read_sketch<TDigest>(value, function, "t-digest", "tdigest(value)");
}

struct Distinct {
  using Definition = SketchDefinition;
  std::optional<HyperLogLog> sketch;

  void step(const Definition&, int, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    if (!sketch) sketch.emplace();
    sketch->add(value_hash(argv[0]));
  }
  void result(const Definition& of, sqlite3_context* context, bool) {
    if (of.counts) return sqlite3_result_int64(context, sketch ? sketch->estimate() : 0);
    sketch ? result_sketch(context, sketch->bytes()) : sqlite3_result_null(context);
  }
};

struct Digest {
  using Definition = SketchDefinition;
  TDigest sketch;
  bool any = false;

  void step(const Definition& of, int, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    sketch.add(number_argument(argv[0], of.name));
    any = true;
  }
  void result(const Definition&, sqlite3_context* context, bool) {
    any ? result_sketch(context, sketch.bytes()) : sqlite3_result_null(context);
  }
};

struct Rollup {
  using Definition = SketchDefinition;
  std::optional<HyperLogLog> distinct;
  std::optional<TDigest> digest;

  void step(const Definition& of, int, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    const bool blob = sqlite3_value_type(argv[0]) == SQLITE_BLOB;
    const bool counts = blob && blob_value(argv[0]).substr(0, HyperLogLog::kMagic.size()) == HyperLogLog::kMagic;
    if (counts ? digest.has_value() : distinct.has_value()) {
      throw Error(Code::kBadInput, of.name + ": the group holds different kinds of sketches; add the kind to GROUP BY");
    }
    if (counts) {
      HyperLogLog more = read_hyperloglog(argv[0], of.name);
      distinct ? distinct->merge(more) : void(distinct = std::move(more));
    } else {
      TDigest more = read_tdigest(argv[0], of.name);
      if (digest && digest->count() + more.count() > TDigest::kMostValues) {
        throw Error(Code::kBadInput, of.name + ": the digests hold more than 2^53 values");
      }
      digest ? digest->merge(std::move(more)) : void(digest = std::move(more));
    }
  }
  void result(const Definition&, sqlite3_context* context, bool) {
    if (distinct) return result_sketch(context, distinct->bytes());
    digest ? result_sketch(context, digest->bytes()) : sqlite3_result_null(context);
  }
};

void distinct_count(sqlite3_context* context, std::span<sqlite3_value*> arguments) {
  sqlite3_result_int64(context, read_hyperloglog(arguments[0], "distinct_count").estimate());
}

void approx_percentile(sqlite3_context* context, std::span<sqlite3_value*> arguments) {
  const std::string name = "approx_percentile";
  const double p = number_argument(arguments[0], name);
  if (!(p >= 0 && p <= 1)) throw Error(Code::kBadInput, name + ": p is " + shown_value(arguments[0]) + " and lies not between 0 and 1");
  sqlite3_result_double(context, read_tdigest(arguments[1], name).quantile(p));
}

constexpr PureFunction kFunctions[] = {{"distinct_count", 1, xPure<distinct_count>}, {"approx_percentile", 2, xPure<approx_percentile>}};

}  // namespace

int register_sketches(sqlite3* db) {
  return guard(
      [&] {
        const Registrar add(db);
        add.plain_aggregate<Distinct>({"approx_count_distinct", true}, 1);
        add.plain_aggregate<Distinct>({"hyperloglog"}, 1);
        add.plain_aggregate<Digest>({"tdigest"}, 1);
        add.plain_aggregate<Rollup>({"rollup"}, 1);
        register_pure(db, kFunctions);
      },
      [](const char*) {});
}

}  // namespace ts
