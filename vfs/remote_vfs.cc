// The sqlite3_vfs callbacks: 's3', 'http' and mounts are one implementation that differs in how a name is resolved.
//
// A callback is a cast and a call inside one guarded(). No static here has a destructor: a host may close its last
// connection while the process is being torn down.
#include "vfs/remote_vfs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "ext/base/interrupts.h"
#include "ext/base/page_checksum.h"
#include "ext/base/sqlite.h"
#include "vfs/http_store.h"
#include "vfs/remote_uri.h"
#include "vfs/retrying_store.h"

namespace ts {

// What a name was resolved to. Shared by a Mount and the files opened through it.
struct RemoteSource {
  RemoteSource(std::shared_ptr<RangedFile> bytes, const Cancel* on_behalf) : file(std::move(bytes)), cancel(on_behalf) {}

  const std::shared_ptr<RangedFile> file;
  const Cancel* const cancel;
  std::atomic<bool> unmounted{false};  // then `cancel` must not be touched any more
  std::mutex mutex;
  std::optional<std::pair<Code, std::string>> failure;  // guarded by mutex: the first since it was asked for
};

namespace {

using Source = std::shared_ptr<RemoteSource>;
using Resolve = Source (*)(const char* name);

constexpr int kMaxPathBytes = 4096;  // an S3 key has at most 1024; a URL has no limit of its own
constexpr std::size_t kMessageBytes = 1024;
constexpr unsigned char kWalVersion = 2;
constexpr char kMagic[] = "SQLite format 3";  // 16 bytes with its NUL
constexpr char kMountVfs[] = "timeseries-object-";  // with the address behind it: one for each copy of this library

// One registered VFS. Never freed: SQLite keeps pointers to it.
struct RemoteVfs {
  sqlite3_vfs vfs{};
  std::string name;
  Resolve resolve = nullptr;
};

struct RemoteFile {
  sqlite3_file base;  // first: SQLite sees only this
  const RemoteVfs* vfs;
  Source* source;
  sqlite3_int64 size;
  sqlite3* const* connection;      // that reads; null until SQLite tells it
  std::size_t checked_page_bytes;  // 0: its pages carry no checksums
};

RemoteVfs& remote(sqlite3_vfs* vfs) { return *static_cast<RemoteVfs*>(vfs->pAppData); }
RemoteFile& remote(sqlite3_file* file) { return *reinterpret_cast<RemoteFile*>(file); }

// The host's default VFS, for what has nothing to do with storage. Set once, before the first of ours is registered.
sqlite3_vfs* default_vfs = nullptr;

// ---- the last failure, for SQL to ask ----

using Message = std::array<char, kMessageBytes>;
thread_local Message thread_message{};
std::mutex process_mutex;
Message process_message{};  // guarded by process_mutex

void remember_message(int rc, const char* text) noexcept {
  std::snprintf(thread_message.data(), thread_message.size(), "%s", text);
  try {
    std::lock_guard lock(process_mutex);
    process_message = thread_message;
  } catch (...) {  // a mutex that cannot be locked: the thread's copy is enough
  }
  if (rc != SQLITE_INTERRUPT) sqlite3_log(rc, "%s", text);
}

// What SQLite should make of a failure while it reads (`fallback` SQLITE_IOERR_READ) or opens (SQLITE_CANTOPEN).
int vfs_code(Code code, int fallback) noexcept {
  switch (code) {
    case Code::kInterrupted: return SQLITE_INTERRUPT;
    case Code::kNoMemory: return SQLITE_NOMEM;
    case Code::kForbidden: return SQLITE_AUTH;
    case Code::kReadOnly: return SQLITE_READONLY;
    case Code::kCorrupt: return fallback == SQLITE_CANTOPEN ? SQLITE_NOTADB : SQLITE_CORRUPT;
    default: return fallback;
  }
}

// guard() with the codes of a VFS; `source`, if there is one, keeps the failure for Mount::rethrow_read_error.
template <class Body>
int guarded(int fallback, RemoteSource* const* source, Body&& body) noexcept {
  int code = fallback;
  const auto keep = [&](const Error& e) {
    code = vfs_code(e.code(), fallback);
    if (!source || !*source) return;
    std::lock_guard lock((*source)->mutex);
    if (!(*source)->failure) (*source)->failure.emplace(e.code(), e.what());
  };
  const int rc = guard(
      [&] {
        try {
          body();
        } catch (const Error& e) {
          keep(e);
          throw;
        }
      },
      [&](const char* text) { remember_message(code, text); });
  return rc == SQLITE_OK || rc == SQLITE_NOMEM ? rc : code;
}

// ---- names ----

std::vector<std::pair<std::string, std::string>> uri_parameters(const char* name) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (int i = 0; const char* key = sqlite3_uri_key(name, i); ++i) {
    const char* value = sqlite3_uri_parameter(name, key);
    parameters.emplace_back(key, value ? value : "");
  }
  return parameters;
}

// Parameters that are SQLite's own business.
bool is_sqlite_parameter(std::string_view key) {
  constexpr std::string_view kOwn[] = {"vfs", "mode", "cache", "psow", "nolock", "immutable", "modeof"};
  return std::find(std::begin(kOwn), std::end(kOwn), key) != std::end(kOwn);
}

// A file of a user's own: nobody but SQLite knows what it will read, so its scans are followed.
Source attached(std::shared_ptr<Store> store, const std::string& key) {
  auto file = std::make_shared<RangedFile>(std::move(store), key, "", 0);
  file->follow(nullptr);
  return std::make_shared<RemoteSource>(std::move(file), nullptr);
}

Source resolve_s3(const char* path) {
  const RemoteName name = split_s3_name(path);
  StoreOptions options;
  options.location = name.location;
  for (const auto& [key, value] : uri_parameters(path)) {
    if (key == "endpoint") {
      options.endpoint = value;
    } else if (key == "region") {
      options.region = value;
    } else if (key == "anonymous") {
      options.anonymous = sqlite3_uri_boolean(path, "anonymous", 0) != 0;
    } else if (key == "hedge") {
      options.hedge = sqlite3_uri_boolean(path, "hedge", 1) != 0;
    } else if (!is_sqlite_parameter(key)) {
      // The value stays out of the message: somebody may have tried a secret.
      throw Error(Code::kBadInput, "vfs s3: unknown parameter '" + key + "': " + without_secrets(path) +
                                       "; known are endpoint, region, anonymous and hedge, secrets come from the environment");
    }
  }
  return attached(open_store(options), name.key);
}

Source resolve_http(const char* path) {
  auto parameters = uri_parameters(path);
  std::erase_if(parameters, [](const auto& parameter) { return is_sqlite_parameter(parameter.first); });
  const RemoteName name = split_http_url(path, parameters);
  return attached(std::make_shared<RetryingStore>(make_http_store(name.location)), name.key);
}

struct MountTable {
  std::mutex mutex;
  std::uint64_t next_id = 1;              // guarded by mutex
  std::map<std::string, Source> by_path;  // guarded by mutex
};

MountTable& mounts() {
  static auto* table = new MountTable;  // never freed, see above
  return *table;
}

std::string mount_path(std::uint64_t id) { return "/" + std::to_string(id); }

Source resolve_mount(const char* path) {
  std::lock_guard lock(mounts().mutex);
  const auto found = mounts().by_path.find(path);
  if (found == mounts().by_path.end()) {
    throw Error(Code::kNotFound, std::string("vfs: nothing is mounted at ") + path);
  }
  return found->second;
}

// ---- a file ----

// Ctrl-C of whoever reads through a VFS. A read is made by the thread that runs the statement, and that thread alone looks; others
// that ask in its behalf get what it has seen.
class ReaderCancel : public Cancel {
 public:
  // `connection`: null while a file is opened.
  explicit ReaderCancel(sqlite3* const* connection) : connection_(connection) {}
  bool cancelled() const override {
    if (!stopped_ && std::this_thread::get_id() == reader_) {
      const bool told = connection_ && *connection_ && is_interrupted(*connection_).value_or(false);
      stopped_ = told || Interrupts::seen_by_this_thread(!connection_);
    }
    return stopped_;
  }

