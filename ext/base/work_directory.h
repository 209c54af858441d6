// WorkDirectory: a directory for the temporary files of one piece of work. It goes with the object, or, when the process died, with
// whoever cleans up next: a kernel lock on the directory tells whether anybody still works there.
#pragma once
#include <string>

namespace ts {

class WorkDirectory {
 public:
  // <parent>/<kind>-<random>.
  WorkDirectory(const std::string& parent, const std::string& kind);
  // Those of a kind that nobody holds.
  static void remove_abandoned(const std::string& parent, const std::string& kind);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  bool hold();
  std::string path_;
  int fd_ = -1;
};

}  // namespace ts
