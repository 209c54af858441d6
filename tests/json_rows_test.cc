// Tests of table/json_rows: values, every error verbatim with its position, and the same judgement of JSON as nlohmann/json.
#include "ext/table/json_rows.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "ext/base/error.h"

using namespace ts;

namespace {

constexpr std::int64_t kNow = 1'795'418'160'000;

Schema cpu() {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""},
                    {"host", "TEXT", true, false, "", ""},
                    {"usage", "REAL", false, false, "", ""},
                    {"note", "TEXT", false, false, "", ""}};
  schema.time_column = 0;
  return schema;
}

std::vector<JsonRow> rows(std::string_view text) { return parse_json_rows(text, cpu(), kNow); }

// nullopt: no JSON. Numbers too large for a double are JSON that nlohmann/json cannot hold: they come back as discarded.
std::optional<nlohmann::json> their_judgement(const std::string& text) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::out_of_range&) {
    return nlohmann::json(nlohmann::json::value_t::discarded);
  } catch (const nlohmann::json::parse_error&) {
    return std::nullopt;
  }
}

// The value of "note" in one object.
JsonValue note(std::string_view json) { return rows("{\"note\":" + std::string(json) + "}").at(0).at(3); }
std::string note_text(std::string_view json) { return std::get<std::string>(note(json)); }

std::string fault(std::string_view text) {
  try {
    rows(text);
    return "none";
  } catch (const Error& e) {
    CHECK(e.code() == Code::kBadInput);
    return e.what();
  }
}

std::string malformed(int byte, const std::string& what) {
  return "ts_insert: malformed JSON at byte " + std::to_string(byte) + ": expected " + what;
}

}  // namespace

TEST_CASE("json_rows: one object is one row, its columns in the table's order") {
  const auto got = rows(R"( {"usage": 0.5, "host": "web1", "ts": 1795418160001, "note": null} )");
  REQUIRE(got.size() == 1);
  CHECK(got[0] == JsonRow{std::int64_t{1'795'418'160'001}, std::string("web1"), 0.5, nullptr});
}

TEST_CASE("json_rows: an array is a row for each object, and an empty array is none") {
  CHECK(rows("[]").empty());
  CHECK(rows(" [ ] ").empty());
  const auto got = rows(R"([{"ts":1,"host":"a"},{"host":"b","ts":2} , {"ts":3}])");
  REQUIRE(got.size() == 3);
  CHECK(got[0][1] == JsonValue{std::string("a")});
  CHECK(got[1][1] == JsonValue{std::string("b")});
  CHECK(got[1][0] == JsonValue{std::int64_t{2}});
  CHECK(got[2][1] == JsonValue{JsonAbsent{}});
}

TEST_CASE("json_rows: a column that is not mentioned is absent, which is not NULL, and a missing time is now") {
  const auto got = rows(R"({"host":null})");
  CHECK(got[0][0] == JsonValue{kNow});
  CHECK(got[0][1] == JsonValue{nullptr});
  CHECK(got[0][2] == JsonValue{JsonAbsent{}});
  CHECK(rows("{}")[0][0] == JsonValue{kNow});
  CHECK(rows(R"({"ts":null})")[0][0] == JsonValue{nullptr});
}

TEST_CASE("json_rows: a time in text stays text") {
  CHECK(rows(R"({"ts":"2026-11-23T07:16:00Z"})")[0][0] == JsonValue{std::string("2026-11-23T07:16:00Z")});
}

TEST_CASE("json_rows: keys are matched without case") {
  const auto got = rows(R"({"HOST":"a","Ts":5,"usaGe":1})");
  CHECK(got[0][0] == JsonValue{std::int64_t{5}});
  CHECK(got[0][1] == JsonValue{std::string("a")});
}

