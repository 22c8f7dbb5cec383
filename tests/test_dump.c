/* test_dump.c: a folder of arrays becomes the case that it was saved from; what does not fit is told as a person would. */
#include "cases/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer_builder.h"
#include "base/scratch.h"
#include "faulty_attention.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-dump-XXXXXX", problem[128];
static answered a;
static rpp_dump dump;
static rpp_message error;

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(problem, sizeof problem, "%s/case.safetensors", folder);
}

static void teardown(void) {
  char command[64];
  rpp_dump_free(&dump);
  answer_free(&a);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

static void save(const char *spec) {
  answer_make(&a, spec, faulty_kernel(FAULTY_NONE, RPP_F32), problem);
  answer_folder(folder, &a);
}

static void drop(const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s.npy", folder, name);
  ck_assert_int_eq(unlink(path), 0);
}

static bool load(const char *options, rpp_axes axes) {
  return rpp_dump_load(folder, options, axes, 0, &dump, &error);
}

static void taken_as(const char *options, const char *expected) {
  char text[RPP_SPEC_TEXT];
  rpp_dump_free(&dump);
  ck_assert_msg(load(options, RPP_AXES_BLHD), "%s", error.text);
  rpp_spec_print(&dump.spec, text);
  ck_assert_str_eq(text, expected);
}

static void refused(const char *options, rpp_axes axes, const char *expected) {
  ck_assert_msg(!load(options, axes), "taken, not: %s", expected);
  ck_assert_str_eq(error.text, expected);
  ck_assert(dump.positions == NULL && dump.set.array_count == 0);
}

/* The truth of a dump, element by element that of the case it comes from. */
static void same_truth(void) {
  rpp_scratch scratch = {0};
  const rpp_tensor mine = rpp_scratch_tensor(&scratch, RPP_F64, 4, a.data.out.shape),
                   its = rpp_scratch_tensor(&scratch, RPP_F64, 4, a.data.out.shape);
  rpp_tensor out[] = {mine, its};
  ck_assert_int_eq(rpp_attention_forward(&a.data.attention, &a.data.inputs, NULL, &out[0], NULL), RPP_OK);
  const rpp_status status = rpp_attention_forward(&dump.c.attention, &dump.c.inputs, NULL, &out[1], NULL);
  ck_assert_msg(status == RPP_OK, "%s", rpp_error_message());
  ck_assert_int_gt(rpp_scratch_size(&mine), 0);
  for (int64_t i = 0; i < rpp_scratch_size(&mine); i++)
    ck_assert_double_eq(rpp_scratch_values(&mine)[i], rpp_scratch_values(&its)[i]);
  rpp_scratch_free(&scratch);
}

static const struct {
  const char *spec, *options;
} kinds[] = {
    {"rope:h=4,kv=2,lq=5,lk=9,d=8,seed=2", NULL},
    {"ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=3,seed=2", NULL},
    {"eh:h=8,kv=4,lq=5,lk=9,d=8,seed=2", "eh:"},
    {"eh:h=8,kv=4,lq=5,lk=9,d=8,seed=2", NULL}, /* the same heads as those of an ec of half as many */
    {"ec:h=4,kv=2,lq=9,lk=9,d=8,rotary=4,pairing=half,base=500000,scaling=(yarn:factor=32,orig=4096),mask=window:3,offset=1,"
     "scale=0.5,position=100,seed=2",
     "ec:h=4,rotary=4,pairing=half,base=500000,scaling=(yarn:factor=32,orig=4096),mask=window:3,offset=1,scale=0.5"},
    {"ec:h=4,kv=2,lq=20,lk=20,d=8,packed=4,seed=2", "ec:"},
    {"ec:h=4,kv=2,lq=9,lk=9,d=8,inputs=rotated,seed=2", "ec:inputs=rotated"},
    {"ec:h=4,kv=2,lq=9,lk=9,d=8,inputs=rotated,seed=2", "inputs=rotated"}, /* as rope: the heads are all there */
    {"eh:h=4,kv=4,lq=9,lk=9,d=8,inputs=rotated,seed=2", "eh:inputs=rotated"},
    {"ec:h=4,kv=2,lq=9,lk=9,d=8,inputs=rotated-k,seed=2", "ec:inputs=rotated-k"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

START_TEST(the_case_it_comes_from) {
  save(kinds[_i].spec);
  ck_assert_msg(load(kinds[_i].options, RPP_AXES_BLHD), "%s", error.text);
  ck_assert(!dump.family_given && dump.c.op == RPP_OP_ATTENTION);
  same_truth();
}
END_TEST

START_TEST(what_follows_from_the_arrays) {
  save("ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=3,seed=2");
  taken_as(NULL, "ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=3,seed=0");
  taken_as("eh:h=8,lq=5,dv=3", "eh:h=8,kv=4,b=2,lq=5,lk=9,d=8,dv=3,seed=0");
  taken_as("pairing=half,family=uniform,rows=2,seed=7",
           "ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=3,pairing=half,family=uniform,rows=2,seed=7");
  ck_assert(dump.family_given);
  drop("out");
  taken_as(NULL, "rope:h=4,kv=2,b=2,lq=5,lk=9,d=8,dv=3,seed=0");
  rpp_dump_free(&dump);
  ck_assert(rpp_dump_load(folder, NULL, RPP_AXES_BLHD, 8, &dump, &error) && dump.spec.attention.mode == RPP_MODE_EC);
}
END_TEST

/* Without pos_q and pos_k positions are counted, from `position` on, so that the last query meets the last key. */
START_TEST(counted_positions) {
  save("ec:h=4,kv=2,lq=5,lk=9,d=8,position=700,seed=2");
  drop("pos_q"), drop("pos_k");
  ck_assert_msg(load("position=700", RPP_AXES_BLHD), "%s", error.text);
  same_truth();
  ck_assert_double_eq(rpp_tensor_get(dump.c.inputs.pos_q, (int64_t[]){4}), 708);
  rpp_dump_free(&dump);
  ck_assert(load(NULL, RPP_AXES_BLHD));
  ck_assert_double_eq(rpp_tensor_get(dump.c.inputs.pos_q, (int64_t[]){0}), 4);
}
END_TEST

/* int32 and two-dimensional positions, float16 values. */
START_TEST(other_dtypes) {
  save("ec:h=4,kv=2,b=2,lq=5,lk=9,d=8,batched=1,seed=2");
  answer_npy(folder, "pos_q", &a.data.pos_q, true);
  answer_npy(folder, "pos_k", &a.data.pos_k, true);
  ck_assert_msg(load(NULL, RPP_AXES_BLHD), "%s", error.text);
  same_truth();
}
END_TEST

static void save_heads_first(const char *name, const rpp_tensor *t) {
  rpp_tensor view = *t;
  view.shape[1] = t->shape[2], view.shape[2] = t->shape[1];
  view.strides[1] = t->strides[2], view.strides[2] = t->strides[1];
  answer_npy(folder, name, &view, false);
}

START_TEST(heads_before_the_length) {
  save("ec:h=4,kv=2,lq=5,lk=9,d=8,seed=2");
  save_heads_first("q", &a.data.q);
  save_heads_first("k", &a.data.k);
  save_heads_first("v", &a.data.v);
  save_heads_first("out", &a.data.out);
  ck_assert_msg(load(NULL, RPP_AXES_BHLD), "%s", error.text);
  ck_assert_int_eq(dump.spec.attention.mode, RPP_MODE_EC);
  same_truth();
  rpp_dump_free(&dump);
  refused("ec:h=4", RPP_AXES_BLHD, "q is (1, 4, 5, 8): looks like batch, heads, length, width; use --axes bhld");
  answer_npy(folder, "q", &a.data.q, false);
  refused("ec:h=4", RPP_AXES_BHLD, "q is (1, 5, 4, 8): looks like batch, length, heads, width; leave out --axes bhld");
}
END_TEST

START_TEST(options_that_do_not_fit) {
  save("ec:h=4,kv=2,lq=5,lk=9,d=8,seed=2");
  refused("ec:h=2", RPP_AXES_BLHD, "--case: h = 2, but by the arrays it is 4");
  refused("ec:lk=8", RPP_AXES_BLHD, "--case: lk = 8, but by the arrays it is 9");
  refused("ec:d=16", RPP_AXES_BLHD, "--case: d = 16, but by the arrays it is 8");
  refused("ec:h=four", RPP_AXES_BLHD, "--case: h = four: must be a 64-bit integer");
  refused("dtype=f32", RPP_AXES_BLHD, "--case: dtype: is not an option of arrays that are there already");
  refused("layout=padded", RPP_AXES_BLHD, "--case: layout: is not an option of arrays that are there already");
  refused("position=7", RPP_AXES_BLHD, "--case: position: given, though there is pos_q");
  refused("rotary=16", RPP_AXES_BLHD, "rotary = 16: must be at most d = 8");
  refused("rows=6", RPP_AXES_BLHD, "rows = 6: must be at most lq = 5");
}
END_TEST

START_TEST(arrays_that_do_not_fit) {
  save("ec:h=4,kv=2,lq=5,lk=9,d=8,seed=2");
  drop("pos_k");
  refused(NULL, RPP_AXES_BLHD, "pos_k: missing, though pos_q is there");
  drop("pos_q");
  answer_npy(folder, "v", &a.data.q, false);
  refused(NULL, RPP_AXES_BLHD, "v is (1, 5, 4, 8): length is 5, expected 9, heads is 4, expected 2");
  answer_npy(folder, "v", &a.data.lse, false);
  refused(NULL, RPP_AXES_BLHD, "v is (1, 8, 5): expected batch, length, heads, width");
  drop("v");
  refused(NULL, RPP_AXES_BLHD, "v: missing");
  answer_npy(folder, "v", &a.data.pos_k, false);
  refused(NULL, RPP_AXES_BLHD, "v is (9): expected batch, length, heads, width");
  answer_npy(folder, "v", &a.data.v, false);
  answer_npy(folder, "x", &a.data.v, false);
  refused(NULL, RPP_AXES_BLHD, "x: a layer's: only attention is judged");
  drop("x");
  answer_npy(folder, "cos", &a.data.v, false);
  refused(NULL, RPP_AXES_BLHD, "sin: missing, though cos is there");
  drop("cos");
  const rpp_tensor cu = {(int64_t[]){0, 5}, RPP_I64, 1, {2}, {1}, 0};
  answer_npy(folder, "cu_q", &cu, false);
  answer_npy(folder, "cu_k", &cu, false);
  refused(NULL, RPP_AXES_BLHD, "pos_q: missing, which packed sequences need");
  const rpp_tensor odd = {a.data.q.data, RPP_F32, 4, {1, 5, 3, 8}, {120, 24, 8, 1}, 0};
  drop("cu_q"), drop("cu_k");
  answer_npy(folder, "q", &odd, false);
  refused(NULL, RPP_AXES_BLHD, "kv = 2: must divide h = 3");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dump");
  TCase *tests = tcase_create("dump");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, the_case_it_comes_from, 0, KINDS);
  tcase_add_test(tests, what_follows_from_the_arrays);
  tcase_add_test(tests, counted_positions);
  tcase_add_test(tests, other_dtypes);
  tcase_add_test(tests, heads_before_the_length);
  tcase_add_test(tests, options_that_do_not_fit);
  tcase_add_test(tests, arrays_that_do_not_fit);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
