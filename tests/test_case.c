/* case.c: which tensors a case must, may and must not hold, their dtypes and shapes, and how they are wired. */
#include "files/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_builder.h"
#include "program/names.h"
#include "support.h"

/* A case read from a builder's file, whose bytes and tensors live until the next call. */
static const char *read_case(const builder *b, rpp_case *c) {
  static rpp_message error;
  static rpp_safetensors *file;
  static unsigned char *bytes;
  size_t size;
  rpp_safetensors_free(file);
  free(bytes);
  bytes = build_bytes(b, &size);
  ck_assert_msg(rpp_safetensors_parse(bytes, size, &file, &error), "%s", error.text);
  return rpp_case_read(file, c, &error) ? NULL : error.text;
}

static void check_refused(builder *b, const char *expected) {
  rpp_case c;
  const char *got = read_case(b, &c);
  ck_assert_msg(got != NULL, "taken, instead of '%s'", expected);
  ck_assert_str_eq(got, expected);
  build_free(b);
}

static void check_taken(builder *b, rpp_case *c) {
  const char *got = read_case(b, c);
  ck_assert_msg(got == NULL, "refused: %s", got);
  build_free(b);
}

static builder attention(void) {
  builder b = {0};
  build_attention(&b);
  return b;
}

static builder layer(void) {
  builder b = {0};
  build_layer(&b);
  return b;
}

#define SHAPE(...) ((int64_t[]){__VA_ARGS__})

START_TEST(attention_is_wired) {
  builder b = attention();
  rpp_case c;
  build_tensor(&b, "out", RPP_F32, 4, SHAPE(2, 3, 8, 3));
  check_taken(&b, &c);
  const rpp_tensor *const *t = c.tensor;
  ck_assert(c.inputs.q == t[RPP_CASE_Q] && c.inputs.k == t[RPP_CASE_K] && c.inputs.v == t[RPP_CASE_V]);
  ck_assert(c.inputs.pos_q == t[RPP_CASE_POS_Q] && c.inputs.pos_k == t[RPP_CASE_POS_K]);
  ck_assert(c.inputs.cu_q == NULL && c.inputs.cu_k == NULL && c.attention.rotary.inv_freq == NULL &&
            c.attention.rotary.cos == NULL);
  for (int i = 0; i < RPP_CASE_TENSORS; i++)
    ck_assert((t[i] != NULL) == (i <= RPP_CASE_V || i == RPP_CASE_POS_Q || i == RPP_CASE_POS_K || i == RPP_CASE_OUT));
  ck_assert(t[RPP_CASE_Q]->shape[1] == 3 && t[RPP_CASE_K]->shape[1] == 5 && t[RPP_CASE_V]->shape[3] == 3);
}
END_TEST

START_TEST(layer_is_wired) {
  builder b = layer();
  rpp_case c;
  check_taken(&b, &c);
  const rpp_tensor *const *t = c.tensor;
  ck_assert(c.layer.x == t[RPP_CASE_X] && c.layer.wq == t[RPP_CASE_WQ] && c.layer.wk == t[RPP_CASE_WK]);
  ck_assert(c.layer.wv == t[RPP_CASE_WV] && c.layer.wo == t[RPP_CASE_WO] && c.layer.pos == t[RPP_CASE_POS_Q] &&
            c.layer.pos != NULL);
}
END_TEST

START_TEST(tables_and_packing_are_wired) {
  builder b = attention();
  rpp_case c;
  build_tensor(&b, "inv_freq", RPP_F32, 1, SHAPE(2));
  build_tensor(&b, "cu_q", RPP_I64, 1, SHAPE(3));
  build_tensor(&b, "cu_k", RPP_I64, 1, SHAPE(3));
  check_taken(&b, &c);
  ck_assert(c.attention.rotary.inv_freq == c.tensor[RPP_CASE_INV_FREQ] && c.attention.rotary.inv_freq != NULL);
  ck_assert(c.inputs.cu_q == c.tensor[RPP_CASE_CU_Q] && c.inputs.cu_k == c.tensor[RPP_CASE_CU_K] && c.inputs.cu_k != NULL);

  b = attention();
  build_key(&b, "rotary", "2");
  build_tensor(&b, "cos", RPP_F16, 2, SHAPE(9, 1));
  build_tensor(&b, "sin", RPP_F16, 2, SHAPE(9, 1));
  check_taken(&b, &c);
  ck_assert(c.attention.rotary.cos == c.tensor[RPP_CASE_COS] && c.attention.rotary.sin == c.tensor[RPP_CASE_SIN]);
  ck_assert_ptr_nonnull(c.attention.rotary.sin);
}
END_TEST

