// With intrinsics, since the project is built for any processor of its architecture.
#include "ext/archive/packed_avx2.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#define TS_AVX2 __attribute__((target("avx2")))

namespace ts {

bool has_avx2() { return __builtin_cpu_supports("avx2"); }

namespace {

TS_AVX2 inline __m256i load(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
TS_AVX2 inline void store(void* at, __m256i words) { _mm256_storeu_si256(static_cast<__m256i*>(at), words); }

}  // namespace

TS_AVX2 std::size_t unpack_codes_avx2(const unsigned char* bytes, std::size_t size, std::size_t first_bit, int bits, std::size_t count,
                                      std::uint64_t* out) {
  const __m256i shifts = _mm256_setr_epi64x(64 - bits, 64 - 2 * bits, 64 - 3 * bits, 64 - 4 * bits);
  const __m256i mask = _mm256_set1_epi64x((1 << bits) - 1);
  std::size_t done = 0, bit = first_bit, step = 4 * static_cast<std::size_t>(bits);
  for (; done + 4 <= count && (bit >> 3) + 8 <= size; done += 4, bit += step) {
    std::uint64_t word;
    std::memcpy(&word, bytes + (bit >> 3), 8);
    word = __builtin_bswap64(word) << (bit & 7);
    __m256i words = _mm256_set1_epi64x(static_cast<long long>(word));
    store(out + done, _mm256_and_si256(_mm256_srlv_epi64(words, shifts), mask));
  }
  return done;
}

TS_AVX2 void add_avx2(std::uint64_t* values, std::size_t blocks, std::size_t rows, const std::uint64_t* summands) {
  for (std::size_t b = 0; b < blocks; b++) {
    const __m256i summand = _mm256_set1_epi64x(static_cast<long long>(summands[b]));
    for (const std::uint64_t* end = values + rows; values != end; values += 4) store(values, _mm256_add_epi64(load(values), summand));
  }
}

// An integer is its upper 16 bits, signed, and its lower 48: both become doubles exactly, by being put into the mantissa of
// one, and their sum is rounded once, as the processor's own conversion rounds.
TS_AVX2 std::size_t divide_avx2(const std::int64_t* integers, std::size_t count, double scale, double* out) {
  const __m256d divisor = _mm256_set1_pd(scale), both = _mm256_set1_pd(0x1.8p68 + 0x1p52);
  const __m256i high_one = _mm256_castpd_si256(_mm256_set1_pd(0x1.8p68)), low_one = _mm256_castpd_si256(_mm256_set1_pd(0x1p52));
  std::size_t done = 0;
  for (; done + 4 <= count; done += 4) {
    __m256i word = load(integers + done);
    __m256i upper = _mm256_blend_epi16(_mm256_srai_epi32(word, 16), _mm256_setzero_si256(), 0x33);  // lies 32 bits up, in units of 2^16
    __m256d high = _mm256_castsi256_pd(_mm256_add_epi64(upper, high_one));
    __m256d low = _mm256_castsi256_pd(_mm256_blend_epi16(word, low_one, 0x88));
    __m256d real = _mm256_add_pd(_mm256_sub_pd(high, both), low);
    _mm256_storeu_pd(out + done, _mm256_div_pd(real, divisor));
  }
  return done;
}

TS_AVX2 std::size_t decimals_avx2(const double* values, std::size_t count, double scale, std::int64_t* integers) {
  const __m256d factor = _mm256_set1_pd(scale), limit = _mm256_set1_pd(0x1p51), magic = _mm256_set1_pd(0x1.8p52);
  const __m256d sign = _mm256_set1_pd(-0.0);
  std::size_t done = 0;
  for (; done + 4 <= count; done += 4) {
    __m256d value = _mm256_loadu_pd(values + done), scaled = _mm256_mul_pd(value, factor);
    __m256d small = _mm256_cmp_pd(_mm256_andnot_pd(sign, scaled), limit, _CMP_LT_OQ);
    __m256d rounded = _mm256_add_pd(scaled, magic);  // its lowest bits are the integer, rounded to even
    __m256d back = _mm256_div_pd(_mm256_sub_pd(rounded, magic), factor);
    __m256i same = _mm256_cmpeq_epi64(_mm256_castpd_si256(back), _mm256_castpd_si256(value));
    if (_mm256_movemask_pd(_mm256_and_pd(small, _mm256_castsi256_pd(same))) != 15) break;
    store(integers + done, _mm256_sub_epi64(_mm256_castpd_si256(rounded), _mm256_castpd_si256(magic)));
  }
  return done;
}

}  // namespace ts

#else

namespace ts {

bool has_avx2() { return false; }
std::size_t unpack_codes_avx2(const unsigned char*, std::size_t, std::size_t, int, std::size_t, std::uint64_t*) { return 0; }
void add_avx2(std::uint64_t*, std::size_t, std::size_t, const std::uint64_t*) {}
std::size_t divide_avx2(const std::int64_t*, std::size_t, double, double*) { return 0; }
std::size_t decimals_avx2(const double*, std::size_t, double, std::int64_t*) { return 0; }

}  // namespace ts

#endif
