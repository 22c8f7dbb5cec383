/* The bound of attention: kernels that keep a contract stay below it, and not far below it; kernels that do not keep one pass it. With
 * ROPEPP_BOUND_CASES in the environment each emulated kernel runs on so many cases; `bench_bound` prints the distributions. */
#include "base/scratch.h"
#include "bound_tally.h"
#include "cases/generate.h"
#include "judge/gates.h"
#include "kernels/emulate.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

enum { KERNELS = 7 };

static const rpp_kernel *kernel_named(const char *name) {
  for (int i = 0; rpp_emulated_kernels[i]; i++)
    if (strcmp(rpp_emulated_kernels[i]->name, name) == 0) return rpp_emulated_kernels[i];
  ck_abort_msg("no kernel %s", name);
  return NULL;
}

static bound_tally *open_tally(void) {
  bound_tally *sums = calloc(1, sizeof *sums);
  ck_assert_ptr_nonnull(sums);
  return sums;
}

/* ---- Against kernels ------------------------------------------------------------------------------------------------------ */

static void below(const char *kernel, const char *what, const tally *t) {
  ck_assert_msg(t->over == 0, "%s, %s: %lld of %lld past the bound, the worst %g on %s", kernel, what, (long long)t->over,
                (long long)t->count, t->worst, t->spec);
}

START_TEST(never_passed) {
  const rpp_kernel *kernel = rpp_emulated_kernels[_i];
  const char *asked = getenv("ROPEPP_BOUND_CASES");
  const int64_t cases = asked ? atoll(asked) : 1000;
  bound_tally *sums = open_tally();
  for (int64_t i = 0; i < cases; i++) {
    const rpp_spec spec = bound_tally_draw(kernel, 20, (uint64_t)i, asked ? 4e5 : 2e4);
    bound_tally_add(sums, kernel, &kernel->contract, &spec);
  }
  ck_assert_int_eq(sums->cases, cases);
  ck_assert_int_gt(sums->generic.count, sums->elements / 20);
  below(kernel->name, "out", &sums->out);
  below(kernel->name, "LSE", &sums->lse);
  below(kernel->name, "rotated q and k", &sums->rotated);
  below(kernel->name, "the statistical bound", &sums->statistical);
  below(kernel->name, "the row's norm", &sums->row);
  below(kernel->name, "the slope", &sums->slope);
  const double median = tally_median(&sums->generic);
  if (rpp_dtype_size(kernel->contract.input) == 2)
    ck_assert_msg(median > 0.02, "%s: half of the errors lie below %g of their bound", kernel->name, median);
  free(sums);
}
END_TEST

/* One head's normal numbers, no mask, so many keys. */
static bound_tally *at_keys(const rpp_kernel *kernel, int64_t keys, uint64_t cases) {
  bound_tally *sums = open_tally();
  rpp_message error;
  rpp_spec spec;
  ck_assert(rpp_spec_parse("ec:h=1,lq=8,d=64,mask=full", &spec, &error));
  spec.k_len = keys, spec.dtype = kernel->contract.input, spec.attention.rotary.angles = kernel->contract.angles;
  for (spec.seed = 1; spec.seed <= cases; spec.seed++) ck_assert(bound_tally_add(sums, kernel, &kernel->contract, &spec));
  return sums;
}

START_TEST(statistical_is_near) {
  const rpp_kernel *kernel = kernel_named("emulated-f32");
  for (int64_t keys = 2; keys <= 1024; keys *= 2) {
    bound_tally *sums = at_keys(kernel, keys, 4);
    const double median = tally_median(&sums->statistical);
    ck_assert_msg(median > 0.003, "%lld keys: half of the errors lie below %g of the statistical bound", (long long)keys, median);
    below(kernel->name, "the statistical bound", &sums->statistical);
    free(sums);
  }
}
END_TEST

