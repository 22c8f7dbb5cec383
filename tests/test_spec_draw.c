/* spec_draw.c: drawn specs are sound, whatever is fixed, and a function of seed and index alone. */
#include "cases/spec.h"

#include <stdio.h>

#include "support.h"

START_TEST(drawn_specs_are_sound_and_repeat) {
  char text[RPP_SPEC_TEXT], again[RPP_SPEC_TEXT];
  rpp_message error;
  int different = 0;
  for (uint64_t n = 0; n < 20000; n++) {
    const rpp_spec spec = rpp_spec_draw(3, n, NULL, NULL), twice = rpp_spec_draw(3, n, NULL, NULL),
                   other = rpp_spec_draw(4, n, NULL, NULL);
    ck_assert_msg(rpp_spec_check(&spec, &error), "%s", error.text);
    rpp_spec_print(&spec, text);
    rpp_spec_print(&twice, again);
    ck_assert_str_eq(text, again);
    rpp_spec_print(&other, again);
    different += strcmp(text, again) != 0;
  }
  ck_assert_int_gt(different, 19990);
}
END_TEST

/* Every key given is kept, and the rest still varies. */
START_TEST(fixed_keys_stay_and_fit) {
  static const char *const only[] = {"ec:",
                                     "eh:",
                                     "h=8",
                                     "kv=5",
                                     "kv=3",
                                     "h=21",
                                     "h=7,kv=1",
                                     "rope:h=1",
                                     "eh:h=28",
                                     "d=2",
                                     "d=7",
                                     "rotary=130",
                                     "rotary=16,d=17",
                                     "lq=0",
                                     "lk=0",
                                     "lk=4096",
                                     "lq=300,lk=300,d=256,h=8",
                                     "lq=1,rows=1",
                                     "rows=7",
                                     "dtype=bf16",
                                     "scaling=ntk-aware:factor=4",
                                     "scaling=(llama3:factor=8,orig=8192,low=1,high=4),pairing=half",
                                     "angles=hf-f32,position=16000000",
                                     "mask=window:1",
                                     "offset=-5",
                                     "packed=3",
                                     "inputs=rotated,family=needle",
                                     "layout=fused",
                                     "seed=12",
                                     "b=4096",
                                     "batched=1,b=3",
                                     "scale=0"};
  for (size_t i = 0; i < sizeof only / sizeof *only; i++) {
    const char *keys[RPP_SPEC_KEYS];
    char text[RPP_SPEC_TEXT], first[RPP_SPEC_TEXT] = "";
    rpp_spec base;
    rpp_message error;
    int different = 0;
    ck_assert_msg(rpp_spec_parse_only(only[i], &base, keys, &error), "%s: %s", only[i], error.text);
    for (uint64_t n = 0; n < 300; n++) {
      const rpp_spec spec = rpp_spec_draw(8, n, &base, keys);
      ck_assert_msg(rpp_spec_check(&spec, &error), "%s: %s", only[i], error.text);
      rpp_spec_print(&spec, text);
      if (n == 0) strcpy(first, text);
      different += strcmp(first, text) != 0;
      /* Printed with the fixed keys at their values again, it is the same line. */
      char merged[2 * RPP_SPEC_TEXT];
      rpp_spec back;
      if (strchr(only[i], ':') == NULL && strchr(only[i], '(') == NULL && keys[1] == NULL) {
        snprintf(merged, sizeof merged, ",%s,", only[i]);
        const char *name_end = strchr(only[i], '=');
        char name[32];
        snprintf(name, sizeof name, ",%.*s=", (int)(name_end - only[i]), only[i]);
        char wrapped[RPP_SPEC_TEXT + 2];
        snprintf(wrapped, sizeof wrapped, ",%s,", strchr(text, ':') + 1);
        ck_assert_msg(strstr(wrapped, merged) != NULL || strstr(wrapped, name) == NULL, "%s: %s", only[i], text);
      }
      ck_assert(rpp_spec_parse(text, &back, &error));
    }
    ck_assert_int_gt(different, 250);
  }
}
END_TEST

START_TEST(fixed_keys_that_fit_nothing_are_refused) {
  static const char *const wrong[] = {
      "h=3,kv=2", "eh:h=3", "eh:kv=3", "d=8,rotary=10", "lq=3,rows=4", "d=2,scaling=ntk-aware:factor=4", "foo=1", "ecc:"};
  const char *keys[RPP_SPEC_KEYS];
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    rpp_spec base;
    rpp_message error;
    ck_assert_msg(!rpp_spec_parse_only(wrong[i], &base, keys, &error), "%s", wrong[i]);
    ck_assert_uint_gt(strlen(error.text), 0);
  }
}
END_TEST

START_TEST(the_mode_is_drawn_when_it_is_not_given) {
  const char *keys[RPP_SPEC_KEYS];
  rpp_spec base;
  rpp_message error;
  int modes[3] = {0};
  ck_assert(rpp_spec_parse_only("h=4", &base, keys, &error));
  ck_assert_str_eq(keys[0], "h");
  ck_assert_ptr_null(keys[1]);
  for (uint64_t n = 0; n < 100; n++) {
    const rpp_spec spec = rpp_spec_draw(1, n, &base, keys);
    ck_assert_int_eq(spec.attention.heads, 4);
    modes[spec.attention.mode]++;
  }
  for (int i = 0; i < 3; i++) ck_assert_int_gt(modes[i], 5);
  ck_assert(rpp_spec_parse_only("eh:h=4", &base, keys, &error));
  for (uint64_t n = 0; n < 100; n++) ck_assert_int_eq(rpp_spec_draw(1, n, &base, keys).attention.mode, RPP_MODE_EH);
}
END_TEST

/* About one in 25, small, and never against a layout that is given. */
START_TEST(sparse_cases_are_few_and_small) {
  const char *keys[RPP_SPEC_KEYS];
  rpp_spec base;
  rpp_message error;
  int sparse = 0;
  ck_assert(rpp_spec_parse_only("layout=padded", &base, keys, &error));
  for (uint64_t n = 0; n < 5000; n++) {
    const rpp_spec s = rpp_spec_draw(1, n, NULL, NULL);
    ck_assert_int_eq(rpp_spec_draw(1, n, &base, keys).layout, RPP_LAYOUT_PADDED);
    if (s.layout != RPP_LAYOUT_SPARSE) continue;
    sparse++;
    ck_assert_int_le(s.batch * s.q_len * s.k_len * s.attention.heads * (s.head_dim + s.v_dim), 200000);
  }
  ck_assert_msg(sparse > 120 && sparse < 300, "%d", sparse);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("spec_draw");
  TCase *tests = tcase_create("spec_draw");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, drawn_specs_are_sound_and_repeat);
  tcase_add_test(tests, fixed_keys_stay_and_fit);
  tcase_add_test(tests, fixed_keys_that_fit_nothing_are_refused);
  tcase_add_test(tests, sparse_cases_are_few_and_small);
  tcase_add_test(tests, the_mode_is_drawn_when_it_is_not_given);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
