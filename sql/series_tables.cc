// One module for both: a cursor walks an arithmetic series, or bucket starts made beforehand.
//
// The plan, idxStr, has a letter for each argument of xFilter: '0' to '3' a hidden column's value, and of the bounds on the first
// column '=', '>' (from there on), ']' (behind it), '<' (up to it), '[' (before it). idxNum is the order asked for.
#include "sql/series_tables.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "sql/local_bucket.h"
#include "sql/table_function.h"
#include "sql/time_subtype.h"

namespace ts {
namespace {

__extension__ using Wide = __int128;

// What a module is registered with.
struct Kind {
  std::string name;
  bool gapfill = false;
  Precision precision = Precision::kMillis;
  std::shared_ptr<Zones> zones;
};

// Where starts is empty: first, first + step, ...
struct SeriesCursor : CountedCursor {
  using Definition = Kind;
  std::vector<std::int64_t> starts;
  std::int64_t first = 0, step = 1;
  bool reversed = false;
  OwnedValue shown[4];  // the hidden columns: the arguments as they were given

  static const char* columns(const Kind& kind) {
    return kind.gapfill ? "CREATE TABLE x(ts INTEGER, width HIDDEN, \"from\" HIDDEN, \"to\" HIDDEN, timezone HIDDEN)"
                        : "CREATE TABLE x(value INTEGER, start HIDDEN, stop HIDDEN, step HIDDEN)";
  }
  static bool plan(const Kind& kind, sqlite3_index_info* info);
  void filter(const Kind& kind, int order, std::string_view letters, sqlite3_value** argv);
  void column(const Kind& kind, sqlite3_context* context, int column) const;

  std::int64_t value() const {
    const std::int64_t i = reversed ? count - 1 - at : at;
    return starts.empty() ? static_cast<std::int64_t>(Wide{first} + Wide{step} * i) : starts[static_cast<std::size_t>(i)];
  }
};

[[noreturn]] void bad(const std::string& message) { throw Error(Code::kBadInput, message); }

enum Order { kAsItComes, kAscending, kDescending };

char letter_of_bound(unsigned char op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return '=';
    case SQLITE_INDEX_CONSTRAINT_GE: return '>';
    case SQLITE_INDEX_CONSTRAINT_GT: return ']';
    case SQLITE_INDEX_CONSTRAINT_LE: return '<';
    case SQLITE_INDEX_CONSTRAINT_LT: return '[';
    default: return 0;
  }
}

// False: an argument or a bound comes from a table that is not read yet; another order of tables will do.
bool SeriesCursor::plan(const Kind& kind, sqlite3_index_info* info) {
  std::string letters;
  bool waits = false, given[4] = {}, low = false, high = false;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const bool argument = constraint.iColumn > 0;
    const char letter = argument ? argument_letter(constraint.iColumn, constraint.op, 1) : letter_of_bound(constraint.op);
    if (!letter || constraint.iColumn < 0 || (!argument && !kind.gapfill)) continue;
    if (!constraint.usable) {
      waits = true;
      if (argument) return false;
      continue;
    }
    if (argument) given[letter - '0'] = true;
    low = low || letter == '=' || letter == '>' || letter == ']';
    high = high || letter == '=' || letter == '<' || letter == '[';
    letters += letter;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(letters.size());
    info->aConstraintUsage[i].omit = argument;  // bounds are checked again, with SQLite's own rules
  }
  if (!given[0]) bad(kind.name + (kind.gapfill ? ": the width is missing; write gapfill('5m', from, to)" : ": the start is missing"));
  const bool bounded = !kind.gapfill || ((low || given[1]) && (high || given[2]));
  if (!bounded && waits) return false;
  if (!bounded) bad(kind.name + ": the grid has no bounds; write " + kind.name + "(width, from, to), or WHERE ts >= ... AND ts < ...");
  set_letters(info, letters);
  if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == 0) {
    info->orderByConsumed = 1;
    info->idxNum = info->aOrderBy[0].desc ? kDescending : kAscending;
  }
  return true;
}

constexpr std::int64_t kDefaultStop = 0xffffffff;

