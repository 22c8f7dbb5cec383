/* case_metadata.c: every key's values, defaults and refusals. */
#include "files/case_metadata.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_builder.h"
#include "support.h"

/* Reads the metadata of a builder's file; the message on refusal, null when they were taken. */
static const char *read_metadata(const builder *b, rpp_case *c) {
  static rpp_message error;
  size_t size;
  unsigned char *bytes = build_bytes(b, &size);
  rpp_safetensors *file;
  ck_assert_msg(rpp_safetensors_parse(bytes, size, &file, &error), "%s", error.text);
  *c = (rpp_case){0};
  const bool ok = rpp_case_metadata(file, c, &error);
  rpp_safetensors_free(file);
  free(bytes);
  return ok ? NULL : error.text;
}

/* A right case but for one key, which is removed when value is null. */
static const char *with(void (*build)(builder *), const char *key, const char *value, rpp_case *c) {
  builder b = {0};
  build(&b);
  build_key(&b, key, value);
  const char *refusal = read_metadata(&b, c);
  build_free(&b);
  return refusal;
}

static void check_refused(void (*build)(builder *), const char *key, const char *value, const char *expected) {
  rpp_case c;
  const char *got = with(build, key, value, &c);
  ck_assert_msg(got != NULL, "%s = %s was taken", key, value);
  ck_assert_str_eq(got, expected);
}

START_TEST(defaults) {
  builder b = {0};
  rpp_case c;
  build_attention(&b);
  build_key(&b, "causal_offset", NULL);
  ck_assert_ptr_null(read_metadata(&b, &c));
  const rpp_attention *a = &c.attention;
  ck_assert(c.op == RPP_OP_ATTENTION && a->mode == RPP_MODE_EC && a->heads == 4 && a->kv_heads == 2 && c.head_dim == 4);
  ck_assert(c.counts.projected == 4 && c.counts.kv == 2 && c.counts.output == 8 && c.hidden == 0);
  ck_assert(a->rotary.pairing == RPP_PAIRING_HALF && a->rotary.rotary_dim == 4 && a->rotary.base == 10000);
  ck_assert(a->rotary.scaling.kind == RPP_SCALING_NONE && a->rotary.angles == RPP_ANGLES_EXACT && a->rotary.table_dtype == RPP_F64);
  ck_assert(a->mask == RPP_MASK_CAUSAL && a->causal_offset == 0 && a->scale == 0.5 && !a->q_rotated && !a->k_rotated);
  ck_assert_str_eq(c.name.text, "");
  build_free(&b);
}
END_TEST

START_TEST(values) {
  builder b = {0};
  rpp_case c;
  build_layer(&b);
  build_key(&b, "mode", "eh");
  build_key(&b, "pairing", "interleaved");
  build_key(&b, "head_dim", "64");
  build_key(&b, "rotary", "16");
  build_key(&b, "base", "5e5");
  build_key(&b, "scaling", "llama3:factor=8,low=1,high=4,orig=8192");
  build_key(&b, "angles", "hf-f32");
  build_key(&b, "mask", "window:128");
  build_key(&b, "causal_offset", "-3");
  build_key(&b, "scale", "0.25");
  build_key(&b, "inputs", "raw");
  build_key(&b, "name", "a label\\n");
  ck_assert_ptr_null(read_metadata(&b, &c));
  const rpp_attention *a = &c.attention;
  ck_assert(c.op == RPP_OP_LAYER && a->mode == RPP_MODE_EH && c.hidden == 6 && c.head_dim == 64);
  ck_assert(c.counts.projected == 2 && c.counts.kv == 1 && c.counts.output == 4);
  ck_assert(a->rotary.pairing == RPP_PAIRING_INTERLEAVED && a->rotary.rotary_dim == 16 && a->rotary.base == 5e5);
  ck_assert(a->rotary.scaling.kind == RPP_SCALING_LLAMA3 && a->rotary.scaling.orig == 8192 &&
            a->rotary.angles == RPP_ANGLES_HF_F32);
  ck_assert(a->mask == RPP_MASK_WINDOW && a->window == 128 && a->causal_offset == -3 && a->scale == 0.25);
  ck_assert_str_eq(c.name.text, "a label?");
  build_free(&b);
}
END_TEST

START_TEST(required_keys) {
  static const char *const keys[] = {"format", "op", "mode", "heads", "kv_heads", "head_dim", "pairing", "mask", "base", "hidden"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    char expected[64];
    snprintf(expected, sizeof expected, "metadata: %s is missing", keys[i]);
    check_refused(build_layer, keys[i], NULL, expected);
    if (strcmp(keys[i], "hidden") != 0) check_refused(build_attention, keys[i], NULL, expected);
  }
}
END_TEST

