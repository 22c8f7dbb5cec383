/* plant_quiet.c: errors that one gate sees and no other: laid between the bounds of the last query row of the last head, which the plant asks
 * the truth for. */
#include "plants/plant_steps.h"

#include <math.h>

/* One row of every head: the truth, its bounds, its noise, and how many keys carry it. */
typedef struct {
  rpp_tensor out, bound, noise, likely, spread;
  int64_t t, o;
  rpp_scratch scratch;
} quiet;

static bool ask(const rpp_planted *p, rpp_dtype storage, quiet *q) {
  const rpp_contract contract = rpp_emulated_contract(storage);
  const int64_t heads = p->counts.output;
  rpp_tensor *const wide[] = {&q->out, &q->bound, &q->noise, &q->likely};
  *q = (quiet){.t = p->q_len - 1, .o = heads - 1};
  if (p->q_len == 0 || p->k_len == 0 || p->batch == 0) return false;
  for (int i = 0; i < 4; i++) *wide[i] = rpp_scratch_zeros(&q->scratch, p->batch, 1, heads, p->v_dim);
  q->spread = rpp_scratch_tensor(&q->scratch, RPP_F64, 3, (int64_t[]){p->batch, heads, 1});
  const rpp_tensor rows = rpp_scratch_positions(&q->scratch, 1, q->t, 1);
  const rpp_bounded result = {
      .out = &q->out, .out_bound = &q->bound, .out_noise = &q->noise, .out_likely = &q->likely, .out_spread = &q->spread};
  return rpp_attention_bound(&p->attention, &p->inputs, &contract, &rows, &result) == RPP_OK;
}

static double of(const rpp_tensor *t, const quiet *q, int64_t d) {
  return rpp_tensor_get(t, (int64_t[]){0, 0, q->o, d});
}

static void put(const rpp_tensor *out, const quiet *q, int64_t d, double value) {
  rpp_tensor_set(out, (int64_t[]){0, q->t, q->o, d}, value);
}

/* One element beyond what is likely and within what is possible, in a row too narrow for its norm to be judged. */
void rpp_spoil_one_element_narrow(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  quiet q = {0};
  const int64_t d = p->v_dim / 2;
  (void)lse;
  if (p->v_dim < 32 && ask(p, out->dtype, &q)) {
    const double bound = of(&q.bound, &q, d), likely = of(&q.likely, &q, d);
    if (bound > 1.5 * likely) put(out, &q, d, of(&q.out, &q, d) + sqrt(bound * likely));
  }
  rpp_scratch_free(&q.scratch);
}

/* Every element of a row within what is likely, and all of them together not: up and down, so that there is no gain. */
void rpp_spoil_row_rough(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse) {
  quiet q = {0};
  const double unit = rpp_dtype_unit(out->dtype);
  (void)lse;
  if (p->v_dim >= 32 && ask(p, out->dtype, &q) && rpp_tensor_get(&q.spread, (int64_t[]){0, q.o, 0}) >= 16)
    for (int64_t d = 0; d < p->v_dim; d++) {
      const double expected = of(&q.out, &q, d), size = hypot(of(&q.noise, &q, d), unit * expected);
      const double step = fmin(3 * size, 0.5 * fmin(of(&q.bound, &q, d), of(&q.likely, &q, d)));
      put(out, &q, d, expected + (d % 2 ? step : -step));
    }
  rpp_scratch_free(&q.scratch);
}
