/* kernel_blocked.c, kernels.c, kernels_run.c: the table, its contracts, and the kernel behind the interface. */
#include <stdio.h>
#include <stdlib.h>
#include "attention_problem.h"
#include "kernels/kernel_blocked.h"
#include "kernels_run.h"
#include "support.h"

static const rpp_kernel *const all[] = {&rpp_kernel_blocked, &rpp_kernel_blocked_f16, &rpp_kernel_blocked_bf16};
static const rpp_dtype storages[] = {RPP_F32, RPP_F16, RPP_BF16};

START_TEST(contracts_are_the_library_s) {
  for (int i = 0; i < 3; i++) {
    const rpp_contract a = all[i]->contract, b = rpp_attention_blocked_contract(storages[i]);
    ck_assert(a.input == b.input && a.rotated == b.rotated && a.rotate_each == b.rotate_each && a.value == b.value);
    ck_assert(a.probability == b.probability && a.output == b.output && a.lse == b.lse && a.sums == b.sums);
    ck_assert(a.sum_depth == b.sum_depth && a.key_tile == b.key_tile && a.max_splits == b.max_splits);
    ck_assert(a.angles == b.angles && a.angle_error == b.angle_error && a.deterministic == b.deterministic);
  }
}
END_TEST

START_TEST(kernels_are_found_by_name) {
  for (int i = 0; i < 3; i++) ck_assert_ptr_eq(rpp_kernel_find(all[i]->name), all[i]);
  ck_assert_ptr_null(rpp_kernel_find("block"));
  ck_assert_ptr_null(rpp_kernel_find(""));
}
END_TEST

START_TEST(a_line_for_each_kernel_its_name_first) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  ck_assert_int_eq(rpp_kernels_run(rpp_kernels, out), 0);
  fclose(out);
  int lines = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
    *end = '\0';
    const char *name = rpp_kernels[lines]->name;
    ck_assert(strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ');
    if (rpp_kernels[lines]->forward == rpp_kernel_blocked.forward) ck_assert_ptr_nonnull(strstr(line, rpp_vector_set_name()));
  }
  ck_assert_int_ge(lines, 3);
  ck_assert_ptr_null(rpp_kernels[lines]);
  free(text);
  out = tmpfile();
  ck_assert_int_eq(rpp_kernels_run((const rpp_kernel *const[]){NULL}, out), 1);
  fclose(out);
}
END_TEST

START_TEST(forward_rotate_and_refusals_go_through) {
  for (int i = 0; i < 3; i++) {
    problem_config c = problem_default(RPP_MODE_EC);
    c.q_dtype = c.k_dtype = c.v_dtype = c.out_dtype = storages[i], c.lse_dtype = RPP_F32;
    problem *p = problem_new(&c);
    rpp_tensor empty = p->q.tensor;
    empty.data = NULL; /* as a kernel is asked */
    rpp_attention_inputs shapes = p->inputs;
    shapes.q = &empty;
    rpp_kernel_problem asked = {&p->attention, &shapes, &p->out.tensor, &p->lse.tensor};
    const char *reason = NULL;
    ck_assert_ptr_null(all[i]->supports(all[i], &asked));
    empty.dtype = RPP_F64;
    ck_assert_ptr_nonnull(all[i]->supports(all[i], &asked));
    empty.dtype = storages[i];
    rpp_attention tiny = p->attention;
    tiny.scale = 1e-40, asked.attention = &tiny;
    ck_assert_ptr_nonnull(all[i]->supports(all[i], &asked));
    ck_assert_int_eq(all[i]->forward(all[i], &p->attention, &p->inputs, &p->out.tensor, &p->lse.tensor, NULL, &reason), 0);
    ck_assert_ptr_null(reason);
    const double first = rpp_tensor_get(&p->out.tensor, (int64_t[]){0, 0, 0, 0});
    ck_assert(first == first);
    ck_assert_int_eq(
        all[i]->rotate(all[i], &p->attention.rotary, RPP_PART_IMAG, &p->q.tensor, &p->pos_q.tensor, &p->q.tensor, &reason), 0);
    tiny = p->attention, tiny.mode = RPP_MODE_EH, tiny.heads = 3;
    ck_assert_ptr_nonnull(strstr(all[i]->supports(all[i], &asked), "heads"));
    ck_assert_int_ne(all[i]->forward(all[i], &tiny, &p->inputs, &p->out.tensor, &p->lse.tensor, NULL, &reason), 0);
    ck_assert_ptr_nonnull(strstr(reason, "heads"));
    reason = NULL;
    ck_assert_int_ne(
        all[i]->rotate(all[i], &p->attention.rotary, (rpp_part)7, &p->q.tensor, &p->pos_q.tensor, &p->q.tensor, &reason), 0);
    ck_assert_ptr_nonnull(strstr(reason, "part"));
    problem_free(p);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernel_blocked");
  TCase *tests = tcase_create("kernel_blocked");
  tcase_add_test(tests, contracts_are_the_library_s);
  tcase_add_test(tests, kernels_are_found_by_name);
  tcase_add_test(tests, a_line_for_each_kernel_its_name_first);
  tcase_add_test(tests, forward_rotate_and_refusals_go_through);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
