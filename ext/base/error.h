// The one exception type of the project: a code the caller can decide on, and a sentence for the user.
//
// Format of a message: "unit: what happened: to what; what to do about it". No secret is ever part of one.
// Errors cross into C only through guard() in base/sqlite.h.
#pragma once
#include <stdexcept>
#include <string>

namespace ts {

// Each code is a decision for the caller; the message is for the person.
enum class Code {
  kBadInput,      // what the user wrote is wrong: SQLITE_ERROR
  kConstraint,    // a row breaks a rule of its table: SQLITE_CONSTRAINT
  kMismatch,      // a value of the wrong kind: SQLITE_MISMATCH
  kNotFound,      // no such object, bucket or file
  kChanged,       // the object is not the one that was listed (ETag differs, vanished mid-read)
  kForbidden,     // the store refused our credentials or the action
  kUnavailable,   // worth another try later: network, 5xx, throttling
  kUnsupported,   // the store or the host SQLite cannot do this
  kCorrupt,       // bytes that are not what they must be
  kTooNew,        // written by a newer version of the format
  kFull,          // disk or spool_limit: SQLITE_FULL
  kBusy,          // SQLITE_BUSY
  kReadOnly,      // SQLITE_READONLY
  kInterrupted,   // SQLITE_INTERRUPT
  kIo,            // local I/O: SQLITE_IOERR
  kNoMemory,      // SQLITE_NOMEM
  kOverLimit,     // a statement would take more than max_bytes or max_requests: SQLITE_ERROR
};

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

}  // namespace ts