TEST_CASE("json_rows: numbers are integers where they are whole and fit 64 bits, else doubles") {
  CHECK(note("0") == JsonValue{std::int64_t{0}});
  CHECK(note("-0") == JsonValue{std::int64_t{0}});
  CHECK(note("9223372036854775807") == JsonValue{std::numeric_limits<std::int64_t>::max()});
  CHECK(note("-9223372036854775808") == JsonValue{std::numeric_limits<std::int64_t>::min()});
  CHECK(note("9223372036854775808") == JsonValue{9223372036854775808.0});
  CHECK(note("-9223372036854775809") == JsonValue{-9223372036854775808.0});
  CHECK(note("1.0") == JsonValue{1.0});
  CHECK(note("1e2") == JsonValue{100.0});
  CHECK(note("0.1") == JsonValue{0.1});
  CHECK(note("1E+308") == JsonValue{1e308});
  CHECK(note("5e-324") == JsonValue{5e-324});
  CHECK(note("1e-999") == JsonValue{0.0});
  CHECK(note("1" + std::string(300, '0')) == JsonValue{1e300});
  CHECK(std::signbit(std::get<double>(note("-0.0"))));
}

TEST_CASE("json_rows: a number too large for a double is an error, not infinity") {
  CHECK(fault(R"({"usage":1e999})") == "ts_insert: the number 1e999 at byte 10 is too large for a double");
  CHECK(fault(R"({"usage":-1e999})") == "ts_insert: the number -1e999 at byte 10 is too large for a double");
  CHECK(fault("{\"usage\":" + std::string(400, '9') + "}") ==
        "ts_insert: the number " + std::string(40, '9') + "... at byte 10 is too large for a double");
}

TEST_CASE("json_rows: true and false are 1 and 0") {
  CHECK(note("true") == JsonValue{std::int64_t{1}});
  CHECK(note("false") == JsonValue{std::int64_t{0}});
}

TEST_CASE("json_rows: strings are unescaped") {
  CHECK(note_text(R"("a\"b\\c\/d\b\f\n\r\t")") == "a\"b\\c/d\b\f\n\r\t");
  CHECK(note_text(R"("\u0041\u00e9\u2603\ud83d\ude00")") == "A\xc3\xa9\xe2\x98\x83\xf0\x9f\x98\x80");
  CHECK(note_text("\"caf\xc3\xa9\"") == "caf\xc3\xa9");
  CHECK(note_text(R"("a\u0000b")") == std::string("a\0b", 3));
  CHECK(note_text("\"\"").empty());
  CHECK(rows(R"({"\u0068ost":"x"})")[0][1] == JsonValue{std::string("x")});
}

TEST_CASE("json_rows: objects and arrays inside a row are JSON text without white space, numbers and strings as written") {
  CHECK(note_text(R"( { "b" : [ 1.50 , 2e+3, -0 ] , "a" : { } , "a" : "x y" } )") == R"({"b":[1.50,2e+3,-0],"a":{},"a":"x y"})");
  CHECK(note_text("[ ]") == "[]");
  CHECK(note_text("[[],{},[{}]]") == "[[],{},[{}]]");
  CHECK(note_text(R"(["\u0041", true, false , null, 123456789012345678901234567890])") ==
        R"(["\u0041",true,false,null,123456789012345678901234567890])");
  CHECK(rows(R"({"note":[1],"host":"a"})")[0][1] == JsonValue{std::string("a")});
}

TEST_CASE("json_rows: an unknown key is named, with the columns") {
  CHECK(fault(R"({"host":"a","usge":1})") == "ts_insert: unknown key \"usge\" at byte 13; the columns are ts, host, usage, note");
  CHECK(fault(R"([{"host":"a"},{"":1}])") == "ts_insert: unknown key \"\" at byte 16; the columns are ts, host, usage, note");
  Schema wide = cpu();
  for (int i = 0; i < 20; ++i) wide.columns.push_back({"c" + std::to_string(i), "", false, false, "", ""});
  CHECK_THROWS_WITH_AS(parse_json_rows("{\"x\":1}", wide, kNow),
                       "ts_insert: unknown key \"x\" at byte 2; the columns are ts, host, usage, note, c0, c1, c2, c3, c4, c5, c6, c7, c8, "
                       "c9, c10, c11, c12, c13, "
                       "c14, c15 and 4 more",
                       Error);
}

