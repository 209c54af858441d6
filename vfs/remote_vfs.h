// Read-only sqlite3_vfs over storage: 's3' and 'http' by URI for the user, and mounts for the table.
//
//   file:s3://bucket/key.sqlite?vfs=s3          parameters endpoint, region, anonymous; any other one is an error
//   file:https://host/x.sqlite?vfs=http         other parameters belong to the URL: a presigned one works
//
// Laws: opening for writing gives a read-only database; a file in WAL mode, a truncated one and what is no database
// are refused with a sentence; the object's version is pinned at open; a journal is never looked for; each page of a
// shard that carries checksums (base/page_checksum.h) is checked whenever SQLite reads it. Temporary files
// of such a connection (sorts, temp tables) live in the default VFS. Percent-encoding in the URI is SQLite's: %25 is %.
#pragma once
#include <memory>
#include <string>

#include "vfs/ranged_file.h"

namespace ts {

struct RemoteSource;

// Registers the VFSs `s3` and `http` (never as default) and the private one behind Mount. Process-wide, idempotent.
// Requires sqlite3_api to be set. Returns an SQLite code.
// A name that another extension has taken stays theirs: ours is then `timeseries-s3` or `timeseries-http`, and the log
// (sqlite3_log) says so.
int register_remote_vfs() noexcept;

// What SQLite only calls "disk I/O error" or "unable to open database file": the last failure of these VFSs on this
// thread, else the last in this process; empty if there was none. No secret in it. Also written to sqlite3_log.
std::string last_vfs_error();

// Makes a RangedFile openable by an inner connection for as long as the Mount lives.
class Mount {
 public:
  // `cancel` may be null; it is polled and charged by every read through this mount and must outlive it.
  Mount(std::shared_ptr<RangedFile> file, const Cancel* cancel);
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  // For sqlite3_open_v2 with SQLITE_OPEN_READONLY | SQLITE_OPEN_URI: immutable, private VFS.
  const std::string& uri() const noexcept { return uri_; }
  // SQLite reports a failed read as "disk I/O error": throws the Error behind it, if there was one (the first since
  // the last call).
  void rethrow_read_error();

 private:
  std::shared_ptr<RemoteSource> source_;
  std::string uri_;
  std::uint64_t id_;
};

}  // namespace ts
