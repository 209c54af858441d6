// Packing by frame of reference with a secondary base for each block, and unpacking.
#include "ext/archive/packed_column.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "ext/archive/packed_avx2.h"

namespace ts {
namespace {

using Wide = __int128;

constexpr int kMinStep = 2, kMaxStep = 9;  // blocks of 4 to 512 values share a secondary base

int width(std::uint64_t value) { return static_cast<int>(std::bit_width(value)); }
std::size_t packed_bytes(std::size_t count, int bits) { return (count * static_cast<std::size_t>(bits) + 7) / 8; }
std::size_t blocks_of(std::size_t count, int step) { return ((count - 1) >> step) + 1; }

void store_word(char* at, std::uint64_t word) {
  word = __builtin_bswap64(word);
  std::memcpy(at, &word, 8);
}

// Big-endian: the first value's highest bit is the first byte's highest bit. Never empty: substr() of an empty blob is NULL.
std::string pack_bits(const std::uint64_t* values, std::size_t count, int bits) {
  std::string out(std::max<std::size_t>(1, packed_bytes(count, bits)), '\0');
  if (bits == 0) return out;
  char* at = out.data();
  const char* end = at + out.size();
  std::size_t i = 0;
  // Eight values of at most 8 bits are one word, which begins with a byte; what it has too much is written over.
  for (; bits <= 8 && i + 8 <= count && end - at >= 8; i += 8, at += bits) {
    std::uint64_t word = 0;
    for (std::size_t k = 0; k < 8; k++) word = word << bits | values[i + k];
    store_word(at, word << (64 - 8 * bits));
  }
  std::uint64_t word = 0;  // its highest `filled` bits wait
  int filled = 0;
  for (; i < count; i++) {
    int free = 64 - filled;
    if (bits < free) {
      word |= values[i] << (free - bits);
      filled += bits;
      continue;
    }
    store_word(at, word | values[i] >> (bits - free));
    at += 8;
    filled = bits - free;
    word = filled ? values[i] << (64 - filled) : 0;
  }
  for (; filled > 0; filled -= 8, word <<= 8) *at++ = static_cast<char>(word >> 56);
  return out;
}

// How residuals are stored, and what that costs.
struct Layout {
  int step = 0, mini_bits = 0, bits = 64;
  std::size_t bytes = SIZE_MAX;
};

struct Block {
  std::uint64_t least, most;  // least > most: it holds NULLs only
};

Layout best_layout(const std::uint64_t* residuals, const std::uint8_t* nulls, std::size_t count, std::vector<Block>& blocks) {
  const std::uint64_t null_code = nulls ? 1 : 0;  // the largest code is taken
  auto layout = [&](int step, std::uint64_t mini, std::uint64_t data, std::size_t parts) {
    Layout l{step, width(mini), width(data + null_code), 0};
    l.bytes = packed_bytes(count, l.bits) + packed_bytes(parts, l.mini_bits);
    return l;
  };
  blocks.clear();
  std::uint64_t most = 0;
  constexpr std::size_t kFirst = std::size_t{1} << kMinStep;
  blocks.reserve((count - 1) / kFirst + 1);
  for (std::size_t i = 0; i < count; i += kFirst) {
    Block block{UINT64_MAX, 0};
    if (!nulls && i + kFirst <= count) {
      auto [low, high] = std::minmax(residuals[i], residuals[i + 1]);
      auto [other_low, other_high] = std::minmax(residuals[i + 2], residuals[i + 3]);
      block = {std::min(low, other_low), std::max(high, other_high)};
    } else {
      for (std::size_t j = i; j < std::min(count, i + kFirst); j++) {
        if (nulls && nulls[j]) continue;
        block.least = std::min(block.least, residuals[j]);
        block.most = std::max(block.most, residuals[j]);
      }
    }
    most = std::max(most, block.most);
    blocks.push_back(block);
  }
  Layout best = layout(0, 0, most, 0);
  for (int step = kMinStep; step <= kMaxStep; step++) {
    std::uint64_t mini = 0, data = 0;
    for (const Block& block : blocks) {
      if (block.least > block.most) continue;
      mini = std::max(mini, block.least);
      data = std::max(data, block.most - block.least);
    }
    Layout with = layout(step, mini, data, blocks.size());
    if (with.bytes < best.bytes) best = with;
    if (blocks.size() == 1) break;
    std::size_t half = blocks.size() / 2;
    for (std::size_t b = 0; b < half; b++) {
      const Block &left = blocks[2 * b], &right = blocks[2 * b + 1];
      blocks[b] = {std::min(left.least, right.least), std::max(left.most, right.most)};
    }
    if (blocks.size() % 2) blocks[half++] = blocks.back();
    blocks.resize(half);
  }
  return best;
}

void fill(OwnedPacked& out, const Layout& layout, std::uint64_t* residuals, const std::uint8_t* nulls, std::size_t count) {
  out.step = layout.step;
  out.mini_bits = layout.mini_bits;
  out.bits = layout.bits;
  const std::uint64_t null_code = layout.bits == 64 ? UINT64_MAX : (std::uint64_t{1} << layout.bits) - 1;
  std::vector<std::uint64_t> mini;
  if (layout.mini_bits) {
    mini.reserve(blocks_of(count, layout.step));
    for (std::size_t i = 0; i < count;) {
      std::size_t last = std::min(count, i + (std::size_t{1} << layout.step));
      std::uint64_t least = UINT64_MAX;
      for (std::size_t j = i; j < last; j++) {
        if (!nulls || !nulls[j]) least = std::min(least, residuals[j]);
      }
      if (least == UINT64_MAX) least = 0;  // NULLs only
      for (; i < last; i++) residuals[i] -= least;
      mini.push_back(least);
    }
  }
  if (nulls) {
    for (std::size_t i = 0; i < count; i++) {
      if (nulls[i]) residuals[i] = null_code;
    }
  }
  out.mini_bytes = pack_bits(mini.data(), mini.size(), layout.mini_bits);
  out.data_bytes = pack_bits(residuals, count, layout.bits);
}

// The slope from the first to the last value, if no sum of the formula can leave 64 bits with it; else 0.
std::int64_t slope_of(const std::int64_t* values, std::size_t count) {
  if (count < 3) return 0;
  Wide rise = static_cast<Wide>(values[count - 1]) - values[0], run = static_cast<Wide>(count - 1);
  Wide slope = (rise >= 0 ? rise + run / 2 : rise - run / 2) / run;
  constexpr Wide kSafe = Wide{1} << 46;  // times 65,536 rows: within 62 bits
  return slope > -kSafe && slope < kSafe ? static_cast<std::int64_t>(slope) : 0;
}

}  // namespace

std::optional<OwnedPacked> pack(const std::int64_t* values, const std::uint8_t* nulls, std::size_t count) {
  OwnedPacked out;
  std::size_t null_count = nulls ? static_cast<std::size_t>(std::count(nulls, nulls + count, 1)) : 0;
  if (null_count == 0) nulls = nullptr;
  out.all_null = null_count == count;
  if (out.all_null) {
    out.mini_bytes = out.data_bytes = std::string(1, '\0');
    return out;
  }
  out.nullable = nulls != nullptr;
  std::int64_t least = INT64_MAX, most = INT64_MIN;
  for (std::size_t i = 0; i < count; i++) {
    if (nulls && nulls[i]) continue;
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  std::vector<std::uint64_t> residuals(count, 0);
  constexpr std::uint64_t kRange = (std::uint64_t{1} << kMaxPackedBits) - 2;  // with room for the code of NULL
  if (static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) > kRange) {
    for (std::size_t i = 0; i < count; i++) {
      if (nulls && nulls[i]) continue;
      if (nulls && values[i] == -1) return std::nullopt;
      residuals[i] = static_cast<std::uint64_t>(values[i]);
    }
    fill(out, Layout{0, 0, 64, 0}, residuals.data(), nulls, count);
    return out;
  }
  for (std::size_t i = 0; i < count; i++) {
    if (!nulls || !nulls[i]) residuals[i] = static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(least);
  }
  std::vector<Block> blocks;
  out.base = least;
  Layout best = best_layout(residuals.data(), nulls, count, blocks);
  // A slope costs up to 8 bytes in the row; series with NULLs are left without one.
  if (std::int64_t slope = nulls || best.bytes == 0 ? 0 : slope_of(values, count)) {
    // Beside the least value, so that no number here leaves 64 bits: residuals have 57, slope times row 62.
    std::vector<std::uint64_t> sloped(count);
    std::int64_t low = 0, high = 0, drop = 0;
    for (std::size_t i = 0; i < count; i++, drop += slope) {
      std::int64_t rest = static_cast<std::int64_t>(residuals[i]) - drop;
      sloped[i] = static_cast<std::uint64_t>(rest);
      low = i ? std::min(low, rest) : rest;
      high = i ? std::max(high, rest) : rest;
    }
    auto fits = [](Wide value) { return value >= INT64_MIN && value <= INT64_MAX; };
    Wide base = static_cast<Wide>(least) + low;
    if (fits(base) && fits(base + static_cast<Wide>(slope) * static_cast<Wide>(count - 1)) &&
        static_cast<Wide>(high) - low <= static_cast<Wide>(kRange)) {
      for (std::uint64_t& rest : sloped) rest -= static_cast<std::uint64_t>(low);
      Layout with = best_layout(sloped.data(), nulls, count, blocks);
      constexpr std::size_t kSlopeBytes = 4;
      if (with.bytes + kSlopeBytes < best.bytes) {
        best = with;
        residuals = std::move(sloped);
        out.base = static_cast<std::int64_t>(base);
        out.slope = slope;
      }
    }
  }
  fill(out, best, residuals.data(), nulls, count);
  return out;
}

// ---------------------------------------------------------------- decimals

double power_of_ten(int digits) {
  static constexpr double kPowers[kMaxScaleDigits + 1] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                                          1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  return kPowers[digits];
}

std::optional<int> decimal_digits(const double* values, const std::uint8_t* nulls, std::size_t count, std::int64_t* integers) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: every smaller integer is a double
  int digits = 0;
  auto convert = [&](double value, std::int64_t& integer) {
    double scaled = value * power_of_ten(digits);
    if (!(scaled > -kExact && scaled < kExact)) return false;
    integer = std::llrint(scaled);
    double back = static_cast<double>(integer) / power_of_ten(digits);
    return std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value);
  };
  for (bool settled = false; !settled;) {  // digits found late are tried on all values before
    settled = true;
    for (std::size_t i = 0; i < count; i++) {
      if (!nulls && i && has_avx2()) i += decimals_avx2(values + i, count - i, power_of_ten(digits), integers + i);
      if (i == count || (nulls && nulls[i])) continue;
      while (!convert(values[i], integers[i])) {
        if (++digits > kMaxScaleDigits) return std::nullopt;
        settled = i == 0;
      }
    }
  }
  return digits;
}

