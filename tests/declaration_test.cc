// Tests of table/declaration: columns, options, their environment twins, and every error verbatim.
#include "ext/table/declaration.h"

#include <doctest/doctest.h>

#include "ext/base/error.h"
#include "ext/base/sql_tokens.h"

using namespace ts;

namespace {

using Args = std::vector<std::string_view>;
using Environment = std::map<std::string, std::string>;

constexpr const char* kLocation = "location='file:///tmp/archive'";

// The declaration of these arguments and a location.
Declaration parsed(Args args, const Environment& environment = {}) {
  args.push_back(kLocation);
  return parse_declaration(args, environment);
}

Column column(std::string_view text) { return parsed({"ts TIMESTAMP", text}).schema.columns.at(1); }

std::string fault(const Args& args, const Environment& environment = {}) {
  try {
    parse_declaration(args, environment);
    return "none";
  } catch (const Error& e) {
    CHECK(e.code() == Code::kBadInput);
    return e.what();
  }
}

std::string column_fault(std::string_view text) { return fault({"ts TIMESTAMP", text, kLocation}); }
std::string option_fault(std::string_view text) { return fault({"ts TIMESTAMP", kLocation, text}); }

constexpr const char* kOptionNames =
    "location, table, spool, precision, partition, flush_size, flush_interval, flush_timeout, spool_limit, durability, cache_dir, "
    "cache_size, max_staleness, compact_grace, retention, flush_on_close, compact, compact_interval, compact_target, endpoint, region, "
    "profile, "
    "anonymous, hedge, snapshot, slice, max_bytes, max_requests, prices, link";

}  // namespace

TEST_CASE("declaration: columns keep their order, types, tags and constraints") {
  const Declaration d = parsed({"ts TIMESTAMP NOT NULL", "host TEXT TAG COLLATE NOCASE", "usage REAL NOT NULL DEFAULT 0.5", "note"});
  REQUIRE(d.schema.columns.size() == 4);
  CHECK(d.schema.time_column == 0);
  CHECK(d.schema.tags() == std::vector<int>{1});
  CHECK(declared_columns_sql(d.schema) ==
        R"("ts" INTEGER NOT NULL, "host" TEXT COLLATE NOCASE, "usage" REAL DEFAULT 0.5, "note", "_file" TEXT HIDDEN)");
}

TEST_CASE("declaration: TAG stands before, after or without a type") {
  for (const char* text : {"host TEXT TAG", "host TAG TEXT", "host text tag", "host TEXT NOT NULL TAG", "host/**/TEXT--\n TAG"}) {
    CAPTURE(text);
    CHECK(column(text).tag);
    CHECK(same_word(column(text).type, "TEXT"));
  }
  CHECK(column("host TAG").tag);
  CHECK(column("host TAG").type.empty());
  CHECK(column("tag TEXT").name == "tag");
  CHECK_FALSE(column("tag TEXT").tag);
}

TEST_CASE("declaration: types are kept as written") {
  CHECK(column("a VARCHAR(20)").type == "VARCHAR(20)");
  CHECK(column("a DOUBLE PRECISION NOT NULL").type == "DOUBLE PRECISION");
  CHECK(column("a decimal(10, 2)").type == "decimal(10, 2)");
  CHECK(column("a UNSIGNED  BIG\n INT").type == "UNSIGNED BIG INT");
  CHECK(column("a DATETIME").type == "DATETIME");
  CHECK(column("a NUMERIC(-1)").type == "NUMERIC(-1)");
}

TEST_CASE("declaration: names are quoted in every way SQLite knows") {
  CHECK(column("\"my col\" TEXT").name == "my col");
  CHECK(column("[my col] TEXT").name == "my col");
  CHECK(column("`my col` TEXT").name == "my col");
  CHECK(column("'my col' TEXT").name == "my col");
  CHECK(column("\"a\"\"b\" TEXT").name == "a\"b");
  CHECK(column("\"a=b\"").name == "a=b");
  CHECK(column("caf\xc3\xa9 REAL").name == "caf\xc3\xa9");
  CHECK(column("order REAL").name == "order");
  CHECK(column("location TEXT").name == "location");
}

