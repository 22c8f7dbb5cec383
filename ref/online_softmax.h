/* online_softmax.h: softmax over keys that come a tile at a time, in float32 (Milakov and Gimelshein 2018). */
#ifndef RPP_ONLINE_SOFTMAX_H
#define RPP_ONLINE_SOFTMAX_H
#include <stdint.h>

/* Scores are worked on in whole vectors: a row has room for a multiple of so many floats. */
enum { RPP_SOFTMAX_LANES = 8 };

/* e^x for x <= 0 (and -inf, and NaN) within one unit in the last place, subnormal results included; e^0 is 1. */
float rpp_exp_f32(float x);

/* What a row has seen so far: the largest score, -inf at first, and the sum of e^(x - largest). */
typedef struct {
  float largest, sum;
} rpp_online_softmax;

/* Takes in scores[first .. last - 1] of a tile of count keys, which become the weights e^(x - largest); the others become 0, whatever
 * they were. Returns what the sums over earlier tiles are to be multiplied by: 1 when the largest has not changed. A row that sees
 * nothing of the tile (first = last) stays as it is. The same bits on every machine. */
float rpp_online_softmax_add(rpp_online_softmax *row, int64_t count, int64_t first, int64_t last, float *scores);

/* Log-sum-exp of a row that has seen at least one key: NaN where all its scores were -inf, as the definition gives. */
double rpp_online_softmax_lse(const rpp_online_softmax *row);

#endif
