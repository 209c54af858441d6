// The main of unit_tests: hands SQLite's function table to the code under test and keeps every spool away from the home directory.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/sqlite_fixture.h"

int main(int argc, char** argv) {
  std::string home = (std::filesystem::temp_directory_path() / "timeseries-unit-XXXXXX").string();
  if (!mkdtemp(home.data())) return 2;
  setenv("XDG_STATE_HOME", home.c_str(), 1);
  ts_test::capture_sqlite_api();

  doctest::Context context(argc, argv);
  context.setOption("no-breaks", true);
  int result = context.run();

  std::error_code ignored;
  std::filesystem::remove_all(home, ignored);
  return result;
}
