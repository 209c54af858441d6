// Every fuzz target over its corpus and a fixed set of mutations of it: no harm, and each target's law. `make fuzz` goes on from there.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/fuzz/targets.h"

namespace fs = std::filesystem;

namespace {

std::vector<std::string> corpus(const std::string& target) {
  std::vector<fs::path> paths;
  const fs::path tests = fs::path(TIMESERIES_SOURCE_DIR) / "tests";
  for (const fs::path& root : {tests / "fuzz/corpus" / target, target == "shards" ? tests / "data" : fs::path()}) {
    if (root.empty() || !fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file() && (target != "shards" || entry.path().extension() == ".sqlite")) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    seeds.push_back(all.str());
  }
  return seeds;
}

// Some bytes changed, cut out, doubled or taken from another seed.
std::string mutated(const std::string& seed, const std::vector<std::string>& seeds, std::mt19937& random) {
  std::string bytes = seed;
  for (int n = 1 + static_cast<int>(random() % 4); n > 0 && !bytes.empty(); n--) {
    std::size_t at = random() % bytes.size(), length = std::min<std::size_t>(random() % 32, bytes.size() - at);
    const std::string& other = seeds[random() % seeds.size()];
    switch (random() % 6) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8); break;
      case 2: bytes.erase(at, length); break;
      case 3: bytes.insert(at, bytes.substr(at, length)); break;
      case 4: bytes.replace(at, length, other.substr(random() % (other.size() + 1), length)); break;
      default: bytes.resize(at); break;
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("fuzz: every target takes its corpus and mutations of it without harm, and keeps its law") {
  for (const ts_fuzz::Target& target : ts_fuzz::targets()) {
    CAPTURE(target.name);
    const std::vector<std::string> seeds = corpus(target.name);
    REQUIRE(seeds.size() >= 3);
    std::mt19937 random(5);
    const int rounds = std::string_view(target.name) == "shards" ? 60 : 500;
    CHECK_NOTHROW(target.run(""));
    for (const std::string& seed : seeds) {
      CHECK_NOTHROW(target.run(seed));
      for (int i = 0; i < rounds; i++) {
        const std::string bytes = mutated(seed, seeds, random);
        try {
          target.run(bytes);
        } catch (const std::exception& e) {
          FAIL_CHECK(e.what(), " for ", bytes.substr(0, 300));
        }
      }
    }
  }
}
