/* sets.h: what is written in GCC's vectors (the *_code.c of this folder) is compiled once for each instruction set; the best that this CPU
 * has is taken when the program runs. */
#ifndef RPP_SETS_H
#define RPP_SETS_H
#include "vector/angle_code.h"
#include "vector/decode.h"
#include "vector/rows.h"
#include "vector/tiles.h"

typedef struct {
  const char *name; /* of the instruction set */
  const rpp_angle_code *angles;
  const rpp_decode *decode;
  const rpp_row_code *rows;
  const rpp_tiles *tiles;
} rpp_vector_set;

/* Best first, ended by null: those that this build has and this CPU can run; the last needs nothing. */
const rpp_vector_set *const *rpp_vector_sets(void);

#endif
