// Reads the JSON of ts_insert(table, json) into rows: one object, or an array of objects. Pure.
//
// Laws: all rows or an error; nothing is guessed. Keys are matched to columns without case, as SQLite does; an unknown key, a
// key given twice and "_file" are errors. true and false are 1 and 0; an integer beyond 64 bits is a double; an object or
// array inside a row is JSON text without the white space between its tokens, its numbers and strings as they were written.
// The time may be an integer or text (which stays text: the insert path parses it); a row without it gets `now`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ext/archive/schema.h"

namespace ts {

constexpr std::size_t kMaxJsonBytes = std::size_t{64} << 20;  // of one call: it is all in memory before the first row is stored
constexpr std::size_t kMaxJsonDepth = 100;                    // arrays and objects within each other
constexpr std::size_t kMaxJsonValues = 8'000'000;             // rows times columns, of about 40 bytes each

// A column that the object did not mention: it gets its DEFAULT.
struct JsonAbsent {
  friend bool operator==(JsonAbsent, JsonAbsent) { return true; }
};

// Absent, NULL, integer, real or text.
using JsonValue = std::variant<JsonAbsent, std::nullptr_t, std::int64_t, double, std::string>;
using JsonRow = std::vector<JsonValue>;  // one value for each column of the schema, in its order

// `now` is the time in the schema's precision. Throws kBadInput "ts_insert: ..."; a byte position counts from 1.
std::vector<JsonRow> parse_json_rows(std::string_view text, const Schema& schema, std::int64_t now);

}  // namespace ts
