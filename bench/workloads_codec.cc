// Packing and unpacking alone: rows in memory to packed chunks, and packed chunks to integers, on one core.
//
// Rates are of the thread's CPU time, which what else the machine does disturbs less. A row of the encoder has a time, a
// tag and ten metrics. Values of the decoder are metrics only: no times, no tags.
#include <algorithm>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "bench/tsbs_store.h"
#include "ext/archive/chunk_cursor.h"
#include "ext/archive/packed_writer.h"
#include "ext/archive/sealed_file.h"
#include "ext/base/file.h"

namespace ts_bench {
namespace {

constexpr Aim kEncodeAim = {Aim::kOursAtLeast, 5e6};
constexpr Aim kDecodeAim = {Aim::kOursAtLeast, 4e8};

double cpu_seconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What lies there is made, though nobody reads it.
void keep(const void* at) { asm volatile("" : : "r"(at) : "memory"); }

// Units a second: `pass` does so many, and is repeated until there is something to measure.
double rate_of(double units, const std::function<void()>& pass) {
  constexpr double kLongEnough = 0.1;
  double began = cpu_seconds(), taken = 0;
  int passes = 0;
  for (; taken < kLongEnough; passes++) {
    pass();
    taken = cpu_seconds() - began;
  }
  return units * passes / taken;
}

struct Layout {
  const char* name;
  bool real, daily;
};
constexpr Layout kLayouts[] = {{"integers, hourly", false, false},
                               {"integers, daily", false, true},
                               {"decimals, hourly", true, false},
                               {"decimals, daily", true, true}};

// An hour of all hosts, 360 rows a chunk, or a day of a few, about 1,000 rows a chunk.
TsbsData data_of(const Layout& layout) {
  TsbsOptions options;
  options.kind = layout.real ? TsbsOptions::kDecimals : TsbsOptions::kIntegers;
  options.hosts = layout.daily ? 40 : kTsbsHosts;
  options.ticks = (layout.daily ? 24 : 1) * kTsbsTicksPerHour;
  return TsbsData(options);
}

// What the sealer has in memory before it encodes: rows in the order in which they came, and their sorted order.
struct InMemory {
  InMemory(const Layout& layout, const TsbsData& data);
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;

  ts::TablePtr table;
  ts::RowBuffer rows;
  ts::SealedPiece piece;
  std::vector<int> hosts;  // in the order of the series
};

InMemory::InMemory(const Layout& layout, const TsbsData& data) : rows(2 + kMetrics), hosts(static_cast<std::size_t>(data.hosts())) {
  ts::Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}};
  for (const char* metric : kMetricNames) schema.columns.push_back({metric, layout.real ? "REAL" : "INTEGER", false, false, "", ""});
  schema.time_column = 0;
  table = ts::make_table_def("cpu", schema);
  for (int tick = 0; tick < data.ticks(); tick++) {
    for (int host = 0; host < data.hosts(); host++) {
      rows.begin_row();
      rows.add_integer(data.time(tick, host));
      rows.add_text(host_name(host));
      for (int m = 0; m < kMetrics; m++) {
        std::int64_t value = data.value(tick, host, m);
        layout.real ? rows.add_real(static_cast<double>(value) / 100) : rows.add_integer(value);
      }
    }
  }
  std::iota(hosts.begin(), hosts.end(), 0);
  std::sort(hosts.begin(), hosts.end(), [](int a, int b) { return host_name(a) < host_name(b); });
  piece.rows = &rows;
  piece.partition = layout.daily ? "2016-01-01" : "2016-01-01T00";
  piece.start = data.time(0, 0);
  piece.end = data.time(data.ticks() - 1, 0);
  piece.bytes = rows.bytes();
  for (int host : hosts) {
    for (int tick = 0; tick < data.ticks(); tick++) piece.order.push_back(static_cast<std::uint32_t>(tick * data.hosts() + host));
    piece.series_end.push_back(static_cast<std::uint32_t>(piece.order.size()));
  }
}

void run_encode(Bench& bench) {
  for (const Layout& layout : kLayouts) {
    bench.progress(std::string("encode: making ") + layout.name);
    TsbsData data = data_of(layout);
    InMemory memory(layout, data);
    ts::RowBuffer copy(memory.rows.columns());
    copy.append(memory.rows);
    auto rows = static_cast<double>(data.rows());
    auto copied = [&] {
      return rate_of(rows, [&] {
        copy.clear();
        copy.append(memory.rows);
        keep(copy.row(0));
      });
    };
    auto encoded = [&] {
      return rate_of(rows, [&] {
        ts::PackedWriter packed(*memory.table, memory.piece);
        if (!packed.worthwhile()) throw std::runtime_error("encode: these rows do not pack");
      });
    };
    bench.compare("rows/s", "copying the rows' buffer", copied, {{std::string("encode ") + layout.name, kEncodeAim, encoded}});
  }
}

