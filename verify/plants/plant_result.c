/* plant_result.c: faults that spoil right results. out: (B, Lq, O, Dv), lse: (B, O, Lq). */
#include "plants/plant_steps.h"

#include <math.h>
#include <string.h>

static double out_at(const rpp_tensor *out, int64_t b, int64_t t, int64_t o, int64_t d) {
  return rpp_tensor_get(out, (int64_t[]){b, t, o, d});
}
static void set_out(const rpp_tensor *out, int64_t b, int64_t t, int64_t o, int64_t d, double value) {
  rpp_tensor_set(out, (int64_t[]){b, t, o, d}, value);
}
static double lse_at(const rpp_tensor *lse, int64_t b, int64_t o, int64_t t) {
  return rpp_tensor_get(lse, (int64_t[]){b, o, t});
}
static void set_lse(const rpp_tensor *lse, int64_t b, int64_t o, int64_t t, double value) {
  rpp_tensor_set(lse, (int64_t[]){b, o, t}, value);
}

static bool has_rows(const rpp_planted *p) {
  return p->batch > 0 && p->q_len > 0;
}

/* ---- Heads ---------------------------------------------------------------------------------------------------------------- */

/* Head o of the results becomes what head from[o] was. */
static void permute_heads(const rpp_planted *p, const rpp_tensor *out, const rpp_tensor *lse, const int64_t *from) {
  rpp_scratch scratch = {0};
  const rpp_tensor old = rpp_scratch_copy(&scratch, out), old_lse = rpp_scratch_copy(&scratch, lse);
  for (int64_t b = 0; b < p->batch && old.data && old_lse.data; b++)
    for (int64_t o = 0; o < p->counts.output; o++)
      for (int64_t t = 0; t < p->q_len; t++) {
        for (int64_t d = 0; d < p->v_dim; d++) set_out(out, b, t, o, d, out_at(&old, b, t, from[o], d));
        set_lse(lse, b, o, t, lse_at(&old_lse, b, from[o], t));
      }
  rpp_scratch_free(&scratch);
}

enum { MOST_HEADS = 4096 };

void rpp_spoil_heads_swapped(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  int64_t from[MOST_HEADS];
  if (p->attention.mode == RPP_MODE_ROPE || p->counts.output > MOST_HEADS) return;
  for (int64_t o = 0; o < p->counts.output; o++) from[o] = o ^ 1;
  permute_heads(p, out, lse, from);
}

void rpp_spoil_heads_stacked(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  int64_t from[MOST_HEADS];
  const int64_t half = p->counts.output / 2;
  if (p->attention.mode == RPP_MODE_ROPE || p->counts.output > MOST_HEADS) return;
  for (int64_t o = 0; o < p->counts.output; o++) from[o] = o < half ? 2 * o : 2 * (o - half) + 1;
  permute_heads(p, out, lse, from);
}

void rpp_spoil_softmax_together(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  if (p->attention.mode == RPP_MODE_ROPE) return;
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t o = 0; o < p->counts.output; o += 2)
      for (int64_t t = 0; t < p->q_len; t++) {
        const double real = lse_at(lse, b, o, t), imag = lse_at(lse, b, o + 1, t), m = fmax(real, imag);
        if (m == -INFINITY) continue;
        const double both = m + log(exp(real - m) + exp(imag - m));
        for (int64_t d = 0; d < p->v_dim; d++) {
          set_out(out, b, t, o, d, out_at(out, b, t, o, d) * exp(real - both));
          set_out(out, b, t, o + 1, d, out_at(out, b, t, o + 1, d) * exp(imag - both));
        }
        set_lse(lse, b, o, t, both);
        set_lse(lse, b, o + 1, t, both);
      }
}

/* KV head g's r-th output head is put at r K + g. */
void rpp_spoil_lse_by_group(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  const int64_t kv = p->counts.kv, group = p->counts.output / kv;
  rpp_scratch scratch = {0};
  const rpp_tensor old = rpp_scratch_copy(&scratch, lse);
  (void)out;
  for (int64_t b = 0; b < p->batch && old.data; b++)
    for (int64_t o = 0; o < p->counts.output; o++)
      for (int64_t t = 0; t < p->q_len; t++) set_lse(lse, b, o % group * kv + o / group, t, lse_at(&old, b, o, t));
  rpp_scratch_free(&scratch);
}

