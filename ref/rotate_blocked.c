/* rotate_blocked.c: the fast kernel's rotation, by itself: over runs of tokens, all heads of a token at a time, in vectors from x to y
 * where columns lie side by side. What is computed from what follows from the problem alone, never from the number of threads. */
#include "angles.h"
#include "check_attention.h"
#include "check_tensor.h"
#include "float_angles.h"
#include "float_row.h"
#include "status.h"
#include "team.h"
#include "tensor.h"
#include "vector/sets.h"

#include <stdlib.h>
#include <string.h>

/* Whether y is x: every element at its own place. */
static bool in_place(const rpp_tensor *x, const rpp_tensor *y) {
  return (char *)x->data + x->byte_offset == (char *)y->data + y->byte_offset && x->dtype == y->dtype &&
         memcmp(x->strides, y->strides, sizeof x->strides) == 0;
}

static rpp_status check(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, const rpp_tensor *y) {
  if (part != RPP_PART_REAL && part != RPP_PART_IMAG) return rpp_fail(RPP_ERROR_VALUE, "part = %d: unknown", (int)part);
  RPP_TRY(rpp_check_floating("x", x, 4, (int64_t[]){-1, -1, -1, -1}));
  if (x->dtype == RPP_F64) return rpp_fail(RPP_ERROR_DTYPE, "x.dtype = F64: expected F32, F16 or BF16");
  RPP_TRY(rpp_check_rotary(rotary, x->shape[3]));
  RPP_TRY(rpp_check_positions("pos", pos, x->shape[0], x->shape[1], rotary));
  RPP_TRY(rpp_check_floating("y", y, 4, x->shape));
  const rpp_named_tensor inputs[] = {
      {"x", in_place(x, y) ? NULL : x}, {"pos", pos}, {"inv_freq", rotary->inv_freq}, {"cos", rotary->cos}, {"sin", rotary->sin}};
  return rpp_check_output("y", y, 5, inputs);
}

/* Tokens that are one thread's, by one walk over their angles, and how many angles it holds at a time. */
enum { RUN = 256, SLICE = 32 };

typedef struct {
  const rpp_tensor *x, *pos, *y;
  rpp_angle_source angles;
  rpp_row_layout layout;
  rpp_part part;
  bool straight;
  int64_t runs; /* of a sequence */
  int threads;
  double *scratch; /* per thread: 4 pairs */
  float *floats;   /* per thread: SLICE rows of cosines and as many of sines (width / 2 at most), two rows (width) */
} rotation;

/* Whatever the layout. All of a row is read before any of it is written: y may be x. */
static void rotate_rows(const rotation *r, int64_t b, int64_t l, const float *cosine, const float *sine, float *row) {
  float *turned = row + r->layout.width;
  for (int64_t h = 0; h < r->x->shape[2]; h++) {
    rpp_float_row_load(&r->layout, r->x, b, l, h, row);
    rpp_float_row_rotate(&r->layout, cosine, sine, row);
    if (r->part == RPP_PART_IMAG) rpp_float_row_quarter_turn(&r->layout, row, turned);
    rpp_float_row_store(&r->layout, r->y, b, l, h, r->part == RPP_PART_IMAG ? turned : row);
  }
}

static void rotate_token(const rotation *r, int64_t b, int64_t l, const float *cosine, const float *sine, float *rows) {
  if (!r->straight) {
    rotate_rows(r, b, l, cosine, sine, rows);
    return;
  }
  const rpp_turn turn = {r->x->dtype, r->layout.pairing, r->part, r->angles.pairs, r->layout.width - r->layout.rotary_dim};
  const int64_t size = (int64_t)rpp_dtype_size(r->x->dtype);
  rpp_vector_sets()[0]->rows->rotate(&turn, r->x->shape[2], rpp_tensor_at(r->x, b, l, 0, 0), r->x->strides[2] * size,
                                     rpp_tensor_at(r->y, b, l, 0, 0), r->y->strides[2] * size, cosine, sine);
}

static void rotate_run(const rotation *r, int64_t n, double *scratch, float *floats) {
  const int64_t pairs = r->angles.pairs, b = n / r->runs, first = n % r->runs * RUN, left = r->x->shape[1] - first;
  const int64_t last = first + (left < RUN ? left : RUN);
  float *cosine = floats, *sine = cosine + SLICE * pairs, *rows = sine + SLICE * pairs;
  rpp_float_angles walk;
  rpp_float_angles_begin(&r->angles, scratch, &walk);
  for (int64_t l = first; l < last; l += SLICE) {
    const int64_t count = last - l < SLICE ? last - l : SLICE;
    rpp_float_angles_next(&walk, r->pos, b, l, count, cosine, sine);
    for (int64_t i = 0; i < count; i++) rotate_token(r, b, l + i, cosine + i * pairs, sine + i * pairs, rows);
  }
}

static rpp_status allocate(rotation *r) {
  void *made;
  RPP_TRY(rpp_allocate(r->angles.pairs, (size_t)r->threads * 4 * sizeof *r->scratch, &made));
  r->scratch = made;
  RPP_TRY(rpp_allocate(r->layout.width, (size_t)r->threads * (SLICE + 2) * sizeof *r->floats, &made));
  r->floats = made;
  return RPP_OK;
}

static void rotate_all(const rotation *r) {
#pragma omp parallel for schedule(static) num_threads(r->threads)
  for (int64_t n = 0; n < r->x->shape[0] * r->runs; n++) {
    const int thread = omp_get_thread_num();
    rotate_run(r, n, r->scratch + thread * 4 * r->angles.pairs, r->floats + thread * (SLICE + 2) * r->layout.width);
  }
}

rpp_status rpp_rotate_blocked(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y) {
  RPP_TRY(check(rotary, part, x, pos, y));
  if (rpp_tensor_is_empty(x)) return RPP_OK;
  rotation r = {.x = x, .pos = pos, .y = y, .layout = {rotary->pairing, x->shape[3], rotary->rotary_dim}, .part = part};
  r.straight = x->dtype == y->dtype && rpp_float_row_is_straight(x) && rpp_float_row_is_straight(y);
  r.runs = (x->shape[1] + RUN - 1) / RUN;
  /* For team.h, which counts the truth's multiplications: in vectors they are ten times as fast. */
  r.threads = rpp_threads(0.2 * (double)(x->shape[0] * x->shape[1]) * (double)(x->shape[2] * x->shape[3]));
  RPP_TRY(rpp_angle_source_open(rotary, &r.angles));
  const rpp_status status = allocate(&r);
  if (status == RPP_OK) rotate_all(&r);
  free(r.scratch);
  free(r.floats);
  rpp_angle_source_close(&r.angles);
  return status;
}
