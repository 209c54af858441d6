// register_all: everything the extension offers, on one connection.
#pragma once

struct sqlite3;

namespace ts {

// Returns an SQLite code; *error gets a text for sqlite3_free. A connection may be registered again.
int register_all(sqlite3* db, char** error);

}  // namespace ts