START_TEST(long_rows) {
  for (int i = 0; i < KERNELS; i++) {
    const rpp_kernel *kernel = rpp_emulated_kernels[i];
    bound_tally *sums = at_keys(kernel, 3000, 1);
    below(kernel->name, "out", &sums->out);
    below(kernel->name, "LSE", &sums->lse);
    below(kernel->name, "the statistical bound", &sums->statistical);
    below(kernel->name, "the row's norm", &sums->row);
    ck_assert_int_gt(sums->row.count, 0);
    free(sums);
  }
}
END_TEST

/* ---- Contracts that are not kept ------------------------------------------------------------------------------------------ */

/* How many elements (or LSEs, or rotated ones) pass the bound when a kernel is judged by another contract than its own. */
static int64_t passed(const char *name, const rpp_contract *contract, const char *text) {
  bound_tally *sums = open_tally();
  rpp_message error;
  rpp_spec spec;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  ck_assert(bound_tally_add(sums, kernel_named(name), contract, &spec));
  const int64_t over = sums->out.over + sums->lse.over;
  free(sums);
  return over;
}

START_TEST(stricter_contracts_are_passed) {
  static const char bf16[] = "ec:h=2,lq=16,d=64,dtype=bf16,seed=3", f32[] = "ec:h=2,lq=16,d=64,seed=3";
  rpp_contract c = kernel_named("emulated-bf16")->contract;
  ck_assert_int_eq(passed("emulated-bf16", &c, bf16), 0);
  rpp_contract strict = c;
  strict.probability = RPP_F16;
  ck_assert_int_gt(passed("emulated-bf16", &strict, bf16), 0);
  strict = c, strict.rotated = RPP_F16;
  ck_assert_int_gt(passed("emulated-bf16", &strict, bf16), 0);
  strict = c, strict.output = RPP_F32;
  ck_assert_int_gt(passed("emulated-bf16", &strict, bf16), 0);
  strict = rpp_emulated_contract(RPP_F16);
  ck_assert_int_gt(passed("emulated-bf16", &strict, bf16), 0);
  c = kernel_named("emulated-f32")->contract;
  ck_assert_int_eq(passed("emulated-f32", &c, f32), 0);
  strict = rpp_emulated_contract(RPP_F64);
  ck_assert_int_gt(passed("emulated-f32", &strict, f32), 0);
  strict = c, strict.rotated = RPP_F64, strict.sums = RPP_SUMS_F64;
  ck_assert_int_gt(passed("emulated-f32", &strict, f32), 0);
  ck_assert_int_gt(passed("emulated-f32-angles", &c, "ec:h=2,lq=16,d=64,position=131071"), 0);
  c = kernel_named("emulated-bf16-each")->contract, strict = c, strict.rotate_each = false;
  ck_assert_int_gt(passed("emulated-bf16-each", &strict, "ec:h=2,lq=16,d=64,dtype=bf16,angles=hf-f32"), 0);
}
END_TEST

/* ---- What it is made of --------------------------------------------------------------------------------------------------- */

typedef struct {
  rpp_scratch scratch;
  rpp_attention attention;
  rpp_attention_inputs inputs;
  rpp_tensor q, k, v, pos, out, lse, out_bound, lse_bound, noise, likely, spread;
  rpp_bounded result;
} problem;

