// ProgressLine on a clock of the test and a terminal of 80 columns that is a string.
#include <doctest/doctest.h>

#include "ext/base/progress_line.h"
#include "tests/support/s3_fixture.h"

using namespace ts;
using namespace ts_test;

namespace {

// What a terminal shows on its one line.
struct Screen {
  std::string line;
  int writes = 0;

  ProgressLine::Write write() {
    return [this](std::string_view text) {
      writes++;
      for (char c : text) {
        if (c == '\r') {
          at = 0;
          continue;
        }
        if (line.size() <= at) line.resize(at + 1, ' ');
        line[at++] = c;
      }
      line.erase(line.find_last_not_of(' ') + 1);
    };
  }

 private:
  std::size_t at = 0;
};

struct Setup {
  Screen screen;
  FakeClock clock;
  ProgressLine line{true, true, screen.write(), clock};

  void show(std::int64_t after_ms, std::int64_t files, std::int64_t done, std::uint64_t bytes = 0) {
    clock.steady = after_ms;
    line.show({0, "listing files", files, done, bytes});
  }
};

}  // namespace

TEST_CASE("progress line: tells files, bytes and, from the first file on, the time that is left") {
  CHECK(progress_text({0, "listing files", 0, 0, 0}, 5'000) == "timeseries: listing files");
  CHECK(progress_text({0, "listing files", 24, 0, 1'500'000}, 5'000) == "timeseries: 0 of 24 files, 1.5 MB");
  CHECK(progress_text({0, "listing files", 24, 6, 12'340'000}, 5'000) == "timeseries: 6 of 24 files, 12.3 MB, 15 s left");
  CHECK(progress_text({0, "listing files", 24, 24, 12'340'000}, 5'000) == "timeseries: 24 of 24 files, 12.3 MB");
  CHECK(progress_text({0, "listing files", 1'000, 1, 0}, 1'000) == "timeseries: 1 of 1000 files, 0.0 MB, 17 min left");
  CHECK(progress_text({0, "listing files", 1'000'000, 1, 0}, 1'000) == "timeseries: 1 of 1000000 files, 0.0 MB, 278 h left");
  CHECK(progress_text({0, "", INT64_MAX, INT64_MAX - 1, UINT64_MAX}, INT64_MAX).size() < 140);
}

TEST_CASE("progress line: appears after a second, and changes five times a second at most") {
  Setup t;
  t.show(999, 24, 1);
  CHECK(t.screen.writes == 0);
  t.show(1'000, 24, 2);
  CHECK(t.screen.line == "timeseries: 2 of 24 files, 0.0 MB, 11 s left");
  t.show(1'199, 24, 3);
  CHECK(t.screen.writes == 1);
  t.show(1'200, 24, 3);
  CHECK(t.screen.line == "timeseries: 3 of 24 files, 0.0 MB, 9 s left");
  CHECK(t.screen.writes == 2);
}

TEST_CASE("progress line: a shorter text leaves nothing of a longer one, and nothing is left at the end") {
  Setup t;
  t.show(1'000, 1'000, 999, 123'456'789);
  t.show(2'000, 0, 0);
  CHECK(t.screen.line == "timeseries: listing files");
  t.line.erase();
  CHECK(t.screen.line.empty());
  const int writes = t.screen.writes;
  t.line.erase();
  CHECK(t.screen.writes == writes);
}

TEST_CASE("progress line: a row takes it away where rows come to the same terminal, and only there") {
  for (const bool shared : {false, true}) {
    Screen screen;
    FakeClock clock;
    ProgressLine line(true, shared, screen.write(), clock);
    line.row();
    CHECK(screen.writes == 0);
    clock.steady = 1'000;
    line.show({0, "listing files", 2, 1, 0});
    line.row();
    CHECK(screen.line.empty() == shared);
  }
}

TEST_CASE("progress line: it is never seen where it is off, and only one of a process is") {
  Screen off;
  Setup first, second;
  ProgressLine none(false, true, off.write(), first.clock);
  first.clock.steady = 5'000;
  none.show({0, "listing files", 2, 1, 0});
  CHECK(off.writes == 0);
  first.show(5'000, 2, 1);
  second.show(5'000, 2, 1);
  CHECK(first.screen.writes == 1);
  CHECK(second.screen.writes == 0);
  first.line.erase();
  second.show(5'000, 2, 1);
  CHECK(second.screen.writes == 1);
}
