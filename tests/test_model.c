/* model.c: built-in models, what a model may be, names that mean nothing to other programs. */
#include <stdio.h>

#include "model.h"
#include "support.h"

static const char *refusal(rpp_model model) {
  static rpp_message error;
  ck_assert(!rpp_model_check(&model, &error));
  return error.text;
}

START_TEST(built_in_models_are_the_papers) {
  rpp_model m;
  ck_assert(rpp_model_find("376m", &m));
  ck_assert(m.hidden == 1024 && m.ffn == 3584 && m.layers == 8 && m.heads == 8 && m.kv_heads == 4 && m.head_dim == 128);
  ck_assert(m.vocabulary == 128256 && !m.tied && m.window == 0);
  ck_assert_str_eq(m.name, "376m");
  ck_assert(rpp_model_find("776m", &m));
  ck_assert(m.hidden == 1536 && m.ffn == 5376 && m.layers == 12 && m.heads == 12 && m.kv_heads == 6 && m.head_dim == 128);
  ck_assert(m.vocabulary == 128256 && !m.tied && m.window == 0);
  rpp_message error;
  ck_assert(rpp_model_check(&m, &error));
  ck_assert(!rpp_model_find("376M", &m) && !rpp_model_find("", &m) && !rpp_model_find("376m ", &m));
  ck_assert_str_eq(rpp_model_names(), "376m, 776m");
  ck_assert_str_eq(rpp_model_names(), "376m, 776m"); /* again: it is made anew */
}
END_TEST

START_TEST(bad_sizes_are_named) {
  rpp_model good;
  ck_assert(rpp_model_find("376m", &good));
  const struct {
    int64_t *size;
    const char *field;
  } sizes[] = {{&good.hidden, "hidden_size"},        {&good.ffn, "intermediate_size"},        {&good.layers, "num_hidden_layers"},
               {&good.heads, "num_attention_heads"}, {&good.kv_heads, "num_key_value_heads"}, {&good.head_dim, "head_dim"},
               {&good.vocabulary, "vocab_size"}};
  const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX, (int64_t)INT32_MAX + 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const int64_t kept = *sizes[i].size;
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
      char wanted[64];
      *sizes[i].size = bad[b];
      snprintf(wanted, sizeof wanted, "%s = %lld: ", sizes[i].field, (long long)bad[b]);
      const char *text = refusal(good);
      ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
    }
    *sizes[i].size = kept;
  }
  good.head_dim = 127;
  ck_assert_str_eq(refusal(good), "head_dim = 127: must be even");
  good.head_dim = 128, good.kv_heads = 3;
  ck_assert_str_eq(refusal(good), "num_attention_heads = 8: must be a multiple of num_key_value_heads = 3");
  good.kv_heads = 16;
  ck_assert_ptr_nonnull(strstr(refusal(good), "num_attention_heads = 8"));
  good.kv_heads = 8, good.window = -1;
  ck_assert_ptr_nonnull(strstr(refusal(good), "sliding_window = -1"));
}
END_TEST

START_TEST(odd_heads_rule_out_eh_only) {
  rpp_model m;
  rpp_head_counts n;
  rpp_message why;
  ck_assert(rpp_model_find("376m", &m));
  m.heads = 7, m.kv_heads = 7;
  ck_assert(rpp_model_heads(&m, RPP_MODE_ROPE, &n, &why) && n.output == 7);
  ck_assert(rpp_model_heads(&m, RPP_MODE_EC, &n, &why) && n.output == 14 && n.projected == 7 && n.kv == 7);
  ck_assert(!rpp_model_heads(&m, RPP_MODE_EH, &n, &why));
  ck_assert_str_eq(why.text, "heads = 7: EH needs an even count");
  m.heads = 8, m.kv_heads = 1;
  ck_assert(!rpp_model_heads(&m, RPP_MODE_EH, &n, &why));
  ck_assert_str_eq(why.text, "kv_heads = 1: EH needs an even count");
  m.kv_heads = 2;
  ck_assert(rpp_model_heads(&m, RPP_MODE_EH, &n, &why) && n.projected == 4 && n.kv == 1 && n.output == 8);
}
END_TEST

START_TEST(names_are_tame) {
  char name[64], longer[200];
  rpp_model_name("a/b-c_d.json", name);
  ck_assert_str_eq(name, "a/b-c_d.json");
  rpp_model_name("a\"b`c$d\ne'f\xc3\xa9,", name);
  ck_assert_str_eq(name, "a?b?c?d?e?f???");
  memset(longer, 'x', sizeof longer);
  memcpy(longer + sizeof longer - 5, "tail", 5);
  rpp_model_name(longer, name);
  ck_assert_uint_eq(strlen(name), 63);
  ck_assert_str_eq(name + 59, "tail");
  rpp_model_name("", name);
  ck_assert_str_eq(name, "");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("model");
  TCase *tests = tcase_create("model");
  tcase_add_test(tests, built_in_models_are_the_papers);
  tcase_add_test(tests, bad_sizes_are_named);
  tcase_add_test(tests, odd_heads_rule_out_eh_only);
  tcase_add_test(tests, names_are_tame);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
