// Tables of facts: their rows, which a scan makes at once.
#pragma once
#include <string>
#include <vector>

#include "ext/table/session.h"

namespace ts {

struct FactArguments {
  std::string table;
  sqlite3_value* from = nullptr;  // null: not given
  sqlite3_value* to = nullptr;
};
using FactRow = std::vector<OwnedValue>;
using FactRows = std::vector<FactRow>;

inline OwnedValue no_fact() { return {}; }
inline OwnedValue fact(std::int64_t value) {
  OwnedValue out;
  out.type = SQLITE_INTEGER;
  out.integer = value;
  return out;
}
inline OwnedValue fact(double value) {
  OwnedValue out;
  out.type = SQLITE_FLOAT;
  out.real = value;
  return out;
}
inline OwnedValue fact(const std::string& value) {
  OwnedValue out;
  out.type = SQLITE_TEXT;
  out.bytes = value;
  return out;
}

}  // namespace ts
