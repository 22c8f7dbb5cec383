/* faulty_attention.h: attention by its definition in float64, with one fault to order. Written apart from the library and from
 * verify/'s hypotheses, by which its faults are to be named. */
#ifndef FAULTY_ATTENTION_H
#define FAULTY_ATTENTION_H
#include "kernels/kernel.h"

typedef enum {
  FAULTY_NONE = 0,
  FAULTY_TURN_SIGN,
  FAULTY_TURN_ON_K,
  FAULTY_TURN_MISSING,
  FAULTY_TURN_OTHER_PAIRING,
  FAULTY_SWAPPED,
  FAULTY_STACKED,
  FAULTY_KV_NOT_DOUBLED,
  FAULTY_KV_TILED,
  FAULTY_V_TILED,
  FAULTY_IMAGINARY_SCALE,
  FAULTY_JOINT_SOFTMAX,
  FAULTY_JOINT_SHARES,
  FAULTY_PAIRING_OTHER,
  FAULTY_PAIRING_K,
  FAULTY_PAIRING_Q,
  FAULTY_BASE,
  FAULTY_WHOLE_HEAD,
  FAULTY_HEAD_FREQUENCIES,
  FAULTY_NO_SCALING,
  FAULTY_NO_MAGNITUDE,
  FAULTY_QUERY_LATE,
  FAULTY_POSITION_INDEX,
  FAULTY_ANGLES_F32,
  FAULTY_CORNER,
  FAULTY_STRICT,
  FAULTY_WINDOW_WIDE,
  FAULTY_NO_MASK,
  FAULTY_NOT_PACKED,
  FAULTY_TAIL_DROPPED,
  FAULTY_NO_SCALE,
  FAULTY_LSE_BASE_2,
  FAULTY_LSE_LN_2,
  FAULTY_LSE_LAYOUT,
  FAULTY_OUT_LAYOUT,
  FAULTY_LEAK,          /* query 1 sees key 3 too */
  FAULTY_MISS,          /* query 2 does not see key 0 */
  FAULTY_IMAGINARY_12,  /* imaginary scores scaled twice, where d is 12 */
  FAULTY_KV_SHIFT,      /* o shifted right by log2 of the group, rounded down */
  FAULTY_POSITION_RUN,  /* key positions counted on from the first one's */
  FAULTY_OUT_F16,       /* out rounded to float16 before it is stored */
  FAULTY_TURN_AGAIN,    /* imaginary queries that come rotated are turned once more */
  FAULTY_UNWRITTEN,     /* imaginary heads past the first */
  FAULTY_MIRRORED,      /* imaginary queries (b, a) once they are rotated, in place of (b, -a) */
  FAULTY_MIRRORED_RAW,  /* the same before */
  FAULTY_NOISE,         /* 10 % more, here and there */
  FAULTY_ROTATION_SIGN, /* rotate turns the other way; forward is right */
  FAULTY_LSE_ZERO,
  FAULTY_LSE_ZERO_64,    /* of heads past the first 64 */
  FAULTY_ANGLES_ROUNDED, /* t theta rounded to float32, but theta not */
  FAULTY_COUNT
} faulty;

/* A kernel of that fault, its contract that of rpp_attention_blocked for the storage type. Valid until the next call for the same
 * fault and type. */
const rpp_kernel *faulty_kernel(faulty fault, rpp_dtype storage);

#endif
