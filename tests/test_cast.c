/* cast.c: plants first, clean kernels after them, and a clean twin of the same contract for each plant. */
#include "support.h"

#include "kernels/emulate.h"
#include "plants/cast.h"

static int clean_kernels(void) {
  int count = 0;
  for (int i = 0; rpp_kernels[i]; i++) count += rpp_kernel_on_host(rpp_kernels[i]);
  for (int i = 0; rpp_emulated_kernels[i]; i++) count++;
  return count;
}

START_TEST(everybody_once) {
  const bool cuda = _i == 1;
  rpp_cast c;
  ck_assert(rpp_cast_gather(&c, cuda, false));
  ck_assert_int_eq(c.count, c.plants + clean_kernels());
  ck_assert_ptr_null(c.twins);
  int own = 0;
  while (rpp_plants[own].kernel.name) own++;
  ck_assert(cuda ? c.plants > own : c.plants == own);
  for (int i = 0; i < c.plants; i++) {
    ck_assert_ptr_eq(c.planted[i], i < own ? &rpp_plants[i] : &rpp_cuda_plants()[i - own]);
    ck_assert_ptr_eq(c.kernels[i], &c.planted[i]->kernel);
  }
  for (int i = 0; i < c.count; i++)
    for (int j = 0; j < i; j++) ck_assert_str_ne(c.names[i], c.names[j]);
  rpp_cast_free(&c);
}
END_TEST

START_TEST(twins_claim_the_same) {
  rpp_cast c;
  ck_assert(rpp_cast_gather(&c, false, true));
  for (int i = 0; i < c.plants; i++) {
    ck_assert(c.twins[i] >= c.plants && c.twins[i] < c.count);
    const rpp_contract *plant = &c.kernels[i]->contract, *twin = &c.kernels[c.twins[i]]->contract;
    ck_assert(plant->input == twin->input && plant->output == twin->output && plant->sums == twin->sums);
    ck_assert(plant->angles == twin->angles && plant->max_splits == twin->max_splits && plant->key_tile == twin->key_tile);
  }
  for (int i = c.plants + clean_kernels(); i < c.count; i++) ck_assert(strncmp(c.names[i], "without ", 8) == 0);
  rpp_cast_free(&c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cast");
  TCase *cases = tcase_create("cast");
  tcase_add_loop_test(cases, everybody_once, 0, 2);
  tcase_add_test(cases, twins_claim_the_same);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
