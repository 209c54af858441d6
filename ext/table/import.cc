// Which source it is, its values as the table takes them, and the importer that makes them files.
#include "ext/table/import.h"

#include "ext/archive/importer.h"
#include "ext/base/digest.h"
#include "ext/base/file.h"
#include "ext/base/utf8.h"
#include "ext/table/import_source.h"
#include "ext/table/time_value.h"

namespace ts {
namespace {

constexpr std::string_view kSqlite = "SQLite format 3";
constexpr std::int64_t kRowsBetweenChecks = 1000;

std::string column_list(const Schema& schema) {
  std::string list;
  for (const Column& column : schema.columns) list += (list.empty() ? "" : ", ") + column.name;
  return list;
}

bool has_ending(const std::string& path, std::string_view ending) {
  return path.size() >= ending.size() && sqlite3_stricmp(path.c_str() + path.size() - ending.size(), std::string(ending).c_str()) == 0;
}

std::string format_of(const std::string& path, std::string_view bytes, const std::string& given) {
  for (const char* known : {"csv", "tsv", "lines", "sqlite"}) {
    if (given == known) return given;
  }
  if (!given.empty()) throw Error(Code::kBadInput, "there is no format '" + excerpt(given) + "'; it is one of csv, tsv, lines, sqlite");
  if (bytes.substr(0, kSqlite.size()) == kSqlite) return "sqlite";
  if (has_ending(path, ".csv")) return "csv";
  if (has_ending(path, ".tsv")) return "tsv";
  if (has_ending(path, ".lp") || has_ending(path, ".line")) return "lines";
  throw Error(Code::kBadInput, "is no SQLite file, and its name does not tell what it is; write ts_import(table, file, 'csv'), 'tsv' or "
                               "'lines' (InfluxDB's line protocol)");
}

std::unique_ptr<ImportSource> open_source(const std::string& path, std::string_view bytes, const std::string& format,
                                          const std::string& from, const TablePtr& table) {
  if (format == "sqlite") return sqlite_source(path, table, from);
  if (format == "lines") return line_source(bytes, table, from);
  if (!from.empty()) {
    throw Error(Code::kBadInput, "the fourth argument names a table or measurement; a file of format '" + format + "' has one only");
  }
  return csv_source(bytes, format == "csv" ? ',' : '\t', table);
}

std::int64_t time_of(const TableDef& table, const std::optional<OwnedValue>& value) {
  if (value && value->type == SQLITE_INTEGER) return check_time(table, value->integer);
  if (value && value->type == SQLITE_FLOAT) return time_of_real(table, value->real);
  if (value && value->type == SQLITE_TEXT) {
    // In a file of text a count has digits only.
    const std::string& text = value->bytes;
    std::size_t sign = text.rfind('-', 0) == 0 ? 1 : 0;
    bool digits = text.size() > sign && text.find_first_not_of("0123456789", sign) == std::string::npos && text.size() < 19;
    return digits ? check_time(table, std::stoll(text)) : time_of_text(table, text);
  }
  throw Error(Code::kConstraint, value && value->type == SQLITE_BLOB ? "a blob is no time" : "the time is missing");
}

// Rows as the table takes them.
class RowMaker {
 public:
  explicit RowMaker(Table& table) : table_(table), defaults_(table.def()->schema.columns.size()) {}

  void add(RowBuffer& rows, const ImportRow& row) {
    const TableDef& def = *table_.def();
    rows.begin_row();
    for (std::size_t c = 0; c < row.size(); c++) {
      int column = static_cast<int>(c);
      if (column == def.schema.time_column) {
        rows.add_integer(time_of(def, row[c]));
        continue;
      }
      const OwnedValue& value = row[c] ? *row[c] : default_of(c);
      table_.check_not_null(column, value.type == SQLITE_NULL);
      rows.add_cell(value.cell());
    }
  }

 private:
  const OwnedValue& default_of(std::size_t column) {
    if (!defaults_[column]) defaults_[column] = table_.default_value(static_cast<int>(column));
    return *defaults_[column];
  }

  Table& table_;
  std::vector<std::optional<OwnedValue>> defaults_;
};

}  // namespace

std::size_t match_column(std::string_view name, const Schema& schema) {
  std::string text(name);
  for (std::size_t c = 0; c < schema.columns.size(); c++) {
    if (sqlite3_stricmp(schema.columns[c].name.c_str(), text.c_str()) == 0) return c;
  }
  throw Error(Code::kBadInput, "\"" + excerpt(text) + "\" is no column of the table, which has " + column_list(schema));
}

std::vector<std::size_t> match_columns(const std::vector<std::string>& names, const Schema& schema) {
  std::vector<std::size_t> columns;
  std::vector<bool> seen(schema.columns.size());
  for (const std::string& name : names) {
    std::size_t column = match_column(name, schema);
    if (seen[column]) throw Error(Code::kBadInput, "column \"" + excerpt(name) + "\" is named twice");
    seen[column] = true;
    columns.push_back(column);
  }
  if (!seen[static_cast<std::size_t>(schema.time_column)]) {
    throw Error(Code::kBadInput, "no column is called " + schema.columns[static_cast<std::size_t>(schema.time_column)].name +
                                     ", which is the time of the table");
  }
  return columns;
}

std::int64_t import_file(Table& table, const std::string& path, const std::string& format, const std::string& from) {
  Session& session = table.session();
  std::unique_ptr<ImportSource> source;
  try {
    MappedFile file(path);
    const std::string kind = format_of(path, file.bytes(), format);
    source = open_source(path, file.bytes(), kind, from, table.def());
    const std::string digest = sha256(file.bytes()) + kind + "\n" + source->part();
    Importer importer(*table.spool(), table.def(), digest, table.declaration().spool_limit);
    RowMaker maker(table);
    ImportRow row;
    for (std::int64_t n = 0; source->next(row); n++) {
      if (n % kRowsBetweenChecks == 0) session.check();
      maker.add(importer.rows(), row);
      importer.added();
    }
    return importer.commit(session.view(table.spool()).db());
  } catch (const Error& e) {
    if (e.code() != Code::kBadInput && e.code() != Code::kConstraint && e.code() != Code::kMismatch) throw;
    throw Error(e.code(), "ts_import: " + path + (source ? ", " + source->position() : "") + ": " + e.what());
  }
}

}  // namespace ts
