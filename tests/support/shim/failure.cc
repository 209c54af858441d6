// What the library has failed last, for whoever looks for the cause of a failed test.
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "tests/support/shim/shim.h"

namespace shim {
namespace {

constexpr int kFrames = 40;
void* frames[kFrames];
std::atomic<int> frame_count{0};
char last[512];
__attribute__((tls_model("initial-exec"))) thread_local int ours = 0;

}  // namespace

Ours::Ours() noexcept { ours++; }
Ours::~Ours() { ours--; }
bool Ours::here() noexcept { return ours != 0; }

void remember_failure(const char* what) noexcept {
  const Ours own;
  std::strncpy(last, what, sizeof last - 1);
  frame_count = ::backtrace(frames, kFrames);
}

void* next(const char* name) noexcept { return ::dlsym(RTLD_NEXT, name); }

}  // namespace shim

SHIM_EXPORT const char* shim_last() { return shim::last; }

SHIM_EXPORT void shim_tell() { ::backtrace_symbols_fd(shim::frames, shim::frame_count, 2); }

// A process that dies of SIGABRT or SIGSEGV says where, on descriptor 2.
SHIM_EXPORT void shim_tell_of_death() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) {
    void* frames[40];
    ::backtrace_symbols_fd(frames, ::backtrace(frames, 40), 2);
    ::raise(signal);
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGABRT, &action, nullptr);
  ::sigaction(SIGSEGV, &action, nullptr);
}
