// Aggregates gather their samples, order them when asked, and hand them to a fold.
#include "sql/ordered_aggregates.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sql/aggregate_support.h"
#include "sql/sample_folds.h"
#include "sql/sample_json.h"
#include "sql/sample_spill.h"

namespace ts {
namespace {

constexpr std::int64_t kMaxGridPoints = 1'000'000;  // 30 MB of JSON
constexpr int kGridArguments = 4;                   // start, stop, step, range
constexpr std::size_t kMostHeld = 262'144;          // samples: 4 MiB

// What sqlite3_user_data points to.
struct Function {
  std::string name;
  Precision precision = Precision::kMillis;
  const Fold* fold = nullptr;
  bool grid = false, greatest = false, timed = false;  // the last two: of first, last, arg_min and arg_max
};

bool skipped(sqlite3_value** argv) { return sqlite3_value_type(argv[0]) == SQLITE_NULL || sqlite3_value_type(argv[1]) == SQLITE_NULL; }

// Samples as they came. Many that came in order are folded and put aside; they are taken back if one comes late, or a window asks.
struct Gathered {
  using Definition = Function;
  Frame<Sample> samples;
  std::unique_ptr<SampleSpill> aside;
  std::unique_ptr<Folding> folded;  // what is aside
  std::int64_t newest = 0;          // of all that came
  bool sorted = true, whole = false;  // whole: nothing is put aside any more
  FoldContext context;
  std::int64_t step_width = 0, range = 0;
  bool null_arguments = false;

  void step(const Function& function, int argc, sqlite3_value** argv);
  void inverse(const Function&, int, sqlite3_value** argv) {
    if (skipped(argv)) return;
    take_back();
    samples.drop();
  }
  void result(const Function& function, sqlite3_context* context, bool last);