// As SQLite's generate_series: a step of 0 is 1, and one below 0 counts down.
void start_series(SeriesCursor& cursor, sqlite3_value* (&arguments)[4]) {
  const std::int64_t start = sqlite3_value_int64(arguments[0]);
  const std::int64_t stop = arguments[1] ? sqlite3_value_int64(arguments[1]) : kDefaultStop;
  const std::int64_t step = arguments[2] ? sqlite3_value_int64(arguments[2]) : 1;
  cursor.first = start;
  cursor.step = step ? step : 1;
  const Wide span = cursor.step > 0 ? Wide{stop} - start : Wide{start} - stop;
  const Wide count = span < 0 ? 0 : span / (cursor.step > 0 ? Wide{cursor.step} : -Wide{cursor.step}) + 1;
  cursor.count = static_cast<std::int64_t>(std::min(count, Wide{INT64_MAX}));
}

// The first and the last time whose buckets are wanted.
struct Range {
  Wide from = INT64_MIN, last = INT64_MAX;
};

// Of the bounds on ts, where buckets begin: the bucket that holds the lower one may begin before it, and SQLite leaves it out.
void narrow(Range& range, char letter, std::int64_t bound) {
  if (letter == '=' || letter == '>') range.from = std::max(range.from, Wide{bound});
  if (letter == ']') range.from = std::max(range.from, Wide{bound} + 1);
  if (letter == '=' || letter == '<') range.last = std::min(range.last, Wide{bound});
  if (letter == '[') range.last = std::min(range.last, Wide{bound} - 1);
}

void start_gapfill(SeriesCursor& cursor, const Kind& kind, sqlite3_value* (&arguments)[4], Range range) {
  const TimeBucket bucket = parse_time_bucket(text_value(arguments[0]), kind.precision, kind.name);
  if (arguments[1]) narrow(range, '>', time_argument(arguments[1], kind.precision, kind.name));
  if (arguments[2]) narrow(range, '[', time_argument(arguments[2], kind.precision, kind.name));
  if (range.from > range.last) return;
  const Wide least = min_timestamp(kind.precision), most = max_timestamp(kind.precision);
  if (range.from < least || range.last > most) {
    bad(kind.name + ": the bounds lie outside the years " + (kind.precision == Precision::kNanos ? "1678 to 2261" : "0001 to 9999"));
  }
  const TimeZone* zone = arguments[3] ? &kind.zones->at(text_value(arguments[3]), kind.name) : nullptr;
  const auto from = static_cast<std::int64_t>(range.from), last = static_cast<std::int64_t>(range.last);
  cursor.starts = bucket_starts(bucket, from, last, zone, kind.precision, kind.name);
  cursor.count = static_cast<std::int64_t>(cursor.starts.size());
}

void SeriesCursor::filter(const Kind& kind, int order, std::string_view letters, sqlite3_value** argv) {
  starts.clear();
  for (OwnedValue& value : shown) value.reset();
  sqlite3_value* arguments[4] = {};
  Range range;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) return;  // no rows
    const bool bound = letters[i] < '0' || letters[i] > '3';
    if (bound) {
      narrow(range, letters[i], time_argument(argv[i], kind.precision, kind.name));
    } else {
      arguments[letters[i] - '0'] = argv[i];
      shown[letters[i] - '0'].reset(sqlite3_value_dup(argv[i]));
    }
  }
  kind.gapfill ? start_gapfill(*this, kind, arguments, range) : start_series(*this, arguments);
  reversed = order == (step < 0 ? kAscending : kDescending);
}

void SeriesCursor::column(const Kind& kind, sqlite3_context* context, int column) const {
  if (column == 0) {
    sqlite3_result_int64(context, value());
    if (kind.gapfill) sqlite3_result_subtype(context, subtype_of_precision(kind.precision));
  } else if (shown[column - 1]) {
    sqlite3_result_value(context, shown[column - 1].get());
  } else if (!kind.gapfill) {
    sqlite3_result_int64(context, column == 2 ? kDefaultStop : 1);
  }
}

}  // namespace

int register_series_tables(sqlite3* db) {
  return guard(
      [&] {
        const auto zones = std::make_shared<Zones>();
        add_table_function<SeriesCursor>(db, {"generate_series", false, Precision::kMillis, zones});
        for (const UnitForm& form : kUnitForms) {
          add_table_function<SeriesCursor>(db, {std::string("gapfill") + form.suffix, true, form.precision, zones});
        }
      },
      [](const char*) {});
}

}  // namespace ts
