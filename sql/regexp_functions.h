// The SQL functions by regular expression: regexp (the REGEXP operator), regexp_extract, regexp_extract_all, regexp_replace, log_pattern.
//
//   regexp(pattern, text)                              text REGEXP pattern: 1 or 0
//   regexp_extract(text, pattern [, group])            what the first match, or a group of it, holds
//   regexp_extract_all(text, pattern [, group])        JSON array of all matches
//   regexp_replace(text, pattern, replacement [, 'g'])
//   log_pattern(text)                                  placeholders for numbers, addresses, ids, times and quoted text
//
// Patterns are RE2's, whose time is linear in the text, whatever the pattern.
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_regexp_functions(sqlite3* db);

}  // namespace ts
