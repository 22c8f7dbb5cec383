#include "bound_tally.h"

#include "cases/generate.h"
#include "judge/gates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add(tally *t, double ratio, const rpp_spec *spec) {
  const double place = ratio > 0 ? (log2(ratio) + 64) * 16 : 0;
  t->count++;
  t->over += !(ratio <= 1);
  t->bins[!(place > 0) ? 0 : place >= TALLY_BINS ? TALLY_BINS - 1 : (int)place]++;
  if (t->count == 1 || (!isnan(t->worst) && !(ratio <= t->worst))) {
    t->worst = ratio;
    rpp_spec_print(spec, t->spec);
  }
}

double tally_median(const tally *t) {
  int64_t below = 0;
  for (int i = 0; i < TALLY_BINS; i++) {
    below += t->bins[i];
    if (2 * below >= t->count && t->count > 0) return i == 0 ? 0 : exp2((i + 0.5) / 16 - 64);
  }
  return 0;
}

static double ratio(double expected, double got, double bound) {
  return expected == got ? 0 : fabs(got - expected) / bound;
}

typedef struct {
  bound_tally *sums;
  const rpp_spec *spec;
  const rpp_contract *contract;
  const rpp_generated *data;
  const rpp_judged_truth *truth;
  bool generic;
} adding;

static void add_row(const adding *a, int64_t b, int64_t r, int64_t o) {
  const rpp_judged_truth *truth = a->truth;
  const int64_t t = a->data->rows.data ? (int64_t)rpp_tensor_get(&a->data->rows, &r) : r, at[] = {b, o, r};
  const double lse = rpp_tensor_get(&truth->lse, at), got_lse = rpp_tensor_get(&a->data->lse, (int64_t[]){b, o, t});
  const double unit = rpp_dtype_unit(a->contract->output), spread = rpp_tensor_get(&truth->spread, at);
  double errors = 0, noises = 0;
  add(&a->sums->lse, ratio(lse, got_lse, rpp_tensor_get(&truth->lse_bound, at)), a->spec);
  for (int64_t c = 0; c < truth->out.shape[3]; c++) {
    const int64_t index[] = {b, r, o, c};
    const double out = rpp_tensor_get(&truth->out, index), got = rpp_tensor_get(&a->data->out, (int64_t[]){b, t, o, c});
    const double noise = rpp_tensor_get(&truth->out_noise, index),
                 of_bound = ratio(out, got, rpp_tensor_get(&truth->out_bound, index));
    add(&a->sums->out, of_bound, a->spec);
    a->sums->elements++;
    if (!a->generic || !(spread > 1)) continue; /* alone, a key has weight 1 and no error */
    add(&a->sums->generic, of_bound, a->spec);
    add(&a->sums->statistical, ratio(out, got, rpp_tensor_get(&truth->out_likely, index)), a->spec);
    errors += (got - out) * (got - out), noises += noise * noise + unit * unit * out * out;
  }
  if (a->generic && truth->out.shape[3] >= 32 && spread >= 16) add(&a->sums->row, sqrt(errors / noises), a->spec);
}

/* The kernel's rotation of a tensor, into room of its own. */
static bool add_rotation(bound_tally *sums, const rpp_kernel *kernel, const rpp_contract *contract, const rpp_spec *spec,
                         rpp_part part, const rpp_tensor *x, const rpp_tensor *pos) {
  rpp_scratch scratch = {0};
  const int64_t *n = x->shape;
  rpp_tensor y = rpp_scratch_tensor(&scratch, contract->rotated, 4, n), truth = rpp_scratch_zeros(&scratch, n[0], n[1], n[2], n[3]);
  rpp_tensor bound = rpp_scratch_zeros(&scratch, n[0], n[1], n[2], n[3]);
  const char *reason = "no reason";
  const rpp_rotary *rotary = &spec->attention.rotary;
  bool done = kernel->rotate(kernel, rotary, part, x, pos, &y, &reason) == 0;
  if (!done) fprintf(stderr, "rotate: %s\n", reason);
  done = done && rpp_rotate_bound(rotary, part, contract, x, pos, &truth, &bound) == RPP_OK;
  for (int64_t i = 0; done && i < rpp_scratch_size(&truth); i++) {
    const int64_t at[] = {i / (n[1] * n[2] * n[3]), i / (n[2] * n[3]) % n[1], i / n[3] % n[2], i % n[3]};
    add(&sums->rotated, ratio(rpp_tensor_get(&truth, at), rpp_tensor_get(&y, at), rpp_tensor_get(&bound, at)), spec);
  }
  rpp_scratch_free(&scratch);
  return done;
}

