// The entry of libFuzzer for all targets: FUZZ_TARGET names the one. `make fuzz` runs each, tests/fuzz.sh one for a time.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/targets.h"
#include "tests/support/sqlite_fixture.h"

namespace {

void (*chosen)(std::string_view) = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("FUZZ_TARGET");
  for (const ts_fuzz::Target& target : ts_fuzz::targets()) {
    if (name && std::strcmp(name, target.name) == 0) chosen = target.run;
  }
  if (!chosen) {
    std::fprintf(stderr, "fuzz: FUZZ_TARGET names none of tests/fuzz/targets.h\n");
    std::exit(2);
  }
  ts_test::capture_sqlite_api();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen({reinterpret_cast<const char*>(data), size});
  return 0;
}
