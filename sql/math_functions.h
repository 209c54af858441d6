// SQLite's own math functions, for hosts that were built without SQLITE_ENABLE_MATH_FUNCTIONS: the same names, arguments and answers.
//
// Numbers and text that is one are taken; NULL, other text, blobs and arguments outside of a function's domain give NULL.
// Source: https://sqlite.org/lang_mathfunc.html
#pragma once
#include <span>

#include "sql/function_support.h"

namespace ts {

std::span<const PureFunction> math_functions();

// Those that the connection lacks.
int register_math_functions(sqlite3* db);

}  // namespace ts
