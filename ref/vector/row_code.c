/* row_code.c: what rows.h promises (lanes.h). meson.build keeps products and sums apart here: memory is slower than either. */
#include "vector/rows.h"
#include "vector/storage.h"

/* ---- Rows --------------------------------------------------------------------------------------------------------------- */

/* call with a dtype that the compiler knows, and so a loop for each. */
#define FOR_DTYPE(dtype, call)                                                                                                     \
  do {                                                                                                                             \
    if ((dtype) == RPP_F32) call(RPP_F32);                                                                                         \
    if ((dtype) == RPP_F16) call(RPP_F16);                                                                                         \
    if ((dtype) == RPP_BF16) call(RPP_BF16);                                                                                       \
  } while (0)

/* body(at, n) for whole vectors, then for what is left. */
#define VECTORS_OF(count, body)                                                                                                    \
  do {                                                                                                                             \
    int64_t at = 0;                                                                                                                \
    for (; at + LANES <= (count); at += LANES) body(at, LANES);                                                                    \
    if (at < (count)) body(at, (count)-at);                                                                                        \
  } while (0)

INLINE void load_as(rpp_dtype dtype, int64_t count, const char *from, float *to) {
#define BODY(at, n) put(RPP_F32, fetch(dtype, from + (at)*size_of(dtype), n), (char *)(to + (at)), n)
  VECTORS_OF(count, BODY);
#undef BODY
}

INLINE void store_as(rpp_dtype dtype, int64_t count, const float *from, char *to) {
#define BODY(at, n) put(dtype, fetch(RPP_F32, (const char *)(from + (at)), n), to + (at)*size_of(dtype), n)
  VECTORS_OF(count, BODY);
#undef BODY
}

INLINE void load_pairs_as(rpp_dtype dtype, int64_t pairs, const char *from, float *first, float *second) {
#define BODY(at, n)                                                                                                                \
  do {                                                                                                                             \
    const both x = fetch_pairs(dtype, from + 2 * (at)*size_of(dtype), n);                                                          \
    put(RPP_F32, x.first, (char *)(first + (at)), n);                                                                              \
    put(RPP_F32, x.second, (char *)(second + (at)), n);                                                                            \
  } while (0)
  VECTORS_OF(pairs, BODY);
#undef BODY
}

INLINE void store_pairs_as(rpp_dtype dtype, int64_t pairs, const float *first, const float *second, char *to) {
#define BODY(at, n)                                                                                                                \
  do {                                                                                                                             \
    const both x = {fetch(RPP_F32, (const char *)(first + (at)), n), fetch(RPP_F32, (const char *)(second + (at)), n)};            \
    put_pairs(dtype, x, to + 2 * (at)*size_of(dtype), n);                                                                          \
  } while (0)
  VECTORS_OF(pairs, BODY);
#undef BODY
}

static void load(rpp_dtype dtype, int64_t count, const char *from, float *to) {
#define CALL(known) load_as(known, count, from, to)
  FOR_DTYPE(dtype, CALL);
#undef CALL
}

static void store(rpp_dtype dtype, int64_t count, const float *from, char *to) {
#define CALL(known) store_as(known, count, from, to)
  FOR_DTYPE(dtype, CALL);
#undef CALL
}

static void load_pairs(rpp_dtype dtype, int64_t pairs, const char *from, float *first, float *second) {
#define CALL(known) load_pairs_as(known, pairs, from, first, second)
  FOR_DTYPE(dtype, CALL);
#undef CALL
}

static void store_pairs(rpp_dtype dtype, int64_t pairs, const float *first, const float *second, char *to) {
#define CALL(known) store_pairs_as(known, pairs, first, second, to)
  FOR_DTYPE(dtype, CALL);
#undef CALL
}

/* ---- Rotation ----------------------------------------------------------------------------------------------------------- */

INLINE both turned(both x, lanes c, lanes s, rpp_part part) {
  const both y = {x.first * c - x.second * s, x.second * c + x.first * s};
  return part == RPP_PART_IMAG ? (both){y.second, -y.first} : y;
}

/* A block of pairs, and its angles: two vectors of first columns and two of second ones, in whatever order costs least. */
enum { BLOCK = 2 * LANES, HELD = 8 }; /* HELD: blocks whose angles are at hand while heads pass */

typedef struct {
  both part[2];
} block;

/* Two vectors side by side: in one store, where narrowing into memory takes longer than into a register. */
INLINE void put_two(rpp_dtype dtype, lanes x, lanes y, char *to) {
#if RPP_LANES == 8 && defined(__AVX2__)
  if (dtype == RPP_F16) {
    const __m256i both_of = _mm256_inserti128_si256(_mm256_castsi128_si256((__m128i)narrow_f16(x)), (__m128i)narrow_f16(y), 1);
    memcpy(to, &both_of, sizeof both_of);
    return;
  }
#endif
  put(dtype, x, to, LANES);
  put(dtype, y, to + LANES * size_of(dtype), LANES);
}