START_TEST(all_expected_tensors_fit) {
  builder b = attention();
  rpp_case c;
  build_tensor(&b, "q_real", RPP_F64, 4, SHAPE(2, 3, 4, 4));
  build_tensor(&b, "q_imag", RPP_F64, 4, SHAPE(2, 3, 4, 4));
  build_tensor(&b, "k_rot", RPP_F64, 4, SHAPE(2, 5, 2, 4));
  build_tensor(&b, "scores_real", RPP_F64, 4, SHAPE(2, 4, 3, 5));
  build_tensor(&b, "scores_imag", RPP_F64, 4, SHAPE(2, 4, 3, 5));
  build_tensor(&b, "out", RPP_BF16, 4, SHAPE(2, 3, 8, 3));
  build_tensor(&b, "lse", RPP_F32, 3, SHAPE(2, 8, 3));
  check_taken(&b, &c);
  static const char *const letters[RPP_CASE_TENSORS] = {
      [RPP_CASE_Q_REAL] = "bthd",      [RPP_CASE_Q_IMAG] = "bthd", [RPP_CASE_K_ROT] = "bshd", [RPP_CASE_SCORES_REAL] = "bhts",
      [RPP_CASE_SCORES_IMAG] = "bhts", [RPP_CASE_OUT] = "bthd",    [RPP_CASE_LSE] = "bht"};
  for (rpp_case_tensor t = RPP_CASE_EXPECTED; t < RPP_CASE_TENSORS; t++) {
    ck_assert((c.tensor[t] != NULL) == (letters[t] != NULL));
    if (letters[t] != NULL) ck_assert_str_eq(rpp_case_tensor_letters(t, RPP_OP_ATTENTION), letters[t]);
  }

  b = layer();
  build_tensor(&b, "k_cache", RPP_F64, 4, SHAPE(2, 3, 2, 4));
  build_tensor(&b, "v_cache", RPP_F64, 4, SHAPE(2, 3, 2, 4));
  build_tensor(&b, "out", RPP_F64, 4, SHAPE(2, 3, 8, 4));
  build_tensor(&b, "y", RPP_F64, 3, SHAPE(2, 3, 6));
  check_taken(&b, &c);
  ck_assert_str_eq(rpp_case_tensor_letters(RPP_CASE_Y, RPP_OP_LAYER), "btc");
  ck_assert_str_eq(rpp_case_tensor_letters(RPP_CASE_K_CACHE, RPP_OP_LAYER), "bthd");
  ck_assert_str_eq(rpp_case_tensor_name(RPP_CASE_Y), "y");
}
END_TEST

START_TEST(missing_tensors) {
  static const char *const of_attention[] = {"q", "k", "v", "pos_q", "pos_k"};
  static const char *const of_layer[] = {"x", "wq", "wk", "wv", "wo", "pos_q"};
  for (size_t i = 0; i < 5 + 6; i++) {
    builder b = i < 5 ? attention() : layer();
    const char *name = i < 5 ? of_attention[i] : of_layer[i - 5];
    char expected[64];
    snprintf(expected, sizeof expected, "%s: missing", name);
    build_remove(&b, name);
    check_refused(&b, expected);
  }
}
END_TEST

START_TEST(tensors_that_go_together) {
  static const char *const pairs[][2] = {{"cu_q", "cu_k"}, {"cu_k", "cu_q"}, {"cos", "sin"}, {"sin", "cos"}};
  for (size_t i = 0; i < 4; i++) {
    builder b = attention();
    char expected[64];
    snprintf(expected, sizeof expected, "%s: missing, though %s is there", pairs[i][1], pairs[i][0]);
    build_tensor(&b, pairs[i][0], i < 2 ? RPP_I64 : RPP_F32, i < 2 ? 1 : 2, SHAPE(5, 2));
    check_refused(&b, expected);
  }
  builder b = attention();
  build_tensor(&b, "inv_freq", RPP_F32, 1, SHAPE(2));
  build_tensor(&b, "cos", RPP_F32, 2, SHAPE(5, 2));
  build_tensor(&b, "sin", RPP_F32, 2, SHAPE(5, 2));
  check_refused(&b, "inv_freq: given together with cos and sin");
}
END_TEST