START_TEST(base_is_not_needed_with_tables_or_rotated_inputs) {
  builder b = {0};
  rpp_case c;
  build_attention(&b);
  build_key(&b, "base", NULL);
  build_tensor(&b, "inv_freq", RPP_F32, 1, (int64_t[]){2});
  ck_assert_ptr_null(read_metadata(&b, &c));
  build_remove(&b, "inv_freq");
  ck_assert_str_eq(read_metadata(&b, &c), "metadata: base is missing");
  build_tensor(&b, "cos", RPP_F32, 2, (int64_t[]){1, 2});
  ck_assert_ptr_null(read_metadata(&b, &c));
  build_remove(&b, "cos");
  build_key(&b, "inputs", "rotated");
  ck_assert_ptr_null(read_metadata(&b, &c));
  ck_assert(c.attention.q_rotated && c.attention.k_rotated);
  build_free(&b);
}
END_TEST

START_TEST(values_refused) {
  check_refused(build_attention, "format", "ropepp-case/2", "format = ropepp-case/2: must be ropepp-case/1");
  check_refused(build_attention, "op", "rotate", "op = rotate: not supported by this version");
  check_refused(build_attention, "op", "backward", "op = backward: not supported by this version");
  check_refused(build_attention, "op", "Attention", "op = Attention: must be one of attention, layer");
  check_refused(build_attention, "mode", "rope++", "mode = rope++: must be one of rope, ec, eh");
  check_refused(build_attention, "heads", "0", "heads = 0: must be at least 1");
  check_refused(build_attention, "heads", "4.0", "heads = 4.0: must be a 64-bit integer");
  check_refused(build_attention, "kv_heads", "nan", "kv_heads = nan: must be a 64-bit integer");
  check_refused(build_attention, "head_dim", "99999999999999999999", "head_dim = 99999999999999999999: must be a 64-bit integer");
  check_refused(build_attention, "head_dim", "5", "head_dim = 5: the rotary width must be even");
  check_refused(build_attention, "rotary", "3", "rotary = 3: the rotary width must be even");
  check_refused(build_attention, "rotary", "6", "rotary = 6: must be at most head_dim = 4");
  check_refused(build_attention, "rotary", "0", "rotary = 0: must be at least 2");
  check_refused(build_attention, "pairing", "", "pairing = : must be one of interleaved, half");
  check_refused(build_attention, "base", "NaN", "base = NaN: must be a finite decimal number");
  check_refused(build_attention, "base", "inf", "base = inf: must be a finite decimal number");
  check_refused(build_attention, "scale", "nan", "scale = nan: must be a finite decimal number");
  check_refused(build_attention, "scale", "0.5 ", "scale = 0.5 : must be a finite decimal number");
  check_refused(build_attention, "scaling", "yarn:factor=32", "scaling = yarn:factor=32: orig is missing");
  check_refused(build_attention, "mask", "window:0", "window = 0: must be at least 1");
  check_refused(build_attention, "causal_offset", "1e3", "causal_offset = 1e3: must be a 64-bit integer");
  check_refused(build_attention, "inputs", "cooked", "inputs = cooked: must be one of raw, rotated, rotated-k");
  check_refused(build_attention, "angles", "f32", "angles = f32: must be one of exact, hf-f32");
  check_refused(build_attention, "hidden", "24", "hidden = 24: only a layer has it");
  check_refused(build_layer, "hidden", "-1", "hidden = -1: must be at least 1");
  check_refused(build_layer, "inputs", "rotated", "inputs = rotated: a layer rotates its own");
  check_refused(build_layer, "inputs", "rotated-k", "inputs = rotated-k: a layer rotates its own");
  check_refused(build_attention, "Mask", "causal", "metadata: Mask = causal: unknown key");
  check_refused(build_attention, "table_dtype", "F32", "metadata: table_dtype = F32: unknown key");
}
END_TEST

START_TEST(heads_refused) {
  static const struct {
    const char *mode, *heads, *kv_heads, *field;
  } bad[] = {{"eh", "3", "1", "heads"},
             {"eh", "6", "3", "kv_heads"},
             {"ec", "4", "3", "heads"},
             {"rope", "2", "4", "heads"},
             {"ec", "9223372036854775807", "1", "heads"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    builder b = {0};
    rpp_case c;
    build_attention(&b);
    build_key(&b, "mode", bad[i].mode);
    build_key(&b, "heads", bad[i].heads);
    build_key(&b, "kv_heads", bad[i].kv_heads);
    const char *got = read_metadata(&b, &c);
    ck_assert_msg(got != NULL && strstr(got, bad[i].field) != NULL, "%s %s %s: %s", bad[i].mode, bad[i].heads, bad[i].kv_heads,
                  got);
    build_free(&b);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("case_metadata");
  TCase *tests = tcase_create("case_metadata");
  tcase_add_test(tests, defaults);
  tcase_add_test(tests, values);
  tcase_add_test(tests, required_keys);
  tcase_add_test(tests, base_is_not_needed_with_tables_or_rotated_inputs);
  tcase_add_test(tests, values_refused);
  tcase_add_test(tests, heads_refused);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
