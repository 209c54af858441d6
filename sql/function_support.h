// What the families of SQL functions share: units of time by suffix, callbacks under guard(), registration that shadows nothing.
#pragma once
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "ext/base/sqlite.h"
#include "ext/base/timestamp.h"

#ifndef SQLITE_RESULT_SUBTYPE
#define SQLITE_RESULT_SUBTYPE 0x001000000
#endif

namespace ts {

inline constexpr int kResultSubtypeSince = 3'045'000;  // older versions refuse nothing and need nothing

// The forms of a function that takes a ts: rate counts milliseconds, rate_s seconds, rate_us microseconds, rate_ns nanoseconds.
struct UnitForm {
  const char* suffix;
  Precision precision;
};
inline constexpr UnitForm kUnitForms[] = {
    {"", Precision::kMillis}, {"_s", Precision::kSeconds}, {"_us", Precision::kMicros}, {"_ns", Precision::kNanos}};

// A value for a message: numbers as they are, text in quotes.
std::string shown_value(sqlite3_value* value);
std::string_view text_value(sqlite3_value* value);
std::string_view blob_value(sqlite3_value* value);
// An INTEGER, or the one that a REAL equals.
std::optional<std::int64_t> whole_number(sqlite3_value* value);

// A whole number of units. Throws kBadInput for what is none, and for what a ts function marked with another unit.
std::int64_t time_argument(sqlite3_value* value, Precision precision, const std::string& function);
// A number; throws kBadInput for text and blobs.
double number_argument(sqlite3_value* value, const std::string& function);

// Runs a callback's body; what it throws becomes the call's error. The message first: the code that follows keeps it.
template <class Body>
void answer(sqlite3_context* context, Body body) noexcept {
  const int rc = guard(body, [&](const char* message) { sqlite3_result_error(context, message, -1); });
  if (rc != SQLITE_OK) sqlite3_result_error_code(context, rc);
}

// Flags of a pure function that reads the subtypes of its arguments.
inline constexpr int kPureFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS | SQLITE_SUBTYPE;

// The same for one whose result may carry a subtype.
int marking_flags();

void result_text(sqlite3_context* context, std::string_view text);
// Marked as JSON, as SQLite's own functions mark it.
void result_json(sqlite3_context* context, std::string_view json);
// A JSON string: in quotes, with escapes; bytes that are no UTF-8 become U+FFFD.
void append_json_text(std::string& json, std::string_view text);

using Scalar = void (*)(sqlite3_context*, int, sqlite3_value**);

// The callback of a pure scalar function: NULL in any argument gives NULL, else the body answers.
template <void (*Body)(sqlite3_context*, std::span<sqlite3_value*>)>
void xPure(sqlite3_context* context, int argc, sqlite3_value** argv) noexcept {
  for (int i = 0; i < argc; ++i) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) return sqlite3_result_null(context);
  }
  answer(context, [&] { Body(context, {argv, static_cast<std::size_t>(argc)}); });
}

struct PureFunction {
  const char* name;
  int arguments;
  Scalar call;
  bool marks = false;  // whether its result carries a subtype
};
// Registers the functions whose names the connection does not have.
void register_pure(sqlite3* db, std::span<const PureFunction> functions);

// The names of functions that a connection has: what is in it is not registered again.
std::set<std::string> function_names(sqlite3* db);

}  // namespace ts
