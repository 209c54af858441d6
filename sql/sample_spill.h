// Samples put aside in a temporary file, which SQLite makes where it makes its own (SQLITE_TMPDIR, TMPDIR, /var/tmp) and unlinks at once.
#pragma once
#include <vector>

#include "ext/base/sqlite.h"
#include "sql/sample_folds.h"

namespace ts {

class SampleSpill {
 public:
  SampleSpill();
  void append(Samples samples);
  // All that was put aside, in its order.
  std::vector<Sample> read() const;

 private:
  mutable Database db_;
  Statement insert_;  // closed before its database
};

}  // namespace ts
