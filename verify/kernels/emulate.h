/* emulate.h: a plain CPU kernel that rounds exactly where a contract says that a kernel may round: every store, every sum, every tile. It
 * is slow and easy to read. With no fault it is the clean kernel by which bounds are tested; with one it is a planted kernel. */
#ifndef RPP_EMULATE_H
#define RPP_EMULATE_H
#include "kernels/kernel.h"

/* Faults inside the kernel; where each was seen is in plants.c. Faults that are another problem's right answer, or that spoil a right
 * answer, wrap the kernel instead (plant_problem.c, plant_result.c). */
typedef enum {
  RPP_FAULT_NONE = 0,
  /* heads (emulate.c) */
  RPP_FAULT_KV_NOT_DOUBLED,  /* output head o reads KV head o / (P / K), as if it were a projected one */
  RPP_FAULT_KV_BY_COUNT,     /* o / K: right only where the group has K heads */
  RPP_FAULT_KV_TILED,        /* o mod K: tile instead of repeat */
  RPP_FAULT_TURN_SIGN,       /* +pi/2 */
  RPP_FAULT_TURN_ON_K,       /* k turned by -pi/2 for imaginary heads, q not */
  RPP_FAULT_TURN_MISSING,    /* the imaginary head is the real one again */
  RPP_FAULT_TURN_TWICE,      /* -pi */
  RPP_FAULT_TURN_AFTER_PAIR, /* neighbours turned whatever the pairing */
  RPP_FAULT_IMAG_SCALED,     /* imaginary scores times 1 / sqrt 2 */
  RPP_FAULT_LAST_QUERY_LOST, /* the last query row of an odd count is not written */
  RPP_FAULT_RACE,            /* the second of two calls reads one weight before it is written */
  RPP_FAULT_KEY_INT16,       /* keys past 32767 are read at a wrapped index: NaN */
  /* rotation (emulate_rotate.c) */
  RPP_FAULT_K_PAIRING,          /* k in the other pairing */
  RPP_FAULT_HALF_OF_HEAD,       /* pairs (n, n + D / 2) where W < D */
  RPP_FAULT_ANGLES_BF16,        /* the position in bfloat16 */
  RPP_FAULT_ANGLES_F16,         /* the angle in float16 */
  RPP_FAULT_ANGLES_FAST,        /* reduced by a float32 2 pi */
  RPP_FAULT_TABLE_CLAMPED,      /* a table of 2048 rows, its last row from there on */
  RPP_FAULT_TABLE_WRAPPED,      /* a table of 4096 rows, from its start again */
  RPP_FAULT_MAGNITUDE_LOST,     /* cos and sin without m */
  RPP_FAULT_MAGNITUDE_Q,        /* m on q only */
  RPP_FAULT_OVERWRITTEN_PAIR,   /* in place: the second column is computed from the new first one */
  RPP_FAULT_PARTIAL_NOT_COPIED, /* out of place: columns past W are not written */
  /* softmax (emulate_attend.c) */
  RPP_FAULT_MASKED_TILE_ZERO, /* a tile that is masked altogether has maximum 0 */
  RPP_FAULT_SENTINEL_5E4,     /* the running maximum starts at -5e4 */
  RPP_FAULT_SENTINEL_1E30,    /* masked scores are -1e30 */
  RPP_FAULT_EMPTY_NAN,        /* 0 / 0 where no key is seen */
  RPP_FAULT_EMPTY_LSE_ZERO,   /* LSE 0 there */
  RPP_FAULT_TAIL_NAN,         /* v past the end is NaN times weight 0 */
  RPP_FAULT_TAIL_ZERO_SCORE,  /* keys past the end score 0 */
  RPP_FAULT_TAIL_DROPPED,     /* the last tile, when not full, is left out */
  RPP_FAULT_TILE_SKIPPED,     /* every second tile is left out: 128 assumed, 64 done */
  RPP_FAULT_SCORE_F16,        /* |q.k| > 65504 is infinite */
  RPP_FAULT_SUM_BF16,         /* the output accumulator is bfloat16 */
  RPP_FAULT_SUM_F16,          /* and float16 with flush to zero */
  RPP_FAULT_DOT_BF16,         /* the score accumulator is bfloat16 */
  RPP_FAULT_TILE_GAIN,        /* the second tile's weighted values are 1 % large */
  RPP_FAULT_SPLIT_WEIGHT,     /* the last split's weight is e^0.02 large */
  RPP_FAULT_SPLIT_LSE,        /* the last split's LSE is ln 2 large */
  RPP_FAULT_SPLIT_FIRST,      /* only the first split is delivered */
  RPP_FAULT_STORE_TRUNCATED,  /* the output is cut off instead of rounded */
  RPP_FAULT_OUT_GAIN,         /* the output is 0.15 % too large before it is stored */
  RPP_FAULT_WEIGHT_FLUSHED,   /* weights below 2^-14 become 0 */
  RPP_FAULT_MAX_NOT_TAKEN,    /* exp without subtracting the maximum */
  RPP_FAULT_SCORE_FUSED,      /* the maximum, rounded, is subtracted from scores that are not: fma(scale, q.k, -m) */
  RPP_FAULT_RESCALE_SUM_ONLY, /* a new maximum rescales l but not the output */
  RPP_FAULT_LSE_BASE_2,       /* log2 */
  RPP_FAULT_LSE_NO_MAX,       /* the logarithm of l alone */
  RPP_FAULT_LSE_UNSCALED      /* the maximum before the scale */
} rpp_fault;

/* What a kernel of these functions points its data at. contract: the roundings it performs, which for a planted kernel need not be those
 * that it promises. */
typedef struct {
  rpp_contract contract;
  rpp_fault fault;
} rpp_emulation;

const char *rpp_emulate_supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem);
int rpp_emulate_rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x,
                       const rpp_tensor *pos, rpp_tensor *y, const char **reason);
int rpp_emulate_forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                        rpp_tensor *out, rpp_tensor *lse, void *workspace, const char **reason);

/* rpp_emulate_forward with the arithmetic given apart from the kernel. */
int rpp_emulate(const rpp_emulation *emulation, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                rpp_tensor *lse, const char **reason);

/* The contracts on offer: roundings of a 16-bit type with tensor cores, or of scalar code. */
rpp_contract rpp_emulated_contract(rpp_dtype storage);

/* The clean kernels, ended by null. */
extern const rpp_kernel *const rpp_emulated_kernels[];

/* Whether this is the second, fourth, ... call in a row with the same inputs: where a planted race is lost. A function of the case and
 * of nothing that ran before it. */
bool rpp_emulated_again(const rpp_attention_inputs *inputs);

#endif