 private:
  sqlite3* const* const connection_;
  const std::thread::id reader_ = std::this_thread::get_id();
  mutable std::atomic<bool> stopped_{false};
};

std::size_t read_source(RemoteSource& source, std::uint64_t offset, void* into, std::size_t length, const Cancel& reader) {
  if (source.unmounted) throw Error(Code::kIo, "vfs: no longer mounted: " + source.file->name());
  return source.file->read(offset, into, length, source.cancel ? source.cancel : &reader);
}

[[noreturn]] void refuse_page(RemoteSource& source, std::uint64_t number) {
  throw Error(Code::kCorrupt, "shard: " + damaged_page_text(number) + ": " + source.file->name() +
                                  "; restore the object, or empty cache_dir if the object itself is whole");
}

// read_source() of pages that carry checksums. SQLite reads whole pages, but for the header and, in some versions, long values.
std::size_t read_checked(RemoteSource& source, std::size_t page_bytes, std::uint64_t offset, void* into, std::size_t length,
                         const Cancel& reader) {
  const std::size_t got = read_source(source, offset, into, length, reader);
  if (length == page_bytes && offset % page_bytes == 0) {
    if (got != 0 && (got != length || !page_intact(into, page_bytes))) refuse_page(source, offset / page_bytes + 1);
    return got;
  }
  std::string page(page_bytes, '\0');
  for (std::uint64_t at = offset - offset % page_bytes; at < offset + got; at += page_bytes) {
    if (read_source(source, at, page.data(), page_bytes, reader) != page_bytes || !page_intact(page.data(), page_bytes)) {
      refuse_page(source, at / page_bytes + 1);
    }
  }
  return got;
}

std::uint32_t big_endian(const unsigned char* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

// Refuses with a sentence what SQLite would refuse, or misread, without one. Tells the size and how pages are checked.
void check_database(const std::string& vfs, RemoteSource& source, RemoteFile& opened) {
  const std::string what = (vfs.starts_with(kMountVfs) ? "shard" : "vfs " + vfs) + ": " + source.file->name();
  const ReaderCancel reader(nullptr);
  if (!source.cancel) (void)reader.cancelled();  // later reads find a probe that has not expired
  const std::uint64_t size = source.file->size(source.cancel ? source.cancel : &reader);
  unsigned char header[kFileHeaderBytes] = {};
  if (size == 0) throw Error(Code::kCorrupt, what + " is empty, not an SQLite database");
  if (read_source(source, 0, header, sizeof header, reader) != sizeof header || std::memcmp(header, kMagic, sizeof kMagic) != 0) {
    throw Error(Code::kCorrupt, what + " is not an SQLite database");
  }
  if (header[18] == kWalVersion || header[19] == kWalVersion) {
    throw Error(Code::kUnsupported, what + " is in WAL mode; run PRAGMA journal_mode=DELETE on it before uploading");
  }
  const std::string_view text(reinterpret_cast<const char*>(header), sizeof header);
  const std::uint64_t page_bytes = page_bytes_of(text);
  if (page_bytes == 0) {
    throw Error(Code::kCorrupt, what + " is damaged: impossible page size " + std::to_string(header[16] << 8 | header[17]));
  }
  // The count of pages holds if its change counter is the file's (else an old writer did not maintain it).
  const std::uint64_t pages = big_endian(header + 28);
  if (big_endian(header + 24) == big_endian(header + 92) && size < pages * page_bytes) {
    throw Error(Code::kCorrupt, what + " is truncated: " + std::to_string(size) + " of " + std::to_string(pages * page_bytes) +
                                    " bytes are there; upload it again");
  }
  opened.size = static_cast<sqlite3_int64>(size);
  opened.checked_page_bytes = has_page_checksums(text) ? page_bytes : 0;
}

int xClose(sqlite3_file* file) noexcept {
  delete std::exchange(remote(file).source, nullptr);
  return SQLITE_OK;
}

int xRead(sqlite3_file* file, void* into, int length, sqlite3_int64 offset) noexcept {
  RemoteSource* source = remote(file).source->get();
  std::size_t got = 0;
  const auto wanted = static_cast<std::size_t>(length);
  const ReaderCancel reader(remote(file).connection);
  const std::size_t page_bytes = remote(file).checked_page_bytes;
  const int rc = guarded(SQLITE_IOERR_READ, &source, [&] {
    const auto from = static_cast<std::uint64_t>(offset);
    got = page_bytes ? read_checked(*source, page_bytes, from, into, wanted, reader) : read_source(*source, from, into, wanted, reader);
  });
  if (rc != SQLITE_OK || got == wanted) return rc;
  std::memset(static_cast<char*>(into) + got, 0, wanted - got);
  return SQLITE_IOERR_SHORT_READ;
}

int xWrite(sqlite3_file*, const void*, int, sqlite3_int64) noexcept { return SQLITE_READONLY; }
int xTruncate(sqlite3_file*, sqlite3_int64) noexcept { return SQLITE_READONLY; }
int xSync(sqlite3_file*, int) noexcept { return SQLITE_OK; }

int xFileSize(sqlite3_file* file, sqlite3_int64* size) noexcept {
  *size = remote(file).size;
  return SQLITE_OK;
}

int xLock(sqlite3_file*, int) noexcept { return SQLITE_OK; }

int xCheckReservedLock(sqlite3_file*, int* reserved) noexcept {
  *reserved = 0;
  return SQLITE_OK;
}

int xFileControl(sqlite3_file* file, int operation, void* argument) noexcept {
  if (operation == SQLITE_FCNTL_PDB) {
    remote(file).connection = static_cast<sqlite3**>(argument);  // SQLite's own pointer: of whoever uses a shared cache at the moment
    return SQLITE_OK;
  }
  if (operation != SQLITE_FCNTL_VFSNAME) return SQLITE_NOTFOUND;
  *static_cast<char**>(argument) = sqlite3_mprintf("%s", remote(file).vfs->vfs.zName);
  return SQLITE_OK;
}

int xSectorSize(sqlite3_file*) noexcept { return 0; }  // SQLite's default
int xDeviceCharacteristics(sqlite3_file*) noexcept { return SQLITE_IOCAP_IMMUTABLE; }

// Version 1: no shared memory, so no WAL; no xFetch, so every byte comes through xRead.
const sqlite3_io_methods kMethods = {
    1,
    xClose,
    xRead,
    xWrite,
    xTruncate,
    xSync,
    xFileSize,
    xLock,
    xLock,
    xCheckReservedLock,
    xFileControl,
    xSectorSize,
    xDeviceCharacteristics,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

// ---- a VFS ----

int xOpen(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) noexcept {
  file->pMethods = nullptr;
  // A sort that spills, a temp table: no name, nothing to do with storage.
  if (!name) return default_vfs->xOpen(default_vfs, name, file, flags, out_flags);
  RemoteSource* failing = nullptr;
  Source source;
  return guarded(SQLITE_CANTOPEN, &failing, [&] {
    if (!(flags & SQLITE_OPEN_MAIN_DB)) {
      throw Error(Code::kReadOnly, "vfs " + remote(vfs).name + ": there are no journals here: " + without_secrets(name));
    }
    source = remote(vfs).resolve(name);
    failing = source.get();
    RemoteFile& opened = remote(file);
    opened.vfs = &remote(vfs);
    check_database(remote(vfs).name, *source, opened);
    opened.source = new Source(source);
    opened.connection = nullptr;
    opened.base.pMethods = &kMethods;
    if (out_flags) *out_flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  });
}

int xDelete(sqlite3_vfs*, const char*, int) noexcept { return SQLITE_READONLY; }

// Asked about journals and WAL files only: there are none, and no request is made to find that out.
int xAccess(sqlite3_vfs*, const char*, int, int* result) noexcept {
  *result = 0;
  return SQLITE_OK;
}

int xFullPathname(sqlite3_vfs*, const char* name, int out_bytes, char* out) noexcept {
  const std::size_t bytes = std::strlen(name) + 1;
  if (out_bytes < 0 || bytes > static_cast<std::size_t>(out_bytes)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, bytes);
  return SQLITE_OK;
}

void* xDlOpen(sqlite3_vfs*, const char* path) noexcept { return default_vfs->xDlOpen ? default_vfs->xDlOpen(default_vfs, path) : nullptr; }
void xDlError(sqlite3_vfs*, int bytes, char* message) noexcept {
  if (default_vfs->xDlError) default_vfs->xDlError(default_vfs, bytes, message);
}
using Symbol = void (*)();
Symbol xDlSym(sqlite3_vfs*, void* library, const char* symbol) noexcept {
  return default_vfs->xDlSym ? default_vfs->xDlSym(default_vfs, library, symbol) : nullptr;
}
void xDlClose(sqlite3_vfs*, void* library) noexcept {
  if (default_vfs->xDlClose) default_vfs->xDlClose(default_vfs, library);
}
int xRandomness(sqlite3_vfs*, int bytes, char* out) noexcept { return default_vfs->xRandomness(default_vfs, bytes, out); }
int xSleep(sqlite3_vfs*, int microseconds) noexcept { return default_vfs->xSleep(default_vfs, microseconds); }
int xCurrentTime(sqlite3_vfs*, double* out) noexcept { return default_vfs->xCurrentTime(default_vfs, out); }
int xCurrentTimeInt64(sqlite3_vfs*, sqlite3_int64* out) noexcept {
  if (default_vfs->iVersion >= 2 && default_vfs->xCurrentTimeInt64) {
    return default_vfs->xCurrentTimeInt64(default_vfs, out);
  }
  constexpr double kMillisADay = 86'400'000.0;
  double julian_day = 0;
  const int rc = default_vfs->xCurrentTime(default_vfs, &julian_day);
  *out = static_cast<sqlite3_int64>(julian_day * kMillisADay);
  return rc;
}

// SQLite itself passes no buffer and wants an errno, which there is none of.
int xGetLastError(sqlite3_vfs*, int bytes, char* message) noexcept {
  if (bytes > 0 && message) std::snprintf(message, static_cast<std::size_t>(bytes), "%s", thread_message.data());
  return 0;
}

RemoteVfs* new_vfs(const std::string& name, Resolve resolve) {
  auto* made = new RemoteVfs;
  made->name = name;
  made->resolve = resolve;
  made->vfs.iVersion = 2;
  made->vfs.szOsFile = std::max(static_cast<int>(sizeof(RemoteFile)), default_vfs->szOsFile);
  made->vfs.mxPathname = kMaxPathBytes;
  made->vfs.zName = made->name.c_str();
  made->vfs.pAppData = made;
  made->vfs.xOpen = xOpen;
  made->vfs.xDelete = xDelete;
  made->vfs.xAccess = xAccess;
  made->vfs.xFullPathname = xFullPathname;
  made->vfs.xDlOpen = xDlOpen;
  made->vfs.xDlError = xDlError;
  made->vfs.xDlSym = [](sqlite3_vfs* vfs, void* library, const char* symbol) { return xDlSym(vfs, library, symbol); };
  made->vfs.xDlClose = xDlClose;
  made->vfs.xRandomness = xRandomness;
  made->vfs.xSleep = xSleep;
  made->vfs.xCurrentTime = xCurrentTime;
  made->vfs.xCurrentTimeInt64 = xCurrentTimeInt64;
  made->vfs.xGetLastError = xGetLastError;
  return made;
}

void register_vfs(RemoteVfs* made) {
  const int rc = sqlite3_vfs_register(&made->vfs, 0);
  if (rc != SQLITE_OK) {
    throw Error(Code::kUnsupported, "vfs " + made->name + ": SQLite refused it: " + sqlite3_errstr(rc));
  }
}

// A VFS for users. The short name belongs to who came first.
void register_named(const std::string& name, Resolve resolve) {
  const std::string spare = "timeseries-" + name;
  if (!sqlite3_vfs_find(name.c_str())) return register_vfs(new_vfs(name, resolve));
  if (sqlite3_vfs_find(spare.c_str())) {
    sqlite3_log(SQLITE_WARNING, "vfs %s: the names %s and %s are taken by another extension; use its", name.c_str(), name.c_str(),
                spare.c_str());
    return;
  }
  sqlite3_log(SQLITE_WARNING, "vfs %s: the name is taken by another extension; ours is %s", name.c_str(), spare.c_str());
  register_vfs(new_vfs(spare, resolve));
}

std::mutex register_mutex;
bool registered = false;               // guarded by register_mutex
const RemoteVfs* mount_vfs = nullptr;  // set before `registered`

// The private name must be ours alone: another copy of this library in the process has mounts of its own.
std::string private_name() {
  char name[64];
  std::snprintf(name, sizeof name, "%s%p", kMountVfs, static_cast<void*>(&registered));
  return name;
}

void register_once() {
  std::lock_guard lock(register_mutex);
  if (registered) return;
  if (!default_vfs) default_vfs = sqlite3_vfs_find(nullptr);
  if (!default_vfs) throw Error(Code::kUnsupported, "vfs: this SQLite has no default VFS");
  if (!mount_vfs) {
    RemoteVfs* made = new_vfs(private_name(), resolve_mount);
    register_vfs(made);
    mount_vfs = made;
  }
  register_named("s3", resolve_s3);
  register_named("http", resolve_http);
  registered = true;
}

}  // namespace

int register_remote_vfs() noexcept {
  return guard(register_once, [](const char* text) { remember_message(SQLITE_ERROR, text); });
}

std::string last_vfs_error() {
  if (thread_message[0]) return thread_message.data();
  std::lock_guard lock(process_mutex);
  return process_message.data();
}

Mount::Mount(std::shared_ptr<RangedFile> file, const Cancel* cancel) : source_(std::make_shared<RemoteSource>(std::move(file), cancel)) {
  register_once();
  std::lock_guard lock(mounts().mutex);
  id_ = mounts().next_id++;
  uri_ = "file:" + mount_path(id_) + "?vfs=" + mount_vfs->name + "&mode=ro&immutable=1";
  mounts().by_path.emplace(mount_path(id_), source_);
}

Mount::~Mount() {
  source_->unmounted = true;
  std::lock_guard lock(mounts().mutex);
  mounts().by_path.erase(mount_path(id_));
}

void Mount::rethrow_read_error() {
  std::optional<std::pair<Code, std::string>> failure;
  {
    std::lock_guard lock(source_->mutex);
    failure = std::exchange(source_->failure, std::nullopt);
  }
  if (failure) throw Error(failure->first, failure->second);
}

}  // namespace ts
