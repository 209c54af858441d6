// Aggregates gather their samples, order them when asked, and hand them to a fold.
#include "sql/ordered_aggregates.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <vector>

#include "sql/function_support.h"
#include "sql/sample_folds.h"

namespace ts {
namespace {

constexpr std::int64_t kMaxGridPoints = 1'000'000;  // 30 MB of JSON
constexpr int kGridArguments = 4;                   // start, stop, step, range

// What sqlite3_user_data points to.
struct Function {
  std::string name;
  Precision precision = Precision::kMillis;
  const Fold* fold = nullptr;
  bool grid = false, greatest = false, timed = false;  // the last two: of first, last, arg_min and arg_max
};

const Function& function_of(sqlite3_context* context) { return *static_cast<const Function*>(sqlite3_user_data(context)); }

// The group's state, made at its first row; nullptr: the group has no row.
template <class State>
State* state_of(sqlite3_context* context, bool make) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, make ? sizeof(State*) : 0));
  if (!slot && make) throw std::bad_alloc();
  if (slot && !*slot && make) *slot = new State;
  return slot ? *slot : nullptr;
}

bool skipped(sqlite3_value** argv) { return sqlite3_value_type(argv[0]) == SQLITE_NULL || sqlite3_value_type(argv[1]) == SQLITE_NULL; }

// Samples as they came; a window's frame drops the oldest.
struct Gathered {
  std::vector<Sample> samples;
  std::size_t head = 0;
  bool sorted = true;
  FoldContext context;
  std::int64_t step = 0, range = 0;
  bool null_arguments = false;

  void add(Sample sample) {
    sorted = sorted && (samples.size() == head || samples.back().ts <= sample.ts);
    samples.push_back(sample);
  }
  void drop() {
    if (++head < 1'024 || head * 2 < samples.size()) return;
    samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
  }
  Samples ordered(std::vector<Sample>& copy) const {
    const Samples all = Samples(samples).subspan(head);
    if (sorted) return all;
    copy.assign(all.begin(), all.end());
    std::stable_sort(copy.begin(), copy.end(), [](const Sample& a, const Sample& b) { return a.ts < b.ts; });
    return copy;
  }
};

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
  if (function.fold->parameters == 1)
    context.parameters[0] = static_cast<double>(time_argument(argv[2], function.precision, function.name));
  for (int i = 0; function.fold->parameters == 2 && i < 2; ++i) {
    context.parameters[i] = number_argument(argv[2 + i], function.name);
    if (context.parameters[i] > 0 && context.parameters[i] < 1) continue;
    throw Error(Code::kBadInput, function.name + ": the factor " + shown_value(argv[2 + i]) + " lies not between 0 and 1");
  }
  sqlite3_value** more = argv + 2 + function.fold->parameters;
  if (more == argv + argc) return;
  context.bounded = true;
  context.from = time_argument(more[0], function.precision, function.name);
  context.to = time_argument(more[1], function.precision, function.name);
  if (!function.grid) {
    if (context.from >= context.to) throw Error(Code::kBadInput, function.name + ": the window ends before it begins; write from, to");
    return;
  }
  state.step = time_argument(more[2], function.precision, function.name);
  state.range = time_argument(more[3], function.precision, function.name);
  if (state.step <= 0) throw Error(Code::kBadInput, function.name + ": the step " + shown_value(more[2]) + " is not positive");
  if (state.range <= 0) throw Error(Code::kBadInput, function.name + ": the range " + shown_value(more[3]) + " is not positive");
}

void step(sqlite3_context* context, int argc, sqlite3_value** argv) {
  const Function& function = function_of(context);
  if (skipped(argv)) return;
  Gathered& state = *state_of<Gathered>(context, true);
  if (argc > 2 || state.samples.empty()) read_arguments(state, function, argc, argv);
  state.add({time_argument(argv[1], function.precision, function.name), number_argument(argv[0], function.name)});
}

void inverse(sqlite3_context* context, sqlite3_value** argv) {
  if (!skipped(argv)) state_of<Gathered>(context, true)->drop();
}

void append_number(std::string& out, double number) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// '[[1000, 0.5], ...]', without the points that have no answer. JSON knows no infinity: 9e999 is read back as one.
std::string grid_text(Samples samples, const Gathered& state, const Fold& fold) {
  __extension__ using Wide = __int128;
  const FoldContext& whole = state.context;
  if ((Wide{whole.to} - whole.from) / state.step >= kMaxGridPoints) {
    throw Error(Code::kBadInput,
                std::string(fold.name) + "_to_grid: more than " + std::to_string(kMaxGridPoints) + " points; take a larger step");
  }
  std::string out = "[";
  for (Wide at = whole.from; at <= whole.to; at += state.step) {
    FoldContext window = whole;
    window.to = static_cast<std::int64_t>(at);
    if (__builtin_sub_overflow(window.to, state.range, &window.from)) window.from = INT64_MIN;
    const double value = fold.fold(within(samples, window.from, window.to), window);
    if (std::isnan(value)) continue;
    out += (out.size() > 1 ? ",[" : "[") + std::to_string(window.to) + ",";
    std::isinf(value) ? out.append(value > 0 ? "9e999" : "-9e999") : (append_number(out, value), out);
    out += "]";
  }
  return out + "]";
}

