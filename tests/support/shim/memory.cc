// Allocations of SQLite and of C++: the n-th from now on fails, and as many after it as asked for.
//
// Whose an allocation is is told by the caller's address: SQLite's own malloc and realloc, and operator new and the exceptions of
// libstdc++, which in a Python host nobody else uses. Not built with sanitizers, whose allocators these would replace.
#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "tests/support/shim/shim.h"

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

struct Part {
  std::uintptr_t begin, end;
};
constexpr int kParts = 64;
Part parts[kParts];
int part_count = 0;

std::atomic<bool> failing{false};
std::atomic<int> fail_at{0}, fail_count{0}, calls{0}, failed{0};

int find_part(dl_phdr_info* info, std::size_t, void*) {
  const char* name = info->dlpi_name;
  if (!std::strstr(name, "/libsqlite3") && !std::strstr(name, "/libstdc++") && !std::strstr(name, "/timeseries")) return 0;
  if (std::strstr(name, "shim")) return 0;
  for (int i = 0; i < info->dlpi_phnum && part_count < kParts; i++) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || !(header.p_flags & PF_X)) continue;
    parts[part_count++] = {info->dlpi_addr + header.p_vaddr, info->dlpi_addr + header.p_vaddr + header.p_memsz};
  }
  return 0;
}

bool fails(void* caller) {
  if (!failing.load(std::memory_order_relaxed) || shim::Ours::here()) return false;
  const auto at = reinterpret_cast<std::uintptr_t>(caller);
  bool ours = false;
  for (int i = 0; i < part_count && !ours; i++) ours = at >= parts[i].begin && at < parts[i].end;
  if (!ours) return false;
  const int call = ++calls;
  if (call < fail_at || call >= fail_at + fail_count) return false;
  if (failed++ == 0) shim::remember_failure("allocation");
  errno = ENOMEM;
  return true;
}

}  // namespace

SHIM_EXPORT void shim_fail_memory(int n, int count) {
  part_count = 0;
  ::dl_iterate_phdr(find_part, nullptr);
  shim::remember_failure("nothing yet");  // the first look at the stack loads what it needs
  fail_at = n;
  fail_count = count;
  calls = failed = 0;
  failing = true;
}
SHIM_EXPORT void shim_fail_no_memory() { failing = false; }
SHIM_EXPORT int shim_memory_calls() { return calls; }
SHIM_EXPORT int shim_memory_failed() { return failed; }

#define SHIM_CALLER __builtin_return_address(0)

SHIM_EXPORT void* malloc(std::size_t size) { return fails(SHIM_CALLER) ? nullptr : __libc_malloc(size); }
SHIM_EXPORT void* calloc(std::size_t count, std::size_t size) { return fails(SHIM_CALLER) ? nullptr : __libc_calloc(count, size); }
SHIM_EXPORT void* realloc(void* old, std::size_t size) { return fails(SHIM_CALLER) ? nullptr : __libc_realloc(old, size); }
SHIM_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails(SHIM_CALLER) ? nullptr : __libc_memalign(alignment, size);
}
