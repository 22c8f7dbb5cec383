/* contract_text.c: every field of a contract has its key, defaults follow from the dtype, what is wrong is named, and a line that is
 * printed reads back. */
#include "contract_text.h"

#include <stdio.h>

#include "kernels/emulate.h"
#include "kernels/kernel.h"
#include "support.h"

static bool same(const rpp_contract *a, const rpp_contract *b) {
  return a->input == b->input && a->rotated == b->rotated && a->rotate_each == b->rotate_each && a->value == b->value &&
         a->probability == b->probability && a->output == b->output && a->lse == b->lse && a->sums == b->sums &&
         a->sum_depth == b->sum_depth && a->key_tile == b->key_tile && a->max_splits == b->max_splits && a->angles == b->angles &&
         a->angle_error == b->angle_error && a->deterministic == b->deterministic;
}

static rpp_contract parsed(const char *text) {
  rpp_contract contract = rpp_contract_default(RPP_F32);
  rpp_message error = {""};
  ck_assert_msg(rpp_contract_parse(text, &contract, &error), "%s: %s", text, error.text);
  return contract;
}

START_TEST(defaults_follow_from_the_dtype) {
  static const struct {
    const char *text;
    rpp_dtype dtype, lse;
    rpp_sums sums;
  } known[] = {{"f64", RPP_F64, RPP_F64, RPP_SUMS_F64},
               {"f32", RPP_F32, RPP_F32, RPP_SUMS_F32},
               {"f16", RPP_F16, RPP_F32, RPP_SUMS_TENSOR_CORE},
               {"bf16", RPP_BF16, RPP_F32, RPP_SUMS_TENSOR_CORE}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const rpp_contract c = parsed(known[i].text), d = rpp_contract_default(known[i].dtype);
    ck_assert(same(&c, &d));
    ck_assert(c.input == known[i].dtype && c.rotated == c.input && c.value == c.input && c.probability == c.input);
    ck_assert(c.output == c.input && c.lse == known[i].lse && c.sums == known[i].sums && !c.rotate_each && !c.deterministic);
    ck_assert(c.sum_depth == 1 && c.key_tile == 16 && c.max_splits == 1);
    ck_assert(c.angles == RPP_ANGLES_EXACT && c.angle_error == RPP_ANGLES_F64_PRODUCT);
  }
}
END_TEST

/* Each key alone, and what the default of bf16 becomes by it. */
START_TEST(every_key_sets_its_field_and_no_other) {
  const rpp_contract usual = rpp_contract_default(RPP_BF16);
  rpp_contract want[13];
  for (int i = 0; i < 13; i++) want[i] = usual;
  want[0].rotated = RPP_F32;
  want[1].rotate_each = true;
  want[2].value = RPP_F16;
  want[3].probability = RPP_F64;
  want[4].sums = RPP_SUMS_F32;
  want[5].sum_depth = 256;
  want[6].key_tile = 9223372036854775807;
  want[7].max_splits = 64;
  want[8].output = RPP_F32;
  want[9].lse = RPP_BF16;
  want[10].angles = RPP_ANGLES_HF_F32, want[10].angle_error = RPP_ANGLES_AS_MODELLED;
  want[11].angle_error = RPP_ANGLES_F32_PRODUCT;
  want[12].deterministic = true;
  static const char *const items[] = {
      "rotated=f32", "rotate=each", "v=f16",    "p=f64",         "acc=f32",         "depth=256",      "tile=9223372036854775807",
      "splits=64",   "out=f32",     "lse=bf16", "angles=hf-f32", "angle-error=f32", "deterministic=1"};
  for (int i = 0; i < 13; i++) {
    char text[64];
    rpp_contract c = usual;
    rpp_message error;
    ck_assert(rpp_contract_parse(items[i], &c, &error));
    ck_assert_msg(same(&c, &want[i]) && !same(&c, &usual), "%s alone", items[i]);
    snprintf(text, sizeof text, "bf16,%s", items[i]);
    c = parsed(text);
    ck_assert_msg(same(&c, &want[i]), "%s", text);
  }
}
END_TEST

START_TEST(the_angle_error_follows_the_angles_unless_it_is_given) {
  const char *const with[] = {"f32,angle-error=f32,angles=hf-f32", "f32,angles=hf-f32,angle-error=f32"};
  for (int i = 0; i < 2; i++) ck_assert(parsed(with[i]).angle_error == RPP_ANGLES_F32_PRODUCT);
  ck_assert(parsed("f32,angles=hf-f32").angle_error == RPP_ANGLES_AS_MODELLED);
  ck_assert(parsed("f32,angles=exact").angle_error == RPP_ANGLES_F64_PRODUCT);
  ck_assert(parsed("f32,angles=exact,angle-error=none").angle_error == RPP_ANGLES_AS_MODELLED);
}
END_TEST

/* The issue's own example. */
START_TEST(keys_come_in_any_order) {
  const rpp_contract a = parsed("bf16,p=bf16,acc=f32,angles=exact,rotate=once"), b = parsed("bf16,rotate=once,acc=f32");
  ck_assert(same(&a, &b) && a.sums == RPP_SUMS_F32 && a.probability == RPP_BF16);
}
END_TEST