void result(sqlite3_context* context) {
  const Function& function = function_of(context);
  const Gathered* state = state_of<Gathered>(context, false);
  if (!state || state->samples.size() == state->head || state->null_arguments) return sqlite3_result_null(context);
  std::vector<Sample> copy;
  Samples samples = state->ordered(copy);
  if (function.grid) {
    const std::string text = grid_text(samples, *state, *function.fold);
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return sqlite3_result_subtype(context, 'J');
  }
  if (state->context.bounded) samples = within(samples, state->context.from, state->context.to);
  const double value = function.fold->fold(samples, state->context);
  if (function.fold->counts && !std::isnan(value)) return sqlite3_result_int64(context, static_cast<std::int64_t>(value));
  sqlite3_result_double(context, value);  // NaN becomes NULL
}

// The value at the least or greatest key.
struct Extreme {
  struct Free {
    void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
  };
  using Owned = std::unique_ptr<sqlite3_value, Free>;
  bool any = false;
  int type = SQLITE_NULL;  // of the value: numbers are kept here, because a duplicate costs an allocation a row
  std::int64_t value_integer = 0;
  double value_real = 0;
  Owned value;  // text or blob
  double real = 0;
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
  const Function& function = function_of(context);
  if (skipped(argv)) return;
  if (function.timed) time_argument(argv[1], function.precision, function.name);
  number_argument(argv[1], function.name);
  Extreme& state = *state_of<Extreme>(context, true);
  if (state.any) {
    const int order = compare(state, argv[1]);
    // Of equal keys the one that came first; for last, which asks for the newest, the one that came last.
    if (function.greatest ? (function.timed ? order > 0 : order >= 0) : order <= 0) return;
  }
  const int type = sqlite3_value_type(argv[0]);
  if (type == SQLITE_INTEGER) {
    state.value_integer = sqlite3_value_int64(argv[0]);
  } else if (type == SQLITE_FLOAT) {
    state.value_real = sqlite3_value_double(argv[0]);
  } else {
    Extreme::Owned value(sqlite3_value_dup(argv[0]));
    if (!value) throw std::bad_alloc();
    state.value = std::move(value);
  }
  state.any = true;
  state.type = type;
  state.is_real = sqlite3_value_type(argv[1]) == SQLITE_FLOAT;
  state.real = sqlite3_value_double(argv[1]);
  state.integer = sqlite3_value_int64(argv[1]);
}

template <class State>
void release(sqlite3_context* context) noexcept {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  if (slot) delete *slot;
}

void xStep(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
  answer(context, [&] { step(context, argc, argv); });
}
void xInverse(sqlite3_context* context, int, sqlite3_value** argv) noexcept {
  answer(context, [&] { inverse(context, argv); });
}
void xValue(sqlite3_context* context) noexcept {
  answer(context, [&] { result(context); });
}
void xFinal(sqlite3_context* context) noexcept {
  xValue(context);
  release<Gathered>(context);
}
void xExtremeStep(sqlite3_context* context, int, sqlite3_value** argv) noexcept {
  answer(context, [&] { extreme_step(context, argv); });
}
void xExtremeFinal(sqlite3_context* context) noexcept {
  answer(context, [&] {
    const Extreme* state = state_of<Extreme>(context, false);
    if (!state) return;
    if (state->type == SQLITE_INTEGER) return sqlite3_result_int64(context, state->value_integer);
    if (state->type == SQLITE_FLOAT) return sqlite3_result_double(context, state->value_real);
    if (state->value) sqlite3_result_value(context, state->value.get());
  });
  release<Extreme>(context);
}
void xDestroy(void* function) noexcept { delete static_cast<Function*>(function); }

void check(sqlite3* db, int rc, const std::string& name) {
  if (rc != SQLITE_OK) throw_sqlite(db, rc, "timeseries: cannot register " + name);
}

// SQLite destroys the user data in every case, also when it fails.
void add_fold(sqlite3* db, const Function& function, int arguments, int flags) {
  check(db,
        sqlite3_create_window_function(db, function.name.c_str(), arguments, flags, new Function(function), xStep, xFinal, xValue, xInverse,
                                       xDestroy),
        function.name);
}

void add_extreme(sqlite3* db, const Function& function) {
  check(db,
        sqlite3_create_function_v2(db, function.name.c_str(), 2, kPureFlags, new Function(function), nullptr, xExtremeStep, xExtremeFinal,
                                   xDestroy),
        function.name);
}

}  // namespace

int register_ordered_aggregates(sqlite3* db) {
  return guard(
      [&] {
        const std::set<std::string> taken = function_names(db);
        const auto free = [&](const Function& function) { return !taken.count(function.name); };
        for (const auto& [suffix, precision] : kUnitForms) {
          for (const Fold& fold : kFolds) {
            const Function plain{std::string(fold.name) + suffix, precision, &fold};
            if (!fold.only_grid && free(plain)) {
              add_fold(db, plain, 2 + fold.parameters, kPureFlags);
              if (fold.extrapolates) add_fold(db, plain, 4, kPureFlags);
            }
            const Function grid{std::string(fold.name) + "_to_grid" + suffix, precision, &fold, true};
            const int flags = kPureFlags | (sqlite3_libversion_number() >= kResultSubtypeSince ? SQLITE_RESULT_SUBTYPE : 0);
            if (free(grid)) add_fold(db, grid, 2 + fold.parameters + kGridArguments, flags);
          }
          for (const bool greatest : {false, true}) {
            const Function timed{std::string(greatest ? "last" : "first") + suffix, precision, nullptr, false, greatest, true};
            if (free(timed)) add_extreme(db, timed);
          }
        }
        for (const bool greatest : {false, true}) {
          const Function by{greatest ? "arg_max" : "arg_min", Precision::kMillis, nullptr, false, greatest, false};
          if (free(by)) add_extreme(db, by);
        }
      },
      [](const char*) {});
}

}  // namespace ts
