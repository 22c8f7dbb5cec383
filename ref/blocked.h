/* blocked.h: what the files of the fast CPU kernel share: one call's state, and its steps. */
#ifndef RPP_BLOCKED_H
#define RPP_BLOCKED_H
#include "angles.h"
#include "check_attention.h"
#include "float_angles.h"
#include "row.h"
#include "vector/sets.h"
#include "visible.h"

enum {
  RPP_BLOCKED_KEYS = 240, /* of a tile: whole loads and strips (decode_blocked.c); it starts at a multiple, whatever is masked */
  RPP_BLOCKED_PANELS = 6, /* of a block, at most */
  RPP_BLOCKED_LOAD = 16,  /* keys that are loaded at a time: a multiple of every micro-tile's rows */
  RPP_BLOCKED_CHUNK = 8 << 20 /* bytes of K and V, in float32, that are rotated before blocks use them; at least one KV head */
};

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_tensor *out, *lse;
  rpp_problem problem;
  rpp_row_layout layout, v_layout; /* of q and k; of v and out */
  rpp_angle_source angles;
  rpp_key_range keys;            /* what the queries see together: only this part of K and V is read */
  rpp_key_range *visible;        /* (q_len) */
  int64_t group;                 /* output heads of a KV head */
  int64_t units, chunk;          /* KV heads of all sequences; how many of them are loaded at a time */
  int64_t items, panels, blocks; /* of a unit: rows (query, output head), panels of tiles->columns of them, blocks of panels */
  int64_t block_panels;          /* at most */
  const rpp_tiles *tiles;
  const rpp_decode *decode;
  int64_t start, room; /* the first key that is loaded, and how many: whole RPP_BLOCKED_LOADs */
  int64_t v_room;      /* v's width in whole micro-tiles */
  int threads;
  rpp_float_table q_table, k_table;
  void *memory; /* what follows lies in */
  float *k;     /* rotated: (chunk, room / rows, D, rows) for the micro-tile's rows */
  float *v;     /* what is not finite replaced by 0: (chunk, tiles, v_room / rows, keys of the tile, rows): a tile in few pages */
  unsigned char *unsound; /* (chunk, room): v had something that is not finite */
  float
      *key_norm; /* (chunk, room / RPP_BLOCKED_LOAD): the largest of keys that are loaded together; infinite where v is not small */
  int64_t scratch_floats;
  float *scratch;        /* per thread */
  double *angle_scratch; /* per thread: 4 pairs */
} rpp_blocked;

/* Keys start + RPP_BLOCKED_LOAD part and on, of K and V of a unit, into slot (unit - first unit of the chunk). scratch: one thread's. */
void rpp_blocked_load_keys(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t part, float *scratch);

/* rpp_attention_blocked by the code of one of rpp_vector_sets(). */
rpp_status rpp_attention_blocked_by(const rpp_vector_set *set, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                                    rpp_tensor *out, rpp_tensor *lse);

/* Block `block` of a unit, whose keys are in the slot. scratch: one thread's. */
int64_t rpp_blocked_scratch(const rpp_blocked *f); /* floats */
void rpp_blocked_attend(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t block, float *scratch);

#endif