  bool in_window(const Sample& sample) const { return !context.bounded || (sample.ts > context.from && sample.ts <= context.to); }
  void fold_held() {
    for (const Sample& sample : samples.items()) {
      if (in_window(sample)) folded->next(sample, context);
    }
  }
  void put_aside(const Function& function);
  double answer(const Function& function, Samples ordered);
  void take_back();
};

void Gathered::put_aside(const Function& function) {
  if (!folded) folded = function.fold->begin();
  if (!aside) aside = std::make_unique<SampleSpill>();
  fold_held();
  aside->append(samples.items());
  samples.clear();
}

void Gathered::take_back() {
  whole = true;
  if (!aside) return;
  std::vector<Sample> all = aside->read();
  all.insert(all.end(), samples.items().begin(), samples.items().end());
  samples.assign(std::move(all));
  aside.reset();
  folded.reset();
}

// The samples of (from, to].
Samples within(Samples samples, std::int64_t from, std::int64_t to) {
  const auto after = [](std::int64_t time, const Sample& sample) { return time < sample.ts; };
  const auto begin = std::upper_bound(samples.begin(), samples.end(), from, after);
  return {begin, std::upper_bound(begin, samples.end(), to, after)};
}

// What stands behind value and ts: the fold's parameters, then from and to, or the grid.
void read_arguments(Gathered& state, const Function& function, int argc, sqlite3_value** argv) {
  state.null_arguments = std::any_of(argv + 2, argv + argc, [](sqlite3_value* v) { return sqlite3_value_type(v) == SQLITE_NULL; });
  if (state.null_arguments) return;
  FoldContext& context = state.context;
  context.units_per_second = static_cast<double>(units_per_second(function.precision));
  const Parameters kind = function.fold->parameters;
  for (int i = 0; i < count_of(kind); ++i) {
    double& parameter = context.parameters[i];
    parameter = kind == Parameters::kTime ? static_cast<double>(time_argument(argv[2 + i], function.precision, function.name))
                                          : number_argument(argv[2 + i], function.name);
    if (kind != Parameters::kFactors || (parameter > 0 && parameter < 1)) continue;
    throw Error(Code::kBadInput, function.name + ": the factor " + shown_value(argv[2 + i]) + " lies not between 0 and 1");
  }
  sqlite3_value** more = argv + 2 + count_of(kind);
  if (more == argv + argc) return;
  context.bounded = true;
  context.from = time_argument(more[0], function.precision, function.name);
  context.to = time_argument(more[1], function.precision, function.name);
  if (!function.grid) {
    if (context.from >= context.to) throw Error(Code::kBadInput, function.name + ": the window ends before it begins; write from, to");
    return;
  }
  state.step_width = time_argument(more[2], function.precision, function.name);
  state.range = time_argument(more[3], function.precision, function.name);
  if (state.step_width <= 0) throw Error(Code::kBadInput, function.name + ": the step " + shown_value(more[2]) + " is not positive");
  if (state.range <= 0) throw Error(Code::kBadInput, function.name + ": the range " + shown_value(more[3]) + " is not positive");
}

void Gathered::step(const Function& function, int argc, sqlite3_value** argv) {
  if (skipped(argv)) return;
  const bool first = samples.empty() && !aside;
  if (argc > 2 || first) read_arguments(*this, function, argc, argv);
  const Sample sample{time_argument(argv[1], function.precision, function.name), number_argument(argv[0], function.name)};
  if (!first && sample.ts < newest) {
    sorted = false;
    take_back();
  }
  newest = sample.ts;
  samples.add(sample);
  if (!whole && !function.grid && samples.items().size() >= kMostHeld) put_aside(function);
}

// '[[1000, 0.5], ...]', without the points that have no answer.
std::string grid_text(Samples samples, const Gathered& state, const Fold& fold) {
  __extension__ using Wide = __int128;
  const FoldContext& whole = state.context;
  if ((Wide{whole.to} - whole.from) / state.step_width >= kMaxGridPoints) {
    throw Error(Code::kBadInput,
                std::string(fold.name) + "_to_grid: more than " + std::to_string(kMaxGridPoints) + " points; take a larger step");
  }
  std::string out = "[";
  for (Wide at = whole.from; at <= whole.to; at += state.step_width) {
    FoldContext window = whole;
    window.to = static_cast<std::int64_t>(at);
    if (__builtin_sub_overflow(window.to, state.range, &window.from)) window.from = INT64_MIN;
    const double value = fold.fold(within(samples, window.from, window.to), window);
    if (!std::isnan(value)) append_sample(out, window.to, value);
  }
  return out + "]";
}

double Gathered::answer(const Function& function, Samples ordered) {
  if (!folded) return function.fold->fold(context.bounded ? within(ordered, context.from, context.to) : ordered, context);
  fold_held();
  return folded->answer(context);
}

void Gathered::result(const Function& function, sqlite3_context* call, bool last) {
  if (!last) take_back();
  if ((samples.empty() && !aside) || null_arguments) return sqlite3_result_null(call);
  std::vector<Sample> copy;
  const Samples ordered = in_order(samples.items(), sorted, copy);
  if (function.grid) return result_json(call, grid_text(ordered, *this, *function.fold));
  const double value = answer(function, ordered);
  if (function.fold->counts && !std::isnan(value)) return sqlite3_result_int64(call, static_cast<std::int64_t>(value));
  sqlite3_result_double(call, value);  // NaN becomes NULL
}

// A row that is the answer, or may become it when those before it leave a window's frame.
struct Candidate {
  KeptValue value;
  double real = 0;  // the key
  std::int64_t integer = 0;
  bool is_real = false;
  std::uint64_t place = 0;  // among the rows that came
};

// Integers are compared as such, beyond 2^53 too.
int compare(const Candidate& candidate, sqlite3_value* key) {
  if (candidate.is_real || sqlite3_value_type(key) == SQLITE_FLOAT) {
    const double a = candidate.is_real ? candidate.real : static_cast<double>(candidate.integer), b = sqlite3_value_double(key);
    return a < b ? -1 : a > b;
  }
  const std::int64_t b = sqlite3_value_int64(key);
  return candidate.integer < b ? -1 : candidate.integer > b;
}

// The value at the least or greatest key. A row takes back those before it that can be the answer no more: the oldest left is the answer.
//
// SQLite does not say whether a frame will move or a group is aggregated once. Until it first asks for an answer, more candidates than
// kMaxCandidates mean a group, which needs its answer alone; first() would keep all rows of one that comes in order.
struct Extreme {
  using Definition = Function;
  Frame<Candidate> candidates;
  std::uint64_t came = 0, left = 0;
  bool asked = false, alone = false;