static void add_slope(const adding *a) {
  rpp_verdict verdict = rpp_verdict_none();
  rpp_gate_worsts worsts = {0};
  const rpp_tensor *rows = a->data->rows.data ? &a->data->rows : NULL;
  rpp_gates_apply(a->truth, a->contract, a->spec->family, rows, &a->data->out, &a->data->lse, &verdict, &worsts);
  if (verdict.ratio[RPP_GATE_TENSOR] != -1) add(&a->sums->slope, verdict.ratio[RPP_GATE_TENSOR], a->spec);
}

static bool judge(bound_tally *sums, const rpp_kernel *kernel, const rpp_contract *contract, const rpp_spec *spec,
                  rpp_generated *data, rpp_scratch *scratch, rpp_message *error) {
  const char *reason = "no reason";
  const rpp_kernel_problem problem = {&data->attention, &data->inputs, &data->out, &data->lse};
  if (kernel->supports(kernel, &problem)) return false;
  if (kernel->forward(kernel, &data->attention, &data->inputs, &data->out, &data->lse, NULL, &reason) != 0)
    return rpp_message_set(error, "forward: %s", reason);
  rpp_judged_truth truth;
  if (!rpp_judged_truth_make(scratch, &data->attention, &data->inputs, contract, data->rows.data ? &data->rows : NULL, &truth,
                             error))
    return false;
  const bool generic = spec->family == RPP_FAMILY_NORMAL || spec->family == RPP_FAMILY_UNIFORM;
  const adding a = {sums, spec, contract, data, &truth, generic};
  for (int64_t b = 0; b < truth.out.shape[0]; b++)
    for (int64_t r = 0; r < truth.out.shape[1]; r++)
      for (int64_t o = 0; o < truth.out.shape[2]; o++) add_row(&a, b, r, o);
  add_slope(&a);
  sums->cases++;
  if (!kernel->rotate || spec->attention.q_rotated) return true;
  return add_rotation(sums, kernel, contract, spec, RPP_PART_IMAG, &data->q, &data->pos_q) &&
         (spec->attention.k_rotated || add_rotation(sums, kernel, contract, spec, RPP_PART_REAL, &data->k, &data->pos_k));
}

bool bound_tally_add(bound_tally *sums, const rpp_kernel *kernel, const rpp_contract *judged_by, const rpp_spec *spec) {
  rpp_generated data;
  rpp_scratch scratch = {0};
  rpp_message error = {""};
  bool done = rpp_generate(spec, kernel->contract.output, kernel->contract.lse, &data, &error);
  if (done) {
    done = judge(sums, kernel, judged_by, spec, &data, &scratch, &error);
    rpp_scratch_free(&scratch);
    rpp_generated_free(&data);
  }
  if (*error.text) fprintf(stderr, "%s: %s\n", kernel->name, error.text);
  return done;
}

rpp_spec bound_tally_draw(const rpp_kernel *kernel, uint64_t seed, uint64_t index, double limit) {
  static const char *const fixed[] = {"dtype", "angles", NULL};
  rpp_spec base = rpp_spec_default(RPP_MODE_ROPE), spec;
  base.dtype = kernel->contract.input;
  base.attention.rotary.angles = kernel->contract.angles;
  uint64_t attempt = 0;
  do {
    spec = rpp_spec_draw(seed, index + (attempt++ << 40), &base, fixed);
  } while ((double)spec.batch * (double)spec.attention.heads * (double)spec.q_len * (double)spec.k_len *
               (double)(spec.head_dim + spec.v_dim) >
           limit);
  /* HF's tables are cast to the tensors' type. */
  if (kernel->contract.angles == RPP_ANGLES_HF_F32 && kernel->contract.rotate_each)
    spec.attention.rotary.table_dtype = kernel->contract.rotated;
  return spec;
}
