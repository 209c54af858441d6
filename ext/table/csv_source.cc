// CSV and TSV by libcsv: strict quotes, spaces kept, NULL for an empty field without quotes.
#include <csv.h>

#include <deque>

#include "ext/base/utf8.h"
#include "ext/table/import_source.h"

namespace ts {
namespace {

constexpr std::size_t kFeed = 64u << 10;  // bytes parsed at once, and so how many rows may wait

int never(unsigned char) { return 0; }

class CsvSource : public ImportSource {
 public:
  CsvSource(std::string_view bytes, char delimiter, const TablePtr& table) : rest_(bytes), schema_(table->schema) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    if (rest_.substr(0, kMark.size()) == kMark) rest_.remove_prefix(kMark.size());
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0) throw std::bad_alloc();
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_space_func(&parser_, never);
    std::vector<std::string> names;
    if (!read()) throw Error(Code::kBadInput, "the file is empty; its first row names the columns");
    for (const auto& name : rows_.front()) names.push_back(name.value_or(""));
    rows_.pop_front();
    columns_ = match_columns(names, schema_);
  }
  ~CsvSource() override { csv_free(&parser_); }

  bool next(ImportRow& row) override {
    row.assign(schema_.columns.size(), std::nullopt);
    if (!read()) return false;
    number_++;
    const auto& fields = rows_.front();
    if (fields.size() != columns_.size()) {
      throw Error(Code::kBadInput, "has " + std::to_string(fields.size()) + " fields where the first row names " +
                                       std::to_string(columns_.size()) + " columns");
    }
    for (std::size_t i = 0; i < fields.size(); i++) {
      OwnedValue& value = row[columns_[i]].emplace();
      if (!fields[i]) continue;
      if (!is_utf8(*fields[i]) || fields[i]->find('\0') != std::string::npos) {
        throw Error(Code::kBadInput, "field " + std::to_string(i + 1) + " is no UTF-8 text: " + excerpt(*fields[i]));
      }
      value.type = SQLITE_TEXT;
      value.bytes = *fields[i];
    }
    rows_.pop_front();
    return true;
  }
  std::string position() const override { return number_ ? "row " + std::to_string(number_) + " below the names" : "the row of names"; }

 private:
  using Fields = std::vector<std::optional<std::string>>;

  // True: there is a row in rows_.
  bool read() {
    while (rows_.empty() && !ended_) {
      std::string_view some = rest_.substr(0, kFeed);
      bool whole = csv_parse(&parser_, some.data(), some.size(), on_field, on_row, this) == some.size();
      rest_.remove_prefix(some.size());
      if (whole && rest_.empty()) {
        ended_ = true;
        whole = csv_fini(&parser_, on_field, on_row, this) == 0;
      }
      if (failed_) std::rethrow_exception(failed_);
      if (whole) continue;
      if (csv_error(&parser_) == CSV_ENOMEM) throw std::bad_alloc();
      broken_ = ended_ = true;
    }
    if (!rows_.empty()) return true;
    if (!broken_) return false;
    number_++;
    throw Error(Code::kBadInput, "a quote stands where none may be, or is never closed; a field with quotes is quoted whole, and quotes in "
                                 "it are doubled");
  }

  static void on_field(void* bytes, std::size_t size, void* self) noexcept {
    static_cast<CsvSource*>(self)->keep([&](CsvSource& source) {
      if (bytes) {
        source.fields_.emplace_back(std::string(static_cast<const char*>(bytes), size));
      } else {
        source.fields_.emplace_back();
      }
    });
  }
  static void on_row(int, void* self) noexcept {
    static_cast<CsvSource*>(self)->keep([](CsvSource& source) {
      source.rows_.push_back(std::move(source.fields_));
      source.fields_.clear();
    });
  }
  template <class Body>
  void keep(Body&& body) noexcept {
    if (failed_) return;
    try {
      body(*this);
    } catch (...) {
      failed_ = std::current_exception();
    }
  }

  std::string_view rest_;
  const Schema& schema_;
  csv_parser parser_{};
  std::vector<std::size_t> columns_;  // by field
  Fields fields_;
  std::deque<Fields> rows_;
  std::int64_t number_ = 0;
  bool ended_ = false, broken_ = false;
  std::exception_ptr failed_;  // of a callback
};

}  // namespace

std::unique_ptr<ImportSource> csv_source(std::string_view bytes, char delimiter, const TablePtr& table) {
  return std::make_unique<CsvSource>(bytes, delimiter, table);
}

}  // namespace ts
