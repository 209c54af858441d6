// Another program, run to its end: what it prints and the CPU time it takes.
#pragma once
#include <string>
#include <vector>

namespace ts_bench {

struct Output {
  std::string text;
  double cpu_seconds = 0;
};

// words[0] is the program's path. Throws where it fails; its own words are on stderr then.
Output output_of(std::vector<std::string> words);

}  // namespace ts_bench