TEST_CASE("declaration: a DEFAULT is kept as written") {
  CHECK(column("a DEFAULT 'it''s'").default_sql == "'it''s'");
  CHECK(column("a DEFAULT - 1.5e3 NOT NULL").default_sql == "- 1.5e3");
  CHECK(column("a DEFAULT +7").default_sql == "+7");
  CHECK(column("a DEFAULT x'00ff'").default_sql == "x'00ff'");
  CHECK(column("a DEFAULT NULL").default_sql == "NULL");
  CHECK(column("a DEFAULT current_timestamp").default_sql == "current_timestamp");
  CHECK(column("a DEFAULT (strftime('%s', ')')) NOT NULL").default_sql == "(strftime('%s', ')'))");
  CHECK(column("a TEXT DEFAULT 'x' COLLATE rtrim NOT NULL TAG").collate == "rtrim");
  CHECK_FALSE(column("a TEXT NULL").not_null);
}

TEST_CASE("declaration: TIMESTAMP has any name and place, and its type is INTEGER") {
  const Declaration d = parsed({"host TEXT TAG", "\"when\" timestamp"});
  CHECK(d.schema.time_column == 1);
  CHECK(d.schema.columns[1].name == "when");
  CHECK(d.schema.columns[1].type == "INTEGER");
  CHECK_FALSE(d.schema.columns[1].not_null);
}

TEST_CASE("declaration: no columns at all leave the schema to the archive") {
  const Declaration d = parsed({});
  CHECK(d.schema.empty());
  CHECK(d.schema.time_column == -1);
  CHECK(d.store.location == "file:///tmp/archive");
}

TEST_CASE("declaration: exactly one column is TIMESTAMP") {
  CHECK(fault({"host TEXT", "usage REAL", kLocation}) ==
        "timeseries: no column is TIMESTAMP (there are \"host\", \"usage\"); declare the time, as in: ts TIMESTAMP");
  CHECK(fault({"a TIMESTAMP", "b TIMESTAMP", kLocation}) ==
        "timeseries: columns \"a\" and \"b\" are both TIMESTAMP; a timeseries has exactly one, declare the other INTEGER");
  CHECK(column_fault("b TIMESTAMP(3)") ==
        "timeseries: column \"b\": write TIMESTAMP alone: it is an INTEGER in UTC, and its unit is the option precision='s', 'ms', 'us' or "
        "'ns'");
  CHECK(column_fault("b TIMESTAMP WITH TIME ZONE").find("write TIMESTAMP alone") != std::string::npos);
  CHECK(column_fault("b TIMESTAMPTZ").find("write TIMESTAMP alone") != std::string::npos);
  CHECK(column_fault("b TIMESTAMP TAG") ==
        "timeseries: column \"b\": a TIMESTAMP cannot be a TAG: tags name a series, the time orders it; leave TAG out");
  CHECK(column_fault("b TIMESTAMP DEFAULT 0") ==
        "timeseries: column \"b\": a TIMESTAMP takes no DEFAULT: the writer states the time, and ts_insert with JSON takes now; leave "
        "DEFAULT out");
  CHECK(column_fault("b TIMESTAMP COLLATE NOCASE") ==
        "timeseries: column \"b\": a TIMESTAMP is an INTEGER and takes no COLLATE; leave it out");
  CHECK(column_fault("b TIMESTAMP NULL") == "timeseries: column \"b\": a TIMESTAMP is never NULL; leave NULL out");
}

