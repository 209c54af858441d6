// Builds a TableDef.
#include "ext/archive/table_def.h"

#include <strings.h>

#include "ext/archive/shard_name.h"
#include "ext/base/digest.h"

namespace ts {
namespace {

constexpr std::size_t kIdDigits = 16;

std::string escaped(const std::string& name) {
  std::string open_name;
  for (char c : name) {
    if ((c >= 'A' && c <= 'Z') || c == '^') open_name += '^';
    open_name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return open_name;
}

}  // namespace

TablePtr make_table_def(const std::string& name, const Schema& schema, const std::string& declared, std::shared_ptr<KnownArchive> archive) {
  auto def = std::make_shared<TableDef>();
  def->name = name;
  def->directory = table_directory(name);
  def->schema = schema;
  def->shape = declaration_id(schema);
  def->declared = declared;
  def->archive = std::move(archive);
  for (std::size_t c = 0; c < schema.columns.size(); c++) {
    int column = static_cast<int>(c);
    if (schema.columns[c].not_null && column != schema.time_column) def->not_null.push_back(column);
  }
  def->min_time = min_timestamp(schema.precision);
  def->max_time = max_timestamp(schema.precision);
  def->open_name = escaped(name) + (declared.empty() ? "" : "#" + declared);
  def->txn_column = "_txn";
  for (bool taken = true; taken;) {
    taken = false;
    for (const Column& column : schema.columns) taken |= ::strcasecmp(column.name.c_str(), def->txn_column.c_str()) == 0;
    if (taken) def->txn_column += '_';
  }
  return def;
}

std::string declaration_id(const Schema& schema) {
  Schema kept = schema.plain();
  for (Column& column : kept.columns) column.default_sql.clear();
  const std::string digest = sha256(schema_to_json(kept));
  constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (std::size_t i = 0; i < kIdDigits / 2; i++) {
    const auto byte = static_cast<unsigned char>(digest[i]);
    id += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return id;
}

std::optional<std::string> declaration_of(const std::string& open_name, const std::string& table_name) {
  const std::string first = escaped(table_name);
  if (open_name == first) return "";
  if (open_name.rfind(first + "#", 0) != 0) return std::nullopt;
  std::string id = open_name.substr(first.size() + 1);
  if (id.size() != kIdDigits || id.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  return id;
}

}  // namespace ts
