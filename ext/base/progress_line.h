// ProgressLine: how far a long wait is, as one line on a terminal that is rewritten in place and erased at last.
//
// It appears when what it tells of has lasted a second, changes at most five times a second, and is never seen where stderr is no
// terminal or TIMESERIES_PROGRESS is 'off'. Of several in a process one is shown. It is shorter than 80 columns.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ext/base/clock.h"

namespace ts {

struct Progress {
  std::int64_t begin_ms = 0;       // on the steady clock
  const char* before = "listing";  // what goes on as long as `files` is 0: their number is not known
  std::int64_t files = 0, done = 0;
  std::uint64_t bytes = 0;  // so far
};

// "timeseries: 3 of 24 files, 12.5 MB, 8 s left"; what is left is told when a file is done.
std::string progress_text(const Progress& progress, std::int64_t now_ms);

class ProgressLine {
 public:
  using Write = std::function<void(std::string_view)>;  // to the terminal, at once; must not throw
  // `shared`: the rows of the answer come to the same terminal. `clock` must outlive the line.
  ProgressLine(bool on, bool shared, Write write, Clock& clock = Clock::system());
  ~ProgressLine() { erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  static ProgressLine on_stderr();

  bool on() const { return on_; }
  void show(const Progress& progress);
  void erase() noexcept;
  // A row is handed over, which the host may print.
  void row() noexcept {
    if (length_ > 0 && shared_) erase();
  }

 private:
  const bool on_, shared_;
  const Write write_;
  Clock& clock_;
  std::int64_t next_ms_ = 0;
  std::size_t length_ = 0;  // of what is on the terminal
};

}  // namespace ts