START_TEST(what_is_wrong_is_named_and_changes_nothing) {
  static const struct {
    const char *text, *says, *too;
  } known[] = {
      {"", "expected", "contract"},
      {"bf17", "bf17", "f64, f32, f16, bf16"},
      {"i64", "dtype = i64", "bf16"},
      {"BF16", "BF16", "must be one of"},
      {"f32,", "nothing", "key=value"},
      {",f32", "dtype = ", "must be one of"},
      {"f32,,p=f32", "nothing", "key=value"},
      {"p=f32,f32", "f32", "key=value"},
      {"f32,f32", "f32", "key=value"},
      {"f32,p", "p", "key=value"},
      {"f32,q=f32", "q = f32", "no such key"},
      {"f32,P=f32", "P = f32", "no such key"},
      {"f32, p=f32", " p = f32", "no such key"},
      {"f32,=f32", "= f32", "no such key"},
      {"f32,p=", "p = ", "must be one of f64, f32, f16, bf16"},
      {"f32,p=f8", "p = f8", "must be one of"},
      {"f32,p=f32,p=f32", "p = f32", "given twice"},
      {"f32,p=f32,acc=f32,p=bf16", "p = bf16", "given twice"},
      {"f32,acc=f16", "acc = f16", "f64, f32, tc"},
      {"f32,rotate=twice", "rotate = twice", "once, each"},
      {"f32,angles=fast", "angles = fast", "exact, hf-f32"},
      {"f32,angle-error=f16", "angle-error = f16", "none, f32, f64"},
      {"f32,deterministic=yes", "deterministic = yes", "0, 1"},
      {"f32,depth=0", "depth = 0", "at least 1"},
      {"f32,tile=-16", "tile = -16", "at least 1"},
      {"f32,splits=9223372036854775808", "splits = 9223372036854775808", "64-bit"},
      {"f32,depth=1e3", "depth = 1e3", "integer"},
      {"f32,p=f32=f32", "p = f32=f32", "must be one of"},
      {"f32,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1", "aaaa", "too long"},
      {"f32,p=\n\033[2J", "p = ??[2J", "must be one of"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const rpp_contract before = rpp_emulated_contract(RPP_F16);
    rpp_contract c = before;
    rpp_message error = {""};
    ck_assert_msg(!rpp_contract_parse(known[i].text, &c, &error), "taken: %s", known[i].text);
    ck_assert_msg(strstr(error.text, known[i].says) && strstr(error.text, known[i].too), "%s: %s", known[i].text, error.text);
    ck_assert(same(&c, &before));
  }
}
END_TEST

static void reads_back(const rpp_contract *contract) {
  char text[RPP_CONTRACT_TEXT];
  rpp_contract other = rpp_contract_default(RPP_F64);
  rpp_message error;
  other.deterministic = true, other.rotate_each = true, other.max_splits = 7;
  rpp_contract_print(contract, text);
  ck_assert_msg(rpp_contract_parse(text, &other, &error), "%s: %s", text, error.text);
  ck_assert_msg(same(&other, contract), "%s", text);
}

/* Any value of each field, drawn: what is printed reads back to it, whatever stood there before. */
START_TEST(every_contract_reads_back) {
  uint64_t state = 7;
  for (int i = 0; i < 20000; i++) {
    const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
    uint64_t r = support_random(&state);
    const int64_t far = (int64_t)(support_random(&state) >> 1);
    rpp_contract c = {.input = dtypes[r % 4],
                      .rotated = dtypes[r / 4 % 4],
                      .rotate_each = r / 16 % 2 != 0,
                      .value = dtypes[r / 32 % 4],
                      .probability = dtypes[r / 128 % 4],
                      .output = dtypes[r / 512 % 4],
                      .lse = dtypes[r / 2048 % 4],
                      .sums = (rpp_sums)(r / 8192 % 3),
                      .angles = (rpp_angle_model)(r / 32768 % 2),
                      .angle_error = (rpp_angle_error)(r / 65536 % 3),
                      .deterministic = r / 262144 % 2 != 0};
    c.sum_depth = 1 + far % 1000, c.key_tile = far + (far == 0), c.max_splits = i % 2 == 0 ? INT64_MAX : 1;
    reads_back(&c);
  }
  for (const rpp_kernel *const *k = rpp_kernels; *k != NULL; k++) reads_back(&(*k)->contract);
}
END_TEST

START_TEST(a_contract_is_printed_whole) {
  char text[RPP_CONTRACT_TEXT];
  const rpp_contract c = rpp_contract_default(RPP_BF16);
  rpp_contract_print(&c, text);
  ck_assert_str_eq(text,
                   "bf16,rotated=bf16,rotate=once,v=bf16,p=bf16,acc=tc,depth=1,tile=16,splits=1,out=bf16,lse=f32,angles=exact,"
                   "angle-error=f64,deterministic=0");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("contract_text");
  TCase *tests = tcase_create("contract_text");
  tcase_add_test(tests, defaults_follow_from_the_dtype);
  tcase_add_test(tests, every_key_sets_its_field_and_no_other);
  tcase_add_test(tests, the_angle_error_follows_the_angles_unless_it_is_given);
  tcase_add_test(tests, keys_come_in_any_order);
  tcase_add_test(tests, what_is_wrong_is_named_and_changes_nothing);
  tcase_add_test(tests, every_contract_reads_back);
  tcase_add_test(tests, a_contract_is_printed_whole);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
