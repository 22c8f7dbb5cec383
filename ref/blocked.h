/* blocked.h: what the files of the fast CPU kernel share: one call's state, and its steps. */
#ifndef RPP_BLOCKED_H
#define RPP_BLOCKED_H
#include "angles.h"
#include "check_attention.h"
#include "online_softmax.h"
#include "row.h"
#include "visible.h"

enum {
  RPP_BLOCKED_ROWS =
      256, /* of a block: queries times the output heads of one KV head; even, so that no real and imaginary pair is cut */
  RPP_BLOCKED_KEYS = 256,     /* of a tile; tiles start at its multiples, whatever is masked */
  RPP_BLOCKED_CHUNK = 4 << 20 /* bytes of K and V, in float32, that are rotated before blocks use them; at least one KV head */
};

/* Cosines and sines of all positions in float32: (sequences, tokens, pairs), sequences 1 where positions are shared. */
typedef struct {
  float *cosine, *sine;
  int64_t sequences, tokens;
} rpp_float_table;

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_tensor *out, *lse;
  rpp_problem problem;
  rpp_row_layout layout, v_layout; /* of q and k; of v and out */
  rpp_angle_source angles;
  rpp_key_range keys;     /* what the queries see together: only this part of K and V is read */
  rpp_key_range *visible; /* (q_len) */
  int64_t group;          /* output heads of a KV head */
  int64_t units, chunk;   /* KV heads of all sequences; how many of them are loaded at a time */
  int64_t items, blocks;  /* of a unit: rows (query, output head), and blocks of them */
  int64_t block_rows;     /* at most */
  int64_t score_stride;   /* from row to row of a tile of scores */
  int threads;
  rpp_float_table q_table, k_table;
  float *k, *v;           /* (chunk, keys, D) rotated, (chunk, keys, Dv) with what is not finite replaced by 0 */
  unsigned char *unsound; /* (chunk, keys): v had something that is not finite */
  int64_t scratch_floats;
  float *scratch;              /* per thread */
  double *angle_scratch;       /* per thread: 2 pairs */
  rpp_online_softmax *softmax; /* per thread: block_rows */
} rpp_blocked;

/* Key first + j of unit u into slot (u - first unit of the chunk). */
void rpp_blocked_load_key(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t j);

/* Block `block` of a unit, whose keys are in the slot. scratch, softmax: one thread's. */
int64_t rpp_blocked_scratch(const rpp_blocked *f); /* floats */
void rpp_blocked_attend(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t block, float *scratch,
                        rpp_online_softmax *softmax);

#endif
