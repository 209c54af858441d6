// Tests of packed shards: any plan gives what plain rows give, crafted files are refused, and mutated ones do no harm.
#include "ext/archive/packed_shard.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <sstream>

#include "ext/archive/chunk_scan.h"
#include "ext/archive/packed_writer.h"
#include "ext/archive/sealer.h"
#include "ext/archive/shard_batches.h"
#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

TablePtr test_table() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}, {"n", "INTEGER", false, false, "", ""},
                    {"r", "REAL", false, false, "", ""},     {"t", "TEXT", false, false, "", ""},   {"any", "", false, false, "", ""}};
  schema.time_column = 0;
  return make_table_def("cpu", schema);
}

// A sealed packed file of random rows.
struct Fixture {
  TempDir dir;
  TablePtr table = test_table();
  RowBuffer rows{6};
  SealedRow file;

  explicit Fixture(int count = 4000, unsigned seed = 1) {
    make_directories(dir / "open");
    make_directories(dir / "sealed");
    OpenShard::create_files(dir / "open", "a.db");
    OpenShard shard(dir / "open", "a.db", 1);
    std::mt19937 random(seed);
    for (int i = 0; i < count; i++) {
      rows.begin_row();
      rows.add_integer(1'000'000 + i / 2 * 1000 + static_cast<int>(random() % 3));
      rows.add_text(std::string(1, static_cast<char>('a' + random() % 3)));
      random() % 9 ? rows.add_integer(static_cast<int>(random() % 100) - 20) : rows.add_null();
      if (random() % 3 == 0) {
        rows.add_real(static_cast<double>(random() % 10000) / 100);
      } else {
        rows.add_real(std::ldexp(static_cast<double>(random()), -40));
      }
      rows.add_text(random() % 2 ? "same" : "line " + std::to_string(random() % 1000));
      switch (random() % 4) {
        case 0: rows.add_integer(static_cast<int>(random() % 5)); break;
        case 1: rows.add_real(static_cast<double>(random() % 5)); break;
        case 2: rows.add_blob("b"); break;
        default: rows.add_null();
      }
    }
    REQUIRE(shard.begin());
    shard.insert(table, rows);
    shard.prepare();
    shard.publish(1);
    auto files = seal_table(table, {{"a.db", {0, INT64_MAX, 0}}}, dir / "open", dir / "sealed", "host");
    REQUIRE(files.size() == 1);
    file = files[0];
  }
  std::string path() const { return dir.path() + "/sealed/" + file.file; }
};

// One row of a batch as text: time, ordinal, and the plan's columns.
class Printer {
 public:
  Printer() : db_(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    auto call = [](sqlite3_context* context, int, sqlite3_value** argv) {
      auto* self = static_cast<Printer*>(sqlite3_user_data(context));
      self->batch_->result(context, sqlite3_value_int(argv[0]));
    };
    sqlite3_create_function_v2(db_.get(), "slot", 1, SQLITE_UTF8, this, call, nullptr, nullptr, nullptr);
    select_ = db_.prepare("SELECT typeof(slot(?1)) || ':' || quote(slot(?1))");
  }
  std::string row(RowBatch& batch, int slots, bool ordinal = false) {
    batch_ = &batch;
    std::string text = std::to_string(batch.time());
    if (ordinal) text += "#" + std::to_string(batch.ordinal());
    for (int slot = 0; slot < slots; slot++) {
      select_.reset();
      select_.bind(1, static_cast<std::int64_t>(slot));
      REQUIRE(select_.step());
      text += " " + select_.text(0);
    }
    return text;
  }

 private:
  Database db_;
  Statement select_;
  RowBatch* batch_ = nullptr;
};

std::vector<std::string> rows_of(BatchSource& source, int slots, bool ordinals = false) {
  Printer printer;
  std::vector<std::string> rows;
  for (BatchSource::State state = BatchSource::State::kMore; state != BatchSource::State::kEnd;) {
    BatchSource::Next made = source.next();
    while (made.batch && made.batch->next()) rows.push_back(printer.row(*made.batch, slots, ordinals));
    state = made.state;
  }
  return rows;
}

OwnedValue integer(std::int64_t value) {
  OwnedValue out;
  out.type = SQLITE_INTEGER;
  out.integer = value;
  return out;
}
OwnedValue real(double value) {
  OwnedValue out;
  out.type = SQLITE_FLOAT;
  out.real = value;
  return out;
}
OwnedValue text(const std::string& value) {
  OwnedValue out;
  out.type = SQLITE_TEXT;
  out.bytes = value;
  return out;
}

}  // namespace