/* ---- Rows and elements ---------------------------------------------------------------------------------------------------- */

void rpp_spoil_one_row_zero(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  for (int64_t d = 0; has_rows(p) && d < p->v_dim; d++) set_out(out, 0, p->q_len / 2, 0, d, 0);
}

static void scale_one(const rpp_planted *p, const rpp_tensor *out, double factor) {
  const int64_t t = p->q_len - 1, o = p->counts.output - 1, d = p->v_dim / 2;
  if (has_rows(p)) set_out(out, 0, t, o, d, out_at(out, 0, t, o, d) * factor);
}

void rpp_spoil_one_element(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  scale_one(p, out, 1.1);
}

void rpp_spoil_one_huge(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  if (has_rows(p)) set_out(out, 0, p->q_len - 1, 0, 0, 1e20);
}

void rpp_spoil_nan_corner(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  if (has_rows(p) && p->attention.mask != RPP_MASK_FULL) set_out(out, 0, 0, p->counts.output - 1, p->v_dim - 1, NAN);
}

/* Row r of the scores begins at 16 bits of r Lk: later rows meet earlier ones. */
void rpp_spoil_rows_wrapped(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  for (int64_t o = 0; o < p->counts.output; o++)
    for (int64_t t = 0; t < p->q_len; t++) {
      const int64_t place = (o * p->q_len + t) * p->k_len;
      if (place < 65536) continue;
      const int64_t row = place % 65536 / p->k_len, from_o = row / p->q_len, from_t = row % p->q_len;
      for (int64_t b = 0; b < p->batch; b++) {
        for (int64_t d = 0; d < p->v_dim; d++) set_out(out, b, t, o, d, out_at(out, b, from_t, from_o, d));
        set_lse(lse, b, o, t, lse_at(lse, b, from_o, from_t));
      }
    }
}

/* A split that leaves early says so in its neighbour's place. */
void rpp_spoil_empty_lse_slot(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)out;
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t o = 0; o < p->counts.output; o++)
      for (int64_t t = p->q_len - 2; t >= 0; t--)
        if (lse_at(lse, b, o, t) == -INFINITY) set_lse(lse, b, o, t + 1, -INFINITY);
}

/* The second of two calls differs in a last bit. */
void rpp_spoil_last_bit(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  if (rpp_emulated_again(&p->inputs)) scale_one(p, out, 1 + 2 * rpp_dtype_unit(out->dtype));
}

/* ---- Writes outside --------------------------------------------------------------------------------------------------------- */

static void write_near(const rpp_tensor *t, bool after) {
  int64_t elements, bytes;
  const uint16_t junk[4] = {0x3c00, 0x3c00, 0x3c00, 0x3c00};
  const size_t size = rpp_dtype_size(t->dtype);
  if (!t->data || rpp_tensor_extent(t, &elements, &bytes) != RPP_OK) return;
  char *first = (char *)t->data + t->byte_offset;
  memcpy(after ? first + bytes : first - size, junk, size);
}

void rpp_spoil_write_after(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)p, (void)lse;
  write_near(out, true);
}
void rpp_spoil_write_before(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)p, (void)out;
  write_near(lse, false);
}
void rpp_spoil_write_when_empty(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  if (p->k_len == 0) write_near(out, true);
}
void rpp_spoil_write_when_batched(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  if (p->inputs.pos_q && p->inputs.pos_q->ndim == 2) write_near(out, true);
}

/* As a kernel does that rotates its query where it lies. */
void rpp_spoil_input_written(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  const int64_t first[] = {0, 0, 0, 0};
  (void)out, (void)lse;
  if (has_rows(p)) rpp_tensor_set(p->inputs.q, first, rpp_tensor_get(p->inputs.q, first) + 1);
}