INLINE lanes words_at(const char *from) {
  lanes x;
  memcpy(&x, from, sizeof x);
  return x;
}

/* Two bfloat16 side by side in each word, the first below. */
INLINE both split(lanes x) {
  return (both){(lanes)((words)x << 16), (lanes)((words)x & 0xffff0000)};
}

/* Of results of arithmetic, whose NaN are quiet. */
INLINE void join(lanes low, lanes high, char *to) {
#if RPP_LANES == 8 && defined(__AVX2__)
  const __m256i x = _mm256_blend_epi16((__m256i)(round_bf16(low) >> 16), (__m256i)round_bf16(high), 0xaa);
#else
  const words x = round_bf16(low) >> 16 | (round_bf16(high) & 0xffff0000);
#endif
  memcpy(to, &x, sizeof x);
}

/* cosine and sine of pairs 0 .. BLOCK - 1. */
INLINE block angles_of(rpp_dtype dtype, rpp_pairing pairing, const float *cosine, const float *sine) {
  const lanes c0 = *(const memory *)cosine, c1 = *(const memory *)(cosine + LANES), s0 = *(const memory *)sine,
              s1 = *(const memory *)(sine + LANES);
  if (dtype == RPP_BF16 && pairing == RPP_PAIRING_HALF)
    return (block){{{SHUFFLE(c0, c1, EVEN), SHUFFLE(s0, s1, EVEN)}, {SHUFFLE(c0, c1, ODD), SHUFFLE(s0, s1, ODD)}}};
  if (dtype != RPP_BF16 && pairing == RPP_PAIRING_INTERLEAVED)
    return (block){{{SHUFFLE(c0, c0, ORDER), SHUFFLE(s0, s0, ORDER)}, {SHUFFLE(c1, c1, ORDER), SHUFFLE(s1, s1, ORDER)}}};
  return (block){{{c0, s0}, {c1, s1}}};
}

INLINE both near_pairs(lanes x, lanes y) {
  return (both){SHUFFLE(x, y, EVEN_NEAR), SHUFFLE(x, y, ODD_NEAR)};
}

/* first, second: where the block's first and second columns begin; interleaved: its two halves. */
INLINE block read_block(rpp_dtype dtype, rpp_pairing pairing, const char *first, const char *second) {
  const int64_t vector = LANES * size_of(dtype);
  if (dtype == RPP_BF16) {
    const both x = split(words_at(first)), y = split(words_at(second));
    if (pairing == RPP_PAIRING_INTERLEAVED) return (block){{x, y}};
    return (block){{{x.first, y.first}, {x.second, y.second}}};
  }
  const lanes x0 = fetch(dtype, first, LANES), x1 = fetch(dtype, first + vector, LANES), y0 = fetch(dtype, second, LANES),
              y1 = fetch(dtype, second + vector, LANES);
  if (pairing == RPP_PAIRING_INTERLEAVED) return (block){{near_pairs(x0, x1), near_pairs(y0, y1)}};
  return (block){{{x0, y0}, {x1, y1}}};
}

INLINE void write_block(rpp_dtype dtype, rpp_pairing pairing, block b, char *first, char *second) {
  const both x = b.part[0], y = b.part[1];
  const bool half = pairing == RPP_PAIRING_HALF;
  if (dtype == RPP_BF16) {
    join(x.first, half ? y.first : x.second, first);
    join(half ? x.second : y.first, y.second, second);
    return;
  }
  put_two(dtype, half ? x.first : SHUFFLE(x.first, x.second, LOW_NEAR), half ? y.first : SHUFFLE(x.first, x.second, HIGH_NEAR),
          first);
  put_two(dtype, half ? x.second : SHUFFLE(y.first, y.second, LOW_NEAR), half ? y.second : SHUFFLE(y.first, y.second, HIGH_NEAR),
          second);
}

/* All of the block is read before any of it is written. */
INLINE void rotate_block(rpp_dtype dtype, rpp_pairing pairing, rpp_part part, block angles, const char *x, char *y,
                         int64_t second) {
  const block before = read_block(dtype, pairing, x, x + second);
  const block after = {{turned(before.part[0], angles.part[0].first, angles.part[0].second, part),
                        turned(before.part[1], angles.part[1].first, angles.part[1].second, part)}};
  write_block(dtype, pairing, after, y, y + second);
}

/* Fewer pairs than a block has, in a block of their own. second: from a pair's first column to its second, half a block where they lie side
 * by side. */
