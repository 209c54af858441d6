// Cutting series into chunks, and chunks on their way through the scratch files.
#include "ext/archive/packed_stream.h"

#include "ext/archive/packed_tables.h"
#include "ext/archive/packed_writer.h"

namespace ts {
namespace {

constexpr std::size_t kCutAt = 16;                  // so many chunks are cut at once
constexpr std::size_t kPendingBytes = 16u << 20;    // rows that wait for their chunk; wide ones get smaller chunks
constexpr std::size_t kRememberBytes = 32u << 20;   // of values

void put_chunk(RowBuffer& record, const EncodedChunk& chunk) {
  record.clear();
  record.begin_row();
  for (std::int64_t number : {chunk.first, chunk.rows, chunk.t0, chunk.t1}) record.add_integer(number);
  for (const OwnedPacked& column : chunk.columns) {
    for (std::int64_t number : {static_cast<std::int64_t>(column.kind), std::int64_t{column.all_null}, column.base, column.slope,
                                std::int64_t{column.nullable}, std::int64_t{column.step}, std::int64_t{column.mini_bits}}) {
      record.add_integer(number);
    }
    record.add_real(column.scale);
    record.add_blob(column.mini_bytes);
    record.add_integer(column.bits);
    record.add_blob(column.data_bytes);
  }
}

void get_chunk(std::string_view record, EncodedChunk& chunk) {
  const char* at = record.data();
  auto number = [&at] { return RowBuffer::read(at).integer; };
  for (std::int64_t* field : {&chunk.first, &chunk.rows, &chunk.t0, &chunk.t1}) *field = number();
  for (OwnedPacked& column : chunk.columns) {
    column.kind = static_cast<PackedKind>(number());
    column.all_null = number() != 0;
    column.base = number();
    column.slope = number();
    column.nullable = number() != 0;
    column.step = static_cast<int>(number());
    column.mini_bits = static_cast<int>(number());
    column.scale = RowBuffer::read(at).real;
    column.mini_bytes = RowBuffer::read(at).bytes;
    column.bits = static_cast<int>(number());
    column.data_bytes = RowBuffer::read(at).bytes;
  }
}

}  // namespace

PackedStream::PackedStream(const TableDef& table, const std::string& directory)
    : table_(table),
      tags_(table.schema.tags()),
      values_(ValueTable::Bytes::kCopy),
      encoder_(table, values_),
      chunk_file_(directory),
      series_file_(directory),
      value_file_(directory),
      record_(0) {}

void PackedStream::add(std::string_view row) {
  pending_.add(row);
  rows_++;
  const std::size_t chunk_rows = encoder_.chunk_rows();
  if (pending_.bytes() >= kPendingBytes) {
    if (series_rows_ == 0) begin_series();
    encode(0, pending_.rows());
    pending_.clear();
  } else if (pending_.rows() == (kCutAt + 1) * chunk_rows) {
    // The last part waits, so that the end of the series is no small chunk.
    if (series_rows_ == 0) begin_series();
    for (std::size_t c = 0; c < kCutAt; c++) encoder_.learn(encode(c * chunk_rows, (c + 1) * chunk_rows));
    pending_.drop_first(kCutAt * chunk_rows);
  }
}

void PackedStream::begin_series() {
  series_row_ = pending_.row_bytes(0);
  first_ = encoded_;
}

EncodedChunk PackedStream::encode(std::size_t begin, std::size_t end) {
  at_.clear();
  for (std::size_t r = begin; r < end; r++) at_.push_back(pending_.row(r));
  EncodedChunk chunk = encoder_.encode(at_, encoded_);
  if (series_rows_ == 0) t0_ = chunk.t0;
  t1_ = chunk.t1;
  last_ = encoded_;
  encoded_ += chunk.rows;
  series_rows_ += end - begin;
  put_chunk(record_, chunk);
  chunk_file_.add(record_.row_bytes(0));
  keep_values();
  return chunk;
}

void PackedStream::keep_values() {
  for (; kept_ < values_.values().size(); kept_++) {
    const Cell& value = values_.values()[kept_];
    record_.clear();
    record_.begin_row();
    record_.add_integer(values_.first_id() + static_cast<std::int64_t>(kept_));
    record_.add_cell(value);
    value_file_.add(record_.row_bytes(0));
    encoder_.count_value(value);
  }
  if (values_.memory_bytes() < kRememberBytes) return;
  values_.forget();
  kept_ = 0;
}

void PackedStream::end_series() {
  const std::size_t count = pending_.rows();
  if (series_rows_ == 0) begin_series();
  const std::size_t parts =
      series_rows_ == 0 && count < kWholeSeries ? 1 : (count + encoder_.chunk_rows() - 1) / encoder_.chunk_rows();
  for (std::size_t p = 0; p < parts; p++) {
    const EncodedChunk chunk = encode(count * p / parts, count * (p + 1) / parts);
    if (parts > 1) encoder_.learn(chunk);
  }
  pending_.clear();
  encoder_.end_series(series_row_.data(), series_rows_);
  record_.clear();
  record_.begin_row();
  for (std::int64_t number : {first_, last_, t0_, t1_}) record_.add_integer(number);
  const char* at = series_row_.data();
  for (std::size_t column = 0, tag = 0; tag < tags_.size(); column++) {
    Cell cell = RowBuffer::read(at);
    if (static_cast<int>(column) != tags_[tag]) continue;
    record_.add_cell(cell);
    tag++;
  }
  series_file_.add(record_.row_bytes(0));
  series_++;
  series_rows_ = 0;
}

bool PackedStream::worthwhile() const {
  return enough_rows(static_cast<std::size_t>(rows_), series_) && can_be_packed(table_, encoder_.presence()) &&
         encoder_.packed_bytes() < encoder_.plain_bytes();
}

int PackedStream::page_size() {
  PageChoice choice(encoder_);
  EncodedChunk chunk;
  chunk.columns.resize(encoder_.presence().size());
  std::string_view record;
  for (ScratchFile::Reader chunks(chunk_file_); chunks.next(record);) {
    get_chunk(record, chunk);
    choice.add(chunk);
  }
  return choice.best();
}

void PackedStream::write(Database& db, const std::function<void()>& meta, const std::function<void()>& check) {
  PackedTables tables(db, table_, encoder_, meta);
  std::string_view record;
  std::vector<Cell> tags(tags_.size());
  for (ScratchFile::Reader series(series_file_); series.next(record);) {
    const char* at = record.data();
    std::int64_t numbers[4];
    for (std::int64_t& number : numbers) number = RowBuffer::read(at).integer;
    for (Cell& tag : tags) tag = RowBuffer::read(at);
    tables.series(tags, numbers[0], numbers[1], numbers[2], numbers[3]);
  }
  tables.end_series();
  EncodedChunk chunk;
  chunk.columns.resize(encoder_.presence().size());
  for (ScratchFile::Reader chunks(chunk_file_); chunks.next(record); check()) {
    get_chunk(record, chunk);
    tables.chunk(chunk);
  }
  for (ScratchFile::Reader values(value_file_); values.next(record);) {
    const char* at = record.data();
    const std::int64_t id = RowBuffer::read(at).integer;
    tables.value(id, RowBuffer::read(at));
  }
}

}  // namespace ts
