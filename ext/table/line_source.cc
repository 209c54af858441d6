// Points of a line protocol file as rows.
#include "ext/table/import_source.h"
#include "ext/table/line_protocol.h"

namespace ts {
namespace {

OwnedValue text_value(const std::string& text) {
  OwnedValue value;
  value.type = SQLITE_TEXT;
  value.bytes = text;
  return value;
}

OwnedValue integer_value(std::int64_t integer) {
  OwnedValue value;
  value.type = SQLITE_INTEGER;
  value.integer = integer;
  return value;
}

OwnedValue field_value(const LinePoint::Field& field) {
  if (auto* integer = std::get_if<std::int64_t>(&field)) return integer_value(*integer);
  if (auto* truth = std::get_if<bool>(&field)) return integer_value(*truth);
  if (auto* text = std::get_if<std::string>(&field)) return text_value(*text);
  OwnedValue value;
  value.type = SQLITE_FLOAT;
  value.real = std::get<double>(field);
  return value;
}

// Cut towards the past, as text with more digits than the precision is.
std::int64_t time_of_nanos(std::int64_t nanos, Precision precision) {
  const std::int64_t unit = 1'000'000'000 / units_per_second(precision);
  return nanos / unit - (nanos % unit < 0);
}

class LineSource : public ImportSource {
 public:
  LineSource(std::string_view bytes, const TablePtr& table, const std::string& measurement)
      : lines_(bytes), table_(table), measurement_(measurement.empty() ? table->name : measurement), only_(measurement.empty()) {}

  bool next(ImportRow& row) override {
    const Schema& schema = table_->schema;
    row.assign(schema.columns.size(), std::nullopt);
    LinePoint point;
    do {
      if (!lines_.next(point)) return false;
      if (point.measurement != measurement_ && only_) {
        throw Error(Code::kBadInput, "is of measurement " + point.measurement + ", not " + measurement_ +
                                         "; name the one to take: ts_import(table, file, 'lines', '" + point.measurement + "')");
      }
    } while (point.measurement != measurement_);
    for (const auto& [name, value] : point.tags) put(row, name, text_value(value));
    for (const auto& [name, value] : point.fields) put(row, name, field_value(value));
    if (!point.time) {
      throw Error(Code::kBadInput, "has no time, and the same file must give the same rows each time; write one, in nanoseconds");
    }
    row[static_cast<std::size_t>(schema.time_column)] = integer_value(time_of_nanos(*point.time, schema.precision));
    return true;
  }
  std::string part() const override { return measurement_; }
  std::string position() const override { return "line " + std::to_string(lines_.line()); }

 private:
  void put(ImportRow& row, const std::string& name, OwnedValue value) {
    std::size_t column = match_column(name, table_->schema);
    if (static_cast<int>(column) == table_->schema.time_column) {
      throw Error(Code::kBadInput, "the time column " + name + " is a tag or field; the time stands at the end of the line");
    }
    if (row[column]) throw Error(Code::kBadInput, "column " + name + " is given twice");
    row[column] = std::move(value);
  }

  LineProtocol lines_;
  const TablePtr table_;
  const std::string measurement_;
  const bool only_;
};

}  // namespace

std::unique_ptr<ImportSource> line_source(std::string_view bytes, const TablePtr& table, const std::string& measurement) {
  return std::make_unique<LineSource>(bytes, table, measurement);
}

}  // namespace ts
