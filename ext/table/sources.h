// Sources: where the rows of a table lie in a statement's snapshot: own uncommitted rows, open shards, sealed and stored files.
//
// Every scan of the snapshot finds them here: the cursor reads each as a stream of rows, others in their own way.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ext/table/timeseries_table.h"

namespace ts {

// Rows in an inner connection, which the statement's own thread reads.
struct NearRows {
  Database* db = nullptr;
  ScanSource where;
  std::int64_t first_row = 0;  // comes on top of the ordinals of its rows
  std::shared_ptr<void> keep;
  std::string file;  // empty: not committed yet
};

// Small, as there may be a million: what takes room is made when it is opened.
struct Source {
  std::int64_t ordinal = 0;  // the same in every scan of a statement
  std::int64_t start = INT64_MIN, end = INT64_MAX;
  std::int64_t rows = 0;                 // 0: unknown
  bool own = false;                      // uncommitted rows of this connection
  std::shared_ptr<const NearRows> near;  // or, without them, a file:
  ShardPlace shard;
  std::string file() const { return near ? near->file : shard.ref().key; }  // for _file
};

// Finds the sources of a scan. Where the scan asks in the order of time, or for a few rows only, it may be given them in parts, and
// the store is listed no further than that.
class SourceFinder {
 public:
  SourceFinder(Table& table, StatementSnapshot& statement, LocalSnapshot& local, std::int64_t from, std::int64_t to)
      : table_(table), statement_(statement), local_(local), from_(from), to_(to) {}

  std::vector<Source> all();
  // The first ones: uncommitted rows and those in open shards. After them the others, as long as more(): sealed files that wait in the
  // spool come with their partition, whose record says whether they count.
  std::vector<Source> begin(bool down);
  bool more() const { return !walk_.done(); }
  // Of what is still to come nothing ends later (down), or begins earlier.
  std::int64_t bound() const { return catalogue_->bound(walk_); }
  std::vector<Source> next();  // may be none

 private:
  void begin_near();
  void add_own_rows();
  void add_open_shards();
  void add_sealed(const KeyRange& keys);
  void add_sealed(std::int64_t ordinal, const SealedRow& row);
  void add_near(NearRows rows, std::int64_t ordinal, bool own);
  void add_listed(const KeyRange& keys);
  void add_file(std::int64_t ordinal, std::int64_t start, std::int64_t end, std::int64_t rows, ShardPlace place);
  void open_catalogue();
  void run(const std::function<void()>& list);

  Table& table_;
  StatementSnapshot& statement_;
  LocalSnapshot& local_;
  std::int64_t from_, to_;
  std::shared_ptr<Catalogue> catalogue_;
  bool checked_ = false;  // the archive's schema
  CatalogueWalk walk_;
  std::vector<Source> sources_;
};

// Where the rows of a table lie in an open shard: one place for each declaration that they were written by.
std::vector<ScanSource> open_rows(Table& table, SpoolView& view, OpenShardReader& reader);

std::unique_ptr<RowStream> stream_source(Table& table, StatementSnapshot& statement, const Source& source,
                                         const std::shared_ptr<const ScanPlan>& plan);

// Throws when the rows of an own source were rolled back meanwhile: asked before each of them.
inline void check_source(const Source& source, const LocalSnapshot& local) {
  if (!source.own || !local.rolled_back()) return;
  throw Error(Code::kChanged, "timeseries: the transaction whose rows this statement reads was rolled back; run the statement again");
}

}  // namespace ts