// ---------------------------------------------------------------- unpacking

const char* packed_fault(const PackedColumn& column, std::size_t count) {
  if (count == 0 || count > kMaxChunkRows) return "an impossible number of rows in a chunk";
  if (column.all_null) return nullptr;
  auto possible = [](int bits) { return (bits >= 0 && bits <= kMaxPackedBits) || bits == 64; };
  if (!possible(column.bits) || !possible(column.mini_bits)) return "an impossible number of bits";
  if (column.step < 0 || column.step > 16) return "an impossible step";
  if (column.data.size() < packed_bytes(count, column.bits)) return "too few bytes of data";
  if (column.mini.size() < packed_bytes(blocks_of(count, column.step), column.mini_bits)) return "too few bytes of mini bases";
  if (column.kind == PackedKind::kDecimal && !(column.scale >= 1 && column.scale <= 1e18)) return "an impossible scale";
  return nullptr;
}

namespace {

std::uint64_t load_word(const unsigned char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, 8);
  return __builtin_bswap64(word);
}

// One value, at most 57 bits wide; `bytes` has fewer than 8 bytes left at the end, so it is read byte by byte there.
std::uint64_t code_at(std::string_view bytes, std::size_t index, int bits) {
  if (bits == 0) return 0;
  std::size_t bit = index * static_cast<std::size_t>(bits), byte = bit >> 3;
  auto* at = reinterpret_cast<const unsigned char*>(bytes.data()) + byte;
  std::uint64_t word = 0;
  if (byte + 8 <= bytes.size()) {
    word = load_word(at);
  } else {
    for (std::size_t k = 0; byte + k < bytes.size(); k++) word |= static_cast<std::uint64_t>(at[k]) << (56 - 8 * k);
  }
  return (word << (bit & 7)) >> (64 - bits);
}