static void prepare(problem *p, int64_t q_len, int64_t k_len) {
  rpp_random random = rpp_random_make(7, 0);
  rpp_scratch *s = &p->scratch;
  *p = (problem){.attention = {.mode = RPP_MODE_EC, .heads = 2, .kv_heads = 1, .mask = RPP_MASK_CAUSAL, .scale = 0.5}};
  p->attention.causal_offset = k_len - q_len;
  p->attention.rotary = (rpp_rotary){.rotary_dim = 6, .base = 1e4, .table_dtype = RPP_F64};
  p->q = rpp_scratch_normal(s, &random, 1, q_len, 2, 6);
  p->k = rpp_scratch_normal(s, &random, 1, k_len, 1, 6);
  p->v = rpp_scratch_normal(s, &random, 1, k_len, 1, 3);
  p->pos = rpp_scratch_positions(s, q_len > k_len ? q_len : k_len, 0, 1);
  p->out = rpp_scratch_zeros(s, 1, q_len, 4, 3);
  p->out_bound = rpp_scratch_zeros(s, 1, q_len, 4, 3);
  p->noise = rpp_scratch_zeros(s, 1, q_len, 4, 3);
  p->likely = rpp_scratch_zeros(s, 1, q_len, 4, 3);
  const int64_t flat[] = {1, 4, q_len};
  p->lse = rpp_scratch_tensor(s, RPP_F64, 3, flat);
  p->lse_bound = rpp_scratch_tensor(s, RPP_F64, 3, flat);
  p->spread = rpp_scratch_tensor(s, RPP_F64, 3, flat);
  p->result = (rpp_bounded){&p->out, &p->lse, &p->out_bound, &p->lse_bound, &p->noise, &p->likely, &p->spread};
}

/* The inputs, with positions of the right length each. */
static rpp_status bound(problem *p, const rpp_contract *contract, const rpp_tensor *rows) {
  rpp_tensor pos_q, pos_k;
  if (rpp_tensor_slice(&p->pos, 0, 0, p->q.shape[1], 1, &pos_q) != RPP_OK) return RPP_ERROR_VALUE;
  if (rpp_tensor_slice(&p->pos, 0, 0, p->k.shape[1], 1, &pos_k) != RPP_OK) return RPP_ERROR_VALUE;
  p->inputs = (rpp_attention_inputs){.q = &p->q, .k = &p->k, .v = &p->v, .pos_q = &pos_q, .pos_k = &pos_k};
  const rpp_status status = rpp_attention_bound(&p->attention, &p->inputs, contract, rows, &p->result);
  if (status == RPP_OK && !rows) {
    rpp_tensor out = rpp_scratch_copy(&p->scratch, &p->out), lse = rpp_scratch_copy(&p->scratch, &p->lse);
    ck_assert_int_eq(rpp_attention_forward(&p->attention, &p->inputs, NULL, &out, &lse), RPP_OK);
    if (contract->sums == RPP_SUMS_F64) {
      ck_assert_double_lt(rpp_scratch_deviation(&out, &p->out), 1e-13);
      ck_assert_double_lt(rpp_scratch_deviation(&lse, &p->lse), 1e-13);
    }
  }
  return status;
}

START_TEST(exact_contract_is_the_truth) {
  problem p;
  const rpp_contract contract = rpp_emulated_contract(RPP_F64);
  prepare(&p, 5, 7);
  ck_assert_int_eq(bound(&p, &contract, NULL), RPP_OK);
  for (int64_t i = 0; i < rpp_scratch_size(&p.out); i++) {
    const double limit = rpp_scratch_values(&p.out_bound)[i];
    ck_assert(limit > 0 && limit < 1e-12);
    ck_assert_double_gt(rpp_scratch_values(&p.likely)[i], 8 * rpp_scratch_values(&p.noise)[i]);
  }
  for (int64_t i = 0; i < rpp_scratch_size(&p.spread); i++) ck_assert(rpp_scratch_values(&p.spread)[i] >= 1);
  rpp_scratch_free(&p.scratch);
}
END_TEST

