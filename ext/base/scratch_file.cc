// Records with their lengths before them, some at a time.
#include "ext/base/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ext/base/digest.h"
#include "ext/base/error.h"
#include "ext/base/file.h"

namespace ts {
namespace {

constexpr std::size_t kAtOnce = 1 << 20;

}  // namespace

ScratchFile::ScratchFile(const std::string& directory) : path_(directory + "/scratch-" + hex(random_bytes(8))) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd_ < 0) throw_errno("cannot create", path_);
  ::unlink(path_.c_str());
}

ScratchFile::~ScratchFile() { ::close(fd_); }

void ScratchFile::add(std::string_view record) {
  const std::uint64_t length = record.size();
  char head[sizeof length];
  std::memcpy(head, &length, sizeof length);
  buffer_.append(head, sizeof length);
  buffer_.append(record);
  if (buffer_.size() >= kAtOnce) flush();
}

void ScratchFile::flush() {
  for (std::size_t at = 0; at < buffer_.size();) {
    ssize_t n = ::pwrite(fd_, buffer_.data() + at, buffer_.size() - at, static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot write", path_);
    at += static_cast<std::size_t>(n);
    size_ += static_cast<std::uint64_t>(n);
  }
  buffer_.clear();
}

ScratchFile::Reader::Reader(ScratchFile& file) : file_(file) { file.flush(); }

// So many bytes from at_ on, if there are any.
bool ScratchFile::Reader::fill(std::size_t bytes) {
  if (buffer_.size() - at_ >= bytes) return true;
  buffer_.erase(0, at_);
  at_ = 0;
  while (buffer_.size() < bytes) {
    const std::size_t had = buffer_.size(), want = std::max(kAtOnce, bytes - had);
    buffer_.resize(had + want);
    ssize_t n = ::pread(file_.fd_, buffer_.data() + had, want, static_cast<off_t>(from_));
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot read", file_.path_);
    if (n == 0) return false;
    from_ += static_cast<std::uint64_t>(n);
  }
  return true;
}

bool ScratchFile::Reader::next(std::string_view& record) {
  std::uint64_t length = 0;
  if (!fill(sizeof length)) return false;
  std::memcpy(&length, buffer_.data() + at_, sizeof length);
  if (!fill(sizeof length + length)) throw Error(Code::kIo, "file: its end is missing: " + file_.path_);
  record = std::string_view(buffer_).substr(at_ + sizeof length, length);
  at_ += sizeof length + length;
  return true;
}

}  // namespace ts
