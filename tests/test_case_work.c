/* case_work.c: visible pairs against the definition, counted one by one; operations and bytes by hand. */
#include "bench/case_work.h"

#include "cases/generate.h"
#include "support.h"

static rpp_generated data;

static void make(const char *text) {
  rpp_spec spec;
  rpp_message error;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  ck_assert_msg(rpp_generate(&spec, spec.dtype, RPP_F32, &data, &error), "%s", error.text);
}

static int64_t integer(const rpp_tensor *t, int64_t i) {
  return (int64_t)rpp_tensor_get(t, &i);
}

/* eq. 9, of indices that count from their own sequence's first. */
static bool sees(int64_t i, int64_t j) {
  const rpp_attention *a = &data.attention;
  for (int64_t n = 0; n < data.spec.packed; n++) {
    if (i < integer(&data.cu_q, n) || i >= integer(&data.cu_q, n + 1)) continue;
    if (j < integer(&data.cu_k, n) || j >= integer(&data.cu_k, n + 1)) return false;
    i -= integer(&data.cu_q, n);
    j -= integer(&data.cu_k, n);
    break;
  }
  if (a->mask == RPP_MASK_FULL) return true;
  return j <= i + a->causal_offset && (a->mask == RPP_MASK_CAUSAL || j > i + a->causal_offset - a->window);
}

static int64_t count(void) {
  int64_t pairs = 0;
  for (int64_t i = 0; i < data.spec.q_len; i++)
    for (int64_t j = 0; j < data.spec.k_len; j++) pairs += sees(i, j);
  return pairs * data.spec.batch;
}

static void check(const char *text, int64_t known) {
  make(text);
  const int64_t pairs = rpp_visible_pairs(&data.attention, &data.inputs);
  ck_assert_msg(pairs == count() && pairs == known, "%s: %lld pairs, %lld by the definition, %lld by hand", text, (long long)pairs,
                (long long)count(), (long long)known);
  rpp_generated_free(&data);
}

START_TEST(pairs_by_hand) {
  check("rope:lq=5,d=2", 15);
  check("rope:lq=5,d=2,b=3", 45);
  check("rope:lq=5,lk=9,d=2", 5 * 4 + 15);
  check("rope:lq=5,lk=3,d=2", 1 + 2 + 3);
  check("rope:lq=5,lk=9,d=2,mask=full", 45);
  check("rope:lq=5,lk=9,d=2,mask=window:2", 10);
  check("rope:lq=5,d=2,mask=window:2", 9);
  check("rope:lq=5,d=2,offset=2", 3 + 4 + 5 + 5 + 5);
  check("rope:lq=5,d=2,offset=-6", 0);
  check("rope:lq=1,lk=131072,d=2,inputs=rotated", 131072);
  check("rope:lq=4,lk=0,d=2", 0);
}
END_TEST

START_TEST(pairs_of_any_case) {
  rpp_message error;
  for (uint64_t i = 0; i < 400; i++) {
    rpp_spec spec = rpp_spec_draw(5, i, NULL, NULL);
    char text[RPP_SPEC_TEXT];
    spec.layout = RPP_LAYOUT_CONTIGUOUS;
    if (spec.k_len > 4000) continue;
    rpp_spec_print(&spec, text);
    ck_assert_msg(rpp_generate(&spec, RPP_F32, RPP_F32, &data, &error), "%s", error.text);
    const int64_t pairs = rpp_visible_pairs(&data.attention, &data.inputs);
    ck_assert_msg(pairs == count(), "%s: %lld, wanted %lld", text, (long long)pairs, (long long)count());
    rpp_generated_free(&data);
  }
}
END_TEST

START_TEST(operations_and_bytes) {
  static const struct {
    const char *text;
    double operations, k_bytes, lse_bytes;
  } cases[] = {{"rope:h=6,kv=2,lq=4,d=8,dv=3", 2 * 10 * 11 * 6, 4 * 2 * 8 * 4, 6 * 4 * 4},
               {"ec:h=6,kv=2,lq=4,d=8,dv=3", 2 * 10 * 11 * 12, 4 * 2 * 8 * 4, 12 * 4 * 4},
               {"eh:h=6,kv=2,lq=4,d=8,dv=3,dtype=f16", 2 * 10 * 11 * 6, 4 * 1 * 8 * 2, 6 * 4 * 4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make(cases[i].text);
    const double operations = rpp_forward_operations(&data.attention, &data.inputs);
    ck_assert_msg(operations == cases[i].operations, "%s: %g", cases[i].text, operations);
    ck_assert_msg(rpp_tensor_bytes(&data.k) == cases[i].k_bytes, "%s: %g", cases[i].text, rpp_tensor_bytes(&data.k));
    ck_assert_msg(rpp_tensor_bytes(&data.lse) == cases[i].lse_bytes, "%s: %g", cases[i].text, rpp_tensor_bytes(&data.lse));
    rpp_generated_free(&data);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("case_work");
  TCase *tests = tcase_create("case_work");
  tcase_add_test(tests, pairs_by_hand);
  tcase_add_test(tests, pairs_of_any_case);
  tcase_add_test(tests, operations_and_bytes);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
