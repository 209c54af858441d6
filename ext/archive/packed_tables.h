// The tables of a packed shard as a file: the size of its pages, and its rows in the order in which they shall lie.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "ext/archive/chunk_encoder.h"

namespace ts {

// What a value takes in a record of SQLite's.
std::size_t plain_bytes(std::int64_t integer);
std::size_t plain_bytes(const Cell& cell);

// The page size with which a file is smallest: a page holds whole chunks, and what is left of it is lost. Told every chunk in order.
class PageChoice {
 public:
  // An encoder that has encoded all of them.
  explicit PageChoice(const ChunkEncoder& encoder);
  void add(const EncodedChunk& chunk);
  int best() const;

 private:
  struct Candidate {
    std::size_t page, pages, left = 0;
    bool whole = true;  // each chunk lies in one page
  };
  std::size_t record_bytes(const EncodedChunk& chunk) const;
  const std::vector<Presence>& presence_;
  std::vector<Candidate> candidates_;
};

// Fills a fresh database, in an open transaction: first all series, then all chunks, then all values.
class PackedTables {
 public:
  // Makes the tables; `meta` fills timeseries_meta. All outlive this.
  PackedTables(Database& db, const TableDef& table, const ChunkEncoder& encoder, const std::function<void()>& meta);
  // `first`, `last`: numbers of the first row of its first and of its last chunk, from 0.
  void series(const std::vector<Cell>& tags, std::int64_t first, std::int64_t last, std::int64_t t0, std::int64_t t1);
  void end_series();
  void chunk(const EncodedChunk& chunk);
  void value(std::int64_t id, const Cell& value);

 private:
  struct Field {
    std::size_t column;
    int part;
  };
  Database& db_;
  const ChunkEncoder& encoder_;
  PackedNames names_;
  std::vector<Field> fields_;
  int tag_count_;
  Statement series_, chunk_, value_;
};

}  // namespace ts
