// Tests of scratch files: records come back as often as wanted, and nobody else ever sees the file.
#include "ext/base/scratch_file.h"

#include <doctest/doctest.h>

#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;

TEST_CASE("scratch_file: records of every size come back in their order, each time it is read") {
  ts_test::TempDir dir;
  ScratchFile file(dir.path());
  auto record = [](int i) { return std::string(i % 97 == 0 ? 3u << 20 : static_cast<std::size_t>(i % 50), static_cast<char>(i)); };
  constexpr int kRecords = 300;
  std::uint64_t bytes = 0;
  for (int i = 0; i < kRecords; i++) {
    file.add(record(i));
    bytes += record(i).size() + 8;
  }
  CHECK(file.bytes() == bytes);
  for (int pass = 0; pass < 2; pass++) {
    ScratchFile::Reader reader(file);
    std::string_view found;
    for (int i = 0; i < kRecords; i++) {
      REQUIRE(reader.next(found));
      CHECK(found == record(i));
    }
    CHECK_FALSE(reader.next(found));
  }
}

TEST_CASE("scratch_file: it has no name from the beginning, so nothing is left of it") {
  ts_test::TempDir dir;
  ScratchFile file(dir.path());
  file.add("secret");
  CHECK(list_directory(dir.path()).empty());
}