TEST_CASE("json_rows: a key given twice is an error, also in another case") {
  CHECK(fault(R"({"host":"a","HOST":"b"})") == "ts_insert: key \"host\" is given twice, at byte 13");
  CHECK(fault(R"({"host":null,"host":null})") == "ts_insert: key \"host\" is given twice, at byte 14");
}

TEST_CASE("json_rows: _file is refused") {
  CHECK(fault(R"({"_file":"x"})") ==
        "ts_insert: key \"_file\" cannot be inserted, it names the shard a row came from; leave it out, at byte 2");
}

TEST_CASE("json_rows: malformed JSON is an error with the byte and what was expected there") {
  CHECK(fault("") == malformed(1, "an object or an array of objects, found the end of the text"));
  CHECK(fault("5") == malformed(1, "an object or an array of objects, found '5'"));
  CHECK(fault("[1]") == malformed(2, "an object, found '1'"));
  CHECK(fault("[{},]") == malformed(5, "an object, found ']'"));
  CHECK(fault("[{} {}]") == malformed(5, "',' or ']' after an object, found '{'"));
  CHECK(fault("[{}") == malformed(4, "',' or ']' after an object, found the end of the text"));
  CHECK(fault("{} x") == malformed(4, "the end of the text, found 'x'"));
  CHECK(fault("{host:1}") == malformed(2, "a key in double quotes, found 'h'"));
  CHECK(fault("{'host':1}") == malformed(2, "a key in double quotes, found '''"));
  CHECK(fault(R"({"host" 1})") == malformed(9, "':' after a key, found '1'"));
  CHECK(fault(R"({"host":})") == malformed(9, "a value, found '}'"));
  CHECK(fault(R"({"host":1,})") == malformed(11, "a key in double quotes, found '}'"));
  CHECK(fault(R"({"host":1 "ts":2})") == malformed(11, "',' or '}' after a value, found '\"'"));
  CHECK(fault(R"({"host":nul})") == malformed(12, "the literal null, found '}'"));
  CHECK(fault(R"({"host":01})") == malformed(10, "',' or '}' after a value, found '1'"));
  CHECK(fault(R"({"host":-})") == malformed(10, "a digit, found '}'"));
  CHECK(fault(R"({"host":1.})") == malformed(11, "a digit, found '}'"));
  CHECK(fault(R"({"host":1e+})") == malformed(12, "a digit, found '}'"));
  CHECK(fault(R"({"host":NaN})") == malformed(9, "a value, found 'N'"));
  CHECK(fault(R"({"host":"a)") == malformed(11, "'\"' at the end of a string, found the end of the text"));
  CHECK(fault("{\"host\":\"a\n\"}") == malformed(11, "'\"' at the end of a string, found a control character"));
  CHECK(fault(R"({"host":"\x"})") == malformed(11, "one of \"\\/bfnrtu after '\\', found 'x'"));
  CHECK(fault(R"({"host":"\u12g4"})") == malformed(14, "four hexadecimal digits after '\\u', found 'g'"));
  CHECK(fault("{\"host\":\"\xff\"}") == malformed(10, "UTF-8 text, found a byte that is no UTF-8"));
  CHECK(fault("{\"host\":\xc3\xa9}") == malformed(9, "a value, found '\xc3\xa9'"));
  CHECK(fault(R"({"host":[1,]})") == malformed(12, "a value, found ']'"));
  CHECK(fault(R"({"host":[1})") == malformed(11, "',' or ']' after a value, found '}'"));
  CHECK(fault(R"({"host":{"a":1]})") == malformed(15, "',' or '}' after a value, found ']'"));
  CHECK(fault(R"({"host":{1:1}})") == malformed(10, "a key in double quotes, found '1'"));
  CHECK(fault(R"({"host":{"a"}})") == malformed(13, "':' after a key, found '}'"));
  CHECK(fault(std::string("{\"host\":\0}", 10)) == malformed(9, "a value, found a control character"));
  CHECK(fault("\xef\xbb\xbf{}") == malformed(1, "an object or an array of objects, found '\xef\xbb\xbf'"));
  for (const char* half : {R"("\ud83d")", R"("\ud83dx")", R"("\ude00")", R"("\ud83d\u0041")", R"("\ud83d\n")"}) {
    CHECK(fault("{\"host\":" + std::string(half) + "}") == "ts_insert: malformed JSON at byte 16: half of a surrogate pair before it");
  }
}

TEST_CASE("json_rows: nesting is limited to 100 levels, counting the row and the array around it") {
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
  };
  CHECK(fault("{\"note\":" + nested(99) + "}") == "none");
  CHECK(fault("{\"note\":" + nested(100) + "}") == "ts_insert: JSON at byte 108 is nested deeper than 100 levels");
  CHECK(fault("[{\"note\":" + nested(98) + "}]") == "none");
  CHECK(fault("[{\"note\":" + nested(99) + "}]") == "ts_insert: JSON at byte 108 is nested deeper than 100 levels");
}

