// One column of one chunk as integers in few bits, and back. Pure. The arithmetic is docs/FORMAT.md's, which stock SQL can do too:
//
//   value[i] = base + slope*i + mini[i >> step] + data[i]        mini, data: unsigned, big-endian, one width for the chunk
//
// Callers: the sealer packs, the reader unpacks what a file claims. Laws: unpack(pack(x)) is x, bit for bit; what a file
// claims is checked (packed_fault) before a byte of it is used; no sum of the formula leaves 64 bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ts {

// What the integers mean.
enum class PackedKind {
  kInteger,  // themselves
  kDecimal,  // a double: the integer divided by a power of ten
  kIeee,     // a double: its 64 bits
  kValue,    // any value: its id in the shard's value table
};

constexpr int kMaxPackedBits = 57;  // read as one word of 8 bytes at any bit offset; or 64, raw
constexpr int kMaxScaleDigits = 18;
constexpr std::size_t kMaxChunkRows = 1u << 16;  // of a chunk that a reader takes; the sealer stays below 1,500

struct PackedColumn {
  PackedKind kind = PackedKind::kInteger;
  bool all_null = false;  // every row; nothing else counts then
  std::int64_t base = 0, slope = 0;
  double scale = 1;       // kDecimal
  bool nullable = false;  // the code of all ones in `data` means NULL
  int step = 0, mini_bits = 0, bits = 0;
  std::string_view mini, data;  // of a row in a file, or of an OwnedPacked
};

// A packer's result: a PackedColumn without its views, and what they are of.
struct OwnedPacked : PackedColumn {
  std::string mini_bytes, data_bytes;
  std::size_t size() const { return mini_bytes.size() + data_bytes.size(); }
  PackedColumn view() const {  // until this is moved or gone
    PackedColumn out = *this;
    out.mini = mini_bytes;
    out.data = data_bytes;
    return out;
  }
};

// nulls: one byte for each value, 1 where it is NULL; or nullptr. nullopt: the values cannot be packed (64 bits wide, with
// NULLs, and with the value that would mean NULL).
std::optional<OwnedPacked> pack(const std::int64_t* values, const std::uint8_t* nulls, std::size_t count);

// The smallest number of digits with which every double is an integer divided by 10^digits, exactly; `integers` gets those.
// nullopt: there is none (-0.0, infinities, more than 53 bits).
std::optional<int> decimal_digits(const double* values, const std::uint8_t* nulls, std::size_t count, std::int64_t* integers);
double power_of_ten(int digits);

// What is wrong with a column for `count` rows: they would need bytes or widths that are not there. nullptr: nothing.
const char* packed_fault(const PackedColumn& column, std::size_t count);

// What the integers of a decimal column mean: out[i] = integers[i] / scale.
void to_reals(const std::int64_t* integers, std::size_t count, double scale, double* out);

// Values begin..end of a checked column to out[0..]; NULLs, where the column is nullable, to nulls[0..] (then not nullptr).
// `scratch` is a buffer that is reused. Not for all_null.
void unpack(const PackedColumn& column, std::size_t begin, std::size_t end, std::int64_t* out, std::uint8_t* nulls);

}  // namespace ts