INLINE void rotate_rest(rpp_dtype dtype, rpp_pairing pairing, rpp_part part, block angles, const char *x, char *y, int64_t second,
                        int64_t count) {
  enum { ROOM = BLOCK * 4 };
  char room[2 * ROOM] = {0};
  const int64_t bytes = count * size_of(dtype), half = BLOCK * size_of(dtype);
  const bool whole = pairing == RPP_PAIRING_INTERLEAVED;
  memcpy(room, x, (size_t)(whole ? 2 * bytes : bytes));
  if (!whole) memcpy(room + half, x + second, (size_t)bytes);
  rotate_block(dtype, pairing, part, angles, room, room, half);
  memcpy(y, room, (size_t)(whole ? 2 * bytes : bytes));
  if (!whole) memcpy(y + second, room + half, (size_t)bytes);
}

INLINE void rotate_as(rpp_dtype dtype, rpp_pairing pairing, rpp_part part, const rpp_turn *turn, int64_t heads, const char *x,
                      int64_t x_stride, char *y, int64_t y_stride, const float *cosine, const float *sine) {
  const int64_t size = size_of(dtype), pairs = turn->pairs, done = 2 * pairs * size;
  const int64_t second = pairing == RPP_PAIRING_HALF ? pairs * size : BLOCK * size;
  const int64_t step = pairing == RPP_PAIRING_HALF ? size : 2 * size; /* from pair to pair */
  const int64_t whole = pairs / BLOCK * BLOCK;
  /* Along a head, as it lies in memory: block by block over the heads, stores take twice as long, as the processor does not see where they
   * are going. */
  if (heads == 1) /* needs none of its angles twice */
    for (int64_t n = 0; n < whole; n += BLOCK)
      rotate_block(dtype, pairing, part, angles_of(dtype, pairing, cosine + n, sine + n), x + n * step, y + n * step, second);
  block angles[HELD];
  for (int64_t from = 0; heads > 1 && from < whole; from += HELD * BLOCK) {
    const int64_t blocks = (whole - from) / BLOCK < HELD ? (whole - from) / BLOCK : HELD;
    for (int64_t n = 0; n < blocks; n++) angles[n] = angles_of(dtype, pairing, cosine + from + n * BLOCK, sine + from + n * BLOCK);
    for (int64_t h = 0; h < heads; h++)
      for (int64_t n = 0; n < blocks; n++)
        rotate_block(dtype, pairing, part, angles[n], x + h * x_stride + (from + n * BLOCK) * step,
                     y + h * y_stride + (from + n * BLOCK) * step, second);
  }
  if (whole < pairs) {
    float c[BLOCK] = {0}, s[BLOCK] = {0};
    memcpy(c, cosine + whole, (size_t)(pairs - whole) * sizeof *c);
    memcpy(s, sine + whole, (size_t)(pairs - whole) * sizeof *s);
    const block last = angles_of(dtype, pairing, c, s);
    for (int64_t h = 0; h < heads; h++)
      rotate_rest(dtype, pairing, part, last, x + h * x_stride + whole * step, y + h * y_stride + whole * step, second,
                  pairs - whole);
  }
  if (x != y && turn->rest > 0)
    for (int64_t h = 0; h < heads; h++) memcpy(y + h * y_stride + done, x + h * x_stride + done, (size_t)(turn->rest * size));
}

static void rotate(const rpp_turn *turn, int64_t heads, const char *x, int64_t x_stride, char *y, int64_t y_stride,
                   const float *cosine, const float *sine) {
#define CALL_WITH(dtype, pairing, part) rotate_as(dtype, pairing, part, turn, heads, x, x_stride, y, y_stride, cosine, sine)
#define CALL(dtype)                                                                                                                \
  do {                                                                                                                             \
    if (turn->pairing == RPP_PAIRING_HALF && turn->part == RPP_PART_REAL) CALL_WITH(dtype, RPP_PAIRING_HALF, RPP_PART_REAL);       \
    if (turn->pairing == RPP_PAIRING_HALF && turn->part == RPP_PART_IMAG) CALL_WITH(dtype, RPP_PAIRING_HALF, RPP_PART_IMAG);       \
    if (turn->pairing == RPP_PAIRING_INTERLEAVED && turn->part == RPP_PART_REAL)                                                   \
      CALL_WITH(dtype, RPP_PAIRING_INTERLEAVED, RPP_PART_REAL);                                                                    \
    if (turn->pairing == RPP_PAIRING_INTERLEAVED && turn->part == RPP_PART_IMAG)                                                   \
      CALL_WITH(dtype, RPP_PAIRING_INTERLEAVED, RPP_PART_IMAG);                                                                    \
  } while (0)
  FOR_DTYPE(turn->dtype, CALL);
#undef CALL
#undef CALL_WITH
}

extern const rpp_row_code IN_SET(rpp_row_code);
const rpp_row_code IN_SET(rpp_row_code) = {load, load_pairs, store, store_pairs, rotate};
