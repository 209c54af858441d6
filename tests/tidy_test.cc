// Holds the style of the whole repository as ordinary tests, so that nobody argues about it.
//
// Each law is a test; a break is reported as "file:line: what". The laws are HOUSE-STYLE's: include arrows, one file
// for each foreign library, every source named in CMake, first lines, and words that do not belong into main.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = TIMESERIES_SOURCE_DIR;
constexpr std::size_t kMaxColumns = 140;

struct Source {
  std::string path;                // below the repository root
  std::string text;                // whole
  std::vector<std::string> lines;  // without the newlines
};

std::string read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}
bool starts_with(const std::string& text, const std::string& start) { return text.compare(0, start.size(), start) == 0; }
bool is_cc(const Source& s) { return ends_with(s.path, ".cc"); }
bool is_header(const Source& s) { return ends_with(s.path, ".h"); }
bool is_cpp(const Source& s) { return is_cc(s) || is_header(s); }
bool is_product(const Source& s) { return starts_with(s.path, "ext/") || starts_with(s.path, "vfs/") || starts_with(s.path, "sql/"); }

// Every text file that the project wrote: C++, Python, shell, SQL, CMake and make.
const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> found;
    auto add = [&](const fs::path& path) {
      Source s{fs::relative(path, kRoot).generic_string(), read_whole(path), {}};
      std::istringstream in(s.text);
      for (std::string line; std::getline(in, line);) s.lines.push_back(line);
      found.push_back(std::move(s));
    };
    for (const char* file : {"CMakeLists.txt", "Makefile", ".ci/run", ".ci/packages"}) add(kRoot / file);
    for (const char* dir : {"ext", "vfs", "sql", "tests", "bench"}) {
      if (!fs::exists(kRoot / dir)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(kRoot / dir)) {
        static const std::set<std::string> kinds = {".cc", ".h", ".py", ".sh", ".sql", ".map"};
        if (entry.is_regular_file() && kinds.count(entry.path().extension().string())) add(entry.path());
      }
    }
    std::sort(found.begin(), found.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
    return found;
  }();
  return all;
}

const Source* find_source(const std::string& path) {
  for (const Source& s : sources()) {
    if (s.path == path) return &s;
  }
  return nullptr;
}

struct Include {
  std::string target;  // without the quotes or brackets
  bool system = false;
  std::size_t line = 0;
};

std::vector<Include> includes_of(const Source& s) {
  static const std::regex form(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)re");
  std::vector<Include> found;
  for (std::size_t i = 0; i < s.lines.size(); ++i) {
    std::smatch m;
    if (std::regex_match(s.lines[i], m, form)) found.push_back({m[2], m[1] == "<", i + 1});
  }
  return found;
}

// The lines with comments and the insides of literals blanked out, so that a search finds code only.
std::vector<std::string> code_of(const Source& s) {
  std::vector<std::string> out;
  std::string line;
  char quote = 0;
  bool block = false;
  std::string raw_end;
  for (std::size_t i = 0; i < s.text.size(); ++i) {
    char c = s.text[i];
    char next = i + 1 < s.text.size() ? s.text[i + 1] : 0;
    if (c == '\n') {
      out.push_back(std::move(line));
      line.clear();
    } else if (block) {
      if (c == '*' && next == '/') block = false, ++i;
    } else if (!raw_end.empty()) {
      if (s.text.compare(i, raw_end.size(), raw_end) == 0) i += raw_end.size() - 1, raw_end.clear();
    } else if (quote) {
      if (c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
        line += c;
      }
    } else if (c == '/' && next == '/') {
      while (i + 1 < s.text.size() && s.text[i + 1] != '\n') ++i;
    } else if (c == '/' && next == '*') {
      block = true;
      ++i;
    } else if (c == 'R' && next == '"' && (i == 0 || !std::isalnum(static_cast<unsigned char>(s.text[i - 1])))) {
      std::size_t open = s.text.find('(', i);
      raw_end = ")" + s.text.substr(i + 2, open - i - 2) + "\"";
      i = open;
    } else if (c == '"' || (c == '\'' && (line.empty() || !std::isalnum(static_cast<unsigned char>(line.back()))))) {
      quote = c;  // an apostrophe after a digit or letter separates digits: 1'000
      line += c;
    } else {
      line += c;
    }
  }
  if (!line.empty()) out.push_back(std::move(line));
  return out;
}

