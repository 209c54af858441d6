// Tests of archive/schema: its JSON, what hostile JSON cannot do, contradictions, and the SQL.
#include "ext/archive/schema.h"

#include <doctest/doctest.h>

#include "ext/base/error.h"
#include "tests/support/sqlite_fixture.h"

using namespace ts;

namespace {

Schema cpu() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, true, "", ""},
                    {"host", "TEXT", true, false, "", "NOCASE"},
                    {"usage", "REAL", false, true, "0.5", ""},
                    {"my \"note\"", "VARCHAR(20)", false, false, "'none'", ""},
                    {"any", "", false, false, "(1 + 1)", ""}};
  schema.time_column = 0;
  return schema;
}

constexpr const char* kJson =
    R"({"format":1,"precision":"ms","partition":"day","time":"ts","columns":[{"name":"ts","type":"INTEGER","not_null":true},)"
    R"({"name":"host","type":"TEXT","tag":true,"collate":"NOCASE"},{"name":"usage","type":"REAL","not_null":true,"default":"0.5"},)"
    R"j({"name":"my \"note\"","type":"VARCHAR(20)","default":"'none'"},{"name":"any","type":"","default":"(1 + 1)"}]})j";

// What schema_from_json says of one column beside "ts", or of a whole text.
std::string fault(const std::string& json) {
  try {
    schema_from_json(json, "cpu/schema-000001.json");
    return "none";
  } catch (const Error& e) {
    return (e.code() == Code::kCorrupt ? "corrupt " : e.code() == Code::kTooNew ? "new " : "other ") + std::string(e.what());
  }
}

std::string column_fault(const std::string& column) {
  return fault(R"({"format":1,"precision":"ms","partition":"day","time":"ts","columns":[{"name":"ts","type":"INTEGER"},)" + column + "]}");
}

std::string corrupt(const std::string& happened) { return "corrupt schema: " + happened + ": cpu/schema-000001.json"; }

}  // namespace

TEST_CASE("schema: JSON is written in the documented form and read back") {
  CHECK(schema_to_json(cpu()) == kJson);
  const Schema read = schema_from_json(kJson, "x");
  CHECK(schema_to_json(read) == kJson);
  CHECK(read.time_column == 0);
  CHECK(read.columns[1].tag);
  CHECK(read.columns[1].collate == "NOCASE");
  CHECK(read.columns[2].not_null);
  CHECK(read.columns[3].default_sql == "'none'");
  CHECK(read.tags() == std::vector<int>{1});
}

TEST_CASE("schema: unknown keys are ignored, an unknown format is a newer version") {
  std::string json = kJson;
  CHECK(fault(json.replace(1, 0, R"("comment":[1,{"a":2}],)")) == "none");
  CHECK(fault(R"({"format":3,"layout":"unknown"})") ==
        "new schema: archive written by a newer version, its format is 3 and this version reads 1 and 2: cpu/schema-000001.json");
}

