// Bounds by widths, and comparisons on decoded arrays.
#include "ext/archive/chunk_filter.h"

#include <algorithm>

#include "ext/base/sql_tokens.h"

namespace ts {

namespace {

__extension__ using Wide = __int128;

// Of a packed number: between which integers all values lie, by the widths alone.
struct Bounds {
  Wide low, high;
};
Bounds bounds_of(const PackedColumn& column, std::size_t rows) {
  Wide rise = static_cast<Wide>(column.slope) * static_cast<Wide>(rows - 1);
  auto most = [](int bits) { return (Wide{1} << bits) - 1; };
  Wide low = static_cast<Wide>(column.base) + std::min<Wide>(0, rise), high = static_cast<Wide>(column.base) + std::max<Wide>(0, rise);
  if (column.bits == 64 || column.mini_bits == 64) return {INT64_MIN, INT64_MAX};
  return {low, high + most(column.bits) + most(column.mini_bits)};
}

template <class Number>
bool range_may_pass(const std::string& op, Number low, Number high, Number operand) {
  if (op == "=") return low <= operand && operand <= high;
  if (op == "<") return low < operand;
  if (op == "<=") return low <= operand;
  if (op == ">") return high > operand;
  if (op == ">=") return high >= operand;
  return true;
}

template <class Test>
void keep(std::vector<std::uint32_t>& rows, const DecodedColumn& column, Test&& test) {
  std::size_t kept = 0;
  if (column.nulls.empty()) {
    for (std::uint32_t row : rows) {
      rows[kept] = row;
      kept += test(row) ? 1 : 0;
    }
  } else {
    for (std::uint32_t row : rows) {
      rows[kept] = row;
      kept += !column.nulls[row] && test(row) ? 1 : 0;
    }
  }
  rows.resize(kept);
}

template <class Number, class Value>
void keep_compared(const std::string& op, const std::vector<Value>& values, Number operand, const DecodedColumn& column,
                   std::vector<std::uint32_t>& rows) {
  auto number = [&](std::uint32_t row) { return static_cast<Number>(values[row]); };
  if (op == "=") return keep(rows, column, [&](std::uint32_t row) { return number(row) == operand; });
  if (op == "<") return keep(rows, column, [&](std::uint32_t row) { return number(row) < operand; });
  if (op == "<=") return keep(rows, column, [&](std::uint32_t row) { return number(row) <= operand; });
  if (op == ">") return keep(rows, column, [&](std::uint32_t row) { return number(row) > operand; });
  if (op == ">=") return keep(rows, column, [&](std::uint32_t row) { return number(row) >= operand; });
}

bool passes(const Filter& filter, const Cell& cell) {
  if (cell.type == SQLITE_NULL) return filter.op == "IS NULL";
  for (const OwnedValue& value : filter.values) {
    int order = compare_cells(cell, value.cell());
    if (filter.op == "=" || filter.op == "IN" ? order == 0
        : filter.op == "<"                    ? order < 0
        : filter.op == "<="                   ? order <= 0
        : filter.op == ">"                    ? order > 0
        : filter.op == ">="                   ? order >= 0
                                              : filter.op != "IS NULL") {
      return true;
    }
  }
  return false;
}

bool is_binary(const Filter& filter, const Column& declared) {
  const std::string& collation = filter.collation.empty() ? declared.collate : filter.collation;
  return collation.empty() || same_word(collation, "BINARY");
}

}  // namespace

bool chunk_may_pass(const Filter& filter, const PackedColumn& column, std::size_t rows) {
  if (filter.op == "IS NULL") return column.all_null || column.nullable || column.kind == PackedKind::kValue;
  if (column.all_null) return false;
  bool integer = column.kind == PackedKind::kInteger, decimal = column.kind == PackedKind::kDecimal;
  if ((!integer && !decimal) || filter.values.size() != 1 || filter.op == "IN") return true;
  const OwnedValue& operand = filter.values[0];
  if (operand.type != SQLITE_INTEGER && operand.type != SQLITE_FLOAT) return true;
  Bounds bounds = bounds_of(column, rows);
  auto low = static_cast<long double>(bounds.low), high = static_cast<long double>(bounds.high);
  auto value = operand.type == SQLITE_INTEGER ? static_cast<long double>(operand.integer) : static_cast<long double>(operand.real);
  if (!decimal) return range_may_pass(filter.op, low, high, value);
  // Division rounds, but keeps the order.
  return range_may_pass(filter.op, static_cast<double>(low) / column.scale, static_cast<double>(high) / column.scale,
                        static_cast<double>(value));
}

void apply_filter(const Filter& filter, const Column& declared, const DecodedColumn& column, std::vector<std::uint32_t>& rows) {
  using Form = DecodedColumn::Form;
  if (filter.op == "IS NULL") {
    if (column.form == Form::kConstant) {
      if (column.constant.type != SQLITE_NULL) rows.clear();
    } else {
      rows.erase(std::remove_if(rows.begin(), rows.end(), [&](std::uint32_t row) { return !column.is_null(row); }), rows.end());
    }
    return;
  }
  bool number =
      filter.values.size() == 1 && filter.op != "IN" && (filter.values[0].type == SQLITE_INTEGER || filter.values[0].type == SQLITE_FLOAT);
  if (number && (column.form == Form::kInteger || column.form == Form::kReal)) {
    const OwnedValue& operand = filter.values[0];
    bool integers = column.form == Form::kInteger;
    if (integers && operand.type == SQLITE_INTEGER) return keep_compared(filter.op, column.integers, operand.integer, column, rows);
    if (!integers && operand.type == SQLITE_FLOAT) return keep_compared(filter.op, column.reals, operand.real, column, rows);
    long double value = operand.type == SQLITE_INTEGER ? static_cast<long double>(operand.integer) : static_cast<long double>(operand.real);
    if (integers) return keep_compared(filter.op, column.integers, value, column, rows);
    return keep_compared(filter.op, column.reals, value, column, rows);
  }
  // Text is compared by its collation, which only SQLite knows where it is not BINARY.
  if (!is_binary(filter, declared)) return;
  if (column.form == Form::kValue) {
    std::vector<char> pass;
    for (std::size_t v = 0; v < column.values.size(); v++) {
      DecodedColumn one;
      one.constant = column.values[v];
      pass.push_back(passes(filter, one.cell(0)));
    }
    return keep(rows, column, [&](std::uint32_t row) { return pass[static_cast<std::size_t>(column.integers[row])] != 0; });
  }
  keep(rows, column, [&](std::uint32_t row) { return passes(filter, column.cell(row)); });
}

}  // namespace ts
