// Failpoints of the test build: reads what to do at each passage from the environment.
#include "ext/base/failpoint.h"

#include "ext/base/limits.h"

#ifdef TIMESERIES_FAILPOINTS
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "ext/base/error.h"

namespace ts {
namespace {

void act(const std::string& name, std::string_view action) {
  if (action == "kill") {
    ::kill(::getpid(), SIGKILL);
    ::pause();
  }
  if (action == "error") throw Error(Code::kIo, "failpoint: " + name);
  if (action == "corrupt") throw Error(Code::kCorrupt, "failpoint: " + name);
  if (action.substr(0, 6) == "pause:") {
    std::string file(action.substr(6));
    int fd = ::open(file.c_str(), O_CREAT | O_CLOEXEC | O_WRONLY, 0600);
    if (fd >= 0) ::close(fd);
    while (::access(file.c_str(), F_OK) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

void failpoint(const char* name) {
  const char* setting = ::getenv("TIMESERIES_FAILPOINT");
  if (!setting) return;
  static std::mutex mutex;
  static std::map<std::string, int>* passages = new std::map<std::string, int>;
  std::string_view rest = setting;
  while (!rest.empty()) {
    std::string_view one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(one.size() < rest.size() ? one.size() + 1 : rest.size());
    auto equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view key = one.substr(0, equals);
    auto at = key.find('@');
    if (key.substr(0, at) != name) continue;
    if (at != std::string_view::npos) {
      std::lock_guard lock(mutex);
      if (++(*passages)[std::string(key)] != std::atoi(std::string(key.substr(at + 1)).c_str())) continue;
    }
    act(name, one.substr(equals + 1));
  }
}

}  // namespace ts

namespace ts {
std::size_t list_page_size() {
  const char* keys = ::getenv("TIMESERIES_LIST_PAGE");
  return keys ? static_cast<std::size_t>(std::atoi(keys)) : 1000;
}
std::int64_t stall_timeout_ms() {
  const char* ms = ::getenv("TIMESERIES_STALL_MS");
  return ms ? std::atoi(ms) : 20'000;
}
}  // namespace ts

#else

namespace ts {
std::size_t list_page_size() { return 1000; }
std::int64_t stall_timeout_ms() { return 20'000; }
}  // namespace ts
#endif