TEST_CASE("packed shard: any plan gives the rows that SQLite finds in the file's own view") {
  Fixture f;
  SealedFile sealed = open_sealed(immutable_uri(f.path()), *f.table, f.file.key, "x");
  REQUIRE(sealed.format == kFormatPacked);
  PackedShard shard(sealed.db, f.table, "x");
  std::mt19937 random(7);
  auto pick = [&](auto... values) {
    std::vector<std::common_type_t<decltype(values)...>> all = {values...};
    return all[random() % all.size()];
  };
  const char* const kOps[] = {"=", "<", "<=", ">", ">=", "IN", "IS NULL"};
  for (int round = 0; round < 400; round++) {
    auto plan = std::make_shared<ScanPlan>();
    if (random() % 2) plan->from = 1'000'000 + static_cast<int>(random() % 2'000'000);
    if (random() % 2) plan->to = 1'000'000 + static_cast<int>(random() % 2'000'000);
    for (int c = 1; c < 6; c++) {
      if (random() % 2) plan->columns.push_back(c);
    }
    for (int left = static_cast<int>(random() % 3); left > 0; left--) {
      Filter filter;
      filter.column = static_cast<int>(1 + random() % 4);
      filter.op = kOps[random() % 7];
      auto operand = [&] {
        if (filter.column == 1) return text(pick("a", "b", "c", "bb"));
        if (filter.column == 4) return text(pick("same", "line 7", "line 500", ""));
        return random() % 2 ? integer(static_cast<int>(random() % 120) - 30) : real(static_cast<double>(random() % 2000) / 20 - 20);
      };
      std::size_t values = filter.op == "IS NULL" ? 0 : filter.op == "IN" ? 3 : 1;
      while (filter.values.size() < values) filter.values.push_back(operand());
      plan->filters.push_back(std::move(filter));
    }
    plan->order = pick(Order::kNone, Order::kTimeAscending, Order::kTimeDescending);
    if (random() % 4 == 0) plan->limit = static_cast<int>(random() % 50);

    std::string sql = "SELECT ts", where = " WHERE 1";
    auto name = [&](int c) { return quote_identifier(f.table->schema.columns[static_cast<std::size_t>(c)].name); };
    for (int c : plan->columns) sql += " || ' ' || typeof(" + name(c) + ") || ':' || quote(" + name(c) + ")";
    if (plan->from != INT64_MIN) where += " AND ts>=" + std::to_string(plan->from);
    if (plan->to != INT64_MAX) where += " AND ts<=" + std::to_string(plan->to);
    for (const Filter& filter : plan->filters) where += filter_sql(*sealed.columns, filter);
    Statement all = sealed.db.prepare(sql + " FROM cpu" + where);
    bind_scan(all, *plan);
    std::vector<std::string> expected;
    while (all.step()) expected.push_back(all.text(0));

    CAPTURE(sql);
    CAPTURE(where);
    auto source = packed_batches(shard, plan);
    std::vector<std::string> found = rows_of(*source, static_cast<int>(plan->columns.size()));
    if (plan->order != Order::kNone) {
      auto time = [](const std::string& row) { return std::stoll(row); };
      bool down = plan->order == Order::kTimeDescending;
      CHECK(std::is_sorted(found.begin(), found.end(),
                           [&](const std::string& a, const std::string& b) { return down ? time(a) > time(b) : time(a) < time(b); }));
    }
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    REQUIRE(found == expected);
  }
}

