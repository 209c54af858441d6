// Draining rows into private shards, sealing those, handing the files over.
#include "ext/archive/importer.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "ext/archive/flusher.h"
#include "ext/archive/sealer.h"
#include "ext/archive/shard_name.h"
#include "ext/base/clock.h"
#include "ext/base/digest.h"
#include "ext/base/failpoint.h"
#include "ext/base/file.h"

namespace ts {
namespace {

constexpr char kWriter[] = "import";  // in the names, for people: the host does not matter
constexpr char kPrefix[] = "import-";
constexpr char kShard[] = "rows.db";
constexpr std::int64_t kAbandonedMs = 24 * 3600 * 1000;  // an import takes less

std::int64_t now_ms() { return Clock::system().now_ms(); }

void remove_directory(const std::string& path) noexcept {
  try {
    for (const std::string& name : list_directory(path)) remove_file(path + "/" + name);
    ::rmdir(path.c_str());
  } catch (...) {
    // The next import finds it.
  }
}

void remove_abandoned(const std::string& spool) {
  for (const std::string& name : list_directory(spool)) {
    if (name.rfind(kPrefix, 0) == 0 && now_ms() - ulid_time_ms(name.substr(sizeof kPrefix - 1)) > kAbandonedMs) {
      remove_directory(spool + "/" + name);
    }
  }
}

}  // namespace

std::string import_id(const std::string& source_digest, const std::string& table, std::uint64_t number) {
  std::string digest = sha256(source_digest + sha256(table) + std::to_string(number));
  std::array<unsigned char, 10> random;
  std::memcpy(random.data(), digest.data(), random.size());
  return make_ulid(0, random);
}

bool is_import_key(const std::string& key) {
  constexpr std::size_t kUlid = 26, kExtension = 7;  // ".sqlite"
  if (key.size() < kUlid + kExtension) return false;
  std::string id = key.substr(key.size() - kUlid - kExtension, kUlid);
  return is_ulid(id) && ulid_time_ms(id) == 0;
}

Importer::Importer(Spool& spool, TablePtr table, std::string source_digest, std::uint64_t spool_limit, std::size_t piece_bytes)
    : spool_(spool),
      table_(std::move(table)),
      digest_(std::move(source_digest)),
      directory_(spool.directory() + "/" + kPrefix + new_ulid()),
      spool_limit_(spool_limit),
      piece_bytes_(piece_bytes),
      rows_(static_cast<int>(table_->schema.columns.size())) {
  remove_abandoned(spool.directory());
  make_directories(directory_);
}

Importer::~Importer() {
  shard_.reset();
  remove_directory(directory_);
}

OpenShard& Importer::shard() {
  if (!shard_) {
    OpenShard::create_files(directory_, kShard);
    shard_ = std::make_unique<OpenShard>(directory_, kShard, 0);
    if (!shard_->begin()) throw Error(Code::kBusy, "ts_import: a shard of its own is locked: " + directory_);
  }
  return *shard_;
}

void Importer::added() {
  if (rows_.rows() >= kImportBatchRows) drain();
}

void Importer::drain() {
  if (rows_.rows() == 0) return;
  shard().insert(table_, rows_);
  piece_ += rows_.bytes();
  rows_.clear();
  if (piece_ >= piece_bytes_) seal();
}

void Importer::seal() {
  if (!shard_) return;
  shard_->prepare();
  shard_->publish(now_ms());
  shard_.reset();
  auto id = [this] { return import_id(digest_, table_->name, numbered_++); };
  auto sealed = seal_table(table_, {{kShard, Visibility{0, UINT64_MAX, 0}}}, directory_, directory_, kWriter, SIZE_MAX, id);
  files_.insert(files_.end(), sealed.begin(), sealed.end());
  remove_open_files(directory_ + "/" + kShard);
  piece_ = 0;
  TS_FAILPOINT("import.sealed");
  if (spool_limit_ && spool_.row_bytes() + directory_bytes(directory_) > spool_limit_) {
    throw Error(Code::kFull, "ts_import: the rows take the spool beyond spool_limit (" + std::to_string(spool_limit_) +
                                 " bytes); nothing was imported; import smaller files one after the other, or raise spool_limit");
  }
}

std::int64_t Importer::commit(SpoolDb& db) {
  drain();
  seal();
  for (SealedRow& file : files_) {
    std::string name = new_ulid() + ".sqlite";  // by which the flusher tells how long a file has waited
    std::string from = directory_ + "/" + file.file, to = spool_.sealed_directory() + "/" + name;
    if (::rename(from.c_str(), to.c_str()) != 0) throw_errno("cannot rename", from);
    file.file = name;
    TS_FAILPOINT("import.renamed");
  }
  if (!files_.empty()) sync_directory(spool_.sealed_directory());
  std::vector<SealedRow> known = db.add_sealed(files_);
  TS_FAILPOINT("import.committed");
  std::int64_t rows = 0;
  for (const SealedRow& file : files_) rows += file.rows;
  for (const SealedRow& file : known) {
    remove_file(spool_.sealed_directory() + "/" + file.file);
    rows -= file.rows;
  }
  files_.clear();
  spool_.flusher().start();
  spool_.flusher().wake();
  return rows;
}

}  // namespace ts
