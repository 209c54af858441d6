// The SQL functions on text that need no regular expression.
//
//   parse_glob(text, glob [, number])       what the asterisks of 'user=*, method:*' stand for
//   ip_in_subnet(ip, cidr)   url_decode(text)   md5(x)   sha1(x)   sha256(x)   sha512(x)
#pragma once
#include "ext/base/sqlite.h"

namespace ts {

int register_text_functions(sqlite3* db);

}  // namespace ts
