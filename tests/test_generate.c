/* generate.c: data that the library takes, the same everywhere and in every layout, between guards that see every stray write. */
#include "cases/generate.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "cases/guards.h"
#include "guarded.h"
#include "judge/judge.h"
#include "kernels/kernel.h"
#include "sanitized.h"
#include "support.h"

static rpp_generated data;

static const rpp_generated *make(const char *text) {
  rpp_spec spec;
  rpp_message error;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  ck_assert_msg(rpp_generate(&spec, RPP_F32, RPP_F64, &data, &error), "%s", error.text);
  return &data;
}

/* FNV-1a over the bits of every element, in the order of their indices. */
static uint64_t hash(const rpp_tensor *t, uint64_t h) {
  int64_t index[RPP_MAX_DIMS] = {0};
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] == 0) return h;
  if (t->ndim > 0) do {
      const double x = rpp_tensor_get(t, index);
      uint64_t bits;
      memcpy(&bits, &x, sizeof bits);
      for (int i = 0; i < 8; i++) h = (h ^ (bits >> 8 * i & 0xff)) * 0x100000001b3u;
    } while (guarded_next(t, index));
  return h;
}

static uint64_t hash_inputs(const rpp_generated *g) {
  const rpp_tensor *const all[] = {&g->q, &g->k, &g->v, &g->pos_q, &g->pos_k, &g->cu_q, &g->cu_k, &g->rows};
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) h = hash(all[i], h);
  return h;
}

/* Of every compiler, optimization and machine. A change here is a change of every case that was ever recorded. */
START_TEST(bits_are_golden) {
  static const struct {
    const char *spec;
    uint64_t hash;
  } golden[] = {
      {"ec:h=2,kv=1,lq=5,lk=9,d=16,dtype=f64,seed=1", 0xadcfd1446533a9a3},
      {"rope:h=4,kv=2,lq=9,lk=5,d=34,dtype=f32,family=uniform,b=2,batched=1,seed=2", 0xc457c0097a7aca36},
      {"eh:h=4,kv=2,lq=7,lk=7,d=64,dtype=f16,family=needle,pairing=half,position=1000000,packed=3,seed=3", 0xa071ecf5417e7f54},
      {"ec:h=2,kv=2,lq=3,lk=200,d=40,rotary=10,dtype=bf16,family=drift,scaling=(yarn:factor=32,orig=4096),reset=50,seed=4",
       0x2efbff2fced00c85},
      {"ec:h=1,kv=1,lq=2,lk=3,d=6,dtype=f64,family=subnormal,inputs=rotated,rows=1,seed=18446744073709551615", 0xfa194174067a5c0e},
      {"ec:h=2,kv=1,lq=4,lk=4,d=128,dtype=f32,family=negative,angles=hf-f32,seed=6", 0xddd7f825fbf8888c},
      {"ec:h=4,kv=4,b=2,lq=3,lk=8192,d=64,dtype=bf16,seed=8", 0x61fdcd6308c57b01}, /* by all threads */
  };
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    const uint64_t found = hash_inputs(make(golden[i].spec));
    ck_assert_msg(found == golden[i].hash, "%s: 0x%016llx", golden[i].spec, (unsigned long long)found);
    rpp_generated_free(&data);
  }
}
END_TEST

static double size_of(const rpp_spec *s) {
  return (double)s->batch * (double)s->attention.heads * (double)s->q_len * (double)s->k_len * (double)(s->head_dim + s->v_dim);
}