START_TEST(unknown_and_misplaced_tensors) {
  builder b = attention();
  build_tensor(&b, "Out", RPP_F64, 4, SHAPE(2, 3, 8, 3));
  check_refused(&b, "Out: unknown tensor");
  b = attention();
  build_tensor(&b, "score_real", RPP_F64, 4, SHAPE(2, 4, 3, 5));
  check_refused(&b, "score_real: unknown tensor");
  b = attention();
  build_tensor(&b, "y", RPP_F64, 3, SHAPE(2, 3, 6));
  check_refused(&b, "y: not a tensor of op = attention");
  b = layer();
  build_tensor(&b, "lse", RPP_F64, 3, SHAPE(2, 8, 3));
  check_refused(&b, "lse: not a tensor of op = layer");
}
END_TEST

/* A tensor that says nothing where these inputs are rotated already. */
static void check_unjudged(const char *inputs, const char *name) {
  builder b = attention();
  char expected[64];
  build_key(&b, "inputs", inputs);
  build_tensor(&b, name, RPP_F64, 1, SHAPE(1));
  snprintf(expected, sizeof expected, "%s: cannot be judged when inputs = %s", name, inputs);
  check_refused(&b, expected);
}

START_TEST(rotated_inputs) {
  builder b = attention();
  rpp_case c;
  build_key(&b, "inputs", "rotated");
  check_refused(&b, "q: shape (2, 3, 4, 4), expected (2, 3, 8, 4)");

  b = attention();
  build_key(&b, "inputs", "rotated");
  build_tensor(&b, "q", RPP_F64, 4, SHAPE(2, 3, 8, 4));
  build_remove(&b, "pos_q");
  build_remove(&b, "pos_k");
  check_taken(&b, &c);
  ck_assert(c.attention.q_rotated && c.attention.k_rotated && c.inputs.pos_q == NULL);

  static const char *const unjudged[] = {"q_real", "q_imag", "k_rot", "scores_real", "scores_imag"};
  for (size_t i = 0; i < 5; i++) check_unjudged("rotated", unjudged[i]);
}
END_TEST

/* k as a cache holds it, q raw: there are positions of q alone, and its rotation can be judged, k's and scores cannot. */
START_TEST(rotated_keys_alone) {
  static const char *const unjudged[] = {"k_rot", "scores_real", "scores_imag"};
  builder b = attention();
  rpp_case c;
  build_key(&b, "inputs", "rotated-k");
  build_remove(&b, "pos_k");
  build_tensor(&b, "q_imag", RPP_F64, 4, SHAPE(2, 3, 4, 4));
  check_taken(&b, &c);
  ck_assert(!c.attention.q_rotated && c.attention.k_rotated && c.inputs.pos_q != NULL && c.inputs.pos_k == NULL);
  b = attention();
  build_key(&b, "inputs", "rotated-k");
  build_remove(&b, "pos_q");
  check_refused(&b, "pos_q: missing");
  for (size_t i = 0; i < 3; i++) check_unjudged("rotated-k", unjudged[i]);
}
END_TEST

START_TEST(dtypes) {
  builder b = attention();
  build_tensor(&b, "q", RPP_I64, 4, SHAPE(2, 3, 4, 4));
  check_refused(&b, "q: dtype I64, expected F64, F32, F16 or BF16");
  b = attention();
  build_tensor(&b, "pos_k", RPP_F64, 1, SHAPE(5));
  check_refused(&b, "pos_k: dtype F64, expected I64");
  b = attention();
  build_tensor(&b, "lse", RPP_I64, 3, SHAPE(2, 8, 3));
  check_refused(&b, "lse: dtype I64, expected F64, F32, F16 or BF16");
}
END_TEST

