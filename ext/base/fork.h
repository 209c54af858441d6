// What a fork must find in order, so that parent and child can both go on with the spool.
//
// * A background thread inside SQLite or malloc'd state at the moment of a fork leaves locked mutexes to the child: such
//   work is done under a ForkHold, and fork() waits for it (never held across the network).
// * SQLite's POSIX locks are not inherited, but its memory of them is: in the child it would open a file that the parent
//   had open, believe that the shared locks of "the process" are there, and write beside others who know nothing of it.
//   A ForkedFile names such a file; the child takes the two shared locks anew before fork() returns.
// * Byte locks of a LockFile belong to an open file description, which a child would keep alive: the child closes it.
#pragma once
#include <string>
#include <utility>

namespace ts {

class ForkHold {
 public:
  ForkHold();
  ~ForkHold();
  ForkHold(const ForkHold&) = delete;
  ForkHold& operator=(const ForkHold&) = delete;
};

// A WAL-mode SQLite file that this process has open.
class ForkedFile {
 public:
  explicit ForkedFile(const std::string& path);
  ~ForkedFile();
  ForkedFile(const ForkedFile&) = delete;
  ForkedFile& operator=(const ForkedFile&) = delete;

 private:
  const std::pair<std::string, std::string>* names_;  // of the file and its -shm
};

// `fd` is closed in every forked child and the variable becomes -1 there. For ever: such a descriptor is never closed here.
void close_in_child(int* fd);

}  // namespace ts
