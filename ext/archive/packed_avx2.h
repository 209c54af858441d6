// The inner loops of packing and unpacking for processors with AVX2, four values at a time. Pure.
//
// Callers: packed_column.cc, which has the same loops one value at a time for every other processor. Law: both give the
// same bits. Functions that take `count` values return how many of them, from the front, they have done.
#pragma once
#include <cstddef>
#include <cstdint>

namespace ts {

bool has_avx2();  // the others are called only where this is true

constexpr int kMostAvx2Bits = 14;  // four values lie within 57 bits, whatever bit they begin at

// Codes of 1 to kMostAvx2Bits bits from bit `first_bit` of the `size` bytes on.
std::size_t unpack_codes_avx2(const unsigned char* bytes, std::size_t size, std::size_t first_bit, int bits, std::size_t count,
                              std::uint64_t* out);
// Adds to each block of `rows` values, a multiple of 4, its summand.
void add_avx2(std::uint64_t* values, std::size_t blocks, std::size_t rows, const std::uint64_t* summands);
std::size_t divide_avx2(const std::int64_t* integers, std::size_t count, double scale, double* out);
// Values that are an integer, below 2^51, divided by `scale`: up to the first four of which one is not.
std::size_t decimals_avx2(const double* values, std::size_t count, double scale, std::int64_t* integers);

}  // namespace ts