/* The large ones too, by two rows of theirs. */
START_TEST(the_library_takes_every_drawn_case) {
  rpp_message error;
  int sampled = 0;
  for (uint64_t n = 0; n < 1500; n++) {
    rpp_spec spec = rpp_spec_draw(21, n, NULL, NULL);
    if (size_of(&spec) > 2e6 && spec.q_len > 0) spec.rows = spec.q_len < 2 ? 1 : 2;
    if (size_of(&spec) > 2e7 && spec.k_len < 100000) continue;
    ck_assert_msg(rpp_generate(&spec, spec.dtype, RPP_F32, &data, &error), "%s", error.text);
    int64_t rows = spec.q_len;
    if (spec.rows > 0) {
      rows = spec.rows, sampled++;
      data.out.shape[1] = data.lse.shape[2] = rows; /* of the room for all */
    }
    char text[RPP_SPEC_TEXT];
    rpp_spec_print(&spec, text);
    const rpp_status status =
        rpp_attention_forward(&data.attention, &data.inputs, spec.rows > 0 ? &data.rows : NULL, &data.out, &data.lse);
    ck_assert_msg(status == RPP_OK, "%s: %s", text, rpp_error_message());
    ck_assert_msg(rpp_generated_intact(&data, &error), "%s: %s", text, error.text);
    if (rows > 0) {
      const int64_t last[] = {spec.batch - 1, rows - 1, data.out.shape[2] - 1, spec.v_dim - 1};
      ck_assert(!rpp_generated_unwritten(&data.out, last));
      if (spec.family != RPP_FAMILY_NEAR_MAX) ck_assert_msg(isfinite(rpp_tensor_get(&data.out, last)), "%s", text);
    }
    rpp_generated_free(&data);
  }
  ck_assert_int_gt(sampled, 50);
}
END_TEST

START_TEST(layouts_hold_the_same_values) {
  static const char *const problems[] = {"ec:h=4,kv=2,lq=7,lk=7,d=10,dtype=f16,b=2",
                                         "eh:h=4,kv=2,lq=3,lk=9,d=6,dv=4,family=drift,packed=2",
                                         "rope:h=3,kv=1,lq=5,d=4,b=3,batched=1,dtype=f64,family=uniform,inputs=rotated"};
  static const char *const layouts[] = {"contiguous", "head-major", "padded", "fused", "sliced", "sparse"};
  for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
    uint64_t first = 0;
    for (size_t n = 0; n < sizeof layouts / sizeof *layouts; n++) {
      char text[RPP_SPEC_TEXT];
      snprintf(text, sizeof text, "%s,layout=%s,seed=5", problems[i], layouts[n]);
      const uint64_t found = hash_inputs(make(text));
      if (n == 0) first = found;
      ck_assert_uint_eq(found, first);
      rpp_generated_free(&data);
    }
  }
}
END_TEST

/* What is left of a smaller problem holds what it held. */
START_TEST(smaller_problems_keep_their_values) {
  enum { KEYS, QUERIES, BATCH, HEADS, VALUE_WIDTH, WIDTH, WAYS };
  static const char *const families[] = {"normal", "drift", "repeated", "outliers", "one-hot-v", "constant-v", "negative"};
  enum { OUTLIERS = 3, ONE_HOT_V }; /* these turn with the value width too */
  for (size_t f = 0; f < sizeof families / sizeof *families; f++)
    for (int i = 0; i < WAYS; i++) {
      if (i == WIDTH && strcmp(families[f], "normal") != 0) continue; /* other families turn with the width */
      if (i == VALUE_WIDTH && (f == OUTLIERS || f == ONE_HOT_V)) continue;
      char text[RPP_SPEC_TEXT];
      snprintf(text, sizeof text, "ec:h=4,kv=2,b=2,lq=4,lk=9,d=16,scale=0.25,dtype=f64,inputs=rotated,family=%s,seed=6",
               families[f]);
      rpp_generated whole = *make(text);
      rpp_spec spec = whole.spec;
      if (i == KEYS) spec.k_len = 5;
      if (i == QUERIES) spec.q_len = 2;
      if (i == BATCH) spec.batch = 1;
      if (i == HEADS) spec.attention.heads = 2, spec.attention.kv_heads = 1;
      if (i == VALUE_WIDTH) spec.v_dim = 3;
      if (i == WIDTH) spec.head_dim = spec.attention.rotary.rotary_dim = 8;
      rpp_message error;
      ck_assert(rpp_spec_check(&spec, &error));
      ck_assert(rpp_generate(&spec, RPP_F32, RPP_F32, &data, &error));
      const rpp_tensor *const all[] = {&whole.q, &whole.k, &whole.v}, *const left[] = {&data.q, &data.k, &data.v};
      for (int n = 0; n < 3; n++) {
        int64_t index[RPP_MAX_DIMS] = {0};
        do ck_assert_double_eq(rpp_tensor_get(all[n], index), rpp_tensor_get(left[n], index));
        while (guarded_next(left[n], index));
      }
      rpp_generated_free(&data);
      rpp_generated_free(&whole);
    }
}
END_TEST

