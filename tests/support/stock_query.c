// stock_query FILE SQL...: what SQLite alone, without the extension, reads from a file; every row exactly, one a line.
//
// FILE is opened read-only; each SQL is one statement. A value is n (NULL), i and decimal digits (INTEGER), r and the 16
// hexadecimal digits of its IEEE bits (REAL), t or b and its bytes, "length:hexadecimal" (TEXT as UTF-8, BLOB); values are
// parted by '|'. An empty line ends the answer of each statement. An error goes to stderr, with exit code 1.
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int fail(sqlite3* db, const char* what) {
  fflush(stdout);
  fprintf(stderr, "stock_query (SQLite %s): %s: %.500s\n", sqlite3_libversion(), sqlite3_errmsg(db), what);
  return 1;
}

static void put_bytes(char kind, const unsigned char* bytes, int length) {
  static const char digits[] = "0123456789abcdef";
  printf("%c%d:", kind, length);
  for (int i = 0; i < length; ++i) {
    putchar(digits[bytes[i] >> 4]);
    putchar(digits[bytes[i] & 15]);
  }
}

static void put_value(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER: printf("i%lld", (long long)sqlite3_column_int64(row, column)); break;
    case SQLITE_FLOAT: {
      double value = sqlite3_column_double(row, column);
      uint64_t bits;
      memcpy(&bits, &value, sizeof bits);
      printf("r%016llx", (unsigned long long)bits);
      break;
    }
    case SQLITE_TEXT: {
      const unsigned char* text = sqlite3_column_text(row, column);  // before its length
      put_bytes('t', text, sqlite3_column_bytes(row, column));
      break;
    }
    case SQLITE_BLOB: {
      const unsigned char* blob = sqlite3_column_blob(row, column);
      put_bytes('b', blob, sqlite3_column_bytes(row, column));
      break;
    }
    default: putchar('n');
  }
}

int main(int count, char** arguments) {
  sqlite3* db = NULL;
  if (count < 3) {
    fprintf(stderr, "usage: stock_query FILE SQL...\n");
    return 2;
  }
  if (sqlite3_open_v2(arguments[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) return fail(db, arguments[1]);
  for (int i = 2; i < count; ++i) {
    sqlite3_stmt* statement = NULL;
    const char* rest = NULL;
    int code;
    if (sqlite3_prepare_v2(db, arguments[i], -1, &statement, &rest) != SQLITE_OK) return fail(db, arguments[i]);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      int columns = sqlite3_column_count(statement);
      for (int c = 0; c < columns; ++c) {
        if (c > 0) putchar('|');
        put_value(statement, c);
      }
      putchar('\n');
    }
    if (code != SQLITE_DONE) return fail(db, arguments[i]);
    sqlite3_finalize(statement);
    putchar('\n');
  }
  if (sqlite3_close(db) != SQLITE_OK) return fail(db, "close");
  return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
