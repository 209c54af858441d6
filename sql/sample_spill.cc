// One blob for each batch: nobody else reads them, so they are the samples' own bytes.
#include "sql/sample_spill.h"

#include <cstring>

namespace ts {

// An empty name is SQLite's for a database in a temporary file. Nothing in it outlives the statement: no journal, no waiting for the disk.
SampleSpill::SampleSpill() : db_("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
  db_.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE batches(id INTEGER PRIMARY KEY, samples)");
  insert_ = db_.prepare("INSERT INTO batches(samples) VALUES(?)");
}

void SampleSpill::append(Samples samples) {
  const int rc = sqlite3_bind_blob64(insert_.get(), 1, samples.data(), samples.size_bytes(), SQLITE_STATIC);
  if (rc != SQLITE_OK) throw_sqlite(db_.get(), rc, "timeseries: cannot put rows of an aggregate aside");
  insert_.run();
}

std::vector<Sample> SampleSpill::read() const {
  std::vector<Sample> all;
  Statement batches = db_.prepare("SELECT samples FROM batches ORDER BY id");
  while (batches.step()) {
    const auto bytes = static_cast<std::size_t>(sqlite3_column_bytes(batches.get(), 0));
    const std::size_t before = all.size();
    all.resize(before + bytes / sizeof(Sample));
    std::memcpy(all.data() + before, sqlite3_column_blob(batches.get(), 0), bytes);
  }
  return all;
}

}  // namespace ts
