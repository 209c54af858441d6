// The statements q1 to q7 of the tsbs workloads: their text, values and aims, and how one is run, timed and compared.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "bench/workload.h"

namespace ts_bench {

using Value = std::variant<std::int64_t, std::string>;

class Statement {
 public:
  Statement(Database& db, const std::string& sql, const std::vector<Value>& values) {
    if (sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &stmt_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(db.get()));
    }
    bind(values);
  }
  ~Statement() { sqlite3_finalize(stmt_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(const std::vector<Value>& values) {  // which outlive the run
    int index = 0;
    for (const Value& value : values) {
      if (const auto* text = std::get_if<std::string>(&value)) {
        sqlite3_bind_text(stmt_, ++index, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
      } else {
        sqlite3_bind_int64(stmt_, ++index, std::get<std::int64_t>(value));
      }
    }
  }
  bool step() {
    int rc = sqlite3_step(stmt_);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(stmt_)));
    return rc == SQLITE_ROW;
  }
  sqlite3_stmt* get() const { return stmt_; }

 private:
  sqlite3_stmt* stmt_ = nullptr;
};

// As a program would: prepare, bind, step over all rows and take every value in its own type.
double milliseconds_of(Database& db, const std::string& sql, const std::vector<Value>& values);
// The rows as sorted lines. Doubles to ten digits: sums may be taken in another order.
std::vector<std::string> answer_of(Database& db, const std::string& sql, const std::vector<Value>& values);
void must_agree(const std::string& what, const std::vector<std::string>& ours, const std::vector<std::string>& raw);

struct Query {
  std::string name;
  std::string sql;
  std::vector<Value> values = {};  // a text is a host, and another one in each round
  Aim aim = {};
  std::string compared_sql = {};         // what must agree where rows of equal time may come or not; empty: sql
  std::string rollup_sql = {};           // the answer from a rollup, with the same values; empty: there is none
  std::string rollup_compared_sql = {};  // what it must agree with; empty: sql
  Aim rollup_aim = {};
};

// Windows lie in the middle of the data: half of it where a query says 12 hours. Their bounds are full hours, as those of
// hourly files, except where the name says so.
std::vector<Query> make_queries(int hours);
// The same with other hosts in each round.
std::vector<Value> values_in_round(const Query& query, int round);

}  // namespace ts_bench
