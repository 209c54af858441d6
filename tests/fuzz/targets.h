// The fuzz targets: bytes of strangers into each place that takes them. A target comes to an end, without harm, for any bytes; an Error
// is an answer. What a target takes for right must keep the target's law, else it throws Broken.
//
// tests/fuzz_test.cc runs them over tests/fuzz/corpus and its mutations; `make fuzz` builds them with clang's libFuzzer (fuzz_main.cc).
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "ext/base/error.h"

namespace ts_fuzz {

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void hold(bool law, const char* what) {
  if (!law) throw Broken(what);
}

// Runs body(); an Error, a sentence for the user, is an answer.
template <class Body>
void answered(Body body) {
  try {
    body();
  } catch (const ts::Error&) {
    // As it should be.
  }
}

struct Target {
  const char* name;  // and its folder in the corpus
  void (*run)(std::string_view bytes);
};

void run_names(std::string_view bytes);
void run_listings(std::string_view bytes);
void run_json(std::string_view bytes);
void run_times(std::string_view bytes);
void run_signatures(std::string_view bytes);
void run_profiles(std::string_view bytes);
void run_headers(std::string_view bytes);
void run_shards(std::string_view bytes);
void run_indexes(std::string_view bytes);
void run_records(std::string_view bytes);

inline const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      {"names", run_names},           {"listings", run_listings}, {"json", run_json},       {"times", run_times},
      {"signatures", run_signatures}, {"profiles", run_profiles}, {"headers", run_headers}, {"shards", run_shards},
      {"records", run_records},       {"indexes", run_indexes}};
  return all;
}

// Parts of the input, separated by newlines; the last one has the rest.
inline std::vector<std::string> split(std::string_view bytes, std::size_t parts) {
  std::vector<std::string> out;
  while (out.size() + 1 < parts) {
    std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) break;
    out.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  out.emplace_back(bytes);
  out.resize(parts);
  return out;
}

}  // namespace ts_fuzz