/* ---- Guards -------------------------------------------------------------------------------------------------------------- */

static void poke(const rpp_tensor *t, int64_t bytes) {
  ((unsigned char *)t->data)[bytes] ^= 1;
}

static void expect(const char *name, const char *where) {
  rpp_message error = {""};
  ck_assert_msg(!rpp_generated_intact(&data, &error), "%s %s is not seen", name, where);
  ck_assert_msg(strncmp(error.text, name, strlen(name)) == 0 && strstr(error.text, where), "%s %s: %s", name, where, error.text);
}

START_TEST(stray_writes_are_named) {
  rpp_message error;
  make("ec:h=2,kv=1,b=2,lq=5,lk=5,d=6,dv=4,layout=padded,dtype=f32,packed=2,batched=1,rows=2");
  const struct {
    const char *name;
    const rpp_tensor *tensor;
  } all[] = {{"q", &data.q},       {"k", &data.k},       {"v", &data.v},       {"pos_q", &data.pos_q}, {"pos_k", &data.pos_k},
             {"cu_q", &data.cu_q}, {"cu_k", &data.cu_k}, {"rows", &data.rows}, {"out", &data.out},     {"lse", &data.lse}};
  ck_assert_msg(rpp_generated_intact(&data, &error), "%s", error.text);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const rpp_tensor *t = all[i].tensor;
    const int64_t size = (int64_t)rpp_dtype_size(t->dtype), row = t->shape[t->ndim - 1] * size;
    poke(t, -1);
    expect(all[i].name, "before its memory, 1 bytes from it");
    poke(t, -1);
    poke(t, t->strides[0] * t->shape[0] * size + 256);
    expect(all[i].name, "after its memory");
    poke(t, t->strides[0] * t->shape[0] * size + 256);
    if (t->ndim > 1) poke(t, row), expect(all[i].name, "between its elements"), poke(t, row);
    poke(t, 0);
    if (t == &data.out || t == &data.lse)
      ck_assert(rpp_generated_intact(&data, &error));
    else
      expect(all[i].name, t->ndim == 4 ? "at element (0, 0, 0, 0)" : "at element (0");
    poke(t, 0);
  }
  ck_assert_msg(rpp_generated_intact(&data, &error), "%s", error.text);
  rpp_generated_free(&data);
}
END_TEST

/* Of every part: behind the elements of one, and in the next one's. */
START_TEST(stray_writes_between_far_parts_are_named) {
  rpp_message error;
  make("ec:h=2,kv=2,b=2,lq=3,lk=3,d=6,dtype=f32,layout=sparse");
  const struct {
    const char *name;
    const rpp_tensor *tensor;
  } all[] = {{"q", &data.q}, {"k", &data.k}, {"v", &data.v}, {"out", &data.out}, {"lse", &data.lse}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const rpp_tensor *t = all[i].tensor;
    int far = 0;
    for (int d = 1; d < 3; d++)
      if (t->strides[d] > t->strides[far]) far = d;
    const int64_t step = t->strides[far] * (int64_t)rpp_dtype_size(t->dtype);
    ck_assert_int_gt((t->shape[far] - 1) * t->strides[far], INT32_MAX);
    for (int64_t n = 0; n < t->shape[far]; n++) {
      poke(t, n * step + 4095);
      expect(all[i].name, n + 1 < t->shape[far] ? "between its elements" : "written");
      poke(t, n * step + 4095);
      poke(t, n * step);
      if (i < 3)
        expect(all[i].name, "the input itself was written to, first at element (");
      else
        ck_assert_msg(rpp_generated_intact(&data, &error), "%s", error.text);
      poke(t, n * step);
    }
  }
  ck_assert_msg(rpp_generated_intact(&data, &error), "%s", error.text);
  rpp_generated_free(&data);
}
END_TEST