TEST_CASE("schema: what does not parse or is no schema is an error that names the object") {
  CHECK(fault("") == corrupt("does not parse as JSON"));
  CHECK(fault("{\"format\":1") == corrupt("does not parse as JSON"));
  CHECK(fault("{\"format\":1, \"x\":\"\xff\"}") == corrupt("does not parse as JSON"));
  CHECK(fault(std::string(100'000, '[')) == corrupt("does not parse as JSON"));
  CHECK(fault(std::string(100'000, '[') + std::string(100'000, ']')) == corrupt("is no JSON object"));
  CHECK(fault(std::string((4 << 20) + 1, ' ')) == corrupt("is larger than 4 MB"));
  CHECK(fault("[]") == corrupt("is no JSON object"));
  CHECK(fault("{}") == corrupt("has no \"format\" number"));
  CHECK(fault(R"({"format":"1"})") == corrupt("has no \"format\" number"));
  CHECK(fault(R"({"format":1})") == corrupt("has no text \"precision\""));
  CHECK(fault(R"({"format":1,"precision":"min"})") == corrupt("has an unknown \"precision\""));
  CHECK(fault(R"({"format":1,"precision":"s","partition":"year"})") == corrupt("has an unknown \"partition\""));
  CHECK(fault(R"({"format":1,"precision":"s","partition":"day","columns":[]})") == corrupt("has no \"columns\""));
  CHECK(fault(R"({"format":1,"precision":"s","partition":"day","columns":[7]})") == corrupt("has a column that is no JSON object"));
  CHECK(fault(R"({"format":1,"precision":"s","partition":"day","columns":[{"name":"a","type":"INTEGER"}]})") ==
        corrupt("has no text \"time\""));
  CHECK(fault(R"({"format":1,"precision":"s","partition":"day","time":"t","columns":[{"name":"a","type":"INTEGER"}]})") ==
        corrupt("has no column \"t\", its \"time\""));
  CHECK(fault(R"({"format":1,"precision":"s","partition":"day","time":"a","columns":[{"name":"a","type":"TEXT"}]})") ==
        corrupt("has the time column \"a\" that is no plain INTEGER"));
  std::string many = R"({"format":1,"precision":"s","partition":"day","time":"c0","columns":[{"name":"c0","type":"INTEGER"})";
  for (int i = 1; i <= 1'000; ++i) many += R"(,{"name":"c)" + std::to_string(i) + R"(","type":""})";
  CHECK(fault(many + "]}") == corrupt("has more than 1000 columns"));
}

TEST_CASE("schema: a column of hostile JSON is a name, a type and a default and nothing else") {
  CHECK(column_fault(R"({"name":"a","type":"DOUBLE PRECISION","default":"-1.5e3"})") == "none");
  CHECK(column_fault(R"({"type":"TEXT"})") == corrupt("has no text \"name\""));
  CHECK(column_fault(R"({"name":"","type":"TEXT"})") == corrupt("column \"\": its name is empty"));
  CHECK(column_fault(R"({"name":"a\u0000b","type":""})") == corrupt("column \"a?b\": its name is no UTF-8 text"));
  CHECK(column_fault(R"({"name":"_FILE","type":""})") ==
        corrupt("column \"_FILE\": its name is taken: the hidden column _file names the shard a row came from"));
  CHECK(column_fault(R"({"name":"TS","type":"TEXT"})") == corrupt("has the column \"TS\" twice"));
  CHECK(column_fault(R"({"name":"a","type":7})") == corrupt("has no text \"type\""));
  CHECK(column_fault(R"({"name":"a","type":"","tag":1})") == corrupt("has a \"tag\" that is neither true nor false"));
  CHECK(column_fault(R"({"name":"a","type":"","collate":"x) ; DROP"})") == corrupt("column \"a\" has an unknown collation"));
  for (const char* type : {"TEXT); DROP TABLE x; --", "TEXT HIDDEN", "hidden", "TEXT PRIMARY KEY", "TEXT DEFAULT 1", "TEXT, b TEXT",
                           "'TEXT'", "TEXT(a)", "TEXT(1,2,3)", "TEXT(1", "(20)", "TEXT()", "TEXT(1)(2)", "TEXT(1,)", "TEXT(,1)",
                           "TEXT(1)2)", "GENERATED ALWAYS", "\\\"a\\\"", "TEXT(--)"}) {
    CAPTURE(type);
    CHECK(column_fault(R"({"name":"a","type":")" + std::string(type) + "\"}") == corrupt("column \"a\" has no valid type"));
  }
  for (const char* text :
       {"1, b TEXT", "1); DROP TABLE x", "(1)) --", "(1", "(1; 2)", "x", "-x", "'a", "1 NOT NULL", "\\\"a\\\"", "--", "()("}) {
    CAPTURE(text);
    CHECK(column_fault(R"({"name":"a","type":"","default":")" + std::string(text) + "\"}") == corrupt("column \"a\" has no valid default"));
  }
}

TEST_CASE("schema: the first difference that matters is named") {
  const Schema archive = cpu();
  CHECK_FALSE(contradiction(cpu(), archive));
  CHECK_FALSE(contradiction(Schema{}, archive));
  const auto changed = [&](auto change) {
    Schema here = cpu();
    change(here);
    return contradiction(here, archive).value_or("none");
  };
  CHECK(changed([](Schema& s) { s.columns[2].type = "TEXT"; }) == "column \"usage\" is TEXT here and REAL in the archive");
  CHECK(changed([](Schema& s) { s.columns[4].type = "BLOB"; }) == "column \"any\" is BLOB here and without a type in the archive");
  CHECK(changed([](Schema& s) { s.columns[1].tag = false; }) == "column \"host\" is a TAG in the archive and not here");
  CHECK(changed([](Schema& s) { s.columns[3].tag = true; }) == "column \"my \"\"note\"\"\" is a TAG here and not in the archive");
  CHECK(changed([](Schema& s) { s.columns[2].not_null = false; }) == "column \"usage\" is NOT NULL in the archive and not here");
  CHECK(changed([](Schema& s) { s.columns[1].collate = ""; }) ==
        "column \"host\" has COLLATE BINARY here and COLLATE NOCASE in the archive");
  CHECK(changed([](Schema& s) { s.columns[3].name = "note"; }) == "column \"note\" is declared here and missing in the archive");
  CHECK(changed([](Schema& s) { s.columns.pop_back(); }) == "column \"any\" is in the archive and not declared here");
  CHECK(changed([](Schema& s) { std::swap(s.columns[1], s.columns[2]); }) == "column 2 is \"usage\" here and \"host\" in the archive");
  CHECK(changed([](Schema& s) { s.time_column = 2; }) == "column \"ts\" is the TIMESTAMP in the archive and not here");
  CHECK(changed([](Schema& s) { s.precision = Precision::kNanos; }) == "precision is 'ns' here and 'ms' in the archive");
  CHECK(changed([](Schema& s) { s.partition = Partition::kHour; }) == "partition is 'hour' here and 'day' in the archive");
}

TEST_CASE("schema: case of names, types and collations, BINARY written or not, and DEFAULT do not matter") {
  Schema here = cpu();
  here.columns[1].name = "HOST";
  here.columns[1].type = "text";
  here.columns[1].collate = "nocase";
  here.columns[2].default_sql = "1";
  here.columns[2].collate = "binary";
  CHECK_FALSE(contradiction(here, cpu()));
}

TEST_CASE("schema: a shard's columns have quoted names, declared types and collations and nothing that refuses a row") {
  CHECK(shard_columns_sql(cpu()) == R"("ts" INTEGER, "host" TEXT COLLATE NOCASE, "usage" REAL, "my ""note""" VARCHAR(20), "any")");
}

TEST_CASE("schema: the declared columns end with the hidden _file") {
  CHECK(declared_columns_sql(cpu()) == R"("ts" INTEGER NOT NULL, "host" TEXT COLLATE NOCASE, "usage" REAL DEFAULT 0.5, )"
                                       R"("my ""note""" VARCHAR(20) DEFAULT 'none', "any" DEFAULT (1 + 1), "_file" TEXT HIDDEN)");
  CHECK(declared_columns_sql(Schema{}) == "\"_file\" TEXT HIDDEN");
}

TEST_CASE("schema: both column lists are SQL that SQLite takes") {
  Database db = ts_test::open_memory();
  db.exec("CREATE TABLE shard(" + shard_columns_sql(cpu()) + ")");
  db.exec("CREATE TABLE declared(" + declared_columns_sql(cpu()) + ")");
  Statement types = db.prepare("SELECT group_concat(type, '|') FROM pragma_table_info('shard')");
  REQUIRE(types.step());
  CHECK(types.text(0) == "INTEGER|TEXT|REAL|VARCHAR(20)|");
}

TEST_CASE("schema: a changed schema is written in the documented form and read back") {
  constexpr const char* kChanged =
      R"({"format":2,"change":"01KAQ5Z8K3M2T4V6X8Z0B2D4F6","precision":"ms","partition":"day","time":"ts","columns":[)"
      R"({"name":"ts","type":"INTEGER"},{"name":"load","type":"REAL","also":["usage"]},)"
      R"({"name":"rack","type":"TEXT","tag":true,"added":2}],)"
      R"("dropped":[{"name":"note","type":"TEXT","also":["remark"]}]})";
  const Schema read = schema_from_json(kChanged, "x");
  CHECK(schema_to_json(read) == kChanged);
  CHECK(schema_to_json(read.plain()).rfind(R"({"format":1,"precision")", 0) == 0);
  CHECK(known_column(read, "USAGE") == &read.columns[1]);
  CHECK(known_column(read, "remark") == &read.dropped[0]);
  CHECK(known_column(read, "x") == nullptr);
}

TEST_CASE("schema: a history is names and numbers and nothing else, and no name is two columns'") {
  const auto changed = [](const std::string& more, const std::string& after) {
    return fault(R"({"format":2,"precision":"ms","partition":"day","time":"ts","columns":[{"name":"ts","type":"INTEGER"},)"
                 R"({"name":"a","type":"TEXT")" +
                 more + "}]" + after + "}");
  };
  CHECK(changed("", "") == "none");
  CHECK(changed(R"(,"added":1)", "") == corrupt("column \"a\" has no number in \"added\""));
  CHECK(changed(R"(,"added":"2")", "") == corrupt("column \"a\" has no number in \"added\""));
  CHECK(changed(R"(,"also":"b")", "") == corrupt("column \"a\" has no list in \"also\""));
  CHECK(changed(R"(,"also":[7])", "") == corrupt("column \"a\" has another name that is no text"));
  CHECK(changed(R"(,"also":["_file"])", "") ==
        corrupt("column \"a\": another name of it is taken: the hidden column _file names the shard a row came from"));
  CHECK(changed(R"(,"also":["TS"])", "") == corrupt("has the column \"TS\" twice"));
  CHECK(changed(R"(,"also":["b"])", R"(,"dropped":[{"name":"B","type":""}])") == corrupt("has the column \"B\" twice"));
  CHECK(changed("", R"(,"dropped":7)") == corrupt("has no list in \"dropped\""));
  CHECK(changed("", R"(,"dropped":[{"name":"b","type":"x;"}])") == corrupt("column \"b\" has no valid type"));
}

TEST_CASE("schema: added columns may be left out, renamed and dropped ones be declared as they were") {
  Schema archive = cpu();
  archive.columns[2].also = {"load"};
  archive.columns.push_back({"rack", "TEXT", true, false, "", "", 2});
  archive.dropped.push_back({"old", "TEXT", false, false, "", "", 3});
  const auto changed = [&](auto change) {
    Schema here = cpu();
    change(here);
    return contradiction(here, archive).value_or("none");
  };
  CHECK(changed([](Schema&) {}) == "none");
  CHECK(changed([](Schema& s) { s.columns.push_back({"RACK", "text", true, false, "", ""}); }) == "none");
  CHECK(changed([](Schema& s) { s.columns[2].name = "load"; }) == "none");
  CHECK(changed([](Schema& s) { s.columns.push_back({"old", "TEXT", false, false, "", ""}); }) == "none");
  CHECK(changed([](Schema& s) { s.columns.push_back({"old", "REAL", false, false, "", ""}); }) ==
        "column \"old\" is REAL here and TEXT in the archive");
  CHECK(changed([](Schema& s) { s.columns.push_back({"rack", "TEXT", false, false, "", ""}); }) ==
        "column \"rack\" is a TAG in the archive and not here");
  CHECK(changed([](Schema& s) { s.columns.push_back({"load", "REAL", false, true, "", ""}); }) ==
        "columns \"usage\" and \"load\" are one column in the archive, which was renamed");
  CHECK(changed([](Schema& s) {
          s.columns.insert(s.columns.begin(), {"rack", "TEXT", true, false, "", ""});
          s.time_column = 1;
        }) ==
        "column 1 is \"rack\" here and \"ts\" in the archive");
  CHECK(changed([](Schema& s) { s.columns.pop_back(); }) == "column \"any\" is in the archive and not declared here");
}