std::string at(const Source& s, std::size_t line, const std::string& what) { return s.path + ":" + std::to_string(line) + ": " + what; }

// One failed check for each broken place.
void report(const std::vector<std::string>& broken) {
  for (const std::string& b : broken) FAIL_CHECK(b);
}

// "ext/base/x.h" -> "ext/base"
std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// Every project header that a source includes, directly or not, and itself.
std::set<std::string> closure_of(const Source& s) {
  std::set<std::string> seen = {s.path};
  std::vector<const Source*> open = {&s};
  while (!open.empty()) {
    const Source* from = open.back();
    open.pop_back();
    for (const Include& include : includes_of(*from)) {
      const Source* to = find_source(include.target);
      if (to && seen.insert(to->path).second) open.push_back(to);
    }
  }
  return seen;
}

// The words of one set(NAME ...) of CMakeLists.txt.
std::vector<std::string> cmake_list(const std::string& name) {
  std::string text = read_whole(kRoot / "CMakeLists.txt");
  std::size_t begin = text.find("set(" + name + "\n");
  REQUIRE_MESSAGE(begin != std::string::npos, "CMakeLists.txt has no list ", name);
  begin += 4 + name.size();
  std::istringstream in(text.substr(begin, text.find(')', begin) - begin));
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("tidy: includes point one way, extension.cc -> table, sql -> archive -> vfs/store.h -> base") {
  // From a folder: what it may include, as a folder or as one file.
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"ext/base", {"ext/base"}},
      {"vfs", {"vfs", "ext/base"}},
      {"ext/archive", {"ext/archive", "ext/base", "vfs/store.h", "vfs/remote_vfs.h", "vfs/ranged_file.h", "vfs/archive_index.h"}},
      {"ext/table", {"ext/table", "ext/archive", "ext/base", "vfs/store.h", "sql/time_subtype.h"}},
      {"sql", {"sql", "ext/archive", "ext/base", "vfs/store.h", "vfs/url.h"}},
      {"ext", {"ext", "ext/table", "sql", "ext/archive", "vfs", "ext/base"}},
  };
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (!is_cpp(s) || !is_product(s)) continue;
    auto rule = allowed.find(folder_of(s.path));
    if (rule == allowed.end()) {
      broken.push_back(at(s, 1, "no layer is known for this folder"));
      continue;
    }
    for (const Include& include : includes_of(s)) {
      if (include.system) continue;
      if (!rule->second.count(include.target) && !rule->second.count(folder_of(include.target))) {
        broken.push_back(at(s, include.line, rule->first + " must not include " + include.target));
      } else if (!find_source(include.target)) {
        broken.push_back(at(s, include.line, "includes are written from the repository root: " + include.target));
      }
    }
  }
  report(broken);
}

TEST_CASE("tidy: each foreign library has its one place") {
  struct Rule {
    const char* includes;             // a pattern of the included name
    std::set<std::string> only;       // the files that may; empty: any one .cc
  };
  static const std::vector<Rule> rules = {
      {"sqlite3ext\\.h", {"ext/base/sqlite.h"}},
      {"sqlite3\\.h", {"nothing in the product"}},
      {"curl/.*", {}},
      {"openssl/.*", {}},
      {"pugixml\\.hpp", {}},
      {"re2/.*", {}},
      {"csv\\.h", {}},
      {"nlohmann/.*", {"ext/archive/merge_record.cc", "ext/archive/schema.cc", "ext/table/json_rows.cc", "vfs/archive_index.cc",
                         "vfs/credentials.cc"}},
  };
  std::vector<std::string> broken;
  for (const Rule& rule : rules) {
    const std::regex pattern(rule.includes);
    std::set<std::string> users;
    for (const Source& s : sources()) {
      if (!is_cpp(s) || !is_product(s)) continue;
      for (const Include& include : includes_of(s)) {
        if (!std::regex_match(include.target, pattern)) continue;
        users.insert(s.path);
        if (!rule.only.empty() && !rule.only.count(s.path)) broken.push_back(at(s, include.line, "must not include " + include.target));
        if (rule.only.empty() && !is_cc(s)) broken.push_back(at(s, include.line, "a header must not include " + include.target));
      }
    }
    if (rule.only.empty() && users.size() > 1) {
      for (const std::string& user : users) broken.push_back(user + ":1: one of several files that include " + rule.includes);
    }
  }
  report(broken);
}

