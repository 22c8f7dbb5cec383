/* bounded_row.h: a rotated row as a kernel of a contract may have it, with what may be off in each column. */
#ifndef RPP_BOUNDED_ROW_H
#define RPP_BOUNDED_ROW_H
#include "angles.h"
#include "row.h"

typedef struct {
  const rpp_contract *contract;
  rpp_row_layout layout;
  rpp_angle_source angles; /* closed by rpp_bounded_rows_close; empty when nothing is rotated */
  double *theta;           /* (W / 2), radians; null likewise and for given tables */
} rpp_bounded_rows;

/* For a checked rotary; null when all rows are rotated already. Errors: MEMORY, OVERFLOW. */
rpp_status rpp_bounded_rows_open(const rpp_contract *contract, const rpp_rotary *rotary, int64_t width, rpp_bounded_rows *rows);
void rpp_bounded_rows_close(rpp_bounded_rows *rows);

/* A row in row.h's layout becomes R_phi of it at position t, under the contract; left: the largest error of each column. cosine and sine are
 * room for W / 2 each. */
void rpp_bounded_row_rotate(const rpp_bounded_rows *rows, int64_t t, double *cosine, double *sine, double *row, double *left);

/* A row that is rotated already: only stored. */
void rpp_bounded_row_keep(const rpp_bounded_rows *rows, double *row, double *left);

#endif
