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

// The value at the least or greatest key.
struct Extreme {
  bool any = false;
  KeptValue value;
  double real = 0;  // the key
  std::int64_t integer = 0;
  bool is_real = false;
};

// Integers are compared as such, beyond 2^53 too.
int compare(const Extreme& state, sqlite3_value* key) {
  if (state.is_real || sqlite3_value_type(key) == SQLITE_FLOAT) {
    const double a = state.is_real ? state.real : static_cast<double>(state.integer), b = sqlite3_value_double(key);
    return a < b ? -1 : a > b;
  }
  const std::int64_t b = sqlite3_value_int64(key);
  return state.integer < b ? -1 : state.integer > b;
}

void extreme_step(sqlite3_context* context, sqlite3_value** argv) {
  const Function& function = *static_cast<const Function*>(sqlite3_user_data(context));
  if (skipped(argv)) return;
  if (function.timed) time_argument(argv[1], function.precision, function.name);
  number_argument(argv[1], function.name);
  Extreme& state = *state_of<Extreme>(context, true);
  if (state.any) {
    const int order = compare(state, argv[1]);
    // Of equal keys the one that came first; for last, which asks for the newest, the one that came last.
    if (function.greatest ? (function.timed ? order > 0 : order >= 0) : order <= 0) return;
  }
  state.value.keep(argv[0]);
  state.any = true;
  state.is_real = sqlite3_value_type(argv[1]) == SQLITE_FLOAT;
  state.real = sqlite3_value_double(argv[1]);
  state.integer = sqlite3_value_int64(argv[1]);
}

void xExtremeStep(sqlite3_context* context, int, sqlite3_value** argv) noexcept {
  answer(context, [&] { extreme_step(context, argv); });
}
void xExtremeFinal(sqlite3_context* context) noexcept {
  answer(context, [&] {
    const Extreme* state = state_of<Extreme>(context, false);
    if (state) state->value.result(context);
  });
  release<Extreme>(context);
}
void xDestroy(void* function) noexcept { delete static_cast<Function*>(function); }

void add_extreme(const Registrar& add, sqlite3* db, const Function& function) {
  if (add.has(function.name)) return;
  add.check(sqlite3_create_function_v2(db, function.name.c_str(), 2, kPureFlags, new Function(function), nullptr, xExtremeStep,
                                       xExtremeFinal, xDestroy),
            function.name);
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
            add_extreme(add, db, {name + form.suffix, form.precision, nullptr, false, greatest, true});
          }
        }
        for (const bool greatest : {false, true}) {
          add_extreme(add, db, {greatest ? "arg_max" : "arg_min", Precision::kMillis, nullptr, false, greatest, false});
        }
      },
      [](const char*) {});
}

}  // namespace ts