TEST_CASE("packed shard: a row has the same ordinal in every scan, and no two rows share one") {
  Fixture f(3000);
  SealedFile sealed = open_sealed(immutable_uri(f.path()), *f.table, f.file.key, "x");
  PackedShard shard(sealed.db, f.table, "x");
  auto scan = [&](Order order, std::int64_t from) {
    auto plan = std::make_shared<ScanPlan>();
    plan->columns = {2, 3};
    plan->order = order;
    plan->from = from;
    auto source = packed_batches(shard, plan);
    auto rows = rows_of(*source, 2, true);
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  auto all = scan(Order::kNone, INT64_MIN);
  CHECK(all.size() == 3000);
  CHECK(scan(Order::kTimeAscending, INT64_MIN) == all);
  CHECK(scan(Order::kTimeDescending, INT64_MIN) == all);
  auto some = scan(Order::kTimeDescending, 1'700'000);
  CHECK(std::includes(all.begin(), all.end(), some.begin(), some.end()));
  std::set<std::string> ordinals;
  for (const std::string& row : all) ordinals.insert(row.substr(row.find('#'), row.find(' ') - row.find('#')));
  CHECK(ordinals.size() == all.size());
}

TEST_CASE("packed shard: a limit ends the reading early, and once said goes on to the end") {
  Fixture f;
  SealedFile sealed = open_sealed(immutable_uri(f.path()), *f.table, f.file.key, "x");
  PackedShard shard(sealed.db, f.table, "x");
  for (Order order : {Order::kNone, Order::kTimeAscending, Order::kTimeDescending}) {
    auto plan = std::make_shared<ScanPlan>();
    plan->order = order;
    plan->limit = 10;
    auto source = packed_batches(shard, plan);
    std::int64_t rows = 0;
    int enough = 0;
    for (BatchSource::State state = BatchSource::State::kMore; state != BatchSource::State::kEnd;) {
      BatchSource::Next made = source->next();
      rows += made.batch ? made.batch->size() : 0;
      state = made.state;
      if (state == BatchSource::State::kEnough) {
        enough++;
        CHECK(rows >= 10);
        CHECK(rows <= 1500);  // at most the chunk at hand
      }
    }
    CHECK(enough == 1);
    CHECK(rows == 4000);
  }
}

TEST_CASE("packed shard: crafted files are refused with a sentence") {
  struct Case {
    const char* change;
    const char* sentence;
  };
  const Case cases[] = {
      {"CREATE TABLE more(x)", "shard: holds a table that no packed shard has, \"more\": the object"},
      {"CREATE INDEX i ON cpu_chunk(t0)", "shard: holds an index that no packed shard has, \"i\": the object"},
      {"DROP TABLE cpu_chunk", "shard: does not hold the tables of a packed shard: the object"},
      {"DROP TABLE cpu_series; CREATE VIEW cpu_series AS SELECT 1",
       "shard: holds a view that no packed shard has, \"cpu_series\": the object"},
      {"ALTER TABLE cpu_series ADD COLUMN x", "shard: its series table is not what its schema says: the object"},
      {"ALTER TABLE cpu_series ADD COLUMN x AS (1)", "shard: its series table is not what its schema says: the object"},
      {"ALTER TABLE cpu_chunk ADD COLUMN n_more",
       "shard: its chunk table has a column that its schema does not explain, \"n_more\": the object"},
      {"UPDATE cpu_series SET last_chunk=last_chunk+100000", "shard: its series overlap: the object"},
      {"UPDATE cpu_series SET first_chunk=first_chunk+100000", "shard: its series overlap: the object"},
      {"DELETE FROM cpu_series WHERE host='b'", "shard: a chunk belongs to no series: the object"},
      {"UPDATE cpu_chunk SET n=0", "shard: a chunk has an impossible number of rows: the object"},
      {"UPDATE cpu_chunk SET n=1000000", "shard: a chunk has an impossible number of rows: the object"},
      {"UPDATE cpu_chunk SET n=n+1", "shard: damaged chunk in the object: too few bytes of data"},
      {"UPDATE cpu_chunk SET t1=t1+1", "shard: the times of a chunk are not what its directory says: the object"},
      {"UPDATE cpu_chunk SET ts_base=NULL", "shard: a row without a time: the object"},
      {"UPDATE cpu_chunk SET n_bits=63", "shard: damaged chunk in the object: an impossible number of bits"},
      {"UPDATE cpu_chunk SET n_data=x'00'", "shard: damaged chunk in the object: too few bytes of data"},
      {"UPDATE cpu_chunk SET n_null=1", "shard: a chunk has a code for NULL that no packed shard has: the object"},
      {"UPDATE cpu_chunk SET t_scale='words'", "shard: a chunk has a kind of values that this version does not know: the object"},
      {"UPDATE cpu_chunk SET r_scale=-1.0", "shard: damaged chunk in the object: an impossible scale"},
      {"DELETE FROM cpu_value WHERE id=3", "shard: lacks a value that a chunk needs: the object"},
      {"DROP TABLE cpu_value", "shard: lacks the table of values that a chunk needs: the object"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.change);
    Fixture f;
    {
      Database db(f.path(), SQLITE_OPEN_READWRITE);
      db.exec("PRAGMA legacy_alter_table=1");
      db.exec(c.change);
    }
    std::string found = "taken";
    try {
      SealedFile sealed = open_sealed(immutable_uri(f.path()), *f.table, f.file.key, "the object");
      PackedShard shard(sealed.db, f.table, "the object");
      PackedRows all(shard);
      for (RowBuffer rows(6); all.next(rows);) {
      }
    } catch (const Error& e) {
      found = e.what();
    }
    CHECK(found == c.sentence);
  }
}

namespace {

// Reads the file in every way; errors are welcome, anything else than an Error is not.
void read_all_ways(const Fixture& f, const std::string& path) {
  for (Order order : {Order::kNone, Order::kTimeAscending, Order::kTimeDescending}) {
    try {
      SealedFile sealed = open_sealed(immutable_uri(path), *f.table, f.file.key, path);
      PackedShard shard(sealed.db, f.table, path);
      auto plan = std::make_shared<ScanPlan>();
      plan->columns = {1, 2, 3, 4, 5};
      plan->order = order;
      if (order == Order::kTimeAscending) plan->filters = {{2, ">", {integer(0)}, ""}, {1, "=", {text("b")}, ""}};
      auto source = packed_batches(shard, plan);
      for (BatchSource::State state = BatchSource::State::kMore; state != BatchSource::State::kEnd;) state = source->next().state;
    } catch (const Error&) {
      // A sentence for the user.
    }
  }
}

}  // namespace

TEST_CASE("packed shard: mutated chunks and bytes are rows or an error, never harm") {
  Fixture f(1200);
  std::ifstream in(f.path(), std::ios::binary);
  std::stringstream whole;
  whole << in.rdbuf();
  const std::string bytes = whole.str();
  std::vector<std::string> fields;
  {
    Database db(f.path(), SQLITE_OPEN_READONLY);
    for (const char* table : {"cpu_chunk", "cpu_series", "cpu_value"}) {
      Statement info = db.prepare(std::string("SELECT '") + table + " SET \"' || name || '\"' FROM pragma_table_info('" + table + "')");
      while (info.step()) fields.push_back(info.text(0));
    }
  }
  std::mt19937 random(11);
  const char* const kValues[] = {"NULL",
                                 "-1",
                                 "0",
                                 "1",
                                 "7",
                                 "57",
                                 "64",
                                 "9223372036854775807",
                                 "-9223372036854775808",
                                 "'text'",
                                 "x'00'",
                                 "x''",
                                 "1.5",
                                 "randomblob(700)",
                                 "zeroblob(100000)",
                                 "random()",
                                 "abs(random()%70)"};
  const std::string path = f.dir.path() + "/mutated.sqlite";
  for (int round = 0; round < 300; round++) {
    write_file(path, bytes, Sync::kNo);
    try {
      Database db(path, SQLITE_OPEN_READWRITE);
      for (int n = 1 + static_cast<int>(random() % 2); n > 0; n--) {
        db.exec("UPDATE OR IGNORE " + fields[random() % fields.size()] + "=" + kValues[random() % std::size(kValues)] +
                " WHERE rowid % 3 = " + std::to_string(random() % 3) + " OR " + std::to_string(random() % 2));
      }
    } catch (const Error&) {
      // WITHOUT ROWID tables have no rowid, and not every value is taken: then the file is as it was.
    }
    read_all_ways(f, path);
  }
  for (int round = 0; round < 300; round++) {
    std::string changed = bytes;
    for (int n = 1 + static_cast<int>(random() % 8); n > 0; n--) changed[random() % changed.size()] = static_cast<char>(random());
    write_file(path, changed, Sync::kNo);
    read_all_ways(f, path);
  }
}

TEST_CASE("packed shard: values are told apart by class and bits, and each has one id") {
  ValueTable values;
  Cell cell;
  cell.type = SQLITE_TEXT;
  cell.bytes = "a";
  CHECK(values.id_of(cell) == 1);
  cell.type = SQLITE_BLOB;
  CHECK(values.id_of(cell) == 2);
  cell.type = SQLITE_FLOAT;
  cell.real = 0.0;
  CHECK(values.id_of(cell) == 3);
  cell.real = -0.0;
  CHECK(values.id_of(cell) == 4);
  cell.type = SQLITE_INTEGER;
  CHECK(values.id_of(cell) == 5);
  cell.type = SQLITE_TEXT;
  CHECK(values.id_of(cell) == 1);
  for (int i = 0; i < 5000; i++) {
    std::string text = std::to_string(i);
    static std::vector<std::string> keep;
    keep.reserve(5000);
    keep.push_back(text);
    cell.bytes = keep.back();
    CHECK(values.id_of(cell) == 6 + i);
    CHECK(values.id_of(cell) == 6 + i);
  }
}