// Eight values of at most 8 bits lie in one word, at shifts that do not depend on the data.
void unpack_eights(const unsigned char* at, std::size_t groups, int bits, std::uint64_t* out) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for (std::size_t g = 0; g < groups; g++, at += bits, out += 8) {
    std::uint64_t word = load_word(at) >> (64 - 8 * bits);
    for (int k = 0; k < 8; k++) out[k] = (word >> (bits * (7 - k))) & mask;
  }
}

void unpack_codes(std::string_view bytes, std::size_t begin, std::size_t end, int bits, std::uint64_t* out) {
  const auto width = static_cast<std::size_t>(bits);
  const bool avx2 = bits <= kMostAvx2Bits && has_avx2();
  std::size_t i = begin;
  auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  auto whole_words = [&](std::size_t last) { return last * width / 8 + 8 <= bytes.size(); };
  if (avx2) {
    i += unpack_codes_avx2(data, bytes.size(), begin * width, bits, end - begin, out);
    out += i - begin;
  } else if (bits <= 8) {
    for (; i < end && (i & 7); i++) *out++ = code_at(bytes, i, bits);
    std::size_t groups = (end - i) / 8;
    while (groups && !whole_words(i + (groups - 1) * 8)) groups--;
    unpack_eights(data + i / 8 * width, groups, bits, out);
    i += groups * 8;
    out += groups * 8;
  } else {
    std::size_t fast = end;
    while (fast > i && !whole_words(fast - 1)) fast--;
    for (std::size_t bit = i * width; i < fast; i++, bit += width) {
      *out++ = (load_word(data + (bit >> 3)) << (bit & 7)) >> (64 - bits);
    }
  }
  if (i == end) return;
  // What is left begins within the last 8 bytes, or is 3 values or 7 that lie in as few: in a copy, there are bytes behind them.
  unsigned char tail[16] = {};
  std::size_t bit = i * width, byte = bit >> 3;
  std::memcpy(tail, data + byte, std::min<std::size_t>(8, bytes.size() - byte));
  bit &= 7;
  if (avx2) {
    std::size_t done = unpack_codes_avx2(tail, sizeof tail, bit, bits, end - i, out);
    i += done, out += done, bit += done * width;
  }
  for (; i < end; i++, bit += width) *out++ = (load_word(tail + (bit >> 3)) << (bit & 7)) >> (64 - bits);
}