START_TEST(shapes) {
  static const struct {
    bool layer;
    const char *name, *expected;
    int ndim;
    int64_t shape[4];
  } bad[] = {
      {false, "q", "q: shape (2, 3, 2, 4), expected (2, 3, 4, 4)", 4, {2, 3, 2, 4}},
      {false, "q", "q: shape (2, 3, 16), expected (B, Lq, 4, 4)", 3, {2, 3, 16}},
      {false, "k", "k: shape (1, 5, 2, 4), expected (2, 5, 2, 4)", 4, {1, 5, 2, 4}},
      {false, "v", "v: shape (2, 4, 2, 3), expected (2, 5, 2, 3)", 4, {2, 4, 2, 3}},
      {false, "v", "v: shape (2, 5, 4, 3), expected (2, 5, 2, 3)", 4, {2, 5, 4, 3}},
      {false, "v", "v: shape (2), expected (2, 5, 2, Dv)", 1, {2}},
      {false, "pos_q", "pos_q: shape (2), expected (3)", 1, {2}},
      {false, "pos_q", "pos_q: shape (1, 3), expected (2, 3)", 2, {1, 3}},
      {false, "pos_k", "pos_k: shape (2, 5, 1), expected (2, 5)", 3, {2, 5, 1}},
      {false, "inv_freq", "inv_freq: shape (4), expected (2)", 1, {4}},
      {false, "q_real", "q_real: shape (2, 3, 8, 4), expected (2, 3, 4, 4)", 4, {2, 3, 8, 4}},
      {false, "k_rot", "k_rot: shape (2, 3, 2, 4), expected (2, 5, 2, 4)", 4, {2, 3, 2, 4}},
      {false, "scores_imag", "scores_imag: shape (2, 3, 4, 5), expected (2, 4, 3, 5)", 4, {2, 3, 4, 5}},
      {false, "out", "out: shape (2, 3, 8, 4), expected (2, 3, 8, 3)", 4, {2, 3, 8, 4}},
      {false, "lse", "lse: shape (2, 3, 8), expected (2, 8, 3)", 3, {2, 3, 8}},
      {true, "x", "x: shape (2, 3, 5), expected (2, 3, 6)", 3, {2, 3, 5}},
      {true, "wq", "wq: shape (6, 16), expected (16, 6)", 2, {6, 16}},
      {true, "wv", "wv: shape (16, 6), expected (8, 6)", 2, {16, 6}},
      {true, "wo", "wo: shape (6, 16), expected (6, 32)", 2, {6, 16}},
      {true, "pos_q", "pos_q: shape (4), expected (3)", 1, {4}},
      {true, "k_cache", "k_cache: shape (2, 3, 8, 4), expected (2, 3, 2, 4)", 4, {2, 3, 8, 4}},
      {true, "out", "out: shape (2, 3, 4, 4), expected (2, 3, 8, 4)", 4, {2, 3, 4, 4}},
      {true, "y", "y: shape (2, 3, 7), expected (2, 3, 6)", 3, {2, 3, 7}},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    builder b = bad[i].layer ? layer() : attention();
    build_tensor(&b, bad[i].name, strncmp(bad[i].name, "pos", 3) == 0 ? RPP_I64 : RPP_F64, bad[i].ndim, bad[i].shape);
    check_refused(&b, bad[i].expected);
  }
  builder b = attention();
  build_tensor(&b, "cos", RPP_F32, 2, SHAPE(9, 2));
  build_tensor(&b, "sin", RPP_F32, 2, SHAPE(8, 2));
  check_refused(&b, "sin: shape (8, 2), expected (9, 2)");
  b = attention();
  build_tensor(&b, "cu_q", RPP_I64, 1, SHAPE(3));
  build_tensor(&b, "cu_k", RPP_I64, 1, SHAPE(2));
  check_refused(&b, "cu_k: shape (2), expected (3)");
}
END_TEST

START_TEST(positions_of_each_sequence) {
  builder b = attention();
  rpp_case c;
  build_tensor(&b, "pos_q", RPP_I64, 2, SHAPE(2, 3));
  build_tensor(&b, "pos_k", RPP_I64, 2, SHAPE(2, 5));
  check_taken(&b, &c);
}
END_TEST

START_TEST(huge_heads) {
  builder b = layer();
  build_key(&b, "heads", "2305843009213693952");
  build_key(&b, "kv_heads", "1");
  build_key(&b, "mode", "rope");
  check_refused(&b, "head_dim = 4: heads times head_dim overflows");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("case");
  TCase *tests = tcase_create("case");
  tcase_add_test(tests, attention_is_wired);
  tcase_add_test(tests, layer_is_wired);
  tcase_add_test(tests, tables_and_packing_are_wired);
  tcase_add_test(tests, all_expected_tensors_fit);
  tcase_add_test(tests, missing_tensors);
  tcase_add_test(tests, tensors_that_go_together);
  tcase_add_test(tests, unknown_and_misplaced_tensors);
  tcase_add_test(tests, rotated_inputs);
  tcase_add_test(tests, rotated_keys_alone);
  tcase_add_test(tests, dtypes);
  tcase_add_test(tests, shapes);
  tcase_add_test(tests, positions_of_each_sequence);
  tcase_add_test(tests, huge_heads);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
