// Importer: the rows of one source file become sealed files of the spool, all in one step, under names that follow from its bytes.
//
// Laws: all rows or none. Once: the same bytes imported into the same table again, here or on another machine, give the same names, and
// a name is stored once (store.h); what this spool knows already is not taken again. Memory and disk are bounded by kImportPieceBytes
// and the packed size of the rows; a process that dies leaves a directory that the next import of a day later removes.
//
// The names hold as long as the same rows fall into the same files: kImportPieceBytes, kImportBatchRows and RowBuffer's encoding decide
// that, and tests/importer_test.cc holds the names.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ext/archive/spool.h"

namespace ts {

constexpr std::size_t kImportPieceBytes = 256u << 20;  // of rows, encoded: what one sealed file holds of a partition at most
constexpr std::size_t kImportBatchRows = 1000;         // drained at once; a piece ends between batches

// The ULID of a file made by an import: its time is zero, which no other writer's is.
std::string import_id(const std::string& source_digest, const std::string& table, std::uint64_t number);
bool is_import_key(const std::string& key);

class Importer {
 public:
  // `source_digest`: of the bytes of the source and of how it is read. `spool_limit` 0: none.
  Importer(Spool& spool, TablePtr table, std::string source_digest, std::uint64_t spool_limit,
           std::size_t piece_bytes = kImportPieceBytes);
  ~Importer();  // removes what was not committed
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  // Where a row is added, complete, before added().
  RowBuffer& rows() { return rows_; }
  void added();
  // From here on the rows are there for every reader of the spool, and the flusher stores them. Returns how many are new.
  std::int64_t commit(SpoolDb& db);

 private:
  void drain();
  void seal();
  OpenShard& shard();

  Spool& spool_;
  const TablePtr table_;
  const std::string digest_, directory_;
  const std::uint64_t spool_limit_;
  const std::size_t piece_bytes_;
  RowBuffer rows_;
  std::unique_ptr<OpenShard> shard_;  // what the piece holds so far, so that SQLite gives the values their storage class
  std::size_t piece_ = 0;             // bytes of it
  std::uint64_t numbered_ = 0;
  std::vector<SealedRow> files_;
};

}  // namespace ts