void unpack_raw(std::string_view bytes, std::size_t begin, std::size_t end, std::uint64_t* out) {
  auto* at = reinterpret_cast<const unsigned char*>(bytes.data()) + begin * 8;
  for (std::size_t i = begin; i < end; i++, at += 8) *out++ = load_word(at);
}

void add(std::uint64_t* values, std::size_t count, std::uint64_t summand) {
  std::size_t i = has_avx2() ? count / 4 * 4 : 0;
  if (i) add_avx2(values, 1, i, &summand);
  for (; i < count; i++) values[i] += summand;
}

// A summand for each block of `rows` values; the last block may have fewer.
void add_to_blocks(std::uint64_t* values, std::size_t count, std::size_t rows, const std::uint64_t* summands) {
  std::size_t blocks = rows % 4 == 0 && has_avx2() ? count / rows : 0;
  if (blocks) add_avx2(values, blocks, rows, summands);
  summands += blocks;
  for (std::size_t i = blocks * rows; i < count; i += rows) add(values + i, std::min(rows, count - i), *summands++);
}

}  // namespace

void to_reals(const std::int64_t* integers, std::size_t count, double scale, double* out) {
  std::size_t i = has_avx2() ? divide_avx2(integers, count, scale, out) : 0;
  for (; i < count; i++) out[i] = static_cast<double>(integers[i]) / scale;
}

void unpack(const PackedColumn& column, std::size_t begin, std::size_t end, std::int64_t* out, std::uint8_t* nulls) {
  auto* codes = reinterpret_cast<std::uint64_t*>(out);
  const std::size_t count = end - begin;
  // Unsigned sums: what a hostile file claims may wrap, as two's complement does.
  const auto base = static_cast<std::uint64_t>(column.base), slope = static_cast<std::uint64_t>(column.slope);
  if (column.bits == 0) {
    std::fill(codes, codes + count, 0);
  } else if (column.bits == 64) {
    unpack_raw(column.data, begin, end, codes);
  } else {
    unpack_codes(column.data, begin, end, column.bits, codes);
  }
  if (column.nullable) {
    const std::uint64_t null_code = column.bits == 64 ? UINT64_MAX : (std::uint64_t{1} << column.bits) - 1;
    for (std::size_t i = 0; i < count; i++) nulls[i] = codes[i] == null_code;
  }
  if (column.mini_bits == 0) {
    add(codes, count, base);
  } else {
    constexpr std::size_t kAtOnce = 64;
    std::uint64_t mini[kAtOnce];
    const std::size_t rows = std::size_t{1} << column.step;
    for (std::size_t i = begin; i < end;) {
      std::size_t block = i >> column.step;  // of the first one, only the end may be asked for
      std::size_t blocks = i % rows ? 1 : std::min(kAtOnce, ((end - 1) >> column.step) + 1 - block);
      if (column.mini_bits == 64) {
        unpack_raw(column.mini, block, block + blocks, mini);
      } else {
        unpack_codes(column.mini, block, block + blocks, column.mini_bits, mini);
      }
      for (std::size_t b = 0; b < blocks; b++) mini[b] += base;
      std::size_t last = std::min(end, (block + blocks) * rows);
      add_to_blocks(codes + (i - begin), last - i, rows, mini);
      i = last;
    }
  }
  if (slope) {
    for (std::size_t i = 0; i < count; i++) codes[i] += slope * (begin + i);
  }
}

}  // namespace ts