START_TEST(slices_of_one_buffer_are_named_apart) {
  make("ec:h=2,kv=1,lq=3,d=4,layout=fused");
  ck_assert_ptr_eq(data.q.data, data.k.data);
  ck_assert_ptr_eq(data.q.data, data.v.data);
  int64_t token = data.k.strides[1] * 4;
  poke(&data.k, token + (int64_t)data.k.byte_offset + 5);
  expect("k", "at element (0, 1, 0, 1)");
  poke(&data.k, token + (int64_t)data.k.byte_offset + 5);
  poke(&data.v, 2 * token + (int64_t)data.v.byte_offset);
  expect("v", "at element (0, 2, 0, 0)");
  rpp_generated_free(&data);
}
END_TEST

START_TEST(rooms_and_workspace_are_guarded) {
  rpp_message error;
  rpp_tensor turned, copy;
  make(_i == 0 ? "ec:h=2,kv=1,lq=3,lk=4,d=4,layout=sliced,dtype=bf16" : "ec:h=2,kv=1,lq=3,lk=4,d=4,layout=sparse,dtype=bf16");
  unsigned char *workspace = rpp_generated_workspace(&data, 100);
  ck_assert_ptr_nonnull(workspace);
  ck_assert_uint_eq((uintptr_t)workspace % 64, 0);
  ck_assert(rpp_generated_room(&data, "turned", &data.q, RPP_F32, false, &turned, &error));
  ck_assert(rpp_generated_room(&data, "in place", &data.k, RPP_BF16, true, &copy, &error));
  const int64_t index[] = {0, 1, 0, 2};
  ck_assert(rpp_generated_unwritten(&turned, index));
  ck_assert_double_eq(rpp_tensor_get(&copy, index), rpp_tensor_get(&data.k, index));
  memset(workspace, 1, 100);
  rpp_tensor_set(&turned, index, 1);
  rpp_tensor_set(&copy, index, 1000);
  ck_assert_msg(rpp_generated_intact(&data, &error), "%s", error.text);
  poke(&copy, (int64_t)copy.byte_offset + (_i == 0 ? 2 : 2 * copy.shape[3])); /* a gap in either layout */
  expect("in place", "between");
  rpp_generated_reset(&data);
  ck_assert_msg(rpp_generated_intact(&data, &error), "%s", error.text);
  ck_assert(rpp_generated_unwritten(&turned, index));
  ck_assert_double_eq(rpp_tensor_get(&copy, index), rpp_tensor_get(&data.k, index));
  workspace[100] ^= 1;
  expect("workspace", "after its memory, 0 bytes past its end");
  rpp_generated_free(&data);
}
END_TEST

START_TEST(outputs_start_as_poison) {
  make(_i == 0 ? "ec:h=2,kv=1,lq=3,lk=4,d=4,layout=padded" : "ec:h=2,kv=1,lq=3,lk=4,d=4,layout=sparse");
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    ck_assert(rpp_generated_unwritten(&data.out, index));
    ck_assert(isnan(rpp_tensor_get(&data.out, index)));
  } while (guarded_next(&data.out, index));
  rpp_tensor_set(&data.out, index, (double)NAN); /* another NaN is not it */
  ck_assert(!rpp_generated_unwritten(&data.out, index));
  rpp_generated_reset(&data);
  ck_assert(rpp_generated_unwritten(&data.out, index));
  rpp_generated_free(&data);
}
END_TEST

