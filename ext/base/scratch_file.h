// ScratchFile: records on disk that are written once, then read in the same order as often as wanted. Nobody else sees the file, and
// it goes with its last descriptor, whatever becomes of the process.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace ts {

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& directory);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void add(std::string_view record);
  std::uint64_t bytes() const { return size_ + buffer_.size(); }

  // Reads from the first record on. What it gave lives until the next call. Nothing is added any more.
  class Reader {
   public:
    explicit Reader(ScratchFile& file);
    bool next(std::string_view& record);  // false: there is none

   private:
    bool fill(std::size_t bytes);
    ScratchFile& file_;
    std::string buffer_;
    std::size_t at_ = 0;         // in buffer_
    std::uint64_t from_ = 0;     // of the file: what comes after buffer_
  };

 private:
  void flush();
  const std::string path_;  // for messages
  int fd_ = -1;
  std::string buffer_;
  std::uint64_t size_ = 0;  // written
};

}  // namespace ts