TEST_CASE("declaration: what a timeseries cannot keep is refused by name") {
  CHECK(column_fault("id INTEGER PRIMARY KEY") ==
        "timeseries: column \"id\": PRIMARY KEY is not supported: duplicate rows are rows in a timeseries; leave it out and mark what "
        "identifies a "
        "series with TAG");
  CHECK(column_fault("id INTEGER UNIQUE") ==
        "timeseries: column \"id\": UNIQUE is not supported: duplicate rows are rows in a timeseries; leave it out and mark what "
        "identifies a series "
        "with TAG");
  CHECK(column_fault("a REAL CHECK (a > 0)") ==
        "timeseries: column \"a\": CHECK is not supported: rows of other writers are not checked against it; leave it out and check before "
        "the insert");
  CHECK(column_fault("a INTEGER REFERENCES b(id)") ==
        "timeseries: column \"a\": REFERENCES is not supported: files in an archive cannot follow changes of another table; leave it out "
        "and join in "
        "the query");
  CHECK(column_fault("a INTEGER GENERATED ALWAYS AS (1)") ==
        "timeseries: column \"a\": GENERATED is not supported: a timeseries stores what is inserted; leave the column out and compute it "
        "in a view");
  CHECK(column_fault("a INTEGER AS (1)") ==
        "timeseries: column \"a\": AS (a generated column) is not supported: a timeseries stores what is inserted; leave the column out "
        "and compute it "
        "in a view");
  CHECK(column_fault("a INTEGER NOT NULL ON CONFLICT IGNORE") ==
        "timeseries: column \"a\": ON CONFLICT is not supported: a row that breaks a rule is always an error; leave it out");
  CHECK(column_fault("a INTEGER CONSTRAINT c NOT NULL") ==
        "timeseries: column \"a\": CONSTRAINT is not supported: a timeseries keeps NOT NULL, DEFAULT and COLLATE only; leave the "
        "constraint and its "
        "name out");
  CHECK(column_fault("a INTEGER HIDDEN") ==
        "timeseries: column \"a\": HIDDEN is not supported: every column of a timeseries is visible; leave it out");
  CHECK(column_fault("a HIDDEN") ==
        "timeseries: column \"a\": HIDDEN is not supported: every column of a timeseries is visible; leave it out");
  CHECK(column_fault("a INTEGER AUTOINCREMENT") ==
        "timeseries: column \"a\": AUTOINCREMENT is not supported: a timeseries has no row numbers to keep; leave it out");
  CHECK(column_fault("a INTEGER DEFERRABLE INITIALLY DEFERRED") ==
        "timeseries: column \"a\": DEFERRABLE is not supported: a timeseries has no foreign keys; leave it out");
}

TEST_CASE("declaration: table constraints are refused by name") {
  CHECK(column_fault("PRIMARY KEY(ts, host)") ==
        "timeseries: PRIMARY KEY is not supported: duplicate rows are rows in a timeseries; leave it out and mark what identifies a series "
        "with TAG");
  CHECK(column_fault("UNIQUE(host)") ==
        "timeseries: UNIQUE is not supported: duplicate rows are rows in a timeseries; leave it out and mark what identifies a series with "
        "TAG");
  CHECK(column_fault("CHECK (usage > 0)") ==
        "timeseries: CHECK is not supported: rows of other writers are not checked against it; leave it out and check before the insert");
  CHECK(column_fault("FOREIGN KEY(a) REFERENCES b(c)") ==
        "timeseries: FOREIGN KEY is not supported: files in an archive cannot follow changes of another table; leave it out and join in "
        "the query");
  CHECK(column_fault("CONSTRAINT pk PRIMARY KEY(ts)") ==
        "timeseries: CONSTRAINT is not supported: a timeseries keeps NOT NULL, DEFAULT and COLLATE only; leave the constraint and its name "
        "out");
}

