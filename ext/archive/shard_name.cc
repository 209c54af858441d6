// Names in the archive: written exactly one way and read strictly, because a listed name decides what a query reads.
#include "ext/archive/shard_name.h"

#include <charconv>
#include <cstddef>

#include "ext/base/error.h"

namespace ts {
namespace {

constexpr std::string_view kSuffix = ".sqlite";
constexpr std::string_view kRows = "rows";
constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
// The file system's limit for one part of a path; object stores allow more.
constexpr std::size_t kMaxPart = 255;
// A DNS label's limit; leaves room for the rest of a shard name below kMaxPart.
constexpr std::size_t kMaxWriter = 63;
constexpr std::size_t kUlidSize = 26;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_writer_char(char c) { return is_alphanumeric(c) || c == '.' || c == '-'; }

// The part of `rest` before the next '_', which is taken off with it. nullopt: there is none.
std::optional<std::string_view> next_part(std::string_view& rest) {
  const std::size_t end = rest.find('_');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

// '12rows' -> 12. No sign, no leading zero, at least one row.
std::optional<std::int64_t> parse_rows(std::string_view part) {
  if (!part.ends_with(kRows) || part[0] < '1' || part[0] > '9') return std::nullopt;
  part.remove_suffix(kRows.size());
  std::int64_t rows = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), rows);
  if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return rows;
}

bool is_any_partition(std::string_view text) {
  return is_partition_name(text, Partition::kHour) || is_partition_name(text, Partition::kDay) ||
         is_partition_name(text, Partition::kMonth);
}

}  // namespace

std::string format_shard_name(const ShardName& name, Precision precision) {
  std::string text = format_compact(name.start, precision);
  text += '_';
  text += format_compact(name.end, precision);
  text += '_';
  text += std::to_string(name.rows);
  text += kRows;
  text += '_';
  text += name.writer;
  text += '_';
  text += name.id;
  text += kSuffix;
  return text;
}

std::optional<ShardName> parse_shard_name(std::string_view file, Precision precision) {
  if (file.size() > kMaxPart || !file.ends_with(kSuffix)) return std::nullopt;
  std::string_view rest = file.substr(0, file.size() - kSuffix.size());
  const auto start_part = next_part(rest), end_part = next_part(rest), rows_part = next_part(rest), writer_part = next_part(rest);
  if (!start_part || !end_part || !rows_part || !writer_part || writer_part->empty()) return std::nullopt;
  const auto start = parse_compact(*start_part, precision), end = parse_compact(*end_part, precision);
  const auto rows = parse_rows(*rows_part);
  if (!start || !end || *start > *end || !rows || !is_ulid(rest)) return std::nullopt;
  for (const char c : *writer_part) {
    if (!is_writer_char(c)) return std::nullopt;
  }
  return ShardName{*start, *end, *rows, std::string(*writer_part), std::string(rest)};
}

std::string table_directory(std::string_view table) {
  constexpr char kHex[] = "0123456789ABCDEF";
  if (table.empty()) throw Error(Code::kBadInput, "timeseries: a table's name cannot be empty; name it with table='...'");
  if (table == "." || table == "..") {
    throw Error(Code::kBadInput,
                "timeseries: \"" + std::string(table) + "\" cannot be a directory of the archive; name another with table='...'");
  }
  std::string directory;
  for (const char c : table) {
    if (is_alphanumeric(c) || c == '_' || c == '.' || c == '-') {
      directory += c;
    } else {
      const unsigned byte = static_cast<unsigned char>(c);
      directory += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    if (directory.size() > kMaxPart) {
      throw Error(Code::kBadInput,
                  "timeseries: the table's name is longer than 255 bytes as a directory of the archive; name a shorter "
                  "one with table='...'");
    }
  }
  return directory;
}

std::string writer_name(std::string_view hostname) {
  std::string writer;
  for (const char c : hostname) {
    if (writer.size() < kMaxWriter && is_writer_char(c)) writer += c;
  }
  return writer.empty() ? "host" : writer;
}

std::string make_ulid(std::int64_t unix_ms, const std::array<unsigned char, 10>& random) {
  constexpr std::int64_t kMaxMs = (std::int64_t{1} << 48) - 1;  // year 10889
  std::uint64_t time = static_cast<std::uint64_t>(unix_ms < 0 ? 0 : unix_ms > kMaxMs ? kMaxMs : unix_ms);
  std::string text(kUlidSize, '0');
  for (std::size_t i = 10; i > 0; time >>= 5) text[--i] = kBase32[time & 31];
  // 80 random bits are two runs of 40, each exactly 8 digits.
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 5; ++i) bits = bits << 8 | random[half * 5 + i];
    for (std::size_t i = 8; i > 0; bits >>= 5) text[10 + half * 8 + --i] = kBase32[bits & 31];
  }
  return text;
}

bool is_ulid(std::string_view text) {
  if (text.size() != kUlidSize || text[0] > '7') return false;  // the first digit carries 3 bits
  return text.find_first_not_of(kBase32) == std::string_view::npos;
}

UlidBits ulid_bits(std::string_view ulid) {
  UlidBits bits;
  for (const char c : ulid) {
    bits.high = bits.high << 5 | bits.low >> 59;
    bits.low = bits.low << 5 | kBase32.find(c);
  }
  return bits;
}

std::string ulid_text(UlidBits bits) {
  std::string text(kUlidSize, '0');
  for (std::size_t i = kUlidSize; i > 0; --i) {
    text[i - 1] = kBase32[bits.low & 31];
    bits.low = bits.low >> 5 | bits.high << 59;
    bits.high >>= 5;
  }
  return text;
}

std::int64_t ulid_time_ms(std::string_view ulid) {
  std::int64_t time = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::size_t digit = i < ulid.size() ? std::string_view(kBase32).find(ulid[i]) : std::string_view::npos;
    if (digit == std::string_view::npos) return 0;
    time = time << 5 | static_cast<std::int64_t>(digit);
  }
  return time;
}

bool is_reserved(std::string_view key_below_table) {
  const std::string_view last = key_below_table.substr(key_below_table.rfind('/') + 1);
  if (last.starts_with("schema-") || last.starts_with("merge-") || last.starts_with("index")) return true;
  const std::size_t slash = key_below_table.find('/');
  return slash != std::string_view::npos && is_any_partition(key_below_table.substr(0, slash)) &&
         key_below_table.substr(slash).starts_with("/merged/");
}

}  // namespace ts
