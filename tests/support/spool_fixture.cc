// A spool in a directory of its own.
#include "tests/support/spool_fixture.h"

#include <stdlib.h>

#include <filesystem>

namespace ts_test {

using namespace ts;

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "timeseries-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw Error(Code::kIo, "no temporary directory");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TablePtr small_table(const std::string& name) {
  Schema schema;
  schema.columns = {{"ts", "INTEGER", false, false, "", ""}, {"host", "TEXT", true, false, "", ""}, {"value", "", false, false, "", ""}};
  schema.time_column = 0;
  return make_table_def(name, schema);
}

void add_row(RowBuffer& rows, std::int64_t time, std::string_view host, std::int64_t value) {
  rows.begin_row();
  rows.add_integer(time);
  rows.add_text(host);
  rows.add_integer(value);
}

std::string values_of(OpenShardReader& reader, const TableDef& table, const Visibility& visibility) {
  if (!reader.has_table(table)) return "";
  Statement select = reader.db().prepare("SELECT group_concat(value) FROM (SELECT value FROM " + quote_identifier(table.open_name) +
                                         visibility_sql(table, visibility) + " ORDER BY value)");
  return select.step() ? select.text(0) : "";
}

SpoolConfig spool_config(const TempDir& dir) {
  SpoolConfig config;
  config.directory = dir / "spool";
  config.location = "file://" + dir.path() + "/archive";
  config.store.location = config.location;
  config.flush_size = std::uint64_t{1} << 40;
  config.flush_interval_ms = 3600'000;
  config.flush_timeout_ms = 10'000;
  config.on_close = OnClose::kNever;
  return config;
}

}  // namespace ts_test
