#include "right_cases.h"

#include <math.h>
#include <stdlib.h>

#include "judge/case_truth.h"
#include "support.h"

#define SHAPE(...) ((int64_t[]){__VA_ARGS__})

void build_truth(builder *b, const char *name, rpp_dtype dtype, int ndim, const int64_t *shape) {
  rpp_message error = {""};
  rpp_safetensors *file;
  rpp_case c;
  size_t size;
  double *values = build_tensor(b, name, dtype, ndim, shape);
  unsigned char *bytes = build_bytes(b, &size);
  ck_assert_msg(rpp_safetensors_parse(bytes, size, &file, &error) && rpp_case_read(file, &c, &error), "%s: %s", name, error.text);
  rpp_case_tensor which = RPP_CASE_EXPECTED;
  while (c.tensor[which] != rpp_safetensors_tensor(file, name)) which++;
  double *scale = calloc(4096, sizeof *scale);
  ck_assert_msg(rpp_case_truth(&c, which, values, scale, &error), "%s: %s", name, error.text);
  free(scale);
  rpp_safetensors_free(file);
  free(bytes);
}

void build_attention_truth(builder *b, rpp_dtype dtype) {
  if (build_find(b, "q")->shape[2] == 4) {
    build_truth(b, "q_real", dtype, 4, SHAPE(2, 3, 4, 4));
    build_truth(b, "q_imag", dtype, 4, SHAPE(2, 3, 4, 4));
    build_truth(b, "k_rot", dtype, 4, SHAPE(2, 5, 2, 4));
    build_truth(b, "scores_real", dtype, 4, SHAPE(2, 4, 3, 5));
    build_truth(b, "scores_imag", dtype, 4, SHAPE(2, 4, 3, 5));
  }
  build_truth(b, "out", dtype, 4, SHAPE(2, 3, 8, 3));
  build_truth(b, "lse", dtype, 3, SHAPE(2, 8, 3));
}

static void add_layer_truth(builder *b, rpp_dtype dtype) {
  build_truth(b, "k_cache", dtype, 4, SHAPE(2, 3, 2, 4));
  build_truth(b, "v_cache", dtype, 4, SHAPE(2, 3, 2, 4));
  build_truth(b, "out", dtype, 4, SHAPE(2, 3, 8, 4));
  build_truth(b, "y", dtype, 3, SHAPE(2, 3, 6));
}

/* ---- The kinds of cases ------------------------------------------------------------------------------------------------- */

static void plain(builder *b) {
  build_attention(b);
}

static void interleaved_partial(builder *b) {
  build_attention(b);
  build_key(b, "pairing", "interleaved");
  build_key(b, "rotary", "2");
}

static void yarn(builder *b) {
  build_attention(b);
  build_key(b, "scaling", "yarn:factor=32,orig=4096");
}

static void hf_f32(builder *b) {
  build_attention(b);
  build_key(b, "angles", "hf-f32");
}

static void full(builder *b) {
  build_attention(b);
  build_key(b, "mask", "full");
}

void build_window(builder *b) {
  build_attention(b);
  build_key(b, "mask", "window:2");
  build_key(b, "causal_offset", "-1"); /* the first query sees no key: out 0, lse -inf */
}

void build_packed(builder *b) {
  build_attention(b);
  double *cu_q = build_tensor(b, "cu_q", RPP_I64, 1, SHAPE(3)), *cu_k = build_tensor(b, "cu_k", RPP_I64, 1, SHAPE(3));
  cu_q[1] = 1, cu_q[2] = 3;
  cu_k[1] = 2, cu_k[2] = 5;
}

static void positions_of_each_sequence(builder *b) {
  build_attention(b);
  double *q = build_tensor(b, "pos_q", RPP_I64, 2, SHAPE(2, 3)), *k = build_tensor(b, "pos_k", RPP_I64, 2, SHAPE(2, 5));
  for (int i = 0; i < 6; i++) q[i] = 1000000 - 7 * i;
  for (int i = 0; i < 10; i++) k[i] = i * i;
}

static void rotated(builder *b) {
  build_attention(b);
  build_key(b, "inputs", "rotated");
  build_key(b, "base", NULL);
  build_random(build_tensor(b, "q", RPP_F64, 4, SHAPE(2, 3, 8, 4)), 2 * 3 * 8 * 4, 77);
  build_remove(b, "pos_q");
  build_remove(b, "pos_k");
}

static void inv_freq(builder *b) {
  build_attention(b);
  build_key(b, "base", NULL);
  double *theta = build_tensor(b, "inv_freq", RPP_F32, 1, SHAPE(2));
  theta[0] = 1, theta[1] = 0.3;
}

static void cos_sin(builder *b) {
  build_attention(b);
  build_key(b, "base", NULL);
  double *c = build_tensor(b, "cos", RPP_F32, 2, SHAPE(5, 2)), *s = build_tensor(b, "sin", RPP_F32, 2, SHAPE(5, 2));
  for (int i = 0; i < 10; i++) c[i] = cos(0.7 * i), s[i] = sin(0.7 * i);
}

static void sixteen_bit_inputs(builder *b) {
  build_attention(b);
  static const char *const names[] = {"q", "k", "v"};
  static const rpp_dtype dtypes[] = {RPP_F16, RPP_BF16, RPP_F32};
  for (int i = 0; i < 3; i++) build_find(b, names[i])->dtype = dtypes[i];
}

static void layer(builder *b) {
  build_layer(b);
}

static void layer_interleaved_window(builder *b) {
  build_layer(b);
  build_key(b, "pairing", "interleaved");
  build_key(b, "mask", "window:2");
  build_key(b, "scaling", "yarn-hf:factor=8,orig=64");
}

const char *const build_right_cases[BUILD_RIGHT_CASES] = {
    "plain",  "interleaved partial",        "yarn",    "hf-f32",   "full",     "window",
    "packed", "positions of each sequence", "rotated", "inv_freq", "cos, sin", "16-bit inputs",
    "layer",  "layer interleaved window"};

static void (*const kinds[BUILD_RIGHT_CASES])(builder *) = {
    plain,        interleaved_partial,        yarn,    hf_f32,   full,    build_window,
    build_packed, positions_of_each_sequence, rotated, inv_freq, cos_sin, sixteen_bit_inputs,
    layer,        layer_interleaved_window};
builder build_right_case(int kind, rpp_dtype dtype) {
  builder b = {0};
  kinds[kind](&b);
  if (build_find(&b, "x") != NULL)
    add_layer_truth(&b, dtype);
  else
    build_attention_truth(&b, dtype);
  return b;
}
