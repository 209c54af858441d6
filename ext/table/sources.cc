// Sources: from a snapshot and a time range to the places where rows lie.
#include "ext/table/sources.h"

#include <utility>

#include "ext/archive/archive_schema.h"
#include "ext/archive/flusher.h"
#include "ext/archive/shard_name.h"
#include "ext/archive/shard_stream.h"

namespace ts {

std::vector<Source> SourceFinder::all() {
  begin_near();
  catalogue_->reuse(from_, to_, statement_.stats);
  if (!catalogue_->covers(from_, to_)) run([this] { catalogue_->cover(from_, to_, &statement_.cancel, statement_.stats); });
  run(nullptr);
  add_listed(keys_of(*table_.def(), INT64_MIN, INT64_MAX));
  return std::move(sources_);
}

std::vector<Source> SourceFinder::begin(bool down) {
  begin_near();
  walk_ = catalogue_->walk(from_, to_, down, table_.session().large_archives().count(table_.archive_key()) != 0);
  return std::exchange(sources_, {});
}

std::vector<Source> SourceFinder::next() {
  catalogue_->reuse_next(walk_, statement_.stats);
  if (!catalogue_->knows_next(walk_)) {
    run([this] {
      if (!catalogue_->knows_next(walk_)) catalogue_->list_next(walk_, &statement_.cancel, statement_.stats);
    });
  }
  run(nullptr);
  add_listed(catalogue_->take_next(walk_));
  return std::exchange(sources_, {});
}

void SourceFinder::begin_near() {
  if (table_.is_snapshot()) return open_catalogue();
  // Rows that somebody left in the spool are stored when they are due, also by a process that only reads.
  if (!local_.state().open.empty() || !local_.state().sealed.empty()) table_.spool()->flusher().start();
  add_own_rows();
  add_open_shards();
  open_catalogue();
}

// ---------------------------------------------------------------- the spool

void SourceFinder::add_near(NearRows rows, std::int64_t ordinal, bool own) {
  Source source;
  source.ordinal = ordinal;
  source.own = own;
  source.near = std::make_shared<const NearRows>(std::move(rows));
  sources_.push_back(std::move(source));
}

// Rows of one source that were declared differently have row numbers of their own: this many apart.
constexpr int kDeclarationBits = 36;

void SourceFinder::add_own_rows() {
  std::int64_t declarations = 0;
  for (const auto& [open_name, rows] : local_.own()) {
    if (rows == 0 || !declaration_of(open_name, table_.def()->name)) continue;
    if (!local_.writer_unchanged()) {
      throw Error(Code::kChanged, "timeseries: the transaction whose rows this statement reads has ended; run the statement again");
    }
    const TablePtr def = local_.writer()->table(open_name);
    const ColumnMapPtr columns = map_columns(*table_.def(), def->schema, "rows of this transaction");
    const std::int64_t begin = declarations++ << kDeclarationBits;
    Writer::OwnRows own = local_.writer()->own_rows(def);
    // One ordinal for both: between two scans of a statement rows may move from the one to the other.
    auto add = [&](Database& db, const std::string& from, std::int64_t last, std::int64_t first) {
      add_near({&db, {from, " WHERE rowid<=" + std::to_string(last), columns}, begin + first, nullptr, ""}, 0, true);
    };
    if (own.spilled_rows) add(*own.spilled, "main." + quote_identifier(open_name), std::min(rows, own.spilled_rows), 0);
    if (rows > own.spilled_rows) add(*own.scratch, own.scratch_table, rows - own.spilled_rows, own.spilled_rows);
  }
}

void SourceFinder::add_open_shards() {
  std::int64_t ordinal = 1;
  for (const auto& reader : local_.open()) {
    std::int64_t here = ordinal++, declarations = 0;
    for (ScanSource& rows : open_rows(table_, local_.view(), *reader)) {
      add_near({&reader->db(), std::move(rows), declarations++ << kDeclarationBits, reader, "open/" + reader->file()}, here, false);
    }
  }
}

std::vector<ScanSource> open_rows(Table& table, SpoolView& view, OpenShardReader& reader) {
  const TablePtr& def = table.def();
  std::vector<ScanSource> found;
  for (const std::string& declared : reader.declarations(def->name)) {
    const TablePtr rows = view.declared({def->name, declared});
    // Whoever declared it has told the spool of the schema that allows it.
    auto look = [&](const ArchiveSchemaPtr&) {
      if (auto known = view.db().archive_schema(def->name)) {
        Schema schema = schema_from_json(known->schema_json, "spool.db of " + view.spool().directory());
        def->archive->offer(std::make_shared<ArchiveSchema>(ArchiveSchema{known->number, std::move(schema)}));
      }
      return def->archive->newest();
    };
    ColumnMapPtr columns = map_columns(*def, rows->schema, "open/" + reader.file(), look);
    found.push_back({"main." + quote_identifier(rows->open_name), visibility_sql(*rows, reader.visibility()), std::move(columns)});
  }
  return found;
}

// Those whose keys are in a range that the catalogue knows. A dead one was merged, or expired, although this spool does not know yet
// that it was stored.
void SourceFinder::add_sealed(const KeyRange& keys) {
  std::int64_t ordinal = 1 + static_cast<std::int64_t>(local_.open().size());
  for (const SealedRow& row : local_.state().sealed) {
    std::int64_t here = ordinal++;
    if (row.table != table_.def()->name || row.key <= keys.after || row.key > keys.last) continue;
    if (!catalogue_->is_dead(row.key)) add_sealed(here, row);
  }
}

void SourceFinder::add_sealed(std::int64_t ordinal, const SealedRow& row) {
  auto name = parse_shard_name(row.key.substr(row.key.rfind('/') + 1), table_.def()->schema.precision);
  if (!name) throw Error(Code::kCorrupt, "spool: not a shard's name: " + row.key);
  if (name->end < from_ || name->start > to_) {
    statement_.stats.files_pruned++;
    return;
  }
  ShardRef ref{row.key, "", table_.spool()->sealed_directory() + "/" + row.file, static_cast<std::uint64_t>(row.bytes), name->start,
               name->end, name->rows};
  add_file(ordinal, name->start, name->end, name->rows, {nullptr, 0, std::make_shared<const ShardRef>(std::move(ref))});
}

void SourceFinder::add_file(std::int64_t ordinal, std::int64_t start, std::int64_t end, std::int64_t rows, ShardPlace place) {
  statement_.stats.files_chosen++;
  Source source;
  source.ordinal = ordinal;
  source.start = start;
  source.end = end;
  source.rows = rows;
  source.shard = std::move(place);
  sources_.push_back(std::move(source));
}

// ---------------------------------------------------------------- the store

void SourceFinder::open_catalogue() {
  std::string key = table_.archive_key();
  std::int64_t age_ms = statement_.afresh ? 0 : table_.declaration().max_staleness_ms;
  auto& known = statement_.catalogues[key + "\n" + table_.spool()->directory() + "\n" + std::to_string(age_ms)];
  checked_ = known != nullptr;
  if (!known) known = std::make_shared<Catalogue>(table_.store(), table_.def(), local_, age_ms, table_.is_snapshot());
  catalogue_ = known;
}

// Runs `list`, and before the statement's first rows the check of the archive, on workers.
void SourceFinder::run(const std::function<void()>& list) {
  if (!list && checked_) return;
  std::set<std::string>& large = table_.session().large_archives();
  const bool whole = statement_.several_ranges && !large.count(table_.archive_key());
  std::vector<std::function<void()>> tasks;
  if (list) {
    tasks.push_back([&] {
      if (whole) catalogue_->begin_whole(&statement_.cancel, statement_.stats);
      list();
    });
  }
  checked_ ? table_.session().wait_for(statement_.cancel, tasks) : table_.check_archive(statement_, std::move(tasks));
  checked_ = true;
  if (catalogue_->large()) large.insert(table_.archive_key());
}

void SourceFinder::add_listed(const KeyRange& keys) {
  if (!table_.is_snapshot()) add_sealed(keys);
  const std::int64_t first = 1 + static_cast<std::int64_t>(local_.open().size() + local_.state().sealed.size());
  const Declaration& declaration = table_.declaration();
  auto add = [&](const ShardList& list, std::size_t i, std::int64_t place) {
    if (declaration.slices > 0 && list.part(i, declaration.slices) != declaration.slice) return void(statement_.stats.files_pruned++);
    add_file(first + place, list.start(i), list.end(i), list.rows(i), {&list, i, nullptr});
  };
  statement_.stats.files_pruned += catalogue_->find(keys, from_, to_, add);
}

std::unique_ptr<RowStream> stream_source(Table& table, StatementSnapshot& statement, const Source& source,
                                         const std::shared_ptr<const ScanPlan>& plan) {
  if (source.near) {
    const NearRows& rows = *source.near;
    return stream_statement(*rows.db, rows.where, plan, rows.first_row, rows.keep);
  }
  return stream_shard(table.session().shard_files(), table.store(), table.def(), source.shard.ref(), plan, &statement.cancel,
                      &statement.stats, table.session());
}

}  // namespace ts
