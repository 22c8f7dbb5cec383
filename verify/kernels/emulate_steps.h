/* emulate_steps.h: the steps of the emulated kernel, from one rounding to one row of output. Internal to emulate*.c. */
#ifndef RPP_EMULATE_STEPS_H
#define RPP_EMULATE_STEPS_H
#include "kernels/emulate.h"

#include <math.h>

/* ---- One operation ------------------------------------------------------------------------------------------------------ */

/* The result of one operation outside the matrix units: float64 or float32. A float64 result of + - * / on float32 operands, rounded again, is
 * the float32 result: 53 >= 2 * 24 + 2. */
static inline double rpp_emulated_scalar(const rpp_emulation *e, double x) {
  return e->contract.sums == RPP_SUMS_F64 ? x : (double)(float)x;
}

/* The first count products a[i] b[i stride] added to sum, in steps of the contract: one product rounded and added at a time, or, in tensor
 * cores, sum_depth products and the accumulator added exactly and cut off to 24 bits. */
double rpp_emulated_dot(const rpp_emulation *e, double sum, int64_t count, const double *a, const double *b, int64_t stride);

/* ---- Rotation ----------------------------------------------------------------------------------------------------------- */

/* Cosines and sines of consecutive tokens as the kernel has them: (L, pairs). */
typedef struct {
  int64_t pairs;
  double *cosine, *sine;
} rpp_emulated_angles;

/* For tokens of sequence b; pos: (L) or (B, L). of_k: the rotation is k's. False when memory is out or the rotary is not sound. */
bool rpp_emulated_angles_open(const rpp_emulation *e, const rpp_rotary *rotary, const rpp_tensor *pos, int64_t b, bool of_k,
                              rpp_emulated_angles *angles);
void rpp_emulated_angles_close(rpp_emulated_angles *angles);

/* Row (b, l, h) of x as stored, and a row into y. row: D values in the tensor's own columns. */
void rpp_emulated_load(const rpp_tensor *x, int64_t b, int64_t l, int64_t h, double *row);
void rpp_emulated_deliver(const rpp_tensor *y, int64_t b, int64_t l, int64_t h, const double *row);

/* Columns of pair n. */
typedef struct {
  int64_t first, second;
} rpp_emulated_pair;
rpp_emulated_pair rpp_emulated_columns(const rpp_emulation *e, const rpp_rotary *rotary, int64_t width, bool of_k, int64_t n);

/* R(-pi/2) of a row, exactly; its columns are those of of_k's pairing. */
void rpp_emulated_turn(const rpp_emulation *e, const rpp_rotary *rotary, int64_t width, double *row);

/* A row becomes its rotation by the angles of token l, stored as the contract says. */
void rpp_emulated_rotate_row(const rpp_emulation *e, const rpp_rotary *rotary, const rpp_emulated_angles *angles, int64_t l,
                             int64_t width, bool of_k, double *row);

/* A row that is rotated already is stored as the contract says. */
void rpp_emulated_keep_row(const rpp_emulation *e, int64_t width, double *row);

/* ---- Attention -------------------------------------------------------------------------------------------------------------- */

/* One query head at one token, and the keys and values of its KV head. */
typedef struct {
  const double *q, *k, *v;   /* (D), (keys, D), (keys, Dv) */
  int64_t head_dim, v_dim;   /* D, Dv */
  int64_t keys, first, last; /* all keys; those visible are first .. last - 1, none when first = last */
  double scale;
  double *scratch; /* rpp_emulated_scratch values */
} rpp_emulated_row;

int64_t rpp_emulated_scratch(const rpp_emulation *e, int64_t v_dim);

/* out: Dv values, and the row's LSE, both rounded as the contract stores them. */
void rpp_emulated_attend(const rpp_emulation *e, const rpp_emulated_row *row, double *out, double *lse);

#endif