TEST_CASE("declaration: names that mean something else, twice the same name and too many columns are refused") {
  CHECK(column_fault("_FILE TEXT") ==
        "timeseries: column \"_FILE\": the name is taken: the hidden column _file names the shard a row came from; choose another name");
  CHECK(column_fault("rowid INTEGER") ==
        "timeseries: column \"rowid\": the name is taken: it is SQLite's name for a row's number; choose another name");
  CHECK(column_fault("\"OID\"").find("the name is taken") != std::string::npos);
  CHECK(column_fault("_rowid_").find("the name is taken") != std::string::npos);
  CHECK(column_fault("\"\" TEXT") == "timeseries: column \"\": the name is empty; choose another name");
  CHECK(column_fault("a" + std::string(255, 'a')).find("...\": the name is longer than 255 bytes; choose another name") !=
        std::string::npos);
  CHECK(column_fault("a\xff TEXT") == "timeseries: the arguments are no UTF-8 text");
  CHECK(fault({"ts TIMESTAMP", "host TEXT", "HOST TEXT", kLocation}) == "timeseries: column \"HOST\" is declared twice; rename one");
  std::vector<std::string> names = {"ts TIMESTAMP"};
  for (int i = 1; i < 1'000; ++i) names.push_back("c" + std::to_string(i));
  Args args(names.begin(), names.end());
  CHECK(parsed(args).schema.columns.size() == 1'000);
  args.push_back("one_more");
  CHECK(fault(args) == "timeseries: more than 1000 columns; split the table");
}

TEST_CASE("declaration: what is not understood in a column is named") {
  CHECK(
      column_fault("a TEXT TAG REAL") ==
      "timeseries: column \"a\": \"REAL\" is not understood here; a column is: name type [TAG] [NOT NULL] [DEFAULT value] [COLLATE name]");
  CHECK(column_fault("a NOT NULL TEXT").find("\"TEXT\" is not understood here") != std::string::npos);
  CHECK(column_fault("a 'x'").find("\"x\" is not understood here") != std::string::npos);
  CHECK(column_fault("a 5").find("\"5\" is not understood here") != std::string::npos);
  CHECK(column_fault("a (20)").find("\"(\" is not understood here") != std::string::npos);
  CHECK(column_fault("a TEXT TAG TAG") == "timeseries: column \"a\": TAG is given twice; leave one out");
  CHECK(column_fault("a DEFAULT 1 DEFAULT 2") == "timeseries: column \"a\": DEFAULT is given twice; leave one out");
  CHECK(column_fault("a COLLATE binary COLLATE binary") == "timeseries: column \"a\": COLLATE is given twice; leave one out");
  CHECK(column_fault("a NOT") == "timeseries: column \"a\": NOT must be followed by NULL");
  const char* bad_default =
      "timeseries: column \"a\": DEFAULT must be a literal or an expression in parentheses, as in DEFAULT 'none' or DEFAULT (1 + 1)";
  for (const char* text : {"a DEFAULT", "a DEFAULT abc", "a DEFAULT \"abc\"", "a DEFAULT -", "a DEFAULT - 'x'", "a DEFAULT (1",
                           "a DEFAULT (1; 2)", "a DEFAULT 'x"}) {
    CAPTURE(text);
    CHECK(column_fault(text) == bad_default);
  }
  const char* bad_collate =
      "timeseries: column \"a\": COLLATE must be BINARY, NOCASE or RTRIM: the files are read by any SQLite, which has no other";
  CHECK(column_fault("a TEXT COLLATE") == bad_collate);
  CHECK(column_fault("a TEXT COLLATE unicode") == bad_collate);
  CHECK(column_fault("a VARCHAR(max)") == "timeseries: column \"a\": \"VARCHAR(max)\" is no type; write words, as in VARCHAR(20)");
  CHECK(column_fault("a VARCHAR(20").find("\"VARCHAR(20\" is no type") != std::string::npos);
  CHECK(column_fault("a \"unclosed") == "timeseries: column \"a\": a quote is not closed");
  CHECK(column_fault("5 TEXT") ==
        "timeseries: \"5 TEXT\" is neither a column nor an option; write a column as: host TEXT TAG, and an option as: flush_size='64MB'");
}

TEST_CASE("declaration: every option is understood") {
  const Declaration d =
      parse_declaration({"location='s3://bucket/prefix'", "table = 'Cpu'", "spool='/var/spool/ts'", "precision='us'", "partition = 'hour'",
                         "flush_size = '128MB'", "flush_interval='90 s'", "flush_timeout=\"20s\"", "spool_limit = '10GB'",
                         "durability='full'", "cache_dir='/var/cache/ts'", "cache_size='2GiB'", "max_staleness='10s'",
                         "flush_on_close='always'", "endpoint='http://127.0.0.1:9000'", "REGION='eu-central-1'", "profile=metrics",
                         "anonymous=1", "hedge='off'"},
                        {});
  CHECK(d.store.location == "s3://bucket/prefix");
  CHECK(d.table == "Cpu");
  CHECK(d.spool == "/var/spool/ts");
  CHECK(d.schema.precision == Precision::kMicros);
  CHECK(d.precision_given);
  CHECK(d.schema.partition == Partition::kHour);
  CHECK(d.partition_given);
  CHECK(d.flush_size == 128u << 20);
  CHECK(d.flush_interval_ms == 90'000);
  CHECK(d.flush_timeout_ms == 20'000);
  CHECK(d.spool_limit == 10ull << 30);
  CHECK(d.durability == Durability::kFull);
  CHECK(d.cache_dir == "/var/cache/ts");
  CHECK(d.cache_size == 2ull << 30);
  CHECK(d.max_staleness_ms == 10'000);
  CHECK(d.flush_on_close == FlushOnClose::kAlways);
  CHECK(d.store.endpoint == "http://127.0.0.1:9000");
  CHECK(d.store.region == "eu-central-1");
  CHECK(d.store.profile == "metrics");
  CHECK(d.store.anonymous);
  CHECK_FALSE(d.store.hedge);
}

TEST_CASE("declaration: the defaults are ms, day, 64MB, 5m, 15s, no spool limit, normal, no cache of 1GB, no staleness and due") {
  const Declaration d = parsed({});
  CHECK(d.schema.precision == Precision::kMillis);
  CHECK(d.schema.partition == Partition::kDay);
  CHECK_FALSE(d.precision_given);
  CHECK_FALSE(d.partition_given);
  CHECK(d.flush_size == 64u << 20);
  CHECK(d.flush_interval_ms == 300'000);
  CHECK(d.flush_timeout_ms == 15'000);
  CHECK(d.spool_limit == 0);
  CHECK(d.durability == Durability::kNormal);
  CHECK(d.cache_dir.empty());
  CHECK(d.cache_size == 1u << 30);
  CHECK(d.max_staleness_ms == 0);
  CHECK(d.flush_on_close == FlushOnClose::kDue);
  CHECK_FALSE(d.store.anonymous);
  CHECK(d.store.hedge);
}

TEST_CASE("declaration: rows are kept for an hour at least, or for ever, and files that do not count for an hour") {
  CHECK(parsed({"max_staleness=0"}).retention_ms == 0);
  CHECK(parsed({"max_staleness=0"}).compact_grace_ms == 3600'000);
  CHECK(parsed({"retention='90 days'"}).retention_ms == 90ll * 86'400'000);
  CHECK(parsed({"compact_grace='10m'"}).compact_grace_ms == 600'000);
  CHECK(option_fault("retention='3599s'") == "timeseries: retention: must be at least 1h, or 0 for ever");
}

TEST_CASE("declaration: compaction is asked for, and how large its files become has limits") {
  CHECK(parsed({"compact_target='1GB'"}).compact_target == 1u << 30);
  CHECK(parsed({}).compact_target == 256u << 20);
  CHECK_FALSE(parsed({}).compact_auto);
  CHECK(parsed({"compact='auto'", "compact_interval='1h'"}).compact_auto);
  CHECK(parsed({"compact='auto'", "compact_interval='1h'"}).compact_interval_ms == 3600'000);
  for (const char* size : {"compact_target='2GB'", "compact_target='1023kB'"}) {
    CHECK(option_fault(size) == "timeseries: compact_target: must be from 1MB to 1GB; the default is '256MB'");
  }
}

TEST_CASE("declaration: a listing is used again for an hour at most") {
  CHECK(parsed({"max_staleness='1h'"}).max_staleness_ms == 3600'000);
  CHECK(parsed({"max_staleness=0"}).max_staleness_ms == 0);
  CHECK(option_fault("max_staleness='3601s'") == "timeseries: max_staleness: must be at most 1h, and 0 for a fresh listing each time");
  CHECK(fault({kLocation}, {{"TIMESERIES_MAX_STALENESS", "2h"}}) ==
        "timeseries: TIMESERIES_MAX_STALENESS: must be at most 1h, and 0 for a fresh listing each time");
}

TEST_CASE("declaration: an option not given is taken from its environment twin, also the location") {
  const Environment environment = {{"TIMESERIES_LOCATION", "s3://env/x"}, {"TIMESERIES_FLUSH_SIZE", "1MB"},
                                   {"TIMESERIES_PRECISION", "ns"},        {"TIMESERIES_REGION", ""},
                                   {"TIMESERIES_UNKNOWN", "x"},           {"AWS_REGION", "elsewhere"}};
  const Declaration d = parse_declaration({"flush_size='2MB'"}, environment);
  CHECK(d.store.location == "s3://env/x");
  CHECK(d.flush_size == 2u << 20);
  CHECK(d.precision_given);
  CHECK(d.schema.precision == Precision::kNanos);
  CHECK(d.store.region.empty());
  CHECK(parsed({}, environment).store.location == "file:///tmp/archive");
  CHECK(fault({kLocation}, {{"TIMESERIES_FLUSH_SIZE", "big"}}) ==
        "timeseries: TIMESERIES_FLUSH_SIZE: \"big\" is no size; write a whole number of bytes, kB, MB, GB or TB, as in '64MB'");
}

TEST_CASE("declaration: a missing location is an error with an example") {
  CHECK(fault({"ts TIMESTAMP"}) ==
        "timeseries: location is missing; say where the files are, as in location='s3://bucket/prefix' or "
        "location='file:///var/lib/metrics'");
}

TEST_CASE("declaration: limits are counts and sizes, a slice is part of a snapshot") {
  CHECK(option_fault("max_requests='-1'") == "timeseries: max_requests: \"-1\" is no whole number");
  CHECK(option_fault("max_requests='1k'") == "timeseries: max_requests: \"1k\" is no whole number");
  CHECK(option_fault("max_bytes='1kB'") == "timeseries: max_bytes: must be at least 1MB, or 0 for no limit");
  CHECK(option_fault("slice='1/2'") ==
        "timeseries: slice is of a snapshot, so that slices fit together; take one with ts_snapshot and write snapshot='...'");
  for (const char* wrong : {"1", "1/", "/2", "2/1", "0/1", "0/0", "1/2/3"}) {
    CHECK(option_fault("slice='" + std::string(wrong) + "'") != "");
  }
}

TEST_CASE("declaration: an unknown option lists the known ones") {
  CHECK(option_fault("flush='1s'") == std::string("timeseries: unknown option \"flush\"; the options are ") + kOptionNames);
}

TEST_CASE("declaration: an option given twice, without a value or with more than one is refused") {
  CHECK(option_fault("Location='file:///b'") == "timeseries: location: given twice; leave one out");
  CHECK(option_fault("table=") == "timeseries: table: has no value; write table='...'");
  CHECK(option_fault("table=''") == "timeseries: table: is empty; write table='...' or leave it out");
  const char* one = "timeseries: table: its value must be one quoted string, a number or a word; write table='...'";
  CHECK(option_fault("table='a' 'b'") == one);
  CHECK(option_fault("table=a/b") == one);
  CHECK(option_fault("table='a") == one);
  CHECK(option_fault("table=(a)") == one);
}

TEST_CASE("declaration: a value that an option does not know is refused with the ones it knows") {
  CHECK(option_fault("precision='min'") == "timeseries: precision: \"min\" is none of 's', 'ms', 'us', 'ns'");
  CHECK(option_fault("partition='year'") == "timeseries: partition: \"year\" is none of 'hour', 'day', 'month'");
  CHECK(option_fault("durability='none'") == "timeseries: durability: \"none\" is none of 'normal', 'full'");
  CHECK(option_fault("flush_on_close='later'") == "timeseries: flush_on_close: \"later\" is none of 'due', 'always', 'never'");
  CHECK(option_fault("anonymous='maybe'") ==
        "timeseries: anonymous: \"maybe\" is none of 'true', 'false', '1', '0', 'yes', 'no', 'on', 'off'");
  CHECK(option_fault("flush_size='0'") == "timeseries: flush_size: must be at least one byte; the default is '64MB'");
  CHECK(option_fault("flush_timeout='0s'") == "timeseries: flush_timeout: must be at least 1ms; the default is '15s'");
}

TEST_CASE("declaration: secrets are refused and never repeated") {
  for (const char* name :
       {"access_key", "secret_key", "aws_access_key_id", "AWS_SECRET_ACCESS_KEY", "session_token", "password", "token", "key_id"}) {
    CAPTURE(name);
    CHECK(option_fault(std::string(name) + "='hunter2'") == "timeseries: " + std::string(name) +
                                                                ": secrets do not belong in SQL text (it is stored in sqlite_schema); use "
                                                                "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or "
                                                                "a profile");
  }
  const char* in_location =
      "timeseries: location: secrets do not belong in SQL text (it is stored in sqlite_schema); use the environment (AWS_ACCESS_KEY_ID, "
      "AWS_SECRET_ACCESS_KEY) or a profile";
  CHECK(fault({"location='s3://AKIA:hunter2@bucket/prefix'"}) == in_location);
  CHECK(fault({kLocation, "endpoint='https://user:hunter2@host'"}).find("endpoint: secrets do not belong") != std::string::npos);
  CHECK(fault({"location='s3://bucket/a@b'"}) == "none");
  CHECK(fault({"location='file:///home/a@b'"}) == "none");
}

TEST_CASE("declaration: sizes are bytes in powers of 1024") {
  CHECK(parse_size("512", "x") == 512);
  CHECK(parse_size("0", "x") == 0);
  CHECK(parse_size("64MB", "x") == 64u << 20);
  CHECK(parse_size("1GiB", "x") == 1u << 30);
  CHECK(parse_size("10 kB", "x") == 10'240);
  CHECK(parse_size(" 2t ", "x") == 2ull << 40);
  CHECK(parse_size("7 B", "x") == 7);
  CHECK(parse_size("8388607TB", "x") == 8'388'607ull << 40);
  for (const char* text : {"", "MB", "-1", "1.5GB", "64XB", "64MBs", "1 2", "64 M B", "1e3", "0x10", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(
        parse_size(text, "cache_size"),
        ("timeseries: cache_size: \"" + std::string(text) + "\" is no size; write a whole number of bytes, kB, MB, GB or TB, as in '64MB'")
            .c_str(),
        Error);
  }
  CHECK_THROWS_WITH_AS(parse_size("8388608TB", "x"), "timeseries: x: \"8388608TB\" is too large; the limit is 8388607TB", Error);
}

TEST_CASE("declaration: durations need a unit and are milliseconds") {
  CHECK(parse_duration("5m", "x") == 300'000);
  CHECK(parse_duration("90 s", "x") == 90'000);
  CHECK(parse_duration("250ms", "x") == 250);
  CHECK(parse_duration("1H", "x") == 3'600'000);
  CHECK(parse_duration("2 days", "x") == 172'800'000);
  CHECK(parse_duration("0", "x") == 0);
  CHECK(parse_duration("36500 days", "x") == 3'153'600'000'000);
  for (const char* text : {"", "5", "m", "-5m", "1.5h", "5 parsecs", "5mm"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_duration(text, "flush_interval"),
                         ("timeseries: flush_interval: \"" + std::string(text) +
                          "\" is no duration; write a whole number with ms, s, m, h or days, as in '5m'")
                             .c_str(),
                         Error);
  }
  CHECK_THROWS_WITH_AS(parse_duration("36501 days", "x"), "timeseries: x: \"36501 days\" is too long; the limit is 36500 days", Error);
  CHECK_THROWS_AS(parse_duration("9223372036854775807d", "x"), Error);
}