/* Float32 angles that are off by radians: out is another mean of the values, and no noise about this one. At position 0 they are exact. */
static const struct {
  const char *spec;
  bool linear;
} angles_off[] = {
    {"rope:h=6,kv=3,lq=4,lk=4,d=254,dv=3,pairing=half,base=100,scaling=(yarn:factor=32,orig=4096),mask=window:9,offset=5,"
     "scale=0.5625,position=998999997,reset=2,inplace=1,seed=254",
     false},
    {"eh:h=64,kv=4,lq=10,lk=10,d=6,base=100,scaling=(llama3:factor=4,orig=256,low=2,high=5),mask=full,position=16777215,"
     "seed=2485601138",
     false},
    {"eh:h=64,kv=4,lq=10,lk=10,d=6,base=100,mask=full,position=4000000", false},
    {"eh:h=64,kv=4,lq=10,lk=10,d=6,base=100,mask=full,position=1000", true},
    {"eh:h=64,kv=4,lq=10,lk=10,d=6,base=100,mask=full,position=0", true},
};

START_TEST(scores_too_far_off_are_no_noise) {
  const rpp_kernel *kernel = kernel_named("emulated-f32-angles");
  bound_tally *sums = open_tally();
  rpp_scratch scratch = {0};
  rpp_message error;
  rpp_generated data;
  rpp_judged_truth truth;
  rpp_spec spec;
  ck_assert_msg(rpp_spec_parse(angles_off[_i].spec, &spec, &error), "%s", error.text);
  bound_tally_add(sums, kernel, &kernel->contract, &spec);
  ck_assert_int_eq(sums->cases, 1);
  below(kernel->name, "out", &sums->out);
  below(kernel->name, "the statistical bound", &sums->statistical);
  below(kernel->name, "the row's norm", &sums->row);
  below(kernel->name, "the slope", &sums->slope);
  ck_assert_msg(rpp_generate(&spec, kernel->contract.output, kernel->contract.lse, &data, &error), "%s", error.text);
  ck_assert_msg(rpp_judged_truth_make(&scratch, &data.attention, &data.inputs, &kernel->contract, NULL, &truth, &error), "%s",
                error.text);
  int64_t open = 0;
  for (int64_t i = 0; i < rpp_scratch_size(&truth.out); i++) {
    const double bound = rpp_scratch_values(&truth.out_bound)[i], noise = rpp_scratch_values(&truth.out_noise)[i],
                 likely = rpp_scratch_values(&truth.out_likely)[i];
    ck_assert(isfinite(bound) && (isfinite(noise) ? likely >= 8 * noise : likely == bound));
    open += isinf(noise);
  }
  ck_assert_msg(angles_off[_i].linear ? open == 0 : open > 0, "%lld open", (long long)open);
  rpp_generated_free(&data);
  rpp_scratch_free(&scratch);
  free(sums);
}
END_TEST

START_TEST(rows_without_keys) {
  problem p;
  const rpp_contract contract = rpp_emulated_contract(RPP_BF16);
  prepare(&p, 5, 3); /* the first two rows see none */
  ck_assert_int_eq(bound(&p, &contract, NULL), RPP_OK);
  for (int64_t i = 0; i < 2 * 4 * 3; i++) {
    ck_assert(rpp_scratch_values(&p.out)[i] == 0 && rpp_scratch_values(&p.out_bound)[i] == 0);
    ck_assert(rpp_scratch_values(&p.noise)[i] == 0 && rpp_scratch_values(&p.likely)[i] == 0);
  }
  for (int64_t o = 0; o < 4; o++)
    for (int64_t t = 0; t < 5; t++) {
      const int64_t i = o * 5 + t;
      ck_assert(t < 2 ? rpp_scratch_values(&p.lse)[i] == -INFINITY : isfinite(rpp_scratch_values(&p.lse)[i]));
      ck_assert(t < 2 ? rpp_scratch_values(&p.lse_bound)[i] == 0 : rpp_scratch_values(&p.lse_bound)[i] > 0);
      ck_assert(t < 2 ? rpp_scratch_values(&p.spread)[i] == 0 : rpp_scratch_values(&p.spread)[i] >= 1);
    }
  rpp_scratch_free(&p.scratch);
}
END_TEST

