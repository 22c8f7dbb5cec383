/* shrink_moves.h: the ways in which a case can be made simpler. */
#ifndef RPP_SHRINK_MOVES_H
#define RPP_SHRINK_MOVES_H
#include "cases/spec.h"

/* One line of the table of moves. */
typedef struct {
  const char *name;

  /* Changes *spec to candidate number step (0, 1, ...), the boldest first. Leaves it alone where that candidate is no simpler;
   * false after the last. A candidate may be unsound: the caller checks. */
  bool (*apply)(rpp_spec *spec, int step);

  bool sizes; /* what is lost with the size may come back with other values: worth a few other seeds */
} rpp_shrink_move;

/* Ended by a null name. */
extern const rpp_shrink_move rpp_shrink_moves[];

/* A move, and after it what follows: keys that stood at a default which depends on others stand at it again, and counts that no
 * longer fit are cut. */
bool rpp_shrink_move_apply(const rpp_shrink_move *move, int step, rpp_spec *spec);

#endif