TEST_CASE("tidy: a header that says Pure on its first line has no clock, no I/O and no SQLite, and neither has its source") {
  static const std::regex impure(
      "ext/base/(sqlite|clock|file)\\.h|sqlite3.*|curl/.*|thread|mutex|fstream|iostream|filesystem"
      "|unistd\\.h|fcntl\\.h|sys/.*");
  static const std::regex clock("_clock::now|\\b(clock_gettime|gettimeofday)\\b|(\\.|->)now_ms\\(|\\btime\\((nullptr|NULL|0|&)");
  std::vector<std::string> broken;
  for (const Source& header : sources()) {
    if (!is_header(header) || !is_product(header) || header.lines.empty()) continue;
    if (!std::regex_search(header.lines[0], std::regex("\\bPure\\b"))) continue;
    for (const std::string& path : {header.path, header.path.substr(0, header.path.size() - 2) + ".cc"}) {
      const Source* s = find_source(path);
      if (!s) continue;
      for (const Include& include : includes_of(*s)) {
        if (!std::regex_match(include.target, impure)) continue;
        broken.push_back(at(*s, include.line, "a pure unit must not include " + include.target));
      }
      std::vector<std::string> code = code_of(*s);
      for (std::size_t i = 0; i < code.size(); ++i) {
        if (std::regex_search(code[i], clock)) broken.push_back(at(*s, i + 1, "a pure unit must not read a clock"));
      }
    }
  }
  report(broken);
}

TEST_CASE("tidy: every source is named in CMakeLists.txt, once") {
  std::map<std::string, int> named;
  for (const char* list : {"BASE_SOURCES", "VFS_SOURCES", "SQL_SOURCES", "ARCHIVE_SOURCES", "TABLE_SOURCES", "FAILPOINT_SOURCES",
                           "TEST_SUPPORT_SOURCES", "TEST_SOURCES", "FUZZ_SOURCES", "FUZZ_MAIN", "BENCH_SOURCES", "SHIM_SOURCES"}) {
    for (const std::string& path : cmake_list(list)) ++named[path];
  }
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (is_cc(s) && named[s.path] != 1) broken.push_back(at(s, 1, "named " + std::to_string(named[s.path]) + " times in CMakeLists.txt"));
  }
  report(broken);
}

TEST_CASE("tidy: a source whose text depends on TIMESERIES_FAILPOINTS is compiled both ways, in FAILPOINT_SOURCES") {
  std::vector<std::string> list = cmake_list("FAILPOINT_SOURCES");
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (!is_cc(s) || !is_product(s) || std::count(list.begin(), list.end(), s.path)) continue;
    for (const std::string& path : closure_of(s)) {
      for (const std::string& line : code_of(*find_source(path))) {
        if (line.find("TIMESERIES_FAILPOINTS") == std::string::npos) continue;
        broken.push_back(at(s, 1, "belongs into FAILPOINT_SOURCES: " + path + " depends on failpoints"));
        break;
      }
    }
  }
  report(broken);
}

TEST_CASE("tidy: the first line of a source is a sentence that says what it is") {
  static const std::map<std::string, std::string> marks = {{".cc", "// "}, {".h", "// "}, {".sql", "-- "}, {".py", "# "}, {".sh", "# "}};
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (ends_with(s.path, "__init__.py") && s.text.empty()) continue;
    auto mark = marks.find(fs::path(s.path).extension().string());
    std::string wanted = mark == marks.end() ? "# " : mark->second;
    std::size_t first = !s.lines.empty() && starts_with(s.lines[0], "#!") ? 1 : 0;
    bool sentence = s.lines.size() > first && starts_with(s.lines[first], wanted) && s.lines[first].size() > 15;
    if (!sentence) broken.push_back(at(s, first + 1, "does not begin with \"" + wanted + "\" and a sentence"));
  }
  report(broken);
}

