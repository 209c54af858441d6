// The library that tests preload into a host: it fails, records or counts what the process asks of the system.
//
// Python arms it through ctypes (tests/python/shim.py). Each of its three parts is idle until then: files.cc (file calls below
// one directory), memory.cc (allocations of SQLite and of C++), waits.cc (waits of one thread). It is never linked to the product.
#pragma once
#include <cstddef>

#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))

namespace shim {

// While one lives, this thread's allocations are this library's own, and none of them fails.
class Ours {
 public:
  Ours() noexcept;
  ~Ours();
  Ours(const Ours&) = delete;
  Ours& operator=(const Ours&) = delete;
  static bool here() noexcept;
};

// The call that failed, and where it came from: written to descriptor 2 by shim_tell().
void remember_failure(const char* what) noexcept;

// The function that the next library calls `name`.
void* next(const char* name) noexcept;

}  // namespace shim