START_TEST(descriptions_are_the_tensors_without_data) {
  for (uint64_t n = 0; n < 500; n++) {
    rpp_spec spec = rpp_spec_draw(31, n, NULL, NULL);
    if (size_of(&spec) > 1e6) continue;
    rpp_generated described;
    rpp_message error;
    rpp_generated_describe(&spec, RPP_F16, RPP_F32, &described);
    ck_assert(rpp_generate(&spec, RPP_F16, RPP_F32, &data, &error));
    const rpp_tensor *const a[] = {&described.q,    &described.k,   &described.v,  &described.pos_k,
                                   &described.cu_q, &described.out, &described.lse};
    const rpp_tensor *const b[] = {&data.q, &data.k, &data.v, &data.pos_k, &data.cu_q, &data.out, &data.lse};
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
      ck_assert_ptr_null(a[i]->data);
      ck_assert(a[i]->dtype == b[i]->dtype && a[i]->ndim == b[i]->ndim && a[i]->byte_offset == b[i]->byte_offset);
      ck_assert_mem_eq(a[i]->shape, b[i]->shape, sizeof a[i]->shape);
      ck_assert_mem_eq(a[i]->strides, b[i]->strides, sizeof a[i]->strides);
    }
    ck_assert((described.inputs.pos_k == NULL) == spec.attention.k_rotated);
    ck_assert((described.inputs.pos_q == NULL) == spec.attention.q_rotated &&
              (described.inputs.cu_q == NULL) == (spec.packed == 0));
    rpp_generated_free(&data);
  }
}
END_TEST

/* A sanitizer's allocator takes much address space, and ends the program when there is none. */
enum { OWN_ALLOCATOR = RPP_ADDRESS_SANITIZER || RPP_THREAD_SANITIZER };

START_TEST(memory_that_is_out_is_a_message) {
  rpp_spec spec;
  rpp_message error;
  ck_assert(rpp_spec_parse("rope:h=1,kv=1,lq=1,lk=1048576,d=2048,dtype=f64", &spec, &error));
  if (OWN_ALLOCATOR) return;
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)1 << 30, (rlim_t)1 << 30}),
                   0); /* the test has a process of its own */
  ck_assert(!rpp_generate(&spec, RPP_F32, RPP_F32, &data, &error));
  ck_assert_msg(strstr(error.text, "out of memory") != NULL, "%s", error.text);
  ck_assert_ptr_null(data.blocks);
}
END_TEST

/* Which is no fault of the kernel, nor of the verifier. */
START_TEST(address_space_that_is_out_is_unsupported) {
  rpp_spec spec;
  rpp_message error;
  rpp_verdict verdict;
  const rpp_kernel *kernel = rpp_kernel_find("blocked");
  ck_assert(rpp_spec_parse("rope:h=1,lq=3,d=8,layout=sparse", &spec, &error));
  if (OWN_ALLOCATOR) return;
  rpp_judge_case(kernel, &spec, &verdict);
  ck_assert_msg(verdict.outcome == RPP_OUTCOME_PASS, "%s", verdict.message.text);
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)1 << 33, (rlim_t)1 << 33}), 0);
  ck_assert(!rpp_generate(&spec, RPP_F32, RPP_F32, &data, &error));
  ck_assert_msg(strstr(error.text, "address space") != NULL && data.unreserved, "%s", error.text);
  ck_assert_ptr_null(data.blocks);
  rpp_judge_case(kernel, &spec, &verdict);
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_UNSUPPORTED);
  ck_assert_str_eq(verdict.message.text, error.text);
  ck_assert_ptr_null(strchr(error.text, '\n'));
  spec.layout = RPP_LAYOUT_PADDED;
  rpp_judge_case(kernel, &spec, &verdict);
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_PASS);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("generate");
  TCase *tests = tcase_create("generate");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, bits_are_golden);
  tcase_add_test(tests, the_library_takes_every_drawn_case);
  tcase_add_test(tests, layouts_hold_the_same_values);
  tcase_add_test(tests, smaller_problems_keep_their_values);
  tcase_add_test(tests, stray_writes_are_named);
  tcase_add_test(tests, stray_writes_between_far_parts_are_named);
  tcase_add_test(tests, slices_of_one_buffer_are_named_apart);
  tcase_add_loop_test(tests, rooms_and_workspace_are_guarded, 0, 2);
  tcase_add_loop_test(tests, outputs_start_as_poison, 0, 2);
  tcase_add_test(tests, descriptions_are_the_tensors_without_data);
  tcase_add_test(tests, memory_that_is_out_is_a_message);
  tcase_add_test(tests, address_space_that_is_out_is_unsupported);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
