// The text of the line, when it changes, and whose it is.
#include "ext/base/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include "ext/base/file.h"

namespace ts {
namespace {

constexpr std::int64_t kFirst_ms = 1'000, kEvery_ms = 200;

std::atomic<const ProgressLine*> shown{nullptr};  // whose line is on the terminal

std::string time_left(std::int64_t ms) {
  const std::int64_t s = (ms + 999) / 1000;
  if (s < 100) return std::to_string(s) + " s";
  if (s < 100 * 60) return std::to_string((s + 59) / 60) + " min";
  return std::to_string((s + 3599) / 3600) + " h";
}

void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;  // a terminal that is gone
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string progress_text(const Progress& progress, std::int64_t now_ms) {
  if (progress.files <= 0) return std::string("timeseries: ") + progress.before;
  std::array<char, 80> text;
  std::snprintf(text.data(), text.size(), "timeseries: %lld of %lld files, %.1f MB", static_cast<long long>(progress.done),
                static_cast<long long>(progress.files), static_cast<double>(progress.bytes) / 1e6);
  std::string line = text.data();
  if (progress.done > 0 && progress.done < progress.files) {
    const double each = static_cast<double>(now_ms - progress.begin_ms) / static_cast<double>(progress.done);
    line += ", " + time_left(static_cast<std::int64_t>(each * static_cast<double>(progress.files - progress.done))) + " left";
  }
  return line;
}

ProgressLine::ProgressLine(bool on, bool shared, Write write, Clock& clock)
    : on_(on), shared_(shared), write_(std::move(write)), clock_(clock) {}

ProgressLine ProgressLine::on_stderr() {
  const bool on = ::isatty(STDERR_FILENO) == 1 && environment("TIMESERIES_PROGRESS") != "off";
  return ProgressLine(on, on && ::isatty(STDOUT_FILENO) == 1, write_stderr);
}

void ProgressLine::show(const Progress& progress) {
  const std::int64_t now = on_ ? clock_.steady_ms() : 0;
  if (!on_ || now < next_ms_ || now - progress.begin_ms < kFirst_ms) return;
  const ProgressLine* nobody = nullptr;
  if (!shown.compare_exchange_strong(nobody, this) && nobody != this) return;
  next_ms_ = now + kEvery_ms;
  std::string text = progress_text(progress, now);
  const std::size_t length = text.size();
  if (length < length_) text.append(length_ - length, ' ');
  write_("\r" + text);
  length_ = std::max(length, length_);
}

void ProgressLine::erase() noexcept {
  if (length_ == 0) return;
  try {
    write_("\r" + std::string(length_, ' ') + "\r");
  } catch (...) {
    // No memory for a line of blanks: it stays.
  }
  length_ = 0;
  shown = nullptr;
}

}  // namespace ts
