/* head_map.c, held against the attention itself: what an output head answers to tells where it comes from. */
#include <stdlib.h>

#include "head_map.h"
#include "support.h"

/* The output of O heads of width 2 for one query of P heads and two keys, whose values tell which KV head was read: head g holds
 * 10 g + 10 under the first key and 10 g + 11 under the second. All keys are k_first and -k_first; query head `set` is q, the rest 0. */
static void attend(const rpp_attention *a, const rpp_head_counts *n, int64_t set, const double q[2], const double k[2],
                   double *out) {
  double *qs = calloc((size_t)n->projected * 2, sizeof *qs), *ks = calloc((size_t)n->kv * 4, sizeof *ks),
         *vs = calloc((size_t)n->kv * 4, sizeof *vs);
  int64_t zero[2] = {0, 0};
  memcpy(qs + 2 * set, q, 2 * sizeof *q);
  for (int64_t j = 0; j < 2; j++)
    for (int64_t g = 0; g < n->kv; g++)
      for (int64_t c = 0; c < 2; c++) {
        ks[(j * n->kv + g) * 2 + c] = j == 0 ? k[c] : -k[c];
        vs[(j * n->kv + g) * 2 + c] = (double)(10 * g + 10 + j);
      }
  rpp_tensor tq, tk, tv, tpos_q, tpos_k, tout;
  support_accepted(rpp_tensor_contiguous(qs, RPP_F64, 4, (int64_t[]){1, 1, n->projected, 2}, &tq));
  support_accepted(rpp_tensor_contiguous(ks, RPP_F64, 4, (int64_t[]){1, 2, n->kv, 2}, &tk));
  support_accepted(rpp_tensor_contiguous(vs, RPP_F64, 4, (int64_t[]){1, 2, n->kv, 2}, &tv));
  support_accepted(rpp_tensor_contiguous(zero, RPP_I64, 1, (int64_t[]){1}, &tpos_q));
  support_accepted(rpp_tensor_contiguous(zero, RPP_I64, 1, (int64_t[]){2}, &tpos_k));
  support_accepted(rpp_tensor_contiguous(out, RPP_F64, 4, (int64_t[]){1, 1, n->output, 2}, &tout));
  const rpp_attention_inputs inputs = {.q = &tq, .k = &tk, .v = &tv, .pos_q = &tpos_q, .pos_k = &tpos_k};
  support_accepted(rpp_attention_forward(a, &inputs, NULL, &tout, NULL));
  free(qs);
  free(ks);
  free(vs);
}

static void check_mode(rpp_mode mode, int64_t heads, int64_t kv_heads) {
  const rpp_attention a = {.mode = mode,
                           .heads = heads,
                           .kv_heads = kv_heads,
                           .rotary = {.rotary_dim = 2, .base = 10000},
                           .mask = RPP_MASK_FULL,
                           .scale = 1};
  rpp_head_counts n;
  support_accepted(rpp_attention_heads(&a, &n));
  double *out = calloc((size_t)n.output * 2, sizeof *out);
  int64_t answers = 0;
  for (int64_t set = 0; set < n.projected; set++)
    for (int imaginary = 0; imaginary < 2; imaginary++) {
      /* The query (1, 0) meets a key along itself, or along itself turned by -pi/2, (0, -1). */
      const double q[2] = {1, 0}, k[2][2] = {{50, 0}, {0, -50}};
      attend(&a, &n, set, q, k[imaginary], out);
      for (int64_t o = 0; o < n.output; o++) {
        const rpp_head_source from = rpp_head_map(&n, o);
        const bool answered = out[2 * o] < (double)(10 * from.kv) + 10.4; /* else 10.5: both keys alike */
        ck_assert_msg((int64_t)(out[2 * o] / 10) == from.kv + 1, "mode %d: output head %d reads another KV head", mode, (int)o);
        ck_assert_msg(answered == (from.query == set && (int)from.imaginary == imaginary), "mode %d: output head %d", mode, (int)o);
        answers += answered;
      }
    }
  ck_assert_int_eq(answers, n.output);
  free(out);
}

START_TEST(map_is_the_attentions_own) {
  const int64_t shapes[][2] = {{8, 4}, {12, 6}, {2, 2}, {6, 2}, {4, 4}, {8, 2}, {16, 2}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int mode = RPP_MODE_ROPE; mode <= RPP_MODE_EH; mode++) check_mode((rpp_mode)mode, shapes[i][0], shapes[i][1]);
  check_mode(RPP_MODE_ROPE, 3, 1);
  check_mode(RPP_MODE_EC, 3, 1);
  check_mode(RPP_MODE_EC, 1, 1);
}
END_TEST

START_TEST(figure_2_by_hand) {
  const rpp_head_counts ec = {8, 4, 16}, eh = {4, 2, 8}, rope = {8, 4, 8};
  const struct {
    const rpp_head_counts *n;
    int64_t output;
    rpp_head_source from;
  } known[] = {{&rope, 0, {0, false, 0}}, {&rope, 7, {7, false, 3}}, {&ec, 0, {0, false, 0}}, {&ec, 1, {0, true, 0}},
               {&ec, 3, {1, true, 0}},    {&ec, 4, {2, false, 1}},   {&ec, 15, {7, true, 3}}, {&eh, 3, {1, true, 0}},
               {&eh, 4, {2, false, 1}},   {&eh, 7, {3, true, 1}}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const rpp_head_source from = rpp_head_map(known[i].n, known[i].output);
    ck_assert(from.query == known[i].from.query && from.imaginary == known[i].from.imaginary && from.kv == known[i].from.kv);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("head_map");
  TCase *tests = tcase_create("head_map");
  tcase_add_test(tests, map_is_the_attentions_own);
  tcase_add_test(tests, figure_2_by_hand);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
