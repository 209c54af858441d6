// Line protocol: what it takes, what it refuses and where.
#include "ext/table/line_protocol.h"

#include <doctest/doctest.h>

#include <random>

#include "ext/base/error.h"

namespace {

std::vector<ts::LinePoint> points(std::string_view text) {
  std::vector<ts::LinePoint> all;
  ts::LineProtocol lines(text);
  for (ts::LinePoint point; lines.next(point);) all.push_back(point);
  return all;
}

std::string refusal(std::string_view text) {
  ts::LineProtocol lines(text);
  ts::LinePoint point;
  try {
    while (lines.next(point)) {
    }
  } catch (const ts::Error& e) {
    return std::to_string(lines.line()) + ": " + e.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("line_protocol: measurement, tags, fields of every type and time") {
  auto all = points("cpu,host=web\\ 1,dc=a\\,b usage=0.5,n=-3i,u=7u,up=t,down=FALSE,note=\"a \\\"b\\\\ c\" 1465839830100400200\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].measurement == "cpu");
  CHECK(all[0].tags == std::vector<std::pair<std::string, std::string>>{{"host", "web 1"}, {"dc", "a,b"}});
  REQUIRE(all[0].fields.size() == 6);
  CHECK(std::get<double>(all[0].fields[0].second) == 0.5);
  CHECK(std::get<std::int64_t>(all[0].fields[1].second) == -3);
  CHECK(std::get<std::int64_t>(all[0].fields[2].second) == 7);
  CHECK(std::get<bool>(all[0].fields[3].second));
  CHECK_FALSE(std::get<bool>(all[0].fields[4].second));
  CHECK(std::get<std::string>(all[0].fields[5].second) == "a \"b\\ c");
  CHECK(all[0].time == 1465839830100400200);
}

TEST_CASE("line_protocol: comments, empty lines, CRLF, no time, no last line break") {
  auto all = points("# a comment\n\n  \r\ncpu v=1\r\n#\ncpu v=2e3 -5");
  REQUIRE(all.size() == 2);
  CHECK_FALSE(all[0].time);
  CHECK(std::get<double>(all[1].fields[0].second) == 2000);
  CHECK(all[1].time == -5);
}

TEST_CASE("line_protocol: a backslash before anything else stands for itself, and lines are counted across quoted breaks") {
  ts::LineProtocol lines("m\\x,t\\ a=\\z f=\"1\n2\" 1\nm2 v=1 2\n");
  ts::LinePoint point;
  REQUIRE(lines.next(point));
  CHECK(point.measurement == "m\\x");
  CHECK(point.tags[0] == std::pair<std::string, std::string>{"t a", "\\z"});
  CHECK(std::get<std::string>(point.fields[0].second) == "1\n2");
  REQUIRE(lines.next(point));
  CHECK(lines.line() == 3);
}

TEST_CASE("line_protocol: what is refused, with its line") {
  CHECK(refusal("cpu v=1 1\ncpu\n") == "2: there are no fields");
  CHECK(refusal("cpu,host v=1") == "1: tag host has no value");
  CHECK(refusal("cpu,host= v=1") == "1: there is no value of a tag");
  CHECK(refusal("cpu v") == "1: field v has no value");
  CHECK(refusal("cpu v=") == "1: there is no value of a field");
  CHECK(refusal("cpu v=1x") == "1: is no value of a field: 1x (1i, 1.5, true, \"text\")");
  CHECK(refusal("cpu v=nan") == "1: is no value of a field: nan (1i, 1.5, true, \"text\")");
  CHECK(refusal("cpu v=9223372036854775808i").find("1: is no value of a field") == 0);
  CHECK(refusal("cpu v=18446744073709551615u").find("1: is no value of a field") == 0);
  CHECK(refusal("cpu v=\"a") == "1: a quoted text is never closed");
  CHECK(refusal("cpu v=1 1.5") == "1: is no time: 1.5; it is a whole number");
  CHECK(refusal("cpu v=1 1 2") == "1: something follows the time");
  CHECK(refusal("cpu v=\"\xff\"") == "1: a quoted text is no UTF-8: ?");
}

TEST_CASE("line_protocol: any bytes end in points or a sentence") {
  std::mt19937 random(7);
  const std::string alphabet = "c,= \\\"1i.te#-\n\r\xc3\xa9";
  for (int round = 0; round < 20000; round++) {
    std::string text;
    for (unsigned n = random() % 30; n > 0; n--) text += alphabet[random() % alphabet.size()];
    CHECK_FALSE(refusal(text).empty());
  }
}
