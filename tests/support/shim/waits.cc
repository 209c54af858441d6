// Waits of one thread: system calls that reach for the network, wait for a file's lock, a mutex or a time are refused and counted.
//
// A seccomp filter of the calling thread alone, so that the kernel counts and nothing is missed; threads that exist already go on as
// they are. A refused wait for a futex looks as if its value had changed, so that whoever wanted the mutex tries again at once: one
// wait counts many times. SQLite's own mutexes, of its allocator and its -shm files, are taken by every thread of a process.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "tests/support/shim/shim.h"

#if defined(__x86_64__)

namespace {

enum What { kNetwork, kLock, kSleep, kMutex, kWhats };  // tests/python/shim.py names them too
std::atomic<int> counts[kWhats];

constexpr unsigned kNetworkCalls[] = {SYS_socket,  SYS_connect,  SYS_bind,     SYS_accept,   SYS_sendto,     SYS_recvfrom,
                                      SYS_sendmsg, SYS_recvmsg,  SYS_sendmmsg, SYS_recvmmsg, SYS_socketpair, SYS_getsockopt};
constexpr unsigned kSleepCalls[] = {SYS_nanosleep, SYS_clock_nanosleep, SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6,
                                    SYS_epoll_wait, SYS_epoll_pwait, SYS_pause, SYS_wait4, SYS_sched_yield};

void refused(int, siginfo_t* info, void* context) {
  const auto call = static_cast<unsigned>(info->si_syscall);
  What what = kSleep;
  for (unsigned one : kNetworkCalls) what = one == call ? kNetwork : what;
  if (call == SYS_fcntl || call == SYS_flock) what = kLock;
  if (call == SYS_futex) what = kMutex;
  if (counts[what]++ == 0 && what != kMutex) shim::remember_failure(what == kNetwork ? "network" : what == kLock ? "lock" : "sleep");
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = call == SYS_futex ? -EAGAIN : -EPERM;
}

class Program {
 public:
  void add(unsigned short code, unsigned value, unsigned char yes = 0, unsigned char no = 0) {
    steps_[size_++] = {code, yes, no, value};
  }
  void load(std::size_t field) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(field)); }
  void refuse_if(unsigned value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    add(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  }
  void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  sock_fprog program() { return {size_, steps_}; }

 private:
  sock_filter steps_[128];
  unsigned short size_ = 0;
};

}  // namespace

// From now on in this thread. 0: the kernel refuses such a filter.
SHIM_EXPORT int shim_watch_waits() {
  shim::remember_failure("nothing yet");
  struct sigaction action = {};
  action.sa_sigaction = refused;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaction(SIGSYS, &action, nullptr);
  Program p;
  p.load(offsetof(seccomp_data, nr));
  for (unsigned call : kNetworkCalls) p.refuse_if(call);
  for (unsigned call : kSleepCalls) p.refuse_if(call);
  p.refuse_if(SYS_flock);
  // fcntl and futex by their second argument: F_SETLKW, F_OFD_SETLKW; FUTEX_WAIT in all its forms, FUTEX_LOCK_PI.
  p.add(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 6);
  p.load(offsetof(seccomp_data, args[1]));
  p.refuse_if(F_SETLKW);
  p.refuse_if(F_OFD_SETLKW);
  p.allow();
  p.add(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 1, 0);
  p.allow();
  p.load(offsetof(seccomp_data, args[1]));
  p.add(BPF_ALU | BPF_AND | BPF_K, static_cast<unsigned>(FUTEX_CMD_MASK));
  p.refuse_if(FUTEX_WAIT);
  p.refuse_if(FUTEX_WAIT_BITSET);
  p.refuse_if(FUTEX_LOCK_PI);
  p.allow();
  const sock_fprog program = p.program();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 0;
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

SHIM_EXPORT int shim_waits(int what) { return counts[what]; }

#else

SHIM_EXPORT int shim_watch_waits() { return 0; }
SHIM_EXPORT int shim_waits(int) { return 0; }

#endif