// A packed file as the sealer writes it, opened.
ts::SealedFile write_and_open(const InMemory& memory, const std::string& path) {
  const ts::TableDef& table = *memory.table;
  ts::ShardName name{memory.piece.start, memory.piece.end, static_cast<std::int64_t>(memory.piece.order.size()), "bench", ts::new_ulid()};
  {
    ts::PackedWriter packed(table, memory.piece);
    ts::Database db = ts::create_sealed(path, packed.page_size(), ts::kFormatPacked);
    db.exec("BEGIN");
    packed.write(db, [&] { ts::put_meta(db, table, memory.piece.partition, name, ts::kFormatPacked); });
    db.exec("COMMIT");
  }
  std::string key = table.directory + "/" + memory.piece.partition + "/" + ts::format_shard_name(name, table.schema.precision);
  return ts::open_sealed(ts::immutable_uri(path), table, key, path);
}

// Metrics of a file's chunks, held in memory as they lie there.
class HeldChunks {
 public:
  void add(const ts::PackedColumn& column, std::size_t rows) {
    bytes_.emplace_back(column.mini);
    Held held{column, rows};
    held.column.mini = bytes_.back();
    bytes_.emplace_back(column.data);
    held.column.data = bytes_.back();
    held_.push_back(held);
    most_ = std::max(most_, rows);
  }
  void unpack_all() {
    out_.resize(most_);
    for (const Held& held : held_) {
      if (held.column.all_null || held.column.nullable) throw std::runtime_error("decode: a NULL that nobody wrote");
      ts::unpack(held.column, 0, held.rows, out_.data(), nullptr);
      keep(out_.data());
    }
  }
  void copy_all(const std::vector<std::int64_t>& values) {  // the same values, as they would lie without packing
    out_.resize(most_);
    const std::int64_t* from = values.data();
    for (const Held& held : held_) {
      std::memcpy(out_.data(), from, held.rows * sizeof(std::int64_t));
      keep(out_.data());
      from += held.rows;
    }
  }

 private:
  struct Held {
    ts::PackedColumn column;
    std::size_t rows;
  };
  std::deque<std::string> bytes_;
  std::vector<Held> held_;
  std::vector<std::int64_t> out_;
  std::size_t most_ = 0;
};

// Calls chunk(cursor) for each chunk of the file.
void for_each_chunk(const ts::PackedShard& shard, const std::vector<int>& metrics, const std::function<void(ts::ChunkCursor&)>& chunk) {
  ts::ChunkCursor cursor(shard, metrics);
  cursor.seek(0, INT64_MAX, INT64_MIN, INT64_MAX);
  while (cursor.next()) chunk(cursor);
}

// Fills `held` and the values as integers, and compares every value with the data.
void hold_chunks(const InMemory& memory, const TsbsData& data, const ts::PackedShard& shard, const std::vector<int>& metrics,
                 HeldChunks& held, std::vector<std::int64_t>& values) {
  ts::DecodedColumn column;
  std::size_t at = 0;
  auto ticks = static_cast<std::size_t>(data.ticks());
  for_each_chunk(shard, metrics, [&](ts::ChunkCursor& cursor) {
    for (int metric : metrics) {
      held.add(cursor.packed(metric), cursor.rows());
      cursor.decode(metric, 0, cursor.rows(), column);
      for (std::size_t i = 0; i < cursor.rows(); i++) {
        std::int64_t wanted = data.value(static_cast<int>((at + i) % ticks), memory.hosts[(at + i) / ticks], metric - 2);
        bool good = data.real() ? column.reals[i] == static_cast<double>(wanted) / 100 : column.integers[i] == wanted;
        if (!good) throw std::runtime_error("decode: a value differs from what was encoded");
        values.push_back(wanted);
      }
    }
    at += cursor.rows();
  });
  if (at != data.rows()) throw std::runtime_error("decode: rows are missing");
}

void run_decode(Bench& bench) {
  std::vector<int> metrics(kMetrics);
  std::iota(metrics.begin(), metrics.end(), 2);
  for (const Layout& layout : kLayouts) {
    bench.progress(std::string("decode: making ") + layout.name);
    TsbsData data = data_of(layout);
    std::string path = bench.fresh_kept("packed.sqlite");
    HeldChunks held;
    std::vector<std::int64_t> values;
    InMemory memory(layout, data);
    ts::SealedFile file = write_and_open(memory, path);
    ts::PackedShard shard(file.db, memory.table, path);
    hold_chunks(memory, data, shard, metrics, held, values);
    auto count = static_cast<double>(values.size());
    auto copied = [&] { return rate_of(count, [&] { held.copy_all(values); }); };
    auto unpacked = [&] { return rate_of(count, [&] { held.unpack_all(); }); };
    ts::DecodedColumn column;
    auto decoded = [&] {
      return rate_of(count, [&] {
        for_each_chunk(shard, metrics, [&](ts::ChunkCursor& cursor) {
          for (int metric : metrics) {
            cursor.decode(metric, 0, cursor.rows(), column);
            keep(column.integers.data());
          }
        });
      });
    };
    bench.compare(
        "val/s", "copying the values", copied,
        {{std::string("unpack ") + layout.name, kDecodeAim, unpacked}, {std::string("from a file, ") + layout.name, kDecodeAim, decoded}});
    std::filesystem::remove(path);
  }
}

}  // namespace

const std::vector<Workload> kCodecWorkloads = {
    {"codec_encode", "rows in memory, sorted, to packed chunks in memory, next to a copy of the rows", run_encode},
    {"codec_decode", "packed metrics to integers and doubles, from memory and from a file, next to a copy of the values", run_decode},
};

}  // namespace ts_bench
