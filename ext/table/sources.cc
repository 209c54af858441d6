// Sources: from a snapshot and a time range to the places where rows lie.
#include "ext/table/sources.h"

#include <utility>

#include "ext/archive/archive_schema.h"
#include "ext/archive/flusher.h"
#include "ext/archive/shard_name.h"

namespace ts {
namespace {

class Finder {
 public:
  Finder(Table& table, StatementSnapshot& statement, LocalSnapshot& local, std::int64_t from, std::int64_t to)
      : table_(table), statement_(statement), local_(local), from_(from), to_(to) {}

  std::vector<Source> all() {
    // Rows that somebody left in the spool are stored when they are due, also by a process that only reads.
    if (!local_.state().open.empty() || !local_.state().sealed.empty()) table_.spool()->flusher().start();
    add_own_rows();
    add_open_shards();
    add_shards();
    return std::move(sources_);
  }

 private:
  void add_own_rows() {
    const TablePtr& def = table_.def();
    std::int64_t rows = local_.own_rows(def->name);
    if (rows == 0) return;
    if (!local_.writer_unchanged()) {
      throw Error(Code::kChanged, "timeseries: the transaction whose rows this statement reads has ended; run the statement again");
    }
    Writer::OwnRows own = local_.writer()->own_rows(def);
    // One ordinal for both: between two scans of a statement rows may move from the one to the other.
    auto add = [&](Database& db, const std::string& from, std::int64_t last, std::int64_t first) {
      Source s;
      s.own = true;
      s.db = &db;
      s.where = {from, " WHERE rowid<=" + std::to_string(last)};
      s.first_row = first;
      sources_.push_back(std::move(s));
    };
    if (own.spilled_rows) add(*own.spilled, "main." + quote_identifier(def->open_name), std::min(rows, own.spilled_rows), 0);
    if (rows > own.spilled_rows) add(*own.scratch, own.scratch_table, rows - own.spilled_rows, own.spilled_rows);
  }

  void add_open_shards() {
    const TablePtr& def = table_.def();
    std::int64_t ordinal = 1;
    for (const auto& reader : local_.open()) {
      Source s;
      s.ordinal = ordinal++;
      if (!reader->has_table(*def)) continue;
      s.file = "open/" + reader->file();
      s.db = &reader->db();
      s.where = {"main." + quote_identifier(def->open_name), visibility_sql(*def, reader->visibility())};
      s.keep = reader;
      sources_.push_back(std::move(s));
    }
  }

  Catalogue& catalogue() {
    std::string key = table_.archive_key();
    std::int64_t age_ms = statement_.afresh ? 0 : table_.declaration().max_staleness_ms;
    auto& known = statement_.catalogues[key + "\n" + table_.spool()->directory() + "\n" + std::to_string(age_ms)];
    auto catalogue = known ? known : std::make_shared<Catalogue>(table_.store(), table_.def(), local_, age_ms);
    catalogue->reuse(from_, to_, statement_.stats);
    std::vector<std::function<void()>> tasks;
    if (!catalogue->covers(from_, to_)) {
      bool whole = statement_.several_ranges && !table_.session().large_archives().count(key);
      tasks.push_back([this, whole, &catalogue] { catalogue->cover(from_, to_, whole, &statement_.cancel, statement_.stats); });
    }
    known ? table_.session().wait_for(statement_.cancel, tasks) : table_.check_archive(statement_, std::move(tasks));
    if (catalogue->large()) table_.session().large_archives().insert(key);
    known = catalogue;
    return *known;
  }

  void add_shards() {
    const TablePtr& def = table_.def();
    Catalogue& stored = catalogue();
    std::int64_t ordinal = 1 + static_cast<std::int64_t>(local_.open().size());
    for (const SealedRow& row : local_.state().sealed) {
      std::int64_t here = ordinal++;
      if (row.table != def->name) continue;
      auto name = parse_shard_name(row.key.substr(row.key.rfind('/') + 1), def->schema.precision);
      if (!name) throw Error(Code::kCorrupt, "spool: not a shard's name: " + row.key);
      add_shard(here, {row.key, "", table_.spool()->sealed_directory() + "/" + row.file, static_cast<std::uint64_t>(row.bytes), name->start,
                       name->end, name->rows});
    }
    auto add = [&](const ShardList& list, std::size_t i, std::int64_t place) { add_shard(ordinal + place, list.ref(i)); };
    statement_.stats.files_pruned += stored.find(from_, to_, add);
  }

  void add_shard(std::int64_t ordinal, ShardRef ref) {
    if (ref.end < from_ || ref.start > to_) {
      statement_.stats.files_pruned++;
      return;
    }
    statement_.stats.files_chosen++;
    Source s;
    s.ordinal = ordinal;
    s.file = ref.key;
    s.start = ref.start;
    s.end = ref.end;
    s.rows = ref.rows;
    s.shard = std::move(ref);
    sources_.push_back(std::move(s));
  }

  Table& table_;
  StatementSnapshot& statement_;
  LocalSnapshot& local_;
  std::int64_t from_, to_;
  std::vector<Source> sources_;
};

}  // namespace

std::vector<Source> find_sources(Table& table, StatementSnapshot& statement, LocalSnapshot& local, std::int64_t from, std::int64_t to) {
  return Finder(table, statement, local, from, to).all();
}

std::unique_ptr<RowStream> stream_source(Table& table, StatementSnapshot& statement, const Source& source,
                                         const std::shared_ptr<const ScanPlan>& plan) {
  if (source.db) return stream_statement(*source.db, table.def(), source.where, plan, source.first_row, source.keep);
  return stream_shard(table.session().shard_files(), table.store(), table.def(), source.shard, plan, &statement.cancel, &statement.stats,
                      table.session());
}

}  // namespace ts
