// Draining buffers of rows into a sealed file.
#include "ext/archive/plain_writer.h"

namespace ts {

PlainWriter::PlainWriter(const std::string& path, const TableDef& table, const std::string& partition, const ShardName& name,
                         std::size_t bytes)
    : path_(path), db_(create_sealed(path, plain_page_size(bytes), kFormatRows)) {
  register_buffer_table(db_.get(), "some_rows", static_cast<int>(table.schema.columns.size()), &view_);
  db_.exec("BEGIN");
  db_.exec("CREATE TABLE timeseries_meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID");
  put_meta(db_, table, partition, name, kFormatRows);
  db_.exec("CREATE TABLE " + quote_identifier(table.name) + "(" + shard_columns_sql(table.schema) + ")");
  insert_ = db_.prepare("INSERT INTO main." + quote_identifier(table.name) + " SELECT * FROM some_rows");
}

void PlainWriter::add(const RowBuffer& rows) {
  view_ = {&rows, nullptr, 0, rows.rows()};
  insert_.run();
}

void PlainWriter::finish() {
  insert_ = Statement();
  db_.exec("COMMIT");
  db_.close();  // first: SQLite writes no more
  stamp_sealed(path_);
}

}  // namespace ts