  void step(const Function& function, int, sqlite3_value** argv);
  void inverse(const Function& function, int, sqlite3_value** argv);
  void result(const Function&, sqlite3_context* context, bool last) {
    asked = asked || !last;
    candidates.empty() ? sqlite3_result_null(context) : candidates.items().front().value.result(context);
  }
};

constexpr std::size_t kMaxCandidates = 1'024;  // 80 KiB

// Of equal keys the one that came first; for last, which asks for the newest, the one that came last.
bool takes_back(const Function& function, const Candidate& before, sqlite3_value* key) {
  const int order = compare(before, key);
  return function.greatest ? (function.timed ? order <= 0 : order < 0) : order > 0;
}

void Extreme::step(const Function& function, int, sqlite3_value** argv) {
  if (skipped(argv)) return;
  if (function.timed) time_argument(argv[1], function.precision, function.name);
  number_argument(argv[1], function.name);
  const std::uint64_t place = came++;
  while (!candidates.empty() && takes_back(function, candidates.newest(), argv[1])) candidates.take_back();
  if (!asked && candidates.items().size() == kMaxCandidates) {
    alone = true;
    while (candidates.items().size() > 1) candidates.take_back();
  }
  if (alone && !candidates.empty()) return;
  Candidate candidate{{}, sqlite3_value_double(argv[1]), sqlite3_value_int64(argv[1]), sqlite3_value_type(argv[1]) == SQLITE_FLOAT, place};
  candidate.value.keep(argv[0]);
  candidates.add(std::move(candidate));
}

void Extreme::inverse(const Function& function, int, sqlite3_value** argv) {
  if (skipped(argv)) return;
  if (alone) {
    throw Error(Code::kBadInput, function.name + ": a frame that moves reaches more than " + std::to_string(kMaxCandidates) +
                                     " rows ahead; let it end nearer to its row");
  }
  if (!candidates.empty() && candidates.items().front().place == left) candidates.drop();
  ++left;
}

void add_fold(const Registrar& add, const Fold& fold, const UnitForm& form) {
  const Function plain{std::string(fold.name) + form.suffix, form.precision, &fold};
  const int arguments = 2 + count_of(fold.parameters);
  if (!fold.only_grid) add.aggregate<Gathered>(plain, arguments);
  if (!fold.only_grid && fold.extrapolates) add.aggregate<Gathered>(plain, 4);
  const Function grid{std::string(fold.name) + "_to_grid" + form.suffix, form.precision, &fold, true};
  add.aggregate<Gathered>(grid, arguments + kGridArguments, marking_flags());
}

}  // namespace

int register_ordered_aggregates(sqlite3* db) {
  return guard(
      [&] {
        const Registrar add(db);
        for (const UnitForm& form : kUnitForms) {
          for (const Fold& fold : kFolds) add_fold(add, fold, form);
          for (const bool greatest : {false, true}) {
            const std::string name = greatest ? "last" : "first";
            add.aggregate<Extreme>({name + form.suffix, form.precision, nullptr, false, greatest, true}, 2);
          }
        }
        for (const bool greatest : {false, true}) {
          add.aggregate<Extreme>({greatest ? "arg_max" : "arg_min", Precision::kMillis, nullptr, false, greatest, false}, 2);
        }
      },
      [](const char*) {});
}

}  // namespace ts
