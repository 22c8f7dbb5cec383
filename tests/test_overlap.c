/* overlap.c: whether tensors share memory, against a map of every byte they touch. */
#include <stdio.h>
#include "check_tensor.h"
#include "guarded.h"
#include "support.h"

enum { ARENA = 4096 };

/* A random small tensor inside the arena, with strides of any sign, zero too, and any dtype. */
static rpp_tensor draw(unsigned char *arena, uint64_t *state) {
  rpp_tensor t = {.data = arena, .dtype = (rpp_dtype)(support_random(state) % 5), .ndim = 1 + (int)(support_random(state) % 4)};
  int64_t low = 0, high = 0;
  for (int d = 0; d < t.ndim; d++) {
    t.shape[d] = (int64_t)(support_random(state) % 5);
    t.strides[d] = (int64_t)(support_random(state) % 25) - 12;
    if (t.shape[d] > 0) *(t.strides[d] < 0 ? &low : &high) += (t.shape[d] - 1) * t.strides[d];
  }
  const int64_t size = (int64_t)rpp_dtype_size(t.dtype);
  const int64_t room = ARENA / 4 - (high - low + 1) * size; /* close together, so that about half of them meet */
  t.byte_offset = (uint64_t)(-low * size) + (room > 0 ? support_random(state) % (uint64_t)room : 0);
  return t;
}

/* Counts the elements that touch each byte; how many elements there are. */
static int64_t mark(const rpp_tensor *t, const unsigned char *arena, unsigned char *touches) {
  int64_t index[RPP_MAX_DIMS] = {0}, elements = 1;
  memset(touches, 0, ARENA);
  for (int d = 0; d < t->ndim; d++) elements *= t->shape[d];
  if (elements > 0) do {
      int64_t at = (const unsigned char *)t->data - arena + (int64_t)t->byte_offset;
      for (int d = 0; d < t->ndim; d++) at += index[d] * t->strides[d] * (int64_t)rpp_dtype_size(t->dtype);
      for (size_t i = 0; i < rpp_dtype_size(t->dtype); i++) touches[at + (int64_t)i] += touches[at + (int64_t)i] < 2;
    } while (guarded_next(t, index));
  return elements;
}

START_TEST(random_tensors) {
  static unsigned char arena[ARENA], in_a[ARENA], in_b[ARENA];
  uint64_t state = 51;
  int missed = 0, self_missed = 0, apart = 0, apart_found = 0, self_apart = 0, self_apart_found = 0, shared = 0;
  for (int i = 0; i < 200000; i++) {
    const rpp_tensor a = draw(arena, &state), b = draw(arena, &state);
    mark(&a, arena, in_a), mark(&b, arena, in_b);
    bool meet = false, self = false;
    for (int j = 0; j < ARENA; j++) meet |= in_a[j] && in_b[j], self |= in_a[j] > 1;
    const bool said = rpp_tensors_overlap(&a, &b), said_self = (rpp_tensor_self_overlap(&a) >= 0);
    ck_assert_int_eq(said, rpp_tensors_overlap(&b, &a));
    missed += meet && !said;
    self_missed += self && !said_self;
    shared += meet;
    apart += !meet, apart_found += !meet && !said;
    self_apart += !self, self_apart_found += !self && !said_self;
  }
  fprintf(stderr, "overlap: %d pairs meet; of %d apart %d are told so; of %d tensors apart from themselves %d\n", shared, apart,
          apart_found, self_apart, self_apart_found);
  ck_assert_int_eq(missed, 0);
  ck_assert_int_eq(self_missed, 0);
  ck_assert(shared > 10000 && apart_found == apart && self_apart_found == self_apart);
}
END_TEST

