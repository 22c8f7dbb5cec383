/* Rotated tensors and their bound: the truth of rpp_rotate, laid out like x, and the errors it refuses with. That rotations stay below it is
 * tested with the bound of attention (test_bound) and row by row (test_bounded_row). */
#include "support.h"

#include "base/scratch.h"
#include "kernels/emulate.h"

#include <math.h>

typedef struct {
  rpp_scratch scratch;
  rpp_rotary rotary;
  rpp_contract contract;
  rpp_tensor x, pos, y, bound;
} problem;

static void prepare(problem *p) {
  rpp_random random = rpp_random_make(2, 0);
  *p = (problem){.rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = 6, .base = 1e4, .table_dtype = RPP_F64}};
  p->contract = rpp_emulated_contract(RPP_F64);
  p->x = rpp_scratch_normal(&p->scratch, &random, 2, 5, 3, 8);
  p->pos = rpp_scratch_positions(&p->scratch, 5, 1000, 7);
  p->y = rpp_scratch_zeros(&p->scratch, 2, 5, 3, 8);
  p->bound = rpp_scratch_zeros(&p->scratch, 2, 5, 3, 8);
}

static rpp_status bound(problem *p, rpp_part part) {
  return rpp_rotate_bound(&p->rotary, part, &p->contract, &p->x, &p->pos, &p->y, &p->bound);
}

START_TEST(is_the_rotation) {
  problem p;
  prepare(&p);
  for (int part = 0; part < 2; part++) {
    const rpp_tensor y = rpp_scratch_copy(&p.scratch, &p.y);
    ck_assert_int_eq(bound(&p, (rpp_part)part), RPP_OK);
    ck_assert_int_eq(rpp_rotate(&p.rotary, (rpp_part)part, &p.x, &p.pos, (rpp_tensor *)&y), RPP_OK);
    ck_assert_double_le(rpp_scratch_deviation(&y, &p.y), 0);
    for (int64_t i = 0; i < rpp_scratch_size(&y); i++) {
      const double limit = rpp_scratch_values(&p.bound)[i];
      if (i % 8 < 6)
        ck_assert(limit > 0 && limit < 1e-14);
      else
        ck_assert(limit == 0);
    }
  }
  rpp_scratch_free(&p.scratch);
}
END_TEST

START_TEST(stores_what_the_contract_stores) {
  problem p;
  prepare(&p);
  p.contract = rpp_emulated_contract(RPP_BF16);
  ck_assert_int_eq(bound(&p, RPP_PART_IMAG), RPP_OK);
  for (int64_t i = 0; i < rpp_scratch_size(&p.y); i++)
    ck_assert(rpp_dtype_round(RPP_BF16, rpp_scratch_values(&p.y)[i]) == rpp_scratch_values(&p.y)[i]);
  rpp_scratch_free(&p.scratch);
}
END_TEST

START_TEST(arguments) {
  problem p;
  prepare(&p);
  support_refused(bound(&p, (rpp_part)2), RPP_ERROR_VALUE, "part", "2");
  support_refused(rpp_rotate_bound(&p.rotary, RPP_PART_REAL, NULL, &p.x, &p.pos, &p.y, &p.bound), RPP_ERROR_NULL, "contract",
                  "null");
  support_refused(rpp_rotate_bound(&p.rotary, RPP_PART_REAL, &p.contract, &p.x, &p.pos, &p.y, &p.y), RPP_ERROR_OVERLAP, "bound",
                  "y");
  support_refused(rpp_rotate_bound(&p.rotary, RPP_PART_REAL, &p.contract, &p.x, &p.pos, &p.x, &p.bound), RPP_ERROR_OVERLAP, "y",
                  "x");
  p.bound.dtype = RPP_F32;
  support_refused(bound(&p, RPP_PART_REAL), RPP_ERROR_DTYPE, "bound", "F32");
  p.bound.dtype = RPP_F64, p.bound.shape[3] = 7;
  ck_assert_int_eq(bound(&p, RPP_PART_REAL), RPP_ERROR_SHAPE);
  p.bound.shape[3] = 8, p.rotary.rotary_dim = 10;
  ck_assert_int_ne(bound(&p, RPP_PART_REAL), RPP_OK);
  rpp_scratch_free(&p.scratch);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rotate_bound");
  TCase *all = tcase_create("rotate_bound");
  tcase_add_test(all, is_the_rotation);
  tcase_add_test(all, stores_what_the_contract_stores);
  tcase_add_test(all, arguments);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
