// Folds that go on from row to row, and begin again when a frame has moved.
#include "sql/window_functions.h"

#include <algorithm>
#include <cmath>

#include "ext/base/time_bucket.h"
#include "sql/aggregate_support.h"
#include "sql/sample_folds.h"

namespace ts {
namespace {

struct TimedDefinition {
  std::string name;
  Precision precision = Precision::kMillis;
};

// Of a frame the newest value leaves last: so one value and a count are enough.
struct Locf {
  using Definition = TimedDefinition;
  KeptValue newest;
  std::int64_t values = 0;

  void step(const Definition&, int, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    newest.keep(argv[0]);
    ++values;
  }
  void inverse(const Definition&, int, sqlite3_value** argv) {
    if (!is_null(argv[0])) --values;
  }
  void result(const Definition&, sqlite3_context* context, bool) {
    values > 0 ? newest.result(context) : sqlite3_result_null(context);
  }
};

// A fold over samples in the order of their ts. Fold has next(sample, before), where before is nullptr for the first.
template <class Fold>
class Running {
 public:
  void add(Fold& fold, const Sample& sample) {
    const Sample* before = samples_.empty() ? nullptr : &samples_.newest();
    sorted_ = sorted_ && (!before || before->ts <= sample.ts);
    stale_ = stale_ || !sorted_;
    if (!stale_) fold.next(sample, before);
    samples_.add(sample);
  }
  void drop() {
    samples_.drop();
    stale_ = true;
  }
  bool empty() const { return samples_.empty(); }
  void refresh(Fold& fold) {
    if (!stale_) return;
    std::vector<Sample> ordered(samples_.items().begin(), samples_.items().end());
    std::stable_sort(ordered.begin(), ordered.end(), [](const Sample& a, const Sample& b) { return a.ts < b.ts; });
    fold.begin();
    for (std::size_t i = 0; i < ordered.size(); ++i) fold.next(ordered[i], i ? &ordered[i - 1] : nullptr);
    const auto same = [](const Sample& a, const Sample& b) { return a.ts == b.ts; };
    sorted_ = std::equal(ordered.begin(), ordered.end(), samples_.items().begin(), same);
    stale_ = !sorted_;
  }

 private:
  Frame<Sample> samples_;
  bool sorted_ = true, stale_ = false;
};

struct EmaFold {
  double level = 0;
  double alpha = 0;      // the newest row's share; 0: by time
  double half_life = 0;  // in units

  void begin() { level = 0; }
  void next(const Sample& sample, const Sample* before) {
    if (!before) {
      level = sample.value;
      return;
    }
    __extension__ using Wide = __int128;
    const double share = alpha > 0 ? alpha : 1 - std::exp2(-static_cast<double>(Wide{sample.ts} - before->ts) / half_life);
    if (share == 0) return;
    const double step = sample.value - level;
    level = share == 1 ? sample.value : std::isfinite(step) ? level + share * step : level * (1 - share) + sample.value * share;
  }
};

struct Ema {
  using Definition = TimedDefinition;
  EmaFold fold;
  Running<EmaFold> running;
  Constant parameter;
  std::int64_t rows = 0;

  static bool skipped(int argc, sqlite3_value** argv) { return is_null(argv[0]) || (argc == 3 && is_null(argv[1])); }
  void step(const Definition& of, int argc, sqlite3_value** argv) {
    if (skipped(argc, argv)) return;
    const bool timed = argc == 3;
    sqlite3_value* value = argv[argc - 1];
    parameter.take(value, of.name, timed ? "the half-life" : "alpha");
    const double number = parameter.number();
    if (!parameter.null() && timed && !(number > 0 && std::isfinite(number))) {
      throw Error(Code::kBadInput,
                  of.name + ": the half-life " + shown_value(value) + " is no length of time; give a number of the ts's units");
    }
    if (!parameter.null() && !timed && !(number > 0 && number <= 1)) {
      throw Error(Code::kBadInput, of.name + ": alpha " + shown_value(value) + " lies not above 0 and up to 1");
    }
    (timed ? fold.half_life : fold.alpha) = parameter.null() ? 1 : number;
    running.add(fold, {timed ? time_argument(argv[1], of.precision, of.name) : rows++, number_argument(argv[0], of.name)});
  }
  void inverse(const Definition&, int argc, sqlite3_value** argv) {
    if (!skipped(argc, argv)) running.drop();
  }
  void result(const Definition&, sqlite3_context* context, bool) {
    if (running.empty() || parameter.null()) return sqlite3_result_null(context);
    running.refresh(fold);
    sqlite3_result_double(context, fold.level);  // NaN becomes NULL
  }
};

struct SessionFold {
  std::int64_t sessions = 0;
  std::int64_t gap = 0;

  void begin() { sessions = 0; }
  void next(const Sample& sample, const Sample* before) {
    __extension__ using Wide = __int128;
    if (!before || Wide{sample.ts} - before->ts > gap) ++sessions;
  }
};

struct SessionId {
  using Definition = TimedDefinition;
  SessionFold fold;
  Running<SessionFold> running;
  std::string gap;  // as it was written
  bool null_gap = false;

  void take_gap(const Definition& of, sqlite3_value* value) {
    const std::string_view text = is_null(value) ? std::string_view() : text_value(value);
    if (!running.empty()) {
      if (text == gap && null_gap == is_null(value)) return;
      throw Error(Code::kBadInput, of.name + ": the gap must be the same in all rows of a group; add it to GROUP BY");
    }
    gap = text;
    null_gap = is_null(value);
    if (null_gap) return;
    const auto width = parse_time_bucket(text, of.precision, of.name).width();
    if (!width) throw Error(Code::kBadInput, of.name + ": months and years are of no fixed length; write days");
    fold.gap = *width;
  }
  void step(const Definition& of, int, sqlite3_value** argv) {
    if (is_null(argv[0])) return;
    take_gap(of, argv[1]);
    running.add(fold, {time_argument(argv[0], of.precision, of.name), 0});
  }
  void inverse(const Definition&, int, sqlite3_value** argv) {
    if (!is_null(argv[0])) running.drop();
  }
  void result(const Definition&, sqlite3_context* context, bool) {
    if (running.empty() || null_gap) return sqlite3_result_null(context);
    running.refresh(fold);
    sqlite3_result_int64(context, fold.sessions);
  }
};

}  // namespace

int register_window_functions(sqlite3* db) {
  return guard(
      [&] {
        const Registrar add(db);
        add.aggregate<Locf>({"locf", Precision::kMillis}, 1);
        add.aggregate<Ema>({"ema", Precision::kMillis}, 2);
        for (const auto& [suffix, precision] : kUnitForms) {
          add.aggregate<Ema>({std::string("ema") + suffix, precision}, 3);
          add.aggregate<SessionId>({std::string("session_id") + suffix, precision}, 2);
        }
      },
      [](const char*) {});
}

}  // namespace ts