START_TEST(slices_of_one_buffer) {
  /* What users do: views along one dimension of a contiguous or transposed buffer. Here the answer is exact. */
  static unsigned char arena[ARENA], in_a[ARENA], in_b[ARENA];
  uint64_t state = 52;
  int wrong = 0, meetings = 0;
  for (int i = 0; i < 50000; i++) {
    const int64_t shape[] = {1 + (int64_t)(support_random(&state) % 3), 1 + (int64_t)(support_random(&state) % 4),
                             1 + (int64_t)(support_random(&state) % 8), 1 + (int64_t)(support_random(&state) % 8)};
    rpp_tensor whole, views[2];
    support_accepted(rpp_tensor_contiguous(arena, RPP_F16, 4, shape, &whole));
    if (i & 1) { /* heads before length */
      whole.strides[1] = shape[3];
      whole.strides[2] = shape[3] * shape[1];
    }
    const int dim = (int)(support_random(&state) % 4);
    for (int v = 0; v < 2; v++) {
      const int64_t size = shape[dim], step = 1 + (int64_t)(support_random(&state) % 2),
                    start = (int64_t)(support_random(&state) % (uint64_t)size);
      const int64_t length = 1 + (int64_t)(support_random(&state) % (uint64_t)((size - 1 - start) / step + 1));
      support_accepted(rpp_tensor_slice(&whole, dim, start, length, step, &views[v]));
    }
    mark(&views[0], arena, in_a), mark(&views[1], arena, in_b);
    bool meet = false;
    for (int j = 0; j < ARENA; j++) meet |= in_a[j] && in_b[j];
    meetings += meet;
    wrong += meet != rpp_tensors_overlap(&views[0], &views[1]);
    wrong += (rpp_tensor_self_overlap(&views[0]) >= 0);
  }
  ck_assert_int_eq(wrong, 0);
  ck_assert(meetings > 5000 && meetings < 45000);
}
END_TEST

START_TEST(extreme_spans) {
  /* Nothing here is memory, as a caller's mistake might have it: each span fits 63 bits, but sums of them do not. All hold the address
   * of element 0, in the middle of the address space, and reach up or down from it. */
  unsigned char bytes[16];
  const int64_t far = INT64_C(3) << 57;
  const uint64_t middle = UINT64_C(1) << 63;
  const rpp_tensor up = {bytes, RPP_F64, 2, {2, 2}, {far, far + 1}, middle}, one = {bytes, RPP_F64, 1, {1}, {1}, middle},
                   down = {bytes, RPP_F64, 2, {2, 2}, {-far - 2, -far - 3}, middle},
                   beside = {bytes, RPP_F64, 1, {1}, {1}, middle + 8};
  const rpp_tensor *all[] = {&up, &down, &one};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) ck_assert_msg(rpp_tensors_overlap(all[i], all[j]), "%d and %d", i, j);
  ck_assert(!rpp_tensors_overlap(&down, &beside) && !rpp_tensors_overlap(&one, &beside));
  ck_assert(rpp_tensor_self_overlap(&up) < 0 && rpp_tensor_self_overlap(&down) < 0);
}
END_TEST

START_TEST(extreme_strides) {
  /* A dimension of one element has a stride that nothing reads; tensors without elements overlap nothing. */
  unsigned char bytes[64];
  const int64_t extremes[] = {INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX / 8 + 1, 0};
  for (int i = 0; i < 5; i++) {
    const rpp_tensor row = {bytes, RPP_F64, 2, {1, 4}, {extremes[i], 1}, 0},
                     apart = {bytes + 32, RPP_F64, 2, {4, 1}, {1, extremes[i]}, 0};
    const rpp_tensor empty = {NULL, RPP_F64, 2, {0, 4}, {1, extremes[i]}, 0};
    ck_assert(rpp_tensors_overlap(&row, &row) && !rpp_tensors_overlap(&row, &apart));
    ck_assert(rpp_tensor_self_overlap(&row) < 0 && rpp_tensor_self_overlap(&apart) < 0);
    int64_t elements, span;
    if (rpp_tensor_extent(&empty, &elements, &span) == RPP_OK)
      ck_assert(!rpp_tensors_overlap(&row, &empty) && rpp_tensor_self_overlap(&empty) < 0 && elements == 0 && span == 0);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("overlap");
  TCase *cases = tcase_create("overlap");
  tcase_set_timeout(cases, 100);
  tcase_add_test(cases, random_tensors);
  tcase_add_test(cases, slices_of_one_buffer);
  tcase_add_test(cases, extreme_spans);
  tcase_add_test(cases, extreme_strides);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