TEST_CASE("json_rows: text is limited to 64 MB and rows times columns to 8,000,000") {
  CHECK(fault(std::string((64u << 20) + 1, ' ')) ==
        "ts_insert: the JSON text has 67108865 bytes, the limit of one call is 67108864; insert it in several calls");
  std::string many = "[{}";
  for (int i = 0; i < 8'000; ++i) many += ",{}";
  Schema wide = cpu();
  while (wide.columns.size() < 1'000) wide.columns.push_back({"c" + std::to_string(wide.columns.size()), "", false, false, "", ""});
  CHECK_THROWS_WITH_AS(parse_json_rows(many + "]", wide, kNow),
                       "ts_insert: more than 8000 rows of 1000 columns in one call; insert them in several calls", Error);
}

TEST_CASE("json_rows: a changed text is taken if and only if nlohmann/json takes it") {
  std::mt19937 random(5);
  const std::vector<std::string> seeds = {R"({"note":{"a":[1,-2.5e+3,true,null,"x\n\u00e9\ud83d\ude00"],"b":{}}})",
                                          "{\"note\":[\"caf\xc3\xa9\",[],[[0]],{\"k\":false}]}", R"({"note":-0.0e-10})",
                                          R"({"note":"\"\\\/\b\f\n\r\t"})"};
  const std::string alphabet = "{}[]\",:\\u0189aedf.-+Etrulsn \n\x01\xc3\xa9\xff";
  int taken = 0, different = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string text = seeds[random() % seeds.size()];
    const std::size_t begin = 8, length = text.size() - begin - 1;  // what follows {"note":
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = begin + random() % length;
      const char c = alphabet[random() % alphabet.size()];
      if (random() % 2) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
    }
    // A '}' that closes the row early makes our keys differ, not our JSON.
    const std::string said = fault(text);
    if (said.find("unknown key") != std::string::npos || said.find("given twice") != std::string::npos) continue;
    const auto parsed = their_judgement(text);
    if (parsed && parsed->is_discarded()) continue;
    if ((said == "none") != parsed.has_value()) ++different;
    if (said != "none" || !parsed) continue;
    ++taken;
    const nlohmann::json& theirs = *parsed;
    const JsonValue value = rows(text)[0][3];
    const nlohmann::json& note = theirs.at("note");
    if (note.is_structured() && nlohmann::json::parse(std::get<std::string>(value)) != note) ++different;
    if (note.is_string() && std::get<std::string>(value) != note.get<std::string>()) ++different;
    if (note.is_number_float() && std::get<double>(value) != note.get<double>()) ++different;
  }
  CHECK(different == 0);
  CHECK(taken > 1'000);
}

TEST_CASE("json_rows: any bytes end in rows or in an error") {
  std::mt19937 random(9);
  const std::string alphabet = "{}[]\",:\\tshou019-.e \xc3\xff";
  for (int i = 0; i < 50'000; ++i) {
    std::string text = random() % 2 ? "{\"ts\":" : "[";
    for (unsigned n = random() % 30; n > 0; --n) text += alphabet[random() % alphabet.size()];
    fault(text);
  }
  CHECK(fault("{}") == "none");
}
