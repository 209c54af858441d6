// Names in the archive: table directories, shard names and ULIDs. Pure (the ULID takes time and randomness as arguments).
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ext/base/timestamp.h"

namespace ts {

// <start>_<end>_<rows>rows_<writer>_<id>.sqlite
struct ShardName {
  std::int64_t start = 0, end = 0;  // first and last row's time
  std::int64_t rows = 0;
  std::string writer;               // [A-Za-z0-9.-]+
  std::string id;                   // ULID, 26 characters of Crockford's base 32
};

std::string format_shard_name(const ShardName& name, Precision precision);
// Strict inverse: format(parse(x)) == x. nullopt: a foreign file.
std::optional<ShardName> parse_shard_name(std::string_view file, Precision precision);

// Table name -> directory: percent-encoded outside [A-Za-z0-9_.-]. Throws kBadInput for "", ".", ".." and results over 255 bytes.
std::string table_directory(std::string_view table);

// Host name reduced to [A-Za-z0-9.-], at most 63 bytes, "host" if nothing is left.
std::string writer_name(std::string_view hostname);

std::string make_ulid(std::int64_t unix_ms, const std::array<unsigned char, 10>& random);
// From the system's clock and randomness.
std::string new_ulid();
bool is_ulid(std::string_view text);
// The 128 bits of a ULID, and its text again.
struct UlidBits {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const UlidBits&) const = default;  // the order of their texts
};
UlidBits ulid_bits(std::string_view ulid);
std::string ulid_text(UlidBits bits);
// The time in the first ten characters of a ULID, ms since 1970; 0 when there is none.
std::int64_t ulid_time_ms(std::string_view ulid);

// True for the last part of a key that the format reserves (schema-, merge-, index) and for a "merged" folder.
bool is_reserved(std::string_view key_below_table);

}  // namespace ts