START_TEST(sampled_rows_are_the_same) {
  problem all, some;
  const rpp_contract contract = rpp_emulated_contract(RPP_F16);
  prepare(&all, 6, 9);
  ck_assert_int_eq(bound(&all, &contract, NULL), RPP_OK);
  prepare(&some, 6, 9);
  const rpp_tensor rows = rpp_scratch_positions(&some.scratch, 2, 1, 3); /* 1, 4 */
  rpp_tensor *const wide[] = {&some.out, &some.out_bound, &some.noise, &some.likely}, *const flat[] = {&some.lse, &some.lse_bound,
                                                                                                       &some.spread};
  for (int i = 0; i < 4; i++) *wide[i] = rpp_scratch_zeros(&some.scratch, 1, 2, 4, 3);
  for (int i = 0; i < 3; i++) *flat[i] = rpp_scratch_tensor(&some.scratch, RPP_F64, 3, (int64_t[]){1, 4, 2});
  ck_assert_int_eq(bound(&some, &contract, &rows), RPP_OK);
  const rpp_tensor *const of_all[] = {&all.out, &all.out_bound, &all.noise, &all.likely};
  for (int i = 0; i < 4; i++)
    for (int64_t r = 0; r < 2; r++)
      for (int64_t c = 0; c < 12; c++)
        ck_assert(rpp_scratch_values(wide[i])[r * 12 + c] == rpp_scratch_values(of_all[i])[(1 + 3 * r) * 12 + c]);
  rpp_scratch_free(&all.scratch);
  rpp_scratch_free(&some.scratch);
}
END_TEST

START_TEST(arguments) {
  problem p;
  rpp_contract contract = rpp_emulated_contract(RPP_F32);
  prepare(&p, 4, 4);
  p.result.out_bound = NULL;
  support_refused(bound(&p, &contract, NULL), RPP_ERROR_NULL, "out_bound", "null");
  p.result.out_bound = &p.out;
  support_refused(bound(&p, &contract, NULL), RPP_ERROR_OVERLAP, "out_bound", "out");
  p.result.out_bound = &p.out_bound;
  p.out_bound.dtype = RPP_F32;
  support_refused(bound(&p, &contract, NULL), RPP_ERROR_DTYPE, "out_bound", "F32");
  p.out_bound.dtype = RPP_F64;
  p.lse_bound.shape[2] = 3;
  ck_assert_int_eq(bound(&p, &contract, NULL), RPP_ERROR_SHAPE);
  p.result.lse_bound = NULL;
  contract.sum_depth = 0;
  support_refused(bound(&p, &contract, NULL), RPP_ERROR_VALUE, "sum_depth", "0");
  contract.sum_depth = 1;
  p.result.lse = p.result.out_noise = p.result.out_likely = p.result.out_spread = NULL;
  support_accepted(bound(&p, &contract, NULL)); /* all but out and its bound may be missing */
  const rpp_tensor none = rpp_scratch_positions(&p.scratch, 0, 0, 1);
  ck_assert_int_eq(bound(&p, &contract, &none), RPP_ERROR_SHAPE);
  rpp_scratch_free(&p.scratch);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bound");
  TCase *kernels = tcase_create("kernels"), *parts = tcase_create("parts");
  tcase_set_timeout(kernels, 3600);
  tcase_add_loop_test(kernels, never_passed, 0, KERNELS);
  tcase_add_test(kernels, statistical_is_near);
  tcase_add_test(kernels, long_rows);
  tcase_add_test(kernels, stricter_contracts_are_passed);
  tcase_add_loop_test(kernels, scores_too_far_off_are_no_noise, 0, (int)(sizeof angles_off / sizeof *angles_off));
  tcase_add_test(parts, exact_contract_is_the_truth);
  tcase_add_test(parts, rows_without_keys);
  tcase_add_test(parts, sampled_rows_are_the_same);
  tcase_add_test(parts, arguments);
  suite_add_tcase(suite, kernels);
  suite_add_tcase(suite, parts);
  return support_run(suite);
}
