// A table of another SQLite file, read-only, with nothing of its schema trusted.
#include "ext/base/file.h"
#include "ext/table/import_source.h"

namespace ts {
namespace {

constexpr char kTables[] =
    "SELECT name FROM main.sqlite_schema WHERE type IN ('table','view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

class SqliteSource : public ImportSource {
 public:
  SqliteSource(const std::string& path, const TablePtr& table, const std::string& from) : width_(table->schema.columns.size()) {
    for (const char* log : {"-wal", "-journal"}) {
      if (file_size(path + log) == 0) continue;
      throw Error(Code::kBadInput, std::string("the database is in use, or its last change is not settled: there is a ") + log +
                                       " file; close it everywhere, or run PRAGMA wal_checkpoint(TRUNCATE) on it");
    }
    db_ = Database(immutable_uri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    int ignored = 0;
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, &ignored);
    name_ = choose(table->name, from);
    std::vector<std::string> names;
    std::string list;
    Statement columns = db_.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden IN (0,2,3) ORDER BY cid");
    for (columns.bind(1, std::string_view(name_)); columns.step();) {
      names.push_back(columns.text(0));
      list += (list.empty() ? "" : ",") + quote_identifier(names.back());
    }
    columns_ = match_columns(names, table->schema);
    rows_ = db_.prepare("SELECT " + list + " FROM main." + quote_identifier(name_));
  }

  bool next(ImportRow& row) override {
    row.assign(width_, std::nullopt);
    if (!rows_.step()) return false;
    number_++;
    for (std::size_t i = 0; i < columns_.size(); i++) {
      row[columns_[i]] = OwnedValue::of(sqlite3_column_value(rows_.get(), static_cast<int>(i)));
    }
    return true;
  }
  std::string part() const override { return name_; }
  std::string position() const override { return "row " + std::to_string(number_); }

 private:
  std::string choose(const std::string& table, const std::string& from) {
    std::vector<std::string> names;
    for (Statement list = db_.prepare(kTables); list.step();) names.push_back(list.text(0));
    const std::string& wanted = from.empty() ? table : from;
    std::string all;
    for (const std::string& name : names) {
      if (sqlite3_stricmp(name.c_str(), wanted.c_str()) == 0) return name;
      all += (all.empty() ? "" : ", ") + name;
    }
    if (from.empty() && names.size() == 1) return names[0];
    throw Error(Code::kBadInput, "there is no table " + wanted + " in it" + (all.empty() ? "" : "; it has " + all) +
                                     "; name one: ts_import(table, file, 'sqlite', name)");
  }

  std::size_t width_;
  std::string name_;
  Database db_;
  Statement rows_;  // after db_: finalized before it closes
  std::vector<std::size_t> columns_;
  std::int64_t number_ = 0;
};

}  // namespace

std::unique_ptr<ImportSource> sqlite_source(const std::string& path, const TablePtr& table, const std::string& from) {
  return std::make_unique<SqliteSource>(path, table, from);
}

}  // namespace ts