TEST_CASE("tidy: no word that promises work for later") {
  static const std::regex words("\\b(TO" "DO|FIX" "ME|XX" "X|HA" "CK)\\b");
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    for (std::size_t i = 0; i < s.lines.size(); ++i) {
      if (std::regex_search(s.lines[i], words)) broken.push_back(at(s, i + 1, s.lines[i]));
    }
  }
  report(broken);
}

TEST_CASE("tidy: no script hides a failure") {
  static const std::regex hidden("\\|\\| *(true|:)( |;|\\)|$)");
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (is_cpp(s)) continue;
    for (std::size_t i = 0; i < s.lines.size(); ++i) {
      if (std::regex_search(s.lines[i], hidden)) broken.push_back(at(s, i + 1, s.lines[i]));
    }
  }
  report(broken);
}

TEST_CASE("tidy: the product prints nothing, asserts nothing, never ends its host and registers no automatic extension") {
  static const std::regex words(
      "\\b(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror|assert|sqlite3_auto_extension)\\s*\\("
      "|(^|[^\\w])(std)?::(abort|exit|_exit|terminate|quick_exit)\\s*\\(|(^\\s*|[;{})]\\s*)(exit|terminate|quick_exit)\\s*\\("
      "|std::(cout|cerr|clog)\\b");
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (!is_cpp(s) || !is_product(s)) continue;
    std::vector<std::string> code = code_of(s);
    for (std::size_t i = 0; i < code.size(); ++i) {
      if (std::regex_search(code[i], words)) broken.push_back(at(s, i + 1, code[i]));
    }
  }
  report(broken);
}

TEST_CASE("tidy: lines have no tab in C++, no space at their end, no carriage return and at most 140 columns") {
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (!s.text.empty() && s.text.back() != '\n') broken.push_back(at(s, s.lines.size(), "no newline at the end"));
    for (std::size_t i = 0; i < s.lines.size(); ++i) {
      const std::string& line = s.lines[i];
      std::size_t columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });  // UTF-8
      bool measured = is_cpp(s) || ends_with(s.path, ".py") || ends_with(s.path, ".sh");
      if (columns > kMaxColumns && measured) broken.push_back(at(s, i + 1, std::to_string(columns) + " columns"));
      if (is_cpp(s) && line.find('\t') != std::string::npos) broken.push_back(at(s, i + 1, "a tab"));
      if (!line.empty() && std::string(" \t\r").find(line.back()) != std::string::npos) broken.push_back(at(s, i + 1, "space at the end"));
    }
  }
  report(broken);
}

TEST_CASE("tidy: file names are snake_case") {
  static const std::regex form("[a-z0-9_]+\\.[a-z]+");
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    std::string name = fs::path(s.path).filename().string();
    if (ends_with(name, ".sh") || s.path == "CMakeLists.txt" || s.path == "Makefile" || starts_with(s.path, ".ci/")) continue;
    if (!std::regex_match(name, form)) broken.push_back(at(s, 1, "is not snake_case"));
  }
  report(broken);
}

TEST_CASE("tidy: a test is named \"<unit>: <law>\" after its file") {
  static const std::regex form(R"re(^\s*(?:TEST_CASE|TEST_CASE_TEMPLATE|TEST_CASE_FIXTURE)\((?:[A-Za-z_:]+,\s*)?(?:"([^"]*)")?.*)re");
  std::vector<std::string> broken;
  for (const Source& s : sources()) {
    if (!starts_with(s.path, "tests/") || !is_cc(s) || !ends_with(s.path, "_test.cc")) continue;
    std::string unit = fs::path(s.path).stem().string();
    unit.resize(unit.size() - std::string("_test").size());
    std::string spaced = unit;
    std::replace(spaced.begin(), spaced.end(), '_', ' ');
    for (std::size_t i = 0; i < s.lines.size(); ++i) {
      std::smatch m;
      if (!std::regex_match(s.lines[i], m, form) || s.lines[i].find("\\(") != std::string::npos) continue;
      std::string name = m[1];
      if (!starts_with(name, unit + ": ") && !starts_with(name, spaced + ": ")) {
        broken.push_back(at(s, i + 1, "the name does not begin with \"" + unit + ": \""));
      }
    }
  }
  report(broken);
}
