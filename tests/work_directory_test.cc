// Tests of directories for work: whoever works is left alone, and what is left of the dead goes.
#include "ext/base/work_directory.h"

#include <doctest/doctest.h>

#include <memory>

#include "ext/base/file.h"
#include "tests/support/spool_fixture.h"

using namespace ts;

TEST_CASE("work_directory: it goes with its object, and others that are at work stay") {
  ts_test::TempDir dir;
  auto first = std::make_unique<WorkDirectory>(dir.path(), "compact");
  write_file(first->path() + "/file", "x");
  {
    WorkDirectory second(dir.path(), "compact");
    CHECK(second.path() != first->path());
    CHECK(file_exists(first->path() + "/file"));
    write_file(second.path() + "/file", "x");
  }
  CHECK(list_directory(dir.path()).size() == 1);
  first.reset();
  CHECK(list_directory(dir.path()).empty());
}

TEST_CASE("work_directory: what a dead process left goes, and nothing else does") {
  ts_test::TempDir dir;
  for (const char* name : {"compact-dead", "other-dead"}) {
    make_directories(dir / name);
    write_file(dir / name + "/file", "x");
  }
  WorkDirectory work(dir.path(), "compact");
  WorkDirectory::remove_abandoned(dir.path(), "compact");
  CHECK_FALSE(file_exists(dir / "compact-dead"));
  CHECK(file_exists(work.path()));
  CHECK(file_exists(dir / "other-dead/file"));
}
